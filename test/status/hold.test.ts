import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import type { App, Mapping } from '../../src/api/objects.ts'
import { quiet } from '../../src/log/quiet.ts'
import type { InvalidObject, ObjectSource } from '../../src/source/source.ts'
import { createStatusWriter } from '../../src/status/cluster/status-writer.ts'
import { createStatusStore } from '../../src/status/store.ts'
import { systemClock } from '../../src/time/clock.ts'
import { app, mapping } from '../plan/fixture.ts'
import { longestHold } from '../time/longest-hold.ts'

const MANY = 30_000

interface Objects {
  apps?: App[]
  mappings?: Mapping[]
  invalid?: InvalidObject[]
}

/** A store on the real clock, over these objects. */
function storeOf({ apps = [], mappings = [], invalid = [] }: Objects) {
  const byKey = new Map(apps.map((each) => [each.key, each]))
  const objects: ObjectSource = {
    name: 'kubernetes',
    start: async () => undefined,
    stop: async () => undefined,
    synced: () => true,
    apps: () => apps,
    app: (key) => byKey.get(key),
    mappings: () => mappings,
    mappingsOf: () => ({ source: 'kubernetes', mappings: [] }),
    faults: () => [],
    failure: () => undefined,
    invalid: () => invalid,
    secret: async () => undefined,
  }
  const nothing = (): void => undefined
  const metrics = { reconciled: nothing, appGone: nothing, appUnread: nothing, sourceRead: nothing }
  const api = { patchStatus: async () => ({}) }
  const { app, mapping } = createStatusWriter({ api, clock: systemClock, log: quiet, assertMayWrite: nothing })
  const publish = { app, mapping, event: nothing }
  const all = { version: 'test', dryRun: false, objects, log: quiet, clock: systemClock, publish, metrics }
  return createStatusStore({ ...all, leader: () => true })
}

const many = <T>(make: (index: number) => T): T[] => Array.from({ length: MANY }, (_, index) => make(index))

const orphan = (index: number, of: string): Mapping =>
  mapping(`m-${index}`, `host-${index}.example.com`, { app: of, source: 'kubernetes' })

const invalid = (kind: InvalidObject['kind'], index: number): InvalidObject => ({
  ...{ kind, key: `wordpress/i-${index}`, namespace: 'wordpress', name: `i-${index}`, generation: 1, labels: {} },
  ...{ place: `${kind} wordpress/i-${index}`, message: `spec.domain "host-${index}" is not a host name` },
})

const CASES: Record<string, () => Objects> = {
  'mappings of one app that does not exist': () => ({ mappings: many((index) => orphan(index, 'wordpress/none')) }),
  'mappings of as many apps that do not exist': () => ({
    mappings: many((index) => orphan(index, `wordpress/none-${index}`)),
  }),
  'mappings of an app that is being deleted': () => ({
    apps: [{ ...app(), deletionTimestamp: 1 }],
    mappings: many((index) => orphan(index, 'wordpress/network')),
  }),
  'mappings with a fault': () => ({ invalid: many((index) => invalid('DomainMapping', index)) }),
  'apps with a fault': () => ({ invalid: many((index) => invalid('ServerPilotApp', index)) }),
}

for (const [title, objects] of Object.entries(CASES)) {
  test(`the-event-loop-is-not-held (statuses): ${MANY} ${title}`, async (t) => {
    const store = storeOf(objects())
    const looks = {
      first: await longestHold(() => store.status()),
      again: await longestHold(() => store.status()),
      changed: await longestHold(async () => {
        store.objectsChanged()
        await setTimeout(2_000)
      }),
    }
    for (const [look, { hold }] of Object.entries(looks)) {
      t.diagnostic(`${look}: longest hold ${Math.round(hold)} ms`)
      // Half of it at the most where nothing else keeps the caches and the memory busy.
      assert.ok(hold < 150, `${look}: held for ${hold} ms`)
    }
    const { apps, mappings } = looks.again.result
    assert.ok(apps.length + mappings.length >= MANY)
    const since = looks.first.result.mappings[0]?.conditions
    assert.equal(mappings[0]?.conditions, since, 'what says the same is the same')
  })
}
