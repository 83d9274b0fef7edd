import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  type Contention,
  judgeReversals,
  NO_CONTENTION,
  noteReversals,
} from '../../../src/controller/context/contention.ts'
import type { Host } from '../../../src/domain/host.ts'
import { createWorld, type World } from '../world.ts'

const SHOP = 'shop.example.com' as Host
const MINUTE = 60_000

/** Somebody else takes a host off. */
function takeOff(world: World, host: string): void {
  const left = world.listed().filter((name) => name !== host)
  world.simulator.state.setDomains(world.appId, left)
}

describe('write-not-taken-has-one-culprit', () => {
  test('two writes at first, at most six in ten minutes; the reason stays; it heals by itself', async (t) => {
    const world = await createWorld(t)
    await world.map('h001')
    world.simulator.faults.add({ kind: 'droppedWrite', path: 'postDomains', times: 100 })
    const first = await world.reconcile()
    assert.equal(first.failure?.reason, 'WriteNotTaken')
    assert.match(first.failure?.message ?? '', /accepted 2 write\(s\) to app \w+, yet its list shows none of them/)
    assert.equal(world.posts(), 2)
    for (let passed = 0; passed < 10 * MINUTE; passed += 10_000) {
      world.clock.advance(10_000)
      const { failure } = await world.reconcile()
      assert.equal(failure?.reason, 'WriteNotTaken')
      assert.doesNotMatch(failure?.message ?? '', /omebody else/)
    }
    assert.ok(world.posts() <= 6, `${world.posts()} writes`)
    world.simulator.faults.clear()
    world.clock.advance(15 * MINUTE)
    assert.equal((await world.reconcile()).failure, undefined)
    assert.ok(world.listed().includes('h001.example.com'))
  })

  test('the pause ends with the first write that stays: the next failure begins from the shortest', async (t) => {
    const world = await createWorld(t)
    await world.map('h001')
    world.simulator.faults.add({ kind: 'droppedWrite', path: 'postDomains', times: 2 })
    assert.equal((await world.reconcile()).failure?.retryAfter, MINUTE)
    world.clock.advance(MINUTE)
    assert.deepEqual((await world.reconcile()).added, ['h001.example.com'])
    await world.map('h002')
    world.simulator.faults.add({ kind: 'droppedWrite', path: 'postDomains', times: 2 })
    assert.equal((await world.reconcile()).failure?.retryAfter, MINUTE)
  })
})

describe('a-pause-ends-in-a-try', () => {
  /** A host that was put back as often as that goes without a pause. */
  async function contended(world: World): Promise<void> {
    await world.map('shop')
    await world.settle()
    for (let turn = 0; turn < 6; turn++) {
      takeOff(world, SHOP)
      world.clock.advance(5_000)
      const outcome = await world.reconcile()
      if (outcome.plan?.held.get(SHOP)?.reason === 'Contended') return
    }
    assert.fail('never contended')
  }

  test('one try at the end of the pause, and none before', async (t) => {
    const world = await createWorld(t)
    await contended(world)
    const posts = world.posts()
    for (let passed = 0; passed < 50_000; passed += 10_000) {
      world.clock.advance(10_000)
      assert.equal((await world.reconcile()).plan?.held.get(SHOP)?.reason, 'Contended')
    }
    assert.equal(world.posts(), posts)
    world.clock.advance(10_001)
    assert.deepEqual((await world.reconcile()).added, [SHOP])
    assert.equal(world.posts(), posts + 1)
    assert.equal((await world.settle()).result, 'Unchanged')
  })

  test('additions that nobody undoes go in meanwhile', async (t) => {
    const world = await createWorld(t)
    await contended(world)
    await world.map('other')
    const outcome = await world.reconcile()
    assert.deepEqual(outcome.added, ['other.example.com'])
    assert.equal(outcome.plan?.held.get(SHOP)?.reason, 'Contended')
  })

  test('a try that is undone makes the next pause longer, up to a quarter of an hour', async (t) => {
    const world = await createWorld(t)
    await contended(world)
    const pauses: number[] = []
    for (let turn = 0; turn < 6; turn++) {
      const waiting = await world.reconcile()
      const until = waiting.plan?.held.get(SHOP)?.until ?? 0
      pauses.push(Math.round((until - world.clock.now()) / MINUTE))
      world.clock.advance(until - world.clock.now() + 1)
      assert.deepEqual((await world.reconcile()).added, [SHOP], `try ${turn}`)
      takeOff(world, SHOP)
    }
    assert.deepEqual(pauses, [1, 2, 4, 8, 15, 15])
  })

  test('a pause that begins is counted once', async (t) => {
    const world = await createWorld(t)
    await world.map('shop')
    await world.settle()
    let counted = 0
    for (let turn = 0; turn < 8; turn++) {
      takeOff(world, SHOP)
      world.clock.advance(5_000)
      if ((await world.reconcile()).contended) counted++
    }
    assert.equal(counted, 1)
  })
})

describe('reversals', () => {
  test('however somebody undoes a host, it is written at most six times in ten minutes', () => {
    const step = fc.record({ wait: fc.integer({ min: 1, max: 20 * MINUTE }), undone: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let contention: Contention = NO_CONTENTION
        let steady = 0
        const writes: number[] = []
        for (const { wait, undone } of steps) {
          steady += wait
          if (!undone) continue
          const judged = judgeReversals(contention, [SHOP], steady)
          contention = judged.contention
          const until = judged.waiting.get(SHOP)
          if (until !== undefined) {
            assert.ok(until > steady && until <= steady + 15 * MINUTE)
            continue
          }
          contention = noteReversals(contention, [SHOP], steady)
          writes.push(steady)
        }
        for (const at of writes) {
          assert.ok(writes.filter((other) => other >= at && other < at + 10 * MINUTE).length <= 6)
        }
      }),
    )
  })
})
