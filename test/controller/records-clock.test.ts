import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createRecords } from '../../src/controller/context/records.ts'
import type { OwnershipRecord } from '../../src/ownership/record.ts'
import type { Stored } from '../../src/ownership/store.ts'
import { app } from '../plan/fixture.ts'
import { fakeClock } from '../time/fake-clock.ts'

const DAY = 24 * 3_600_000

/** Two processes of one machine on one store: the leader, and a standby that began before the clock was set. */
function pair() {
  const clock = fakeClock()
  let stored: Stored | undefined
  const store = {
    load: async () => stored,
    async save(record: OwnershipRecord) {
      stored = { record, token: String(record.serial) }
      return stored.token
    },
  }
  const ports = { objects: { app: () => undefined }, records: store, assertMayWrite: () => undefined, clock }
  const process = () => createRecords(ports as never, { version: '0.1.0', filters: '' } as never, () => undefined)
  return { clock, leader: process(), standby: process() }
}

/** By how much a process takes the clock for set since the record that it loads was saved; ms. */
const offBy = async ({ clock }: ReturnType<typeof pair>, records: ReturnType<typeof createRecords>): Promise<number> =>
  clock.now() - Math.floor(clock.steady()) - (await records.load(app(), 'account')).wallOffset

describe('the-clock-is-set-back: a standby that takes over', () => {
  for (const [what, days, expected] of [
    ['back: the leader has moved the times, and they are not moved back once more', [-1], 0],
    ['forward: they are moved on, at worst too far', [30], 30],
    ['forward and back', [30, -30], 0],
    ['back and forward', [-1, 1], 0],
  ] as const)
    test(what, async () => {
      const world = pair()
      const { record } = await world.leader.load(app(), 'account')
      for (const by of days) world.clock.set(world.clock.now() + by * DAY)
      await world.leader.save(app().key, { ...record, lastSeen: [] })
      assert.equal(await offBy(world, world.standby), expected * DAY)
      assert.equal(await offBy(world, world.leader), 0)
    })
})
