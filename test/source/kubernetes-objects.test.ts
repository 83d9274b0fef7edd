import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { KubernetesError } from '../../src/kubernetes/http.ts'
import { createKubernetesSource } from '../../src/source/kubernetes/kubernetes.ts'
import { createSecrets } from '../../src/source/kubernetes/secrets.ts'
import { systemClock } from '../../src/time/clock.ts'
import { until } from '../kubernetes/api-server.ts'

type Fields = Record<string, unknown>

const app = (name: string, spec: Fields = { appId: 'nlcN0TwdZAyNEgdp' }, meta: Fields = {}) =>
  objectOf('ServerPilotApp', name, spec, meta)
const mapping = (name: string, spec: Fields = {}, meta: Fields = {}) =>
  objectOf('DomainMapping', name, { domain: `${name}.example.com`, appRef: { name: 'network' }, ...spec }, meta)

function objectOf(kind: string, name: string, spec: Fields, meta: Fields) {
  const metadata = { namespace: 'ns', name, uid: `uid-${name}`, resourceVersion: '1', generation: 1, ...meta }
  return { apiVersion: 'domainpilot.dev/v1alpha1', kind, metadata, spec }
}

/** A source over what the test hands in. */
async function setUp(t: TestContext, apps: object[], mappings: object[]) {
  const warnings: string[] = []
  const queues: { [plural: string]: (line: object) => void } = {}
  const source = createKubernetesSource({
    clock: systemClock,
    namespaces: [],
    log: (_, __, { kind, field }) => void warnings.push(`${kind} ${field}`),
    connection: {
      json: async () => ({}),
      async raw(path, { signal } = {}) {
        const plural = path.split('/').at(-1) as string
        const objects = { domainmappings: mappings, serverpilotapps: apps }[plural] ?? []
        const initial = objects.map((object) => ({ type: 'ADDED', object }))
        const annotations = { 'k8s.io/initial-events-end': 'true' }
        const end = { type: 'BOOKMARK', object: { metadata: { resourceVersion: '9', annotations } } }
        const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
        const writer = writable.getWriter()
        queues[plural] = (line) => void writer.write(Buffer.from(`${JSON.stringify(line)}\n`)).catch(() => undefined)
        signal?.addEventListener('abort', () => void writer.abort(signal.reason).catch(() => undefined))
        for (const line of [...initial, end]) queues[plural]?.(line)
        return readable
      },
    },
  })
  const told: string[][] = []
  await source.start((keys) => void told.push([...keys]))
  t.after(() => source.stop())
  return {
    source,
    told,
    warnings,
    send: (plural: 'serverpilotapps' | 'domainmappings', type: string, object: object) =>
      queues[plural]?.({ type, object }),
  }
}

