import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { schedule, validCron } from '../../src/time/schedule.ts'
import { type FakeClock, fakeClock } from './fake-clock.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

test('cron-expressions', () => {
  for (const good of ['* * * * *', '*/5 * * * *', '30 4 * * MON', '*/10 * * * * *']) {
    assert.equal(validCron(good), undefined, good)
  }
  const faults: [string, RegExp][] = [
    ['', /"" is not a valid cron expression: write five fields/],
    ['5m', /write five fields/],
    ['* * * *', /write five fields/],
    ['61 * * * *', /"61" cannot stand for the minute/],
    ['* 24 * * *', /"24" cannot stand for the hour/],
    ['0 0 31 2 *', /"31" cannot stand for the day of month/],
    ['* * * * funday', /"funday" cannot stand for the day of week/],
    ['* * * * *; rm', /write five fields/],
  ]
  for (const [bad, message] of faults) {
    assert.match(validCron(bad) ?? '', message, bad)
    assert.throws(() => schedule(bad, () => undefined, {}), message)
  }
})

/** Runs of a schedule, as times of the wall clock (ISO, to the second). */
function runsOf(t: TestContext, expression: string, clock: FakeClock): string[] {
  const runs: string[] = []
  const job = (): undefined => {
    runs.push(new Date(clock.now()).toISOString().slice(0, 19))
  }
  const stop = schedule(expression, job, { clock })
  t.after(stop)
  return runs
}

/** The process in that time zone for one test. */
function inZone(t: TestContext, zone: string): void {
  const before = process.env.TZ
  process.env.TZ = zone
  t.after(() => {
    if (before === undefined) delete process.env.TZ
    else process.env.TZ = before
  })
}

describe('a schedule', () => {
  test('every minute, at its beginning', (t) => {
    const clock = fakeClock({ start: Date.UTC(2026, 0, 15, 12, 0, 30) })
    const runs = runsOf(t, '* * * * *', clock)
    clock.advance(2 * MINUTE)
    assert.deepEqual(runs, ['2026-01-15T12:01:00', '2026-01-15T12:02:00'])
  })

  test('seconds, where it has a field for them', (t) => {
    const clock = fakeClock({ start: Date.UTC(2026, 0, 15, 12) })
    const runs = runsOf(t, '*/20 * * * * *', clock)
    clock.advance(45_000)
    assert.deepEqual(runs, ['2026-01-15T12:00:20', '2026-01-15T12:00:40'])
  })

  test('a job that throws is called again, and never twice at once', async (t) => {
    const clock = fakeClock({ start: 0 })
    const errors: unknown[] = []
    let calls = 0
    const work = Promise.withResolvers<void>()
    const stop = schedule('* * * * *', () => (++calls === 1 ? work.promise : Promise.reject(new Error('fault'))), {
      clock,
      onError(error) {
        errors.push(error)
        throw error
      },
    })
    t.after(stop)
    clock.advance(3 * MINUTE)
    assert.equal(calls, 1)
    work.resolve()
    await new Promise(setImmediate)
    clock.advance(MINUTE)
    await new Promise(setImmediate)
    clock.advance(MINUTE)
    await new Promise(setImmediate)
    assert.equal(calls, 3)
    assert.deepEqual(errors.map(String), ['Error: fault', 'Error: fault'])
  })

  test('stopped, it never runs again and keeps no timer', (t) => {
    const clock = fakeClock({ start: 0 })
    let runs = 0
    const job = (): undefined => {
      runs++
    }
    const stop = schedule('* * * * *', job, { clock })
    t.after(stop)
    clock.advance(MINUTE)
    stop()
    clock.advance(HOUR)
    assert.deepEqual([runs, clock.pending()], [1, 0])
  })

  test('summer-time-ends: every minute is every minute', (t) => {
    inZone(t, 'Europe/Berlin')
    // 02:00 CEST becomes 02:00 CET an hour later, at 01:00 UTC.
    const clock = fakeClock({ start: Date.UTC(2026, 9, 24, 23, 30) })
    const runs = runsOf(t, '* * * * *', clock)
    clock.advance(4 * HOUR)
    assert.equal(runs.length, 240)
  })

  test('summer-time-ends: a schedule at a fixed hour runs once', (t) => {
    inZone(t, 'Europe/Berlin')
    const clock = fakeClock({ start: Date.UTC(2026, 9, 24, 22) })
    const runs = runsOf(t, '30 2 * * *', clock)
    clock.advance(26 * HOUR)
    assert.deepEqual(runs, ['2026-10-25T00:30:00'])
  })

  test('summer-time-ends: so does one at several times of that hour', (t) => {
    inZone(t, 'Europe/Berlin')
    const clock = fakeClock({ start: Date.UTC(2026, 9, 24, 22) })
    const runs = runsOf(t, '*/30 2 * * *', clock)
    clock.advance(26 * HOUR)
    assert.deepEqual(runs, ['2026-10-25T00:00:00', '2026-10-25T00:30:00'])
  })

  for (const [expression, start] of [
    ['* * * * *', 0],
    ['*/10 * * * * *', Date.UTC(2026, 0, 15)],
  ] as const) {
    test(`the-clock-is-set-forward: one run, then the next one by the new time (${expression})`, (t) => {
      const clock = fakeClock({ start })
      const runs = runsOf(t, expression, clock)
      clock.set(Date.UTC(2026, 10, 30, 12, 0, 1))
      const before = performance.now()
      clock.advance(expression === '* * * * *' ? MINUTE : 10_000)
      assert.ok(performance.now() - before < 50)
      assert.ok(runs.length <= 2, runs.join())
      assert.ok(runs.length > 0)
    })
  }

  test('a jump that missed a run at a fixed hour is made up for by one', (t) => {
    const clock = fakeClock({ start: Date.UTC(2026, 0, 15, 3) })
    inZone(t, 'UTC')
    const runs = runsOf(t, '0 4 * * *', clock)
    clock.set(Date.UTC(2026, 0, 15, 7, 30))
    clock.advance(2 * MINUTE)
    assert.equal(runs.length, 1)
  })

  test('set back, it goes on by the new time within a minute', (t) => {
    const clock = fakeClock({ start: Date.UTC(2026, 0, 15, 12, 0, 30) })
    const runs = runsOf(t, '* * * * *', clock)
    clock.advance(MINUTE)
    clock.set(Date.UTC(2026, 0, 14, 6, 0, 10))
    clock.advance(2 * MINUTE)
    assert.ok(runs.length >= 3, runs.join())
    assert.match(runs.at(-1) ?? '', /^2026-01-14T06:02/)
  })
})
