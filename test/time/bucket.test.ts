import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fullBucket, pause, refill, take, waitForToken } from '../../src/time/bucket.ts'
import { createLimiter, type Lane } from '../../src/time/limiter.ts'
import { fakeClock } from './fake-clock.ts'

const rates = fc.record({ qps: fc.double({ min: 0.1, max: 100, noNaN: true }), burst: fc.integer({ min: 1, max: 50 }) })

describe('token bucket', () => {
  it('never gives more than burst + qps × time, over any stretch', () => {
    fc.assert(
      fc.property(rates, fc.array(fc.integer({ min: 0, max: 2_000 }), { maxLength: 100 }), (rate, steps) => {
        let now = 0
        let bucket = fullBucket(rate, now)
        const given: number[] = []
        for (const step of steps) {
          now += step
          bucket = refill(bucket, rate, now)
          while (waitForToken(bucket, rate) === 0) {
            bucket = take(bucket)
            given.push(now)
          }
        }
        for (const [from, start] of given.entries()) {
          for (const [to, end] of given.entries()) {
            if (to < from) continue
            assert.ok(to - from + 1 <= rate.burst + ((end - start) * rate.qps) / 1000 + 1e-6)
          }
        }
      }),
    )
  })

  it('has a token after exactly the wait that it names, and not half of it before', () => {
    fc.assert(
      fc.property(rates, fc.integer({ min: 0, max: 60_000 }), (rate, pausedFor) => {
        let bucket = fullBucket(rate, 0)
        for (let n = 0; n < rate.burst; n++) bucket = take(bucket)
        bucket = pause(bucket, pausedFor)
        const wait = waitForToken(bucket, rate)
        assert.ok(wait > 0)
        // Rounding may leave a hair's breadth, never more than a millisecond of waiting.
        assert.ok(waitForToken(refill(bucket, rate, wait), rate) <= 1)
        assert.ok(waitForToken(refill(bucket, rate, Math.floor(wait / 2)), rate) > 0)
      }),
    )
  })

  it('a longer pause is not shortened by a shorter one', () => {
    const rate = { qps: 1, burst: 1 }
    assert.equal(waitForToken(pause(pause(fullBucket(rate, 0), 5_000), 1_000), rate), 5_000)
  })

  it('a clock that is set back neither gives tokens nor draws out a pause', () => {
    const rate = { qps: 1, burst: 2 }
    const bucket = refill(pause(take(fullBucket(rate, 1_000_000)), 3_000), rate, 0)
    assert.equal(bucket.tokens, 1)
    assert.equal(waitForToken(bucket, rate), 3_000)
  })
})

describe('limiter', () => {
  const patience = { read: 10_000, write: 1_000 }
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

  /** Lets time pass in steps of 10 ms, each with what it sets off. */
  async function pass(clock: ReturnType<typeof fakeClock>, ms: number) {
    for (let n = 0; n < ms; n += 10) {
      clock.advance(10)
      await settle()
    }
  }

  it('gives the burst at once, then one after the other', async () => {
    const clock = fakeClock({ start: 0 })
    const limiter = createLimiter({ rate: { qps: 10, burst: 3 }, clock, patience })
    const at: number[] = []
    for (let n = 0; n < 6; n++) void limiter.acquire('read').then(() => at.push(clock.now()))
    await settle()
    await pass(clock, 400)
    assert.deepEqual(at, [0, 0, 0, 100, 200, 300])
    assert.equal(clock.pending(), 0)
  })

  it('neither lane starves the other: while both wait they take turns, whatever the order of arrival', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom<Lane>('read', 'write'), { minLength: 2, maxLength: 40 }),
        async (arrivals) => {
          const clock = fakeClock({ instantBelow: 10_000 })
          const limiter = createLimiter({ rate: { qps: 10, burst: 1 }, clock, patience })
          await limiter.acquire('read')
          const served: Lane[] = []
          await Promise.all(arrivals.map((lane) => limiter.acquire(lane).then(() => served.push(lane))))
          // The first was chosen when it was the only one that waited.
          const rest = served.slice(1)
          const both =
            2 * Math.min(rest.filter((lane) => lane === 'read').length, rest.filter((lane) => lane === 'write').length)
          for (let n = 1; n < both; n++) assert.notEqual(rest[n], rest[n - 1], served.join())
          assert.equal(served.length, arrivals.length)
        },
      ),
      { numRuns: 50 },
    )
  })

  it('within a lane the first to come is the first served', async () => {
    const clock = fakeClock({ instantBelow: 10_000 })
    const limiter = createLimiter({ rate: { qps: 10, burst: 1 }, clock, patience })
    const served: number[] = []
    await Promise.all([1, 2, 3, 4].map((n) => limiter.acquire('write').then(() => served.push(n))))
    assert.deepEqual(served, [1, 2, 3, 4])
  })

  it('a pause tells those that wait already, each lane by its patience', async () => {
    const clock = fakeClock({ start: 0 })
    const limiter = createLimiter({ rate: { qps: 1, burst: 1 }, clock, patience })
    await limiter.acquire('read')
    const read = limiter.acquire('read')
    const write = limiter.acquire('write')
    limiter.pause(5_000)
    assert.equal(await write, 5_000)
    clock.advance(5_000)
    assert.equal(await read, 0)
  })

  it('one that gives up leaves the line, and no timer when it was the last', async () => {
    const clock = fakeClock({ start: 0 })
    const limiter = createLimiter({ rate: { qps: 1, burst: 1 }, clock, patience })
    await limiter.acquire('read')
    const abort = new AbortController()
    const reason = new Error('stop')
    const waiting = limiter.acquire('read', abort.signal)
    assert.equal(clock.pending(), 1)
    abort.abort(reason)
    await assert.rejects(waiting, reason)
    await settle()
    assert.equal(clock.pending(), 0)
    const next = limiter.acquire('write')
    clock.advance(1_000)
    assert.equal(await next, 0)
  })
})
