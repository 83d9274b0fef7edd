import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeObject } from '../../src/api/decode.ts'
import { KINDS, type Kind } from '../../src/api/schema.ts'
import { customResourceDefinitions } from '../../src/status/crd.ts'
import { type ApiServer, apiServer, until } from './api-server.ts'
import { API_VERSION, create, examples, FULL, GROUP, MERGE, PLURAL, type Sample, type Spec } from './crd-samples.ts'
import { type Field, fieldsOf, pathText, schemaOf, withValue } from './crd-schema.ts'

/** The CustomResourceDefinitions on a real API server: what it takes, what it refuses and in which words, what kubectl shows. */

const CRDS = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' }

/** What is wrong with each field in turn: what it shall be instead, and the path that the answer has to name. */
function spoilt(kind: Kind): { what: string; spec: Spec; named: string }[] {
  const full = { spec: FULL[kind] }
  const rows = (field: Field): [string, unknown, string?][] => {
    const { schema, path } = field
    const { type, minimum, maximum, minLength, maxLength, pattern } = schema as Record<string, number>
    const text = pathText(path)
    return [
      ['of another type', type === ('string' as unknown) ? { x: 1 } : 'text'],
      ...(field.required ? [['missing', undefined] as [string, unknown]] : []),
      ...(schema.enum === undefined ? [] : [['no choice', 'Other'] as [string, unknown]]),
      ...(minimum === undefined ? [] : [['too small', minimum - 1] as [string, unknown]]),
      ...(maximum === undefined ? [] : [['too large', maximum + 1] as [string, unknown]]),
      ...(minLength === undefined ? [] : [['empty', ''] as [string, unknown]]),
      ...(maxLength === undefined ? [] : [['too long', 'a'.repeat(maxLength + 1)] as [string, unknown]]),
      ...(pattern === undefined ? [] : [['of another form', '-1 day!'] as [string, unknown]]),
      ...(schema.properties === undefined
        ? []
        : [
            ['with an unknown field', { ...(at(full, field) as object), strange: 1 }, `${text}.strange`] as [
              string,
              unknown,
              string,
            ],
          ]),
    ]
  }
  return fieldsOf(schemaOf(kind, 'spec'), ['spec']).flatMap((field) =>
    rows(field).map(([what, value, named = pathText(field.path)]) => ({
      what: `${pathText(field.path)} ${what}`,
      spec: withValue(full, field.path, value).spec,
      named,
    })),
  )
}

const at = (object: object, { path }: Field): unknown =>
  path.reduce<unknown>((value, step) => (value as Record<string | number, unknown>)[step], object)

/** What no single field shows. */
const MORE: { kind: Kind; what: string; change: Spec; named: RegExp }[] = [
  {
    kind: 'ServerPilotApp',
    what: 'a selector that is not there',
    change: { allowedNamespaces: { from: 'Selector' } },
    named: /spec\.allowedNamespaces: .*from: Selector needs a selector/,
  },
  {
    kind: 'ServerPilotApp',
    what: 'a label that is a number',
    change: { allowedNamespaces: { selector: { matchLabels: { tenant: 1 } } } },
    named: /spec\.allowedNamespaces\.selector\.matchLabels\.tenant/,
  },
  ...['a b', '', 'nlcN0TwdZAyNEgdp\n'].map((appId) => ({
    kind: 'ServerPilotApp' as const,
    what: `the id ${JSON.stringify(appId)}`,
    change: { appId },
    named: /spec\.appId: Invalid value/,
  })),
  {
    kind: 'DomainMapping',
    what: 'a name that no object can have',
    change: { appRef: { name: 'Shop_1' } },
    named: /spec\.appRef\.name: Invalid value/,
  },
  ...['1d', '5', '-5s', '1h 30m', '', '5 min'].map((text) => ({
    kind: 'ServerPilotApp' as const,
    what: `the duration "${text}"`,
    change: { safety: { settle: text } },
    named: /spec\.safety\.settle: Invalid value/,
  })),
  ...['cdn.example.net', '010.0.0.1', '192.0.2.1/33', 'fe80::1%eth0', ''].map((text) => ({
    kind: 'ServerPilotApp' as const,
    what: `the address "${text}"`,
    change: { dns: { expectedAddresses: ['2001:db8::/32', text] } },
    named: /spec\.dns\.expectedAddresses\[1\]: .*must be an IP address or a network such as/,
  })),
  {
    kind: 'ServerPilotApp',
    what: 'too short a duration',
    change: { ssl: { retryInterval: '999ms' } },
    named: /spec\.ssl\.retryInterval: .*must be between 1s and 8760h/,
  },
  {
    kind: 'ServerPilotApp',
    what: 'too long a duration',
    change: { safety: { window: '8760h1s' } },
    named: /spec\.safety\.window: .*must be between 0s and 8760h/,
  },
]

async function refusal(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => assert.fail('it was accepted'),
    (error: { code?: number; message: string }) => {
      assert.ok(error.code === 400 || error.code === 422, error.message)
      return error.message
    },
  )
}

async function replaceCrds(server: ApiServer, change: (spec: Record<string, unknown>) => Record<string, unknown>) {
  for (const { metadata, spec } of customResourceDefinitions()) {
    const call = { ...CRDS, name: metadata.name }
    await server.admin.custom.patchClusterCustomObject({ ...call, body: { spec: change(spec) } }, MERGE)
  }
}

