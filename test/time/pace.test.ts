import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createPace } from '../../src/time/pace.ts'
import { sleeplessClock } from '../check/dns/quick.ts'

test('a burst goes at once, the rest evenly and in order', async () => {
  const clock = sleeplessClock()
  const start = clock.now()
  const pace = createPace({ qps: 10, burst: 3 }, clock)
  const at: [number, number][] = []
  await Promise.all(
    Array.from({ length: 6 }, async (_, index) => {
      await pace.take()
      at.push([index, clock.now() - start])
    }),
  )
  assert.deepEqual(at, [
    [0, 0],
    [1, 0],
    [2, 0],
    [3, 100],
    [4, 200],
    [5, 300],
  ])
})

test('one that waits leaves with the reason', async () => {
  const clock = sleeplessClock()
  const pace = createPace({ qps: 1, burst: 1 }, { steady: clock.steady, sleep: (_, signal) => until(signal) })
  await pace.take()
  const stop = new AbortController()
  const waiting = pace.take(stop.signal)
  stop.abort(new Error('enough'))
  await assert.rejects(waiting, /enough/)
  await assert.rejects(pace.take(stop.signal), /enough/)
})

function until(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
}

test('a clock that is set back by a day stops nobody for longer than the queue', async () => {
  const clock = sleeplessClock()
  const pace = createPace({ qps: 10, burst: 2 }, clock)
  for (let count = 0; count < 5; count++) await pace.take()
  const back = clock.now() - 86_400_000
  clock.set(back)
  await pace.take()
  assert.ok(clock.now() - back <= 200, `${clock.now() - back} ms`)
})

test('never more than the burst and what flowed in since', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.tuple(fc.nat(2000), fc.integer({ min: 1, max: 15 })), { maxLength: 8 }),
      async (qps, burst, waves) => {
        const clock = sleeplessClock()
        const pace = createPace({ qps, burst }, clock)
        const at: number[] = []
        for (const [pause, count] of waves) {
          clock.set(clock.now() + pause)
          const taking = Array.from({ length: count }, () => pace.take().then(() => at.push(clock.now())))
          await Promise.all(taking)
        }
        for (let from = 0; from < at.length; from++) {
          for (let to = from; to < at.length; to++) {
            const seconds = ((at[to] ?? 0) - (at[from] ?? 0)) / 1000
            const most = burst + seconds * qps + 1
            assert.ok(to - from + 1 <= most, `${to - from + 1} within ${seconds} s, at most ${most}`)
          }
        }
      },
    ),
    { numRuns: 50 },
  )
})
