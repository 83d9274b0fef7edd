import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fakeClock } from '../time/fake-clock.ts'
import { APP, APP_ID, clientOf, json, withServer } from './loopback.ts'

describe('leave to write', () => {
  it('is waited for beforehand: the read and the write that stands on it wait for nothing', () => {
    const clock = fakeClock({ instantBelow: 9_999 })
    /** Waits for the rate limit; longer ones are time-outs of requests. */
    const waits = (): number => clock.slept.filter((ms) => ms < 9_999).length
    /** How many there were when each request came. */
    const sleeps: number[] = []
    return withServer(
      (_, response) => {
        sleeps.push(waits())
        json(response, 200, { data: APP })
      },
      async ({ url }) => {
        const { pilot } = clientOf(url, { clock, qps: 1 })
        for (let call = 0; call < 2; call++) await pilot.getApp(APP_ID)
        const leave = await pilot.leaveToWrite()
        const slept = waits()
        assert.ok(slept >= 2)
        await pilot.getApp(APP_ID, undefined, leave)
        await pilot.writeDomains(APP_ID, ['a.example.com'], undefined, leave)
        assert.deepEqual(sleeps.slice(2, 4), [slept, slept])
        // It serves once.
        const before = waits()
        await pilot.getApp(APP_ID, undefined, leave)
        assert.ok(waits() > before)
      },
    )
  })

  it('given back, it is there for the next', () =>
    withServer(
      (_, response) => json(response, 200, { data: APP }),
      async ({ url }) => {
        const clock = fakeClock({ instantBelow: 9_999 })
        const { pilot } = clientOf(url, { clock, qps: 1 })
        for (let turn = 0; turn < 5; turn++) (await pilot.leaveToWrite()).end()
        assert.deepEqual(clock.slept, [])
      },
    ))

  it('counts for nothing once the API has asked for a pause', () =>
    withServer(
      (request, response) => {
        if (request.path.endsWith('/apps')) json(response, 429, {}, { 'retry-after': '30' })
        else json(response, 200, { data: APP })
      },
      async ({ url, seen }) => {
        const { pilot } = clientOf(url, { clock: fakeClock({ instantBelow: 9_999 }) })
        const leave = await pilot.leaveToWrite()
        await assert.rejects(pilot.listApps(), { reason: 'RateLimited' })
        await assert.rejects(pilot.writeDomains(APP_ID, ['a.example.com'], undefined, leave), { reason: 'RateLimited' })
        assert.equal(seen.filter(({ method }) => method === 'POST').length, 0)
      },
    ))

  it('an abort while it is waited for leaves none behind', () =>
    withServer(
      (_, response) => json(response, 200, { data: APP }),
      async ({ url }) => {
        const clock = fakeClock()
        const { pilot } = clientOf(url, { clock, qps: 1 })
        await pilot.getApp(APP_ID)
        const abort = new AbortController()
        const leave = pilot.leaveToWrite(abort.signal)
        abort.abort(new Error('stop'))
        await assert.rejects(leave, { message: 'stop' })
        await pilot.getApp(APP_ID)
      },
    ))
})