test('custom resources on a real API server', async (t) => {
  const server = await apiServer(t)
  if (server === undefined) return
  const namespace = await server.namespace('crd')

  await t.test('every example goes in and comes out whole', async () => {
    const found = examples()
    assert.ok(found.length >= 8, `${found.length} examples`)
    assert.deepEqual(new Set(found.map(([, { kind }]) => kind)), new Set(KINDS))
    for (const kind of KINDS) found.push([`the full ${kind}`, { kind, metadata: { name: 'full' }, spec: FULL[kind] }])
    for (const [index, [where, example]] of found.entries()) {
      const { kind, spec } = example
      const got = await create(server, namespace, { kind, metadata: { name: `n${index}` }, spec })
      assert.partialDeepStrictEqual(got.spec, spec, where)
      const read = (value: Spec) => {
        const decoded = decodeObject(
          { apiVersion: API_VERSION, kind, metadata: { name: 'a' }, spec: value },
          { place: where, source: 'kubernetes' },
        )
        assert.ok(decoded.ok, where)
        return decoded.object
      }
      assert.deepEqual(read(got.spec), read(spec), where)
    }
  })

  await t.test('defaults come from the API server, and a status that waits for the first look', async () => {
    const app = { kind: 'ServerPilotApp' as const, metadata: { name: 'least' }, spec: { appId: 'AAAA' } }
    const got = await create(server, namespace, app)
    assert.deepEqual(got.spec, {
      appId: 'AAAA',
      policy: 'Sync',
      protectedDomains: [],
      ssl: { auto: true, force: false, maxAttempts: 5, retryInterval: '5m' },
      dns: { policy: 'Report', quarantineAfter: '72h', expectedAddresses: [] },
      safety: {
        maxRemovalPercent: 30,
        minDomains: 10,
        window: '24h',
        settle: '30s',
        settleInferred: '5m',
        allowEmpty: false,
      },
      allowedNamespaces: { from: 'Same' },
      allowedDomains: ['*'],
      deletionPolicy: 'Retain',
      suspend: false,
    })
    assert.deepEqual((got as Sample & { status?: object }).status, { observedGeneration: -1 })
  })

  await t.test('what is wrong is refused, and the answer names the field', async (t) => {
    let count = 0
    for (const kind of KINDS) {
      const sample = (spec: Spec): Sample => ({ kind, metadata: { name: 'spoilt' }, spec })
      await create(server, namespace, sample(FULL[kind]), true)
      for (const { what, spec, named } of spoilt(kind)) {
        const told = await refusal(create(server, namespace, sample(spec), true)).catch((error: Error) =>
          assert.fail(`${kind}, ${what}: ${error.message}`),
        )
        assert.ok(told.includes(named), `${kind}, ${what}: ${told}`)
        count++
      }
      for (const { what, change, named } of MORE.filter((row) => row.kind === kind)) {
        const told = await refusal(create(server, namespace, sample({ ...FULL[kind], ...change }), true))
        assert.match(told, named, what)
        count++
      }
    }
    t.diagnostic(`${count} faulty objects`)
    assert.ok(count > 100)
  })

  await t.test('the id of an app never changes', async () => {
    await create(server, namespace, { kind: 'ServerPilotApp', metadata: { name: 'a' }, spec: { appId: 'AAAA' } })
    const call = { ...GROUP, namespace, plural: PLURAL.ServerPilotApp, name: 'a' }
    const patch = (spec: Spec) => server.admin.custom.patchNamespacedCustomObject({ ...call, body: { spec } }, MERGE)
    assert.match(await refusal(patch({ appId: 'BBBB' })), /spec\.appId: .*appId is immutable: delete the object/)
    await patch({ appId: 'AAAA', suspend: true })
  })

  await t.test('a domain that is no host name is the daemon’s to judge: one bad name hides no other', async () => {
    for (const [index, domain] of ['a_b.example.com', '-.example', 'localhost', '192.0.2.1', '*'].entries()) {
      const spec = { domain, appRef: { name: 'network' } }
      await create(server, namespace, { kind: 'DomainMapping', metadata: { name: `d${index}` }, spec })
    }
  })

  await t.test('objects of an older definition outlive its update, faults and all', async (inner) => {
    if (server.own === undefined)
      return inner.skip('changes definitions: set KUBEBUILDER_ASSETS for a server of its own')
    // As an older release may have had it: two fields, no bounds, no subresource of fields to select by.
    await replaceCrds(server, (spec) => {
      const version = (spec.versions as [Record<string, unknown>])[0]
      const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
      const openAPIV3Schema = { type: 'object', properties: { spec: open, status: open } }
      return { versions: [{ ...version, schema: { openAPIV3Schema }, selectableFields: null }] }
    })
    const call = { ...GROUP, namespace, plural: PLURAL.ServerPilotApp, name: 'old' }
    const old = { policy: 'Whatever', appId: 'AAAA', dns: { expectedAddresses: ['cdn.example.net'] } }
    await until('the older definition is served', async () => {
      await create(server, namespace, { kind: 'ServerPilotApp', metadata: { name: 'old' }, spec: old })
      return true
    })
    await replaceCrds(server, (spec) => spec)
    const read = async () => (await server.admin.custom.getNamespacedCustomObject(call)) as Sample
    await until('the present definition is served', async () => (await read()).spec.deletionPolicy === 'Retain')
    assert.equal((await read()).spec.policy, 'Whatever')
    // What was wrong before may stay wrong while something else changes; the daemon says InvalidSpec.
    const status = { observedGeneration: 1, ownedDomains: ['shop.example.com'] }
    await server.admin.custom.patchNamespacedCustomObjectStatus({ ...call, body: { status } }, MERGE)
    const metadata = { finalizers: ['domainpilot.dev/remove-hosts'] }
    await server.admin.custom.patchNamespacedCustomObject({ ...call, body: { metadata } }, MERGE)
    await server.admin.custom.patchNamespacedCustomObject({ ...call, body: { spec: { policy: 'Sync' } } }, MERGE)
  })
})
