import assert from 'node:assert/strict'
import { test } from 'node:test'
import { schedule, validCron } from '../../src/time/schedule.ts'

test('cron-expressions', () => {
  for (const good of ['* * * * *', '*/5 * * * *', '30 4 * * MON', '*/10 * * * * *']) {
    assert.equal(validCron(good), undefined, good)
  }
  const faults: [string, RegExp][] = [
    ['', /"" is no cron expression: write five fields/],
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
    assert.throws(() => schedule(bad, () => {}, { name: 'x' }), message)
  }
})

test('a-job-that-throws-is-called-again-and-never-overlaps', { timeout: 30_000 }, async () => {
  const errors: unknown[] = []
  let active = 0
  let calls = 0
  await new Promise<void>((resolve) => {
    const stop = schedule(
      '* * * * * *',
      async () => {
        calls++
        active++
        assert.equal(active, 1)
        if (calls === 1) await new Promise((done) => setTimeout(done, 1200))
        active--
        if (calls < 3) throw new Error(`fault ${calls}`)
        stop()
        resolve()
      },
      {
        name: 'test',
        onError(error) {
          errors.push(error)
          throw error
        },
      },
    )
  })
  assert.deepEqual(errors.map(String), ['Error: fault 1', 'Error: fault 2'])
})
