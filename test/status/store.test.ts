import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { App, Mapping } from '../../src/api/objects.ts'
import { quiet } from '../../src/log/quiet.ts'
import type { InvalidObject, ObjectSource, SourceFailure } from '../../src/source/source.ts'
import { type Outcome, outcomeOf } from '../../src/status/outcome.ts'
import type { AppStatus, Condition, MappingStatus } from '../../src/status/status.ts'
import { createStatusStore, type Publisher } from '../../src/status/store.ts'
import { app, mapping } from '../plan/fixture.ts'
import { fakeClock } from '../time/fake-clock.ts'

const reasonOf = ({ conditions }: { conditions: readonly Condition[] }): string | undefined =>
  conditions.find(({ type }) => type === 'Ready')?.reason

/** A store on a clock that the test turns, over objects that it sets. */
function world() {
  const clock = fakeClock()
  const state = {
    apps: [app()] as App[],
    mappings: [] as Mapping[],
    invalid: [] as InvalidObject[],
    failure: undefined as SourceFailure | undefined,
    leads: true,
  }
  const published: string[] = []
  const counted: string[] = []
  const objects: ObjectSource = {
    name: 'kubernetes',
    start: async () => undefined,
    stop: async () => undefined,
    synced: () => true,
    apps: () => state.apps,
    app: (key) => state.apps.find((each) => each.key === key),
    mappings: () => state.mappings,
    mappingsOf: () => ({ source: 'kubernetes', mappings: state.mappings }),
    faults: () => [],
    failure: () => state.failure,
    invalid: () => state.invalid,
    secret: async () => undefined,
  }
  const publish: Publisher = {
    app: (status: AppStatus) => void published.push(`${status.key} ${reasonOf(status)}`),
    mapping: (status: MappingStatus) => void published.push(`${status.key} ${reasonOf(status)}`),
    event: ({ key }, { reason }) => void published.push(`${key} Event ${reason}`),
  }
  const store = createStatusStore({
    ...{ version: 'test', dryRun: false, objects, log: quiet, clock, publish },
    metrics: {
      reconciled: ({ app: { key }, mappings }) => void counted.push(`${key} with ${mappings.length}`),
      appGone: (key) => void counted.push(`${key} gone`),
      appUnread: ({ key }) => void counted.push(`${key} unread`),
      sourceRead: (_, read) => void counted.push(read.ok ? `read ${read.objects}` : 'not read'),
    },
    leader: () => state.leads,
  })
  const taken = (list: string[]): string[] => list.splice(0)
  /** What is published by a look is so in its own turn. */
  const settled = clock.turn
  return {
    clock,
    state,
    store,
    published: async () => settled().then(() => taken(published)),
    counted: () => taken(counted),
  }
}

const outcome = (more: Partial<Outcome> = {}): Outcome =>
  outcomeOf({ key: 'wordpress/network', app: app(), startedAt: 1, ...more })
const ORPHAN = mapping('lost', 'lost.example.com', { app: 'wordpress/none', source: 'kubernetes' })
const invalid = (kind: InvalidObject['kind'], name: string): InvalidObject => ({
  ...{ kind, key: `wordpress/${name}`, namespace: 'wordpress', name, generation: 3 },
  ...{ place: `${kind} wordpress/${name}`, message: 'spec.domain is missing', labels: {} },
})

