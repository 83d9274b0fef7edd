import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { createQueue, type Queue, type QueueHooks } from '../../../src/controller/queue/queue.ts'
import { QUEUE_TIMES, queueState } from '../../../src/controller/queue/queue-state.ts'
import { systemClock } from '../../../src/time/clock.ts'
import { type FakeClock, fakeClock } from '../../time/fake-clock.ts'

function setUp(hooks: QueueHooks = {}): { queue: Queue; clock: FakeClock; taken: () => Promise<string[]> } {
  const clock = fakeClock()
  const queue = createQueue({ clock, hooks, random: () => 0 })
  /** Takes and ends whatever is queued now. */
  const taken = async (): Promise<string[]> => {
    const keys: string[] = []
    while (queue.depth() > 0) {
      const key = await queue.get()
      assert.ok(key !== undefined)
      keys.push(key)
      queue.done(key)
    }
    return keys
  }
  return { queue, clock, taken }
}

describe('queue', { timeout: 60_000 }, () => {
  test('a-key-added-twice-runs-once-in-order', async () => {
    const { queue, taken } = setUp()
    for (const key of ['b', 'a', 'b']) queue.add(key)
    assert.equal(queue.depth(), 2)
    assert.deepEqual(await taken(), ['b', 'a'])
  })

  test('a-key-added-while-it-runs-runs-again-afterwards', async () => {
    const { queue } = setUp()
    queue.add('a')
    assert.equal(await queue.get(), 'a')
    queue.add('a')
    queue.add('a')
    assert.equal(queue.depth(), 0, 'never two at once')
    queue.done('a')
    assert.equal(await queue.get(), 'a')
    queue.done('a')
    assert.equal(queue.depth(), 0)
  })

  test('fresh-changes-overtake-the-initial-list-and-lift', async () => {
    const { queue, taken } = setUp()
    for (const key of ['l1', 'l2', 'l3']) queue.add(key, 'low')
    queue.add('h1')
    queue.add('l3')
    queue.add('h1', 'low')
    assert.deepEqual(await taken(), ['h1', 'l3', 'l1', 'l2'])
  })

  test('a-waiting-worker-gets-the-key-at-once-workers-in-order', async () => {
    const { queue } = setUp()
    const workers = [queue.get(), queue.get()]
    queue.add('a')
    queue.add('b')
    assert.deepEqual(await Promise.all(workers), ['a', 'b'])
  })

  test('of-delayed-adds-the-earlier-wins', async () => {
    const { queue, clock, taken } = setUp()
    queue.addAfter('a', 1000)
    queue.addAfter('a', 5000)
    queue.addAfter('b', 5000)
    queue.addAfter('b', 2000)
    clock.advance(999)
    assert.deepEqual(await taken(), [])
    clock.advance(1)
    assert.deepEqual(await taken(), ['a'])
    clock.advance(1000)
    assert.deepEqual(await taken(), ['b'])
    clock.advance(60_000)
    assert.deepEqual(await taken(), [])
    assert.equal(clock.pending(), 0)
  })

  test('a-run-settles-what-was-asked-for-before-it', async () => {
    const { queue, clock, taken } = setUp()
    queue.addAfter('a', 1000)
    queue.add('a')
    assert.deepEqual(await taken(), ['a'])
    clock.advance(5000)
    assert.deepEqual(await taken(), [])
  })

  test('delays-beyond-what-a-timer-takes-hold', async () => {
    const { queue, clock, taken } = setUp()
    const days40 = 40 * 86_400_000
    queue.addAfter('a', days40)
    clock.advance(days40 - 1)
    assert.deepEqual(await taken(), [])
    clock.advance(1)
    assert.deepEqual(await taken(), ['a'])
  })

  test('back-off-doubles-to-its-limit-and-is-forgotten', async () => {
    const { queue, clock, taken } = setUp()
    const waits: number[] = []
    for (let i = 0; i < 12; i++) {
      queue.addRateLimited('a')
      const from = clock.steady()
      for (let step = 0; queue.depth() === 0 && step < 2000; step++) clock.advance(500)
      waits.push((clock.steady() - from) / 1000)
      await taken()
    }
    assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900])
    queue.forget('a')
    queue.addRateLimited('a')
    clock.advance(1000)
    assert.deepEqual(await taken(), ['a'])
  })

  test('jitter-stays-within-its-share', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.nat(40), (chance, fails) => {
        const clock = fakeClock()
        const queue = createQueue({ clock, random: () => chance })
        for (let i = 0; i <= fails; i++) {
          queue.addRateLimited('a')
          clock.advance(QUEUE_TIMES.backOff.longest)
          assert.equal(queue.depth(), 1)
          void queue.get()
          queue.done('a')
        }
        queue.addRateLimited('a')
        const full = Math.min(1000 * 2 ** (fails + 1), QUEUE_TIMES.backOff.longest)
        clock.advance(full / 2 - 1)
        assert.equal(queue.depth(), 0)
      }),
    )
  })

  test('the-sweep-does-not-cut-a-back-off-short-a-fresh-change-does', async () => {
    const { queue, clock, taken } = setUp()
    queue.addRateLimited('a')
    queue.add('a', 'low')
    assert.deepEqual(await taken(), [])
    clock.advance(1000)
    assert.deepEqual(await taken(), ['a'])
    queue.addRateLimited('a')
    queue.add('a')
    assert.deepEqual(await taken(), ['a'])
  })

  test('a-sweep-during-the-failing-run-does-not-either', async () => {
    const { queue, clock, taken } = setUp()
    queue.add('a')
    await queue.get()
    queue.add('a', 'low')
    queue.addRateLimited('a')
    queue.done('a')
    assert.deepEqual(await taken(), [])
    clock.advance(1000)
    assert.deepEqual(await taken(), ['a'])
    // The other order: done first, then the back-off.
    queue.add('a')
    await queue.get()
    queue.add('a', 'low')
    queue.done('a')
    queue.addRateLimited('a')
    assert.deepEqual(await taken(), [])
    clock.advance(2000)
    assert.deepEqual(await taken(), ['a'])
  })

  test('a-change-during-the-failing-run-runs-at-once', async () => {
    const { queue, taken } = setUp()
    queue.add('a')
    await queue.get()
    queue.add('a')
    queue.addRateLimited('a')
    queue.done('a')
    assert.deepEqual(await taken(), ['a'])
  })

  test('a-burst-becomes-one-run-once-it-is-quiet', async () => {
    const { queue, clock, taken } = setUp()
    for (let i = 0; i < 10; i++) {
      queue.addCoalesced('a')
      clock.advance(100)
    }
    assert.deepEqual(await taken(), [])
    clock.advance(399)
    assert.deepEqual(await taken(), [])
    clock.advance(1)
    assert.deepEqual(await taken(), ['a'])
    clock.advance(10_000)
    assert.deepEqual(await taken(), [])
  })

  test('a-burst-without-end-runs-every-two-seconds', async () => {
    const { queue, clock, taken } = setUp()
    const runs: number[] = []
    for (let i = 0; i < 50; i++) {
      queue.addCoalesced('a')
      clock.advance(100)
      for (const _ of await taken()) runs.push(clock.steady())
    }
    assert.deepEqual(runs, [2000, 4000])
  })

  test('a-burst-lifts-a-low-key-and-ends-a-back-off', async () => {
    const { queue, clock, taken } = setUp()
    queue.add('l1', 'low')
    queue.add('l2', 'low')
    queue.addCoalesced('l2')
    queue.addRateLimited('b')
    queue.addRateLimited('b')
    queue.addCoalesced('b')
    clock.advance(500)
    assert.deepEqual(await taken(), ['l2', 'b', 'l1'])
  })

  test('a-late-alarm-queues-in-the-order-of-the-times', () => {
    const state = queueState(QUEUE_TIMES, () => 0)
    state.addAfter('b', 2000, 'high', 0)
    state.addAfter('a', 1000, 'high', 0)
    assert.equal(state.nextDue(), 1000)
    assert.equal(state.promote(9000), 2)
    assert.deepEqual(state.take(9500), { key: 'a', waited: 500 })
    assert.deepEqual(state.take(9500), { key: 'b', waited: 500 })
    assert.equal(state.take(9500), undefined)
  })

  test('a-lifted-key-has-waited-since-it-came', () => {
    const state = queueState(QUEUE_TIMES, () => 0)
    state.add('a', 'low', 0)
    state.add('a', 'high', 1000)
    assert.deepEqual(state.take(1500), { key: 'a', waited: 1500 })
  })

  test('a-delayed-high-add-lifts-a-low-key-when-it-is-due', async () => {
    const { queue, clock, taken } = setUp()
    queue.add('l1', 'low')
    queue.add('l2', 'low')
    queue.addAfter('l2', 1000)
    queue.addAfter('l3', 1000)
    queue.add('l3', 'low')
    clock.advance(1000)
    assert.deepEqual(await taken(), ['l2', 'l3', 'l1'])
  })

  test('shut-down-frees-workers-and-timers', async () => {
    const { queue, clock } = setUp()
    const worker = queue.get()
    queue.addAfter('a', 1000)
    queue.shutDown()
    assert.equal(await worker, undefined)
    assert.equal(clock.pending(), 0)
    queue.add('b')
    queue.addRateLimited('b')
    queue.addCoalesced('b')
    assert.equal(queue.depth(), 0)
    assert.equal(clock.pending(), 0)
    assert.equal(await queue.get(), undefined)
    queue.done('a')
  })

  test('hooks-tell-of-adds-retries-and-waiting', async () => {
    const seen: (string | number)[] = []
    const { queue, clock, taken } = setUp({
      onAdd: () => seen.push('add'),
      onRetry: () => seen.push('retry'),
      onGet: (seconds) => seen.push(seconds),
    })
    queue.add('a')
    queue.add('a')
    clock.advance(1500)
    await taken()
    queue.addRateLimited('a')
    clock.advance(1000)
    await taken()
    assert.deepEqual(seen, ['add', 1.5, 'retry', 'add', 0])
  })

  test('the-timer-of-the-process', async () => {
    const queue = createQueue({ clock: systemClock })
    queue.addAfter('a', 5)
    assert.equal(await queue.get(), 'a')
    queue.shutDown()
  })
})