describe('objects of the cluster', () => {
  test('what is kept of them', async (t) => {
    const { source } = await setUp(
      t,
      [app('network', undefined, { finalizers: ['domainpilot.dev/hosts'], deletionTimestamp: '2030-01-31T12:00:00Z' })],
      [mapping('shop', {}, { labels: { team: 'a' }, creationTimestamp: '2030-01-01T00:00:00Z', managedFields: [{}] })],
    )
    const network = source.app('ns/network')
    assert.equal(network?.deletionTimestamp, Date.UTC(2030, 0, 31, 12))
    assert.deepEqual(network?.finalizers, ['domainpilot.dev/hosts'])
    assert.deepEqual(source.mappings(), [
      {
        key: 'ns/shop',
        namespace: 'ns',
        name: 'shop',
        generation: 1,
        created: Date.UTC(2030, 0, 1),
        place: 'DomainMapping ns/shop',
        labels: { team: 'a' },
        annotations: {},
        uid: 'uid-shop',
        source: 'kubernetes',
        domain: 'shop.example.com',
        app: 'ns/network',
      },
    ])
  })

  test('one that becomes invalid keeps what it last said, and its fault is told', async (t) => {
    const { source, told, send } = await setUp(t, [app('network')], [mapping('shop')])
    send('domainmappings', 'MODIFIED', mapping('shop', { www: 'Maybe' }, { resourceVersion: '10', generation: 2 }))
    await until('the fault is told', () => source.faults().length === 1)
    const [fault] = source.faults()
    assert.deepEqual(fault?.object, { kind: 'DomainMapping', key: 'ns/shop' })
    assert.match(fault?.message ?? '', /spec\.www/)
    assert.deepEqual(told, [['ns/network']])
    assert.deepEqual(
      source.mappings().map(({ domain, generation, fault: words }) => [domain, generation, words]),
      [['shop.example.com', 1, fault?.message]],
    )
    assert.equal(source.failure(), undefined)
    const network = source.app('ns/network')
    assert.equal(network && source.mappingsOf(network).failure, undefined)
  })

  test('a-faulty-object-obeys-its-brakes: the newest version is known, and only a change of it wakes its app', async (t) => {
    const { source, told, send } = await setUp(t, [app('network')], [mapping('shop')])
    const faulty = (version: string, more: Fields = {}, spec: Fields = { policy: 'Snyc' }) =>
      app('network', { appId: 'nlcN0TwdZAyNEgdp', ...spec }, { resourceVersion: version, generation: 2, ...more })
    send('serverpilotapps', 'MODIFIED', faulty('10', { labels: { shard: 'b' } }))
    await until('it is told', () => told.length === 1)
    const { message, ...known } = source.invalid()[0] ?? {}
    assert.match(message ?? '', /^spec\.policy must be one of/)
    assert.deepEqual(known, {
      ...{ kind: 'ServerPilotApp', key: 'ns/network', namespace: 'ns', name: 'network', generation: 2 },
      ...{ place: 'ServerPilotApp ns/network', labels: { shard: 'b' }, uid: 'uid-network' },
    })
    assert.equal(source.app('ns/network')?.fault, message)
    assert.deepEqual(source.app('ns/network')?.labels, { shard: 'b' })

    send('serverpilotapps', 'MODIFIED', {
      ...faulty('11', { labels: { shard: 'b' } }),
      status: { observedGeneration: 2 },
    })
    const gone = { labels: { shard: 'b' }, deletionTimestamp: '2030-01-31T12:00:00Z', finalizers: ['a/b'] }
    send('serverpilotapps', 'MODIFIED', faulty('12', gone))
    await until('its deletion is told', () => told.length === 2)
    assert.equal(source.app('ns/network')?.deletionTimestamp, Date.UTC(2030, 0, 31, 12))
    assert.deepEqual(source.invalid()[0]?.finalizers, ['a/b'])
    send('serverpilotapps', 'MODIFIED', faulty('13', { ...gone, generation: 3 }, { policy: 'Snc' }))
    await until('another fault is told', () => told.length === 3)
    send('serverpilotapps', 'MODIFIED', app('network', undefined, { resourceVersion: '14', generation: 1 }))
    await until('that it is mended is told', () => told.length === 4)
    assert.equal(source.app('ns/network')?.fault, undefined)
    assert.equal(source.app('ns/network')?.deletionTimestamp, undefined)
    assert.deepEqual(source.invalid(), [])
    assert.deepEqual(new Set(told.flat()), new Set(['ns/network']))
  })

  test('a-newer-crd: what it does not know is passed over at any depth, and said once a field', async (t) => {
    const future = { fromTheFuture: true }
    const selector = {
      matchExpressions: [
        { key: 'a', operator: 'Exists', ...future },
        { key: 'b', operator: 'Exists', ...future },
      ],
    }
    const spec = {
      appId: 'nlcN0TwdZAyNEgdp',
      ...future,
      ssl: future,
      allowedNamespaces: { from: 'Selector', selector },
    }
    const { source, warnings } = await setUp(
      t,
      [
        app('network', spec, { lables: {} }),
        app('other', spec),
        { ...app('bad', { ...spec, policy: 'Snyc' }), scale: 1 },
      ],
      [mapping('shop', { appRef: { name: 'network', ...future } })],
    )
    assert.deepEqual(
      source.invalid().map(({ key, message }) => [key, message.includes('spec.policy'), message.includes('uture')]),
      [['ns/bad', true, false]],
    )
    assert.equal(source.app('ns/network')?.spec.ssl.auto, true)
    assert.deepEqual(source.app('ns/network')?.spec.allowedNamespaces.selector?.matchExpressions?.length, 2)
    assert.equal(source.mappings()[0]?.app, 'ns/network')
    assert.deepEqual(warnings.toSorted(), [
      'DomainMapping spec.appRef.fromTheFuture',
      'ServerPilotApp scale',
      'ServerPilotApp spec.allowedNamespaces.selector.matchExpressions[].fromTheFuture',
      'ServerPilotApp spec.fromTheFuture',
      'ServerPilotApp spec.ssl.fromTheFuture',
    ])
  })

  test('one that never was valid fails its app alone, until it goes', async (t) => {
    const { source, told, send } = await setUp(t, [app('network'), app('other')], [mapping('bad', { www: 'Maybe' })])
    const [network, other] = [source.app('ns/network'), source.app('ns/other')]
    assert.ok(network && other)
    assert.equal(source.failure(), undefined)
    assert.match(source.mappingsOf(network).failure?.message ?? '', /DomainMapping ns\/bad is invalid/)
    assert.equal(source.mappingsOf(other).failure, undefined)
    send('domainmappings', 'DELETED', mapping('bad', { www: 'Maybe' }, { resourceVersion: '10' }))
    await until('it went', () => source.faults().length === 0)
    assert.equal(source.mappingsOf(network).failure, undefined)
    assert.deepEqual(told, [['ns/network']])
  })

  test('an invalid object of the same name made anew does not speak for the old one', async (t) => {
    const { source, send } = await setUp(t, [app('network')], [mapping('shop')])
    send('domainmappings', 'MODIFIED', mapping('shop', { www: 'Maybe' }, { resourceVersion: '10', uid: 'another' }))
    await until('the fault is told', () => source.faults().length === 1)
    assert.deepEqual(source.mappings(), [])
  })

  test('a new version that says the same wakes nobody, an annotation does', async (t) => {
    const { source, told, send } = await setUp(t, [app('network'), app('other')], [mapping('shop')])
    send('domainmappings', 'ADDED', mapping('new', {}, { resourceVersion: '10' }))
    await until('it is there', () => source.mappings().length === 2)
    assert.deepEqual(told, [['ns/network']])
    const network = source.app('ns/network')
    assert.ok(network)
    const before = source.mappingsOf(network).mappings
    // kubectl keeps a copy of the object in an annotation, which counts for nothing.
    const applied = { 'kubectl.kubernetes.io/last-applied-configuration': '{}' }
    for (const annotations of [{}, applied])
      send('domainmappings', 'MODIFIED', mapping('new', {}, { resourceVersion: '11', annotations }))
    send('domainmappings', 'ADDED', mapping('far', { appRef: { name: 'other' } }, { resourceVersion: '12' }))
    await until('the next one is told', () => told.length === 2)
    assert.deepEqual(told[1], ['ns/other'])
    // Nor is anything worked out anew: what depends on it compares by identity.
    assert.equal(source.mappingsOf(network).mappings, before)
    send(
      'domainmappings',
      'MODIFIED',
      mapping('new', {}, { resourceVersion: '13', annotations: { 'domainpilot.dev/x': 'y' } }),
    )
    await until('the annotation is told', () => told.length === 3)
  })
})

