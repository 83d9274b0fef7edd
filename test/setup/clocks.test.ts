import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../e2e/process.ts'
import { turnUntil } from '../time/turn-until.ts'
import { startClockedDaemon } from './clocked-daemon.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const DAY = 24 * 60 * MINUTE

test('a-rare-sweep: one that comes every hour, or never, leaves the daemon alive', async (t) => {
  for (const schedule of ['0 * * * *', '0 0 1 1 *']) {
    const { clock, sweeps, healthy } = await startClockedDaemon(t, schedule)
    for (let minutes = 0; minutes < 65; minutes += 5) {
      clock.advance(5 * MINUTE)
      assert.equal(await healthy(), 'ok\n', `${schedule}, after ${minutes} minutes`)
    }
    if (schedule === '0 * * * *') await until('the sweep of the hour', () => sweeps() === 2)
  }
})

test('a-rare-sweep: alive whatever somebody sets the clock to', async (t) => {
  const { clock, healthy } = await startClockedDaemon(t, '* * * * *')
  for (const now of [Date.UTC(2026, 1, 15), Date.UTC(1970, 0, 1), Date.UTC(2030, 0, 1)]) {
    clock.set(now)
    assert.equal(await healthy(), 'ok\n')
  }
})

test('summer-time-ends: what is taken off as the hour begins anew is put back within the minute', async (t) => {
  const before = process.env.TZ
  t.after(() => {
    if (before === undefined) delete process.env.TZ
    else process.env.TZ = before
  })
  process.env.TZ = 'Europe/Berlin'
  const start = Date.UTC(2026, 9, 24, 23, 58, 30)
  const { clock, sweeps, served, takeOff, healthy } = await startClockedDaemon(t, '* * * * *', start)
  // At 00:00 UTC it is 02:00 for the first time, at 01:00 UTC for the second.
  for (const hour of [0, 1]) {
    clock.advance(Date.UTC(2026, 9, 25, hour, 0, 36) - clock.now())
    await until('the sweep has ended', async () => (await healthy()) === 'ok\n' && served())
    takeOff()
    const known = sweeps()
    clock.advance(25 * SECOND)
    await until('the sweep of the minute', () => sweeps() > known)
    // A list that has lost names is read again before it is believed.
    await turnUntil(clock, 'it is back', served)
    assert.ok(clock.now() < Date.UTC(2026, 9, 25, hour, 1, 50), new Date(clock.now()).toISOString())
  }
})

for (const [what, schedule, start, jump] of [
  ['from 1970', '* * * * *', 0, Date.UTC(2026, 10, 30)],
  ['30 days with seconds', '*/10 * * * * *', Date.UTC(2026, 0, 15, 12), 30 * DAY],
  ['365 days', '* * * * *', Date.UTC(2026, 0, 15, 12), 365 * DAY],
] as const) {
  test(`the-clock-is-set-forward: ${what}: one sweep, then the next by the new time; healthy, and ends when told`, async (t) => {
    const { clock, sweeps, healthy, terminate } = await startClockedDaemon(t, schedule, start)
    const slot = schedule === '* * * * *' ? MINUTE : 10 * SECOND
    const known = sweeps()
    clock.set(clock.now() + jump)
    const used = process.cpuUsage()
    clock.advance(slot)
    const { user, system } = process.cpuUsage(used)
    assert.ok((user + system) / 1000 < 50, `held the event loop for ${(user + system) / 1000} ms`)
    assert.equal(await healthy(), 'ok\n')
    await until('a sweep makes up for what was missed', () => sweeps() > known)
    const after = sweeps()
    clock.advance(slot)
    await until('the next', () => sweeps() > after)
    assert.ok(sweeps() - known <= 3, `${sweeps() - known} sweeps`)
    assert.equal(await terminate(), 0)
  })
}
