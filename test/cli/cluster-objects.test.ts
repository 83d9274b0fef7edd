import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { explainObjects } from '../../src/cli/cluster-explain.ts'
import { appObject, mappingObject } from '../../src/cli/cluster-reader.ts'
import { statusOf } from '../../src/cli/cluster-status.ts'
import { parseHost } from '../../src/domain/host.ts'
import { statusText } from '../../src/report/status-text.ts'
import { namespacesOf } from '../../src/setup/cluster-scope.ts'
import { readSettings } from '../../src/setup/settings.ts'

const NOW = Date.parse('2026-03-01T12:00:00Z')
const since = '2026-03-01T11:00:00Z'
const condition = (type: string, status: string, reason: string, message = '') => ({
  ...{ type, status, reason, message },
  lastTransitionTime: since,
})
const ready = [condition('Accepted', 'True', 'Succeeded'), condition('Ready', 'True', 'Succeeded')]

const APP = {
  metadata: { namespace: 'wordpress', name: 'network', generation: 2, resourceVersion: '7' },
  spec: { appId: 'AAAAAAAAAAAAAAAA', policy: 'Sync' },
  status: {
    observedGeneration: 2,
    ownedDomains: ['shop.example.com', 'old.example.com'],
    domains: { desired: 1, observed: 3, owned: 2, foreign: 1 },
    certificate: { notAfter: '2026-05-01T00:00:00Z', covered: ['shop.example.com'], uncovered: [] },
    plan: { hash: '0123456789abcdef', removals: ['old.example.com'], reason: 'RemovalRefused', message: 'too many' },
    conditions: ready,
  },
}
const MAPPING = {
  metadata: { namespace: 'wordpress', name: 'shop', generation: 1 },
  spec: { domain: 'shop.example.com', appRef: { name: 'network' } },
  status: { observedGeneration: 1, hosts: [{ name: 'shop.example.com', state: 'present' }], conditions: ready },
}
const host = (name: string) => {
  const parsed = parseHost(name)
  assert.ok(parsed.ok)
  return parsed.host
}
const explain = (name: string, apps: object[] = [APP], mappings: object[] = [MAPPING]) =>
  explainObjects(host(name), apps.map(appObject), mappings.map(mappingObject), 'kubectl domainpilot')

describe('status off the objects', () => {
  const status = statusOf([appObject(APP)], [mappingObject(MAPPING)], { version: '1', now: NOW })

  test('looks like that of files', () => {
    const text = statusText(status, { colour: false, width: 200, approve: ({ key }) => `approve ${key}` })
    assert.match(text, /wordpress\/network +● Ready +3\/1 +2 +1 +in 60 days/)
    assert.match(text, /wordpress\/shop +shop\.example\.com +● Ready/)
    assert.match(text, /Approve exactly these, once: approve wordpress\/network/)
    assert.doesNotMatch(text, /IN SYNC/)
  })
  test('hosts of an app come from its mappings', () => {
    assert.deepEqual(status.apps[0]?.hosts, [{ name: 'shop.example.com', state: 'present', mapping: 'wordpress/shop' }])
  })
  test('what was said of an earlier generation does not count', () => {
    const later = { ...APP, metadata: { ...APP.metadata, generation: 3 } }
    const [app] = statusOf([appObject(later)], [], { version: '1', now: NOW }).apps
    const found = app?.conditions.find(({ type }) => type === 'Ready')
    assert.equal(found?.status, 'Unknown')
    assert.match(found?.message ?? '', /generation 3 yet; it saw 2/)
  })
  test('a status that is missing or makes no sense is empty', () => {
    const odd = { ...APP, status: { domains: 'many', plan: { hash: 1 }, conditions: [{ type: 1 }] } }
    for (const object of [odd, { ...APP, status: undefined }]) {
      const { status: found } = appObject(object)
      assert.deepEqual([found.observedGeneration, found.plan, found.conditions], [-1, undefined, []])
    }
  })
})

describe('explain off the objects', () => {
  test('in place', () => {
    const [found, ...more] = explain('shop.example.com')
    assert.equal(more.length, 0)
    assert.equal(found?.wantedBy, 'wordpress/shop')
    assert.equal(found?.heldBy, 'wordpress/network')
    assert.equal(found?.listed, true)
    assert.match(found?.next ?? '', /as it should be/)
  })
  test('a removal that waits says how to approve it', () => {
    const [found] = explain('old.example.com')
    assert.equal(found?.wantedBy, undefined)
    assert.match(found?.next ?? '', /kubectl domainpilot approve wordpress\/network 0123456789abcdef/)
  })
  test('refused: why, and the cure', () => {
    const refused = [condition('Accepted', 'False', 'NotAllowed', 'the app does not admit it')]
    const mapping = { ...MAPPING, status: { observedGeneration: 1, hosts: [], conditions: refused } }
    const [found] = explain('shop.example.com', [{ ...APP, status: {} }], [mapping])
    assert.match(found?.verdict ?? '', /not on the app: the app does not admit it/)
    assert.match(found?.next ?? '', /allowedNamespaces/)
    assert.equal(found?.heldBy, undefined)
  })
  test('nobody has looked yet', () => {
    const [found] = explain('shop.example.com', [APP], [{ ...MAPPING, status: undefined }])
    assert.match(found?.next ?? '', /has not looked/)
  })
  test('unknown', () => assert.deepEqual(explain('else.example.org'), []))
})

test('namespaces as kubectl has them', () => {
  const chosen = (plugin: boolean, given: Record<string, unknown>) =>
    namespacesOf(
      { plugin },
      given,
      readSettings(given, {}, () => ''),
      { namespace: 'context' },
    )
  assert.deepEqual(chosen(true, {}), ['context'])
  assert.deepEqual(chosen(true, { namespace: ['a', 'b', 'a'] }), ['a', 'b'])
  assert.deepEqual(chosen(true, { allNamespaces: true, namespace: ['a'] }), [''])
  assert.deepEqual(chosen(false, {}), [''])
})
