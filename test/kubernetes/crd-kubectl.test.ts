import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KINDS, type Kind } from '../../src/api/schema.ts'
import { tool } from '../manifests/tools.ts'
import { apiServer } from './api-server.ts'
import { create, FULL, GROUP, MERGE, PLURAL } from './crd-samples.ts'
import { fieldsOf, pathText, schemaOf } from './crd-schema.ts'

/** What kubectl makes of the custom resources: explanations, columns, short names, selectors. */

const STATUS: Record<Kind, Record<string, unknown>> = {
  ServerPilotApp: { observedGeneration: 1, domains: { desired: 3, observed: 4, owned: 3, foreign: 1 } },
  DomainMapping: { observedGeneration: 1 },
}
const READY = {
  type: 'Ready',
  status: 'False',
  reason: 'RemovalRefused',
  message: '4 hosts wait.',
  lastTransitionTime: '2030-01-31T12:00:00Z',
}

/** Words of a field's name: `maxRemovalPercent` is max removal percent. */
const words = (text: string): Set<string> => new Set(text.toLowerCase().match(/[a-z]+/g))

test('kubectl on a real API server', async (t) => {
  const kubectl = await tool(t, 'kubectl')
  if (kubectl === undefined) return
  const server = await apiServer(t)
  if (server === undefined) return
  const namespace = await server.namespace('crd')
  const ask = (...args: string[]) => kubectl(['--kubeconfig', server.kubeconfig, '-n', namespace, ...args])
  for (const kind of KINDS) {
    const name = kind === 'ServerPilotApp' ? 'network' : 'shop'
    await create(server, namespace, { kind, metadata: { name }, spec: FULL[kind] })
    const [dns, certificate] = ['DNSReady', 'CertificateReady'].map((type) => ({ ...READY, type, status: 'True' }))
    const hosts = [{ name: 'xn--bcher-kva.example', state: 'present', certificateNotAfter: '2030-03-01T12:00:00Z' }]
    const status = {
      ...STATUS[kind],
      ...(kind === 'DomainMapping' ? { hosts } : {}),
      conditions: [READY, dns, certificate],
    }
    const body = { status }
    const call = { ...GROUP, namespace, plural: PLURAL[kind], name, body }
    await server.admin.custom.patchNamespacedCustomObjectStatus(call, MERGE)
  }

  await t.test('explain shows every field, with more than its name repeated', async () => {
    for (const kind of KINDS)
      for (const part of ['spec', 'status'] as const) {
        const told = await ask('explain', `${kind.toLowerCase()}.${part}`, '--recursive')
        for (const { path, schema } of fieldsOf(schemaOf(kind, part), [part])) {
          const name = path.at(-1)
          if (name === undefined || name === 0) continue
          if (path.length > 1) assert.match(told, new RegExp(`^ +${name}\t<`, 'm'), pathText(path))
          const { description } = schema
          assert.equal(typeof description, 'string', `${kind} ${pathText(path)} is not described`)
          const own = words(name.replace(/[A-Z]/g, ' $&'))
          const more = [...words(description as string)].filter((word) => !own.has(word) && word !== 'the')
          assert.ok(more.length >= 2, `${kind} ${pathText(path)}: ${description as string}`)
        }
      }
    const told = await ask('explain', 'spapp.spec.safety.settle')
    assert.match(told, /FIELD: settle <string>[\s\S]*How long nothing more must have gone/)
  })

  await t.test('get: short names, columns, the category', async () => {
    const apps = (await ask('get', 'spapp')).trim().split('\n')
    assert.match(apps[0] ?? '', /^NAME +APP +POLICY +DESIRED +OBSERVED +READY +REASON +AGE$/)
    assert.match(apps[1] ?? '', /^network +nlcN0TwdZAyNEgdp +Exclusive +3 +4 +False +RemovalRefused +\d+s$/)
    const mappings = (await ask('get', 'dmap')).trim().split('\n')
    assert.match(mappings[0] ?? '', /^NAME +DOMAIN +APP +READY +REASON +DNS +CERTIFICATE +UNTIL +AGE$/)
    assert.match(
      mappings[1] ?? '',
      /^shop +bücher\.example +network +False +RemovalRefused +True +True +2030-03-01T12:00:00Z +\d+s$/,
    )
    const wide = await ask('get', 'spapp,dmap', '-o', 'wide')
    assert.equal([...wide.matchAll(/ MESSAGE /g)].length, 2)
    assert.equal([...wide.matchAll(/4 hosts wait\./g)].length, 2)
    const all = await ask('get', 'domainpilot', '-o', 'name')
    const names = ['domainmapping.domainpilot.dev/shop', 'serverpilotapp.domainpilot.dev/network']
    assert.deepEqual(all.trim().split('\n').sort(), names)
  })

  await t.test('field selectors find objects by the app and by the domain', async () => {
    const rows: [string, string, string][] = [
      ['spapp', 'spec.appId=nlcN0TwdZAyNEgdp', 'network'],
      ['dmap', 'spec.appRef.name=network', 'shop'],
      ['dmap', 'spec.domain=bücher.example', 'shop'],
    ]
    for (const [kind, selector, found] of rows) {
      const by = (wanted: string) =>
        ask('get', kind, '--field-selector', wanted, '-o', 'jsonpath={.items[*].metadata.name}')
      assert.equal(await by(selector), found)
      assert.equal(await by(`${selector}x`), '')
    }
  })
})