describe('Secrets', () => {
  const secret = (apiKey: string) => ({
    metadata: { name: 's' },
    data: { apiKey: Buffer.from(apiKey).toString('base64') },
  })

  test('are read by name, once in 30 seconds, by all who ask at once together', async () => {
    const paths: string[] = []
    let [time, key] = [0, 'one']
    const read = async (path: string) => {
      paths.push(path)
      return secret(key)
    }
    const secrets = createSecrets({ json: read }, { steady: () => time })
    const value = () => secrets('ns', 's', 'apiKey')
    assert.deepEqual(await Promise.all([value(), value()]), ['one', 'one'])
    key = 'two'
    time = 29_999
    assert.equal(await value(), 'one')
    assert.deepEqual(paths, ['/api/v1/namespaces/ns/secrets/s'])
    time = 30_000
    assert.equal(await value(), 'two')
  })

  test('an outage keeps the last one; an answer that takes it away does not', async () => {
    let time = 0
    let answer: () => unknown = () => secret('one')
    const secrets = createSecrets({ json: async () => answer() }, { steady: () => time })
    const read = (): Promise<string | undefined> => secrets('ns', 's', 'apiKey')
    await read()
    const fail = (reason: string, code?: number) => () => {
      throw new KubernetesError({ reason, message: reason, code })
    }
    time = 40_000
    answer = fail('Unreachable')
    assert.equal(await read(), 'one')
    answer = fail('NotFound', 404)
    assert.equal(await read(), undefined)
    answer = fail('Unreachable')
    await assert.rejects(read(), /Unreachable/)
    answer = fail('Forbidden', 403)
    await assert.rejects(read(), /Forbidden/)
  })
})
