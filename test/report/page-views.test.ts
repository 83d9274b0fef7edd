import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { viewOf } from '../../src/report/page-view.ts'
import { createPageViews } from '../../src/report/page-views.ts'
import type { Status } from '../../src/status/status.ts'
import { app, NOW, sampleStatus } from '../status/sample-status.ts'
import { fakeClock } from '../time/fake-clock.ts'
import { fleet, thirteen } from './situations.ts'

/** A view over a status that a test sets, and how often it was asked for. */
function world(status: Status) {
  const clock = fakeClock()
  const state = { status, changes: 0, reads: 0, fails: false }
  const views = createPageViews(
    {
      changes: () => state.changes,
      async status() {
        state.reads++
        if (state.fails) throw new Error('cannot be read')
        return state.status
      },
    },
    clock,
  )
  const change = (next: Status): void => {
    state.status = next
    state.changes++
    views.changed()
  }
  /** Lets what was begun come to its end. */
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 50; turn++) await clock.turn()
  }
  return { clock, state, views, change, settle }
}

suite('the prepared view', () => {
  test('it is made when statuses change, not when somebody asks', async () => {
    const { clock, state, views, change, settle } = world(sampleStatus())
    const first = await views.current()
    for (let ask = 0; ask < 20; ask++) assert.equal(await views.current(), first)
    assert.equal(state.reads, 1)
    for (let turn = 0; turn < 100; turn++) change(sampleStatus({ apps: [app('a/b')] }))
    assert.equal(await views.current(), first, 'nobody waits for the new one')
    clock.advance(500)
    await settle()
    assert.equal(state.reads, 2)
    assert.deepEqual(
      (await views.current()).parts.map(({ key }) => key),
      ['wordpress/network', 'a/b'],
    )
    assert.equal(state.reads, 2)
    assert.equal(clock.pending(), 0)
  })

  test('while nobody looks it is made rarely; who comes then gets what is so now', async () => {
    const { clock, state, views, change, settle } = world(sampleStatus())
    for (let second = 0; second < 100; second++) {
      change(sampleStatus())
      clock.advance(1_000)
      await settle()
    }
    assert.equal(state.reads, 10)
    change(sampleStatus({ apps: [], mappings: [] }))
    assert.deepEqual((await views.current()).parts, [])
    assert.equal(clock.pending(), 0)
  })

  test('what no change tells, as a source that fails, is shown within five seconds', async () => {
    const { clock, state, views } = world(sampleStatus())
    await views.current()
    state.status = sampleStatus({ source: { name: 'manifests', synced: true, failure: 'gone', faults: [] } })
    clock.advance(4_999)
    assert.equal((await views.current()).status.source.failure, undefined)
    clock.advance(1)
    assert.equal((await views.current()).status.source.failure, 'gone')
  })

  test('once stopped it leaves no timer behind', async () => {
    const { clock, views, change } = world(sampleStatus())
    await views.current()
    change(sampleStatus())
    assert.equal(clock.pending(), 1)
    views.stop()
    assert.equal(clock.pending(), 0)
    change(sampleStatus())
    assert.equal(clock.pending(), 0)
  })

  test('an app that says what it said is not looked at again', async () => {
    const status = fleet(false, 20, 5)
    const { views, change, clock, settle } = world(status)
    const before = new Map((await views.current()).parts.map((part) => [part.key, part]))
    const [one, ...others] = status.apps
    assert.ok(one)
    change({ ...status, apps: [{ ...one, policy: 'Exclusive' }, ...others] })
    clock.advance(500)
    await settle()
    const made = (await views.current()).parts.filter((part) => before.get(part.key) !== part)
    assert.deepEqual(
      made.map(({ key, app }) => [key, app?.policy]),
      [[one.key, 'Exclusive']],
    )
  })

  test('what cannot be read is told to whoever asks, and is tried again', async () => {
    const { clock, state, views, change, settle } = world(sampleStatus())
    await views.current()
    state.fails = true
    change(sampleStatus())
    clock.advance(500)
    await settle()
    await assert.rejects(views.current(), /cannot be read/)
    state.fails = false
    assert.equal((await views.current()).parts.length, 5)
  })

  test('property: after any changes it is what it would be if it were made anew', async () => {
    const pool = [...thirteen().apps, ...sampleStatus().apps]
    const mappings = [...thirteen().mappings, ...sampleStatus().mappings]
    const some = fc.tuple(fc.subarray(pool), fc.subarray(mappings))
    await fc.assert(
      fc.asyncProperty(fc.array(some, { minLength: 1, maxLength: 5 }), async (steps) => {
        const { clock, views, change, settle } = world(sampleStatus())
        for (const [apps, wanted] of steps) {
          const next = sampleStatus({ apps, mappings: wanted, generatedAt: NOW })
          await views.current()
          change(next)
          clock.advance(500)
          await settle()
          assert.deepEqual(await views.current(), viewOf(next))
        }
      }),
      { numRuns: 20 },
    )
  })
})
