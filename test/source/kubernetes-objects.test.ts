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
  const queues: { [plural: string]: (line: object) => void } = {}
  const source = createKubernetesSource({
    clock: systemClock,
    namespaces: [],
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
      source.mappings().map(({ domain, generation }) => [domain, generation]),
      [['shop.example.com', 1]],
    )
    assert.equal(source.failure(), undefined)
    const network = source.app('ns/network')
    assert.equal(network && source.mappingsOf(network).failure, undefined)
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
    const value = () => secrets.value('ns', 's', 'apiKey')
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
    const read = (): Promise<string | undefined> => secrets.value('ns', 's', 'apiKey')
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