describe('the status store', () => {
  test('changes that come quickly are one look every half second', () => {
    const { clock, store, counted } = world()
    for (let change = 0; change < 100; change++) store.objectsChanged()
    assert.deepEqual(counted(), ['read 1'])
    clock.advance(499)
    assert.deepEqual(counted(), [])
    clock.advance(1)
    assert.deepEqual(counted(), ['read 1'])
    assert.equal(clock.pending(), 0)
    clock.advance(10_000)
    store.objectsChanged()
    assert.deepEqual(counted(), ['read 1'])
    assert.equal(store.changes(), 101)
  })

  test('whoever watches hears of every change', () => {
    const { store } = world()
    const heard: number[] = []
    store.watch(() => heard.push(store.changes()))
    store.objectsChanged()
    store.reconciled(outcome({ result: 'Suspended' }))
    assert.deepEqual(heard, [1, 2])
  })

  test('a reconcile is published, counted and kept until its app goes', async () => {
    const { state, store, published, counted } = world()
    store.reconciled(outcome({ result: 'Suspended', mappings: [mapping('a', 'a.example.com')] }))
    assert.deepEqual(await published(), ['wordpress/network Suspended', 'wordpress/a Suspended'])
    assert.deepEqual(counted(), ['wordpress/network with 1'])
    assert.equal((await store.status()).mappings.length, 1)
    state.apps = []
    store.objectsChanged()
    assert.deepEqual(counted(), ['wordpress/network gone', 'read 0'])
    const { apps, mappings } = await store.status()
    assert.deepEqual([apps, mappings], [[], []])
  })

  test('mappings without an app, apps and mappings that never were valid: published by the leader alone', async () => {
    const { clock, state, store, published } = world()
    state.mappings = [ORPHAN, { ...ORPHAN, key: 'wordpress/b', app: 'wordpress/bad' }]
    state.invalid = [invalid('ServerPilotApp', 'bad'), invalid('DomainMapping', 'worse')]
    state.leads = false
    store.objectsChanged()
    assert.deepEqual(await published(), [])
    state.leads = true
    store.objectsChanged()
    clock.advance(500)
    const found = ['wordpress/lost AppNotFound', 'wordpress/b InvalidSpec', 'wordpress/worse InvalidSpec']
    assert.deepEqual(await published(), [...found, 'wordpress/bad Event SyncFailed', 'wordpress/bad InvalidSpec'])
    const { apps, mappings } = await store.status()
    assert.deepEqual(
      apps.map((each) => `${each.key} ${reasonOf(each)}`),
      ['wordpress/bad InvalidSpec', 'wordpress/network undefined'],
    )
    assert.deepEqual(mappings.map((each) => `${each.key} ${reasonOf(each)}`).sort(), found.toSorted())
    // Mended, and made for an app that is there.
    state.invalid = []
    state.mappings = []
    assert.deepEqual((await store.status()).mappings, [])
  })

  test('a-new-app-with-a-fault: an Event and its conditions in the metrics, once a fault, until it goes', async () => {
    const { clock, state, store, published, counted } = world()
    const look = async (): Promise<string[]> => {
      store.reconciled(outcomeOf({ key: 'wordpress/bad', startedAt: 1 }))
      store.objectsChanged()
      clock.advance(500)
      return await published()
    }
    state.invalid = [invalid('ServerPilotApp', 'bad')]
    assert.deepEqual(await look(), ['wordpress/bad Event SyncFailed', 'wordpress/bad InvalidSpec'])
    assert.deepEqual(await look(), ['wordpress/bad InvalidSpec'])
    state.invalid = [{ ...invalid('ServerPilotApp', 'bad'), message: 'spec.appId is missing', generation: 4 }]
    assert.deepEqual(await look(), ['wordpress/bad Event SyncFailed', 'wordpress/bad InvalidSpec'])
    assert.ok(!counted().includes('wordpress/bad gone'))
    state.invalid = []
    await look()
    assert.ok(counted().includes('wordpress/bad gone'))
  })

  test('each keeps the time since when', async () => {
    const { clock, state, store } = world()
    state.mappings = [ORPHAN]
    const since = async () => (await store.status()).mappings[0]?.conditions[0]?.lastTransitionTime
    const first = await since()
    clock.advance(60_000)
    assert.equal(await since(), first)
  })

  test('a mapping of an app that is being deleted is published once, though both know it', async () => {
    const { state, store, published } = world()
    const leaving = { ...app(), deletionTimestamp: 5 }
    state.apps = [leaving]
    state.mappings = [mapping('a', 'a.example.com', { source: 'kubernetes' })]
    store.reconciled(outcome({ app: leaving, mappings: state.mappings }))
    assert.ok((await published()).includes('wordpress/a AppNotFound'))
    assert.equal((await store.status()).mappings.length, 1)
  })

  test('an app with a fault in its newest version says so of that generation', async () => {
    const { state, store, published } = world()
    const faulty = { ...app(), fault: 'spec.domain is missing' }
    state.apps = [faulty]
    state.invalid = [invalid('ServerPilotApp', 'network')]
    store.reconciled(outcome({ app: faulty, mappings: [mapping('a', 'a.example.com')] }))
    const [status] = (await store.status()).apps
    assert.equal(status?.observedGeneration, 3)
    assert.equal(status && reasonOf(status), 'InvalidSpec')
    assert.deepEqual(await published(), [
      'wordpress/network Event SyncFailed',
      'wordpress/network InvalidSpec',
      'wordpress/a InvalidSpec',
    ])
  })

  test('a failure that names no mappings leaves what was said of them', async () => {
    const { store } = world()
    store.reconciled(outcome({ result: 'Suspended', mappings: [mapping('a', 'a.example.com')] }))
    const failure = { reason: 'ApiUnreachable', message: 'away', retryable: true } as const
    store.reconciled(outcome({ result: 'Failed', failure }))
    assert.deepEqual(
      (await store.status()).mappings.map((each) => reasonOf(each)),
      ['Suspended'],
    )
  })
})
