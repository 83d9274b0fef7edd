import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unlessAborted, within } from '../../src/time/within.ts'
import { fakeClock } from './fake-clock.ts'

const never = new Promise<never>(() => undefined)

test('work in time is what it comes to, good or bad; no timer stays', async () => {
  const clock = fakeClock()
  assert.equal(await within(clock, 10, Promise.resolve('done'), () => 'late'), 'done')
  await assert.rejects(
    within(clock, 10, Promise.reject(new Error('bad')), () => 'late'),
    /bad/,
  )
  assert.equal(clock.pending(), 0)
})

test('work that is late is what `late` says, and its own failure harms nobody', async () => {
  const clock = fakeClock()
  let fail = (_: Error): void => {}
  const work = new Promise<string>((_, reject) => {
    fail = reject
  })
  const result = within(clock, 10, work, () => 'late')
  clock.advance(10)
  assert.equal(await result, 'late')
  fail(new Error('nobody hears this'))
  const thrown = within(clock, 10, never, () => {
    throw new Error('too late')
  })
  clock.advance(10)
  await assert.rejects(thrown, /too late/)
  assert.equal(clock.pending(), 0)
})

test('an abort, before or under way, is the reason', async () => {
  const reason = new Error('stop')
  await assert.rejects(unlessAborted(AbortSignal.abort(reason), Promise.resolve(1)), reason)
  const abort = new AbortController()
  const result = unlessAborted(abort.signal, never)
  abort.abort(reason)
  await assert.rejects(result, reason)
  assert.equal(await unlessAborted(new AbortController().signal, Promise.resolve(1)), 1)
})