/** A call on the queue, or time that passes. */
type Step =
  | { kind: 'add'; key: string; low: boolean }
  | { kind: 'after'; key: string; ms: number }
  | { kind: 'fail' | 'coalesce'; key: string }
  | { kind: 'take' | 'done' }
  | { kind: 'wait'; ms: number }

const key = fc.constantFrom('a', 'b', 'c', 'd')
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('add' as const), key, low: fc.boolean() }),
    fc.record({ kind: fc.constant('after' as const), key, ms: fc.nat(5000) }),
    fc.record({ kind: fc.constantFrom('fail' as const, 'coalesce' as const), key }),
    fc.record({ kind: fc.constantFrom('take' as const, 'take' as const, 'done' as const) }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(1500) }),
  ),
  { maxLength: 60 },
)

describe('queue against a model', { timeout: 60_000 }, () => {
  test('never-two-at-once-nothing-lost-nothing-late', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (calls) => {
        const clock = fakeClock()
        const queue = createQueue({ clock, random: () => 0 })
        const running: string[] = []
        /** What each key was asked for since its last start: the latest time at which it has to be queued. */
        const owed = new Map<string, number>()
        const fails = new Map<string, number>()
        const owe = (of: string, at: number): void => {
          owed.set(of, Math.min(owed.get(of) ?? Number.POSITIVE_INFINITY, at))
        }
        const take = async (): Promise<void> => {
          if (queue.depth() === 0) {
            for (const [of, at] of owed) {
              assert.ok(running.includes(of) || at > clock.steady(), `${of} was due at ${at}, now ${clock.steady()}`)
            }
            return
          }
          const got = await queue.get()
          assert.ok(got !== undefined && !running.includes(got), `${got} runs twice`)
          assert.ok(owed.has(got), `${got} runs though nobody asked`)
          running.push(got)
          owed.delete(got)
        }
        for (const call of calls) {
          const now = clock.steady()
          switch (call.kind) {
            case 'add':
              queue.add(call.key, call.low ? 'low' : 'high')
              // A low add may wait for the back-off that stands.
              if (!call.low || !fails.has(call.key)) owe(call.key, now)
              else if (!owed.has(call.key)) owe(call.key, now + QUEUE_TIMES.backOff.longest)
              break
            case 'after':
              queue.addAfter(call.key, call.ms)
              owe(call.key, now + call.ms)
              break
            case 'fail': {
              const count = fails.get(call.key) ?? 0
              fails.set(call.key, count + 1)
              queue.addRateLimited(call.key)
              const at = now + Math.min(1000 * 2 ** count, QUEUE_TIMES.backOff.longest)
              // A low add that waits goes behind the back-off: what is owed may move to a later time.
              const before = owed.get(call.key)
              owed.set(call.key, before !== undefined && before <= now ? at : Math.min(before ?? at, at))
              break
            }
            case 'coalesce':
              queue.addCoalesced(call.key)
              owe(call.key, now + QUEUE_TIMES.quietMax)
              break
            case 'take':
              await take()
              break
            case 'done': {
              const ended = running.shift()
              if (ended !== undefined) queue.done(ended)
              break
            }
            case 'wait':
              clock.advance(call.ms)
          }
        }
        for (const of of running.splice(0)) queue.done(of)
        clock.advance(QUEUE_TIMES.backOff.longest)
        while (queue.depth() > 0) {
          await take()
          queue.done(running.pop() ?? '')
        }
        assert.deepEqual([...owed.keys()], [], 'lost')
        assert.equal(clock.pending(), 0)
      }),
      { numRuns: 1500 },
    )
  })

  test('high-before-low-then-in-the-order-of-coming', async () => {
    const adds = fc.array(fc.record({ key: fc.nat(20).map(String), low: fc.boolean() }), { maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(adds, async (calls) => {
        const { queue, taken } = setUp()
        const high: string[] = []
        let low: string[] = []
        for (const call of calls) {
          queue.add(call.key, call.low ? 'low' : 'high')
          if (high.includes(call.key)) continue
          if (!call.low) {
            high.push(call.key)
            low = low.filter((each) => each !== call.key)
          } else if (!low.includes(call.key)) low.push(call.key)
        }
        assert.deepEqual(await taken(), [...high, ...low])
      }),
    )
  })

  test('workers-and-producers-interleaved-run-every-key-after-its-last-add', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(key, { minLength: 1, maxLength: 30 }), async (scheduler, keys) => {
        const { queue } = setUp()
        const running = new Set<string>()
        const added = new Map<string, number>()
        const seen = new Map<string, number>()
        const work = async (): Promise<void> => {
          for (let got = await queue.get(); got !== undefined; got = await queue.get()) {
            assert.ok(!running.has(got))
            running.add(got)
            seen.set(got, added.get(got) ?? 0)
            await scheduler.schedule(Promise.resolve(), `run ${got}`)
            running.delete(got)
            queue.done(got)
          }
        }
        const workers = [work(), work(), work()]
        const producer = (async () => {
          for (const each of keys) {
            await scheduler.schedule(Promise.resolve(), `add ${each}`)
            added.set(each, (added.get(each) ?? 0) + 1)
            queue.add(each)
          }
        })()
        await scheduler.waitFor(producer)
        while (queue.depth() > 0 || running.size > 0) await scheduler.waitNext(1)
        queue.shutDown()
        await Promise.all(workers)
        assert.deepEqual(seen, added)
      }),
    )
  })
})
