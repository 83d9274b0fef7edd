import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { App, Key, Mapping } from '../../src/api/objects.ts'
import { combine } from '../../src/source/combine.ts'
import { selectApps } from '../../src/source/select.ts'
import type {
  DatabaseSource,
  InvalidObject,
  MappingRead,
  ObjectSource,
  SourceFailure,
} from '../../src/source/source.ts'
import { mapping } from '../plan/fixture.ts'
import { app } from './wordpress/world.ts'

/** Declared objects with one app that names a database, and that database; both as the test sets them. */
function parts() {
  const calls: string[] = []
  const state = {
    apps: [app()] as App[],
    synced: true,
    looked: true,
    failure: undefined as SourceFailure | undefined,
    invalid: [] as InvalidObject[],
    mappings: [] as Mapping[],
    read: { source: 'wordpress', mappings: [] } as MappingRead,
    started: Promise.withResolvers<void>(),
  }
  let changed: (apps: ReadonlySet<Key>) => void = () => undefined
  const objects: ObjectSource = {
    name: 'manifests',
    async start(notify) {
      calls.push('objects start')
      changed = notify
      await state.started.promise
    },
    stop: async () => void calls.push('objects stop'),
    synced: () => state.synced,
    apps: () => state.apps,
    app: (key) => state.apps.find((each) => each.key === key),
    mappings: () => state.mappings,
    mappingsOf: () => ({ source: 'manifests', mappings: [] }),
    faults: () => [{ place: 'a.yaml:1:1', message: 'wrong' }],
    failure: () => state.failure,
    invalid: () => state.invalid,
    secret: async (...parts) => parts.join('/'),
    namespaceLabels: (namespace) => ({ namespace }),
  }
  const database: DatabaseSource = {
    name: 'wordpress',
    follow: (apps) => void calls.push(`follow ${apps.length}`),
    start: async () => void calls.push('database start'),
    stop: async () => void calls.push('database stop'),
    looked: () => state.looked,
    mappingsOf: () => state.read,
  }
  return { calls, state, objects, database, change: (key: Key) => changed(new Set([key])) }
}

describe('combine', () => {
  test('the database starts after the objects were read, follows their apps, and stops with them', async () => {
    const { calls, state, objects, database, change } = parts()
    const notified: Key[] = []
    const all = combine(objects, [database])
    const starting = all.start((apps) => notified.push(...apps))
    assert.deepEqual(calls, ['objects start'])
    state.started.resolve()
    await starting
    change('wordpress/network')
    await all.stop()
    assert.deepEqual(calls, [
      ...['objects start', 'follow 1', 'database start', 'follow 1', 'database stop', 'objects stop'],
    ])
    assert.deepEqual(notified, ['wordpress/network'])
  })

  test('stopped during the first read, no database is opened', async () => {
    const { calls, state, objects, database } = parts()
    const all = combine(objects, [database])
    const starting = all.start(() => undefined)
    await all.stop()
    state.started.resolve()
    await starting
    assert.deepEqual(calls, ['objects start', 'database stop', 'objects stop'])
  })

  test('a database that cannot be read is a fault of its app and no failure of the rest; rows are faults too', () => {
    const { state, objects, database } = parts()
    const all = combine(objects, [database])
    const row = { place: 'wp_wu_domain_mappings id 7', message: 'no site' }
    state.read = { source: 'wordpress', mappings: [], failure: { source: 'wordpress', message: 'away' }, faults: [row] }
    assert.deepEqual(all.faults(), [...objects.faults(), { place: 'test', message: 'away' }, row])
    assert.equal(all.failure(), undefined)
    state.failure = { source: 'manifests', message: 'gone' }
    assert.equal(all.failure(), state.failure)
  })

  test('synced once the objects are and the first looks have ended; a database that comes later takes nothing back', () => {
    const { state, objects, database } = parts()
    const all = combine(objects, [database])
    const synced = (own: boolean, looked: boolean): boolean => {
      Object.assign(state, { synced: own, looked })
      return all.synced()
    }
    assert.deepEqual([synced(false, true), synced(true, false), synced(true, true)], [false, false, true])
    assert.equal(synced(true, false), true)
  })

  test('everything else is what the objects say, and every part is there for mappings', async () => {
    const { state, objects, database } = parts()
    const all = combine(objects, [database])
    assert.equal(all.invalid(), state.invalid)
    assert.deepEqual(all.parts, [objects, database])
    assert.equal(all.name, 'manifests')
    assert.equal(all.app('wordpress/network')?.name, 'network')
    assert.equal(all.mappingsOf(app()).source, 'manifests')
    assert.equal(await all.secret('a', 'b', 'c'), 'a/b/c')
    assert.deepEqual(all.namespaceLabels?.('a'), { namespace: 'a' })
  })
})

describe('selectApps', () => {
  const SHOPS = { tier: 'shops' }

  function world() {
    const { state, objects } = parts()
    const invalid = (kind: InvalidObject['kind'], name: string, more: Partial<InvalidObject> = {}): InvalidObject => ({
      ...{ kind, key: `wordpress/${name}`, namespace: 'wordpress', name, generation: 2 },
      ...{ place: 'test', message: 'wrong', labels: {} },
      ...more,
    })
    state.apps = [{ ...app(), labels: SHOPS, fault: 'wrong' }]
    state.invalid = [
      invalid('ServerPilotApp', 'network', { labels: SHOPS }),
      invalid('ServerPilotApp', 'new'),
      invalid('DomainMapping', 'of-network', { app: 'wordpress/network' }),
      invalid('DomainMapping', 'of-new', { app: 'wordpress/new' }),
      invalid('DomainMapping', 'of-nobody'),
      invalid('DomainMapping', 'of-others', { app: 'elsewhere/network' }),
    ]
    return { state, objects }
  }

  test('an invalid object counts by the labels of its newest version, a mapping by its app', () => {
    const { objects } = world()
    const left = (namespaces: string[], matchLabels: Record<string, string>): string[] =>
      selectApps(objects, { namespaces, selector: { matchLabels } })
        .invalid()
        .map(({ name }) => name)
    assert.deepEqual(left([], {}), ['network', 'new', 'of-network', 'of-new', 'of-nobody', 'of-others'])
    assert.deepEqual(left([], SHOPS), ['network', 'of-network', 'of-nobody', 'of-others'])
    assert.deepEqual(left(['wordpress'], {}), ['network', 'new', 'of-network', 'of-new', 'of-nobody'])
    assert.deepEqual(left(['elsewhere'], {}), ['of-others'])
  })

  test('a mapping is ours where its app is, or would be; an app that cannot be read is there', () => {
    const { state, objects } = world()
    const asks = (name: string): Mapping => mapping(name, `${name.replace('/', '.')}.example.com`, { app: name })
    state.mappings = ['wordpress/network', 'wordpress/new', 'wordpress/none', 'elsewhere/network'].map(asks)
    const left = (namespaces: string[], matchLabels: Record<string, string>): string[] =>
      selectApps(objects, { namespaces, selector: { matchLabels } })
        .mappings()
        .map(({ app }) => app)
    assert.deepEqual(left([], {}), ['wordpress/network', 'wordpress/new', 'wordpress/none', 'elsewhere/network'])
    assert.deepEqual(left(['wordpress'], {}), ['wordpress/network', 'wordpress/new', 'wordpress/none'])
    assert.deepEqual(left(['wordpress'], SHOPS), ['wordpress/network', 'wordpress/none'])
    assert.deepEqual(left(['elsewhere'], {}), ['elsewhere/network'])
  })
})
