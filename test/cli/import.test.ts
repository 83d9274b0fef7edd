import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { parseDocuments } from '../../src/api/yaml.ts'
import { importText } from '../../src/cli/import-text.ts'
import { writes } from '../../src/plan/plan.ts'
import type { ServerPilotApp } from '../../src/serverpilot/serverpilot.ts'
import { desired, plan, record } from '../plan/fixture.ts'

const APP: ServerPilotApp = { id: 'AAAAAAAAAAAAAAAA', name: 'network', serverId: 's', domains: [], ssl: null }

function imported(domains: string[]) {
  const text = importText([{ ...APP, domains }])
  const parsed = parseDocuments(text, { file: 'imported.yaml' })
  assert.deepEqual(parsed.faults, [], text)
  const [app] = parsed.apps
  assert.ok(app)
  return { text, app, mappings: parsed.mappings }
}

describe('import', () => {
  test('pairs a domain with its www', () => {
    const { mappings } = imported(['example.com', 'www.example.com', 'shop.example.com', 'www.alone.example'])
    assert.deepEqual(
      mappings.map((each) => [each.domain, each.www]),
      [
        ['example.com', 'MainOnly'],
        ['shop.example.com', 'Never'],
        ['www.alone.example', 'Never'],
      ],
    )
  })
  test('what cannot be declared stands there as a comment', () => {
    assert.match(imported(['192.0.2.10', 'a.example.com']).text, /# left alone \(foreign\): 192\.0\.2\.10/)
  })
  test('names that YAML reads otherwise are quoted', () => {
    assert.equal(imported(['no.example.com']).mappings.length, 1)
    const parsed = parseDocuments(importText([{ ...APP, name: 'no', domains: [] }]), { file: 'f' })
    assert.deepEqual(parsed.faults, [])
  })
  test('whatever is there, a first plan changes nothing', () => {
    const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/)
    const host = fc
      .tuple(fc.constantFrom('', 'www.', '*.'), label, fc.constantFrom('example.com', 'example.co.uk', 'example'))
      .map((parts) => `${parts[0]}${parts[1]}.${parts[2]}`)
    fc.assert(
      fc.property(fc.uniqueArray(host, { maxLength: 20 }), (domains) => {
        const { app, mappings } = imported(domains)
        const made = plan(mappings, domains, record([]), { app, desired: desired(app, mappings) })
        assert.equal(writes(made), false)
        assert.deepEqual(desired(app, mappings).rejected, [])
      }),
    )
  })
})
