import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { Context } from '../../src/controller/context/context.ts'
import type { OwnershipStore } from '../../src/ownership/store.ts'
import type { ServerPilot } from '../../src/serverpilot/serverpilot.ts'
import {
  ADDED,
  assertHealed,
  createDisturbedWorld,
  type DisturbedWorld,
  EXPECTED,
  FOREIGN,
} from '../e2e/disturbed-world.ts'

/** What a port throws in a process that is about to end. */
class Crash extends Error {
  override readonly name = 'Crash'
}

/**
 * How the process ends at a call.
 * `before`: the call is never made. `after`: it takes effect, and nobody hears of it. Both stand still for ever, as a killed process.
 * `throws`: it fails in a way that nobody foresaw, and the process goes on to its end: what it cleans up must do no harm.
 */
type Manner = 'before' | 'after' | 'throws'

/** Ports that end the process at their `nth` call (from 1). */
interface Doomed {
  /** Resolves when the process has crashed. */
  crashed: Promise<void>
  /** The call at which it crashed. */
  fatal(): string | undefined
}

/** Wraps everything that a reconcile does to the world outside: the record and the account. */
function doom(context: Context, nth: number, manner: Manner): Doomed {
  const crash = Promise.withResolvers<void>()
  let calls = 0
  let fatal: string | undefined
  const perilous = async <T>(name: string, call: () => Promise<T>): Promise<T> => {
    calls += 1
    if (fatal !== undefined && manner === 'throws') throw new Crash('the process has crashed')
    if (fatal !== undefined) return await forever()
    if (calls < nth) return await call()
    fatal = name
    if (manner === 'after') await call()
    crash.resolve()
    if (manner === 'throws') throw new Crash('the process crashes')
    return await forever()
  }
  const { records, accountOf } = context.ports
  const wrappedRecords: OwnershipStore = {
    load: (account, appId) => perilous('load', () => records.load(account, appId)),
    save: (record, token) => perilous('save', () => records.save(record, token)),
  }
  const wrap = (account: ServerPilot): ServerPilot => ({
    ...account,
    listApps: (signal) => perilous('listApps', () => account.listApps(signal)),
    getApp: (id, signal) => perilous('getApp', () => account.getApp(id, signal)),
    writeDomains: (id, domains, signal) => perilous('writeDomains', () => account.writeDomains(id, domains, signal)),
    changeSsl: (id, change, signal) => perilous('changeSsl', () => account.changeSsl(id, change, signal)),
  })
  context.ports.records = wrappedRecords
  context.ports.accountOf = async (app) => wrap(await accountOf(app))
  return { crashed: crash.promise, fatal: () => fatal }
}

const forever = (): Promise<never> => new Promise(() => undefined)

/** A reconcile whose process crashes at its `nth` call, and the next start. Gives the call; undefined when it ended without. */
async function crashAt(world: DisturbedWorld, nth: number, manner: Manner): Promise<string | undefined> {
  const doomed = doom(world.context, nth, manner)
  const pass = world.reconcile()
  await (manner === 'throws' ? pass : Promise.race([pass, doomed.crashed]))
  await world.restart()
  return doomed.fatal()
}

/** Removals go in the same write as additions: one pass has every kind of change in it. */
const spec = { safety: { settle: '0s', settleInferred: '5m' } }

const MANNERS: readonly Manner[] = ['before', 'after', 'throws']
/** More calls than a pass makes; that it is more is asserted. */
const MOST = 20

/** Crashes at every call of a pass in turn, each in a world of its own; the calls at which it crashed. */
async function everyCrash(
  t: TestContext,
  manner: Manner,
  then: (world: DisturbedWorld) => Promise<void>,
): Promise<void> {
  const fatal: string[] = []
  for (let nth = 1; ; nth++) {
    assert.ok(nth < MOST, 'a pass without an end')
    const world = await createDisturbedWorld(t, { spec })
    await world.change()
    const call = await crashAt(world, nth, manner)
    if (call === undefined) break
    fatal.push(call)
    await then(world)
    assert.deepEqual(
      FOREIGN.filter((host) => !world.listed().includes(host)),
      [],
      `crash ${nth}, at ${call}`,
    )
  }
  // The claim and its proof, the write, the switch of AutoSSL with its attempts, and the reads between.
  for (const call of ['save', 'getApp', 'writeDomains', 'changeSsl']) assert.ok(fatal.includes(call), call)
  assert.ok(fatal.filter((call) => call === 'save').length >= 3, fatal.join(' '))
}

describe('a crash at every call between claim and report', { concurrency: 3 }, () => {
  for (const manner of MANNERS) {
    test(`${manner}: the next start brings the exact list about`, async (t) => {
      await everyCrash(t, manner, async (world) => {
        await world.settle()
        assertHealed(world, EXPECTED)
        assert.equal(world.simulator.state.app(world.appId).ssl?.auto, true)
        assert.ok(world.posts() <= 3, `${world.posts()} writes`)
      })
    })

    test(`${manner}: what was being added and is no longer mapped goes, so nothing of ours is orphaned`, async (t) => {
      await everyCrash(t, manner, async (world) => {
        await world.unmap('new1')
        await world.settle()
        const expected = EXPECTED.filter((host) => host !== ADDED[0])
        assertHealed(world, expected)
      })
    })
  }

  test('twice in a row: the recovery crashes too, at each of its calls', async (t) => {
    for (let first = 1; first <= 12; first += 2) {
      for (let second = 1; second <= 8; second++) {
        const world = await createDisturbedWorld(t, { spec })
        await world.change()
        await crashAt(world, first, 'after')
        await world.unmap('new2')
        await crashAt(world, second, second % 2 === 0 ? 'before' : 'after')
        await world.settle()
        assertHealed(
          world,
          EXPECTED.filter((host) => host !== ADDED[1]),
        )
      }
    }
  })
})
