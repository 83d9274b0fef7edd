import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aborted, unlessAborted, within } from '../../src/time/within.ts'
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

test('what ends before the stop is given as it is, and nothing listens any more', async () => {
  const stop = new AbortController()
  assert.equal(await unlessAborted(stop.signal, async () => 7), 7)
  await assert.rejects(
    unlessAborted(stop.signal, () => Promise.reject(new Error('broken'))),
    /broken/,
  )
  stop.abort()
})

test('the stop goes before work that does not end, and keeps further work from beginning', async () => {
  const stop = new AbortController()
  const reason = new Error('stopped by SIGTERM')
  const waiting = unlessAborted(stop.signal, () => new Promise(() => undefined))
  stop.abort(reason)
  await assert.rejects(waiting, reason)
  await assert.rejects(
    unlessAborted(stop.signal, () => assert.fail('it began')),
    reason,
  )
  assert.equal(await aborted(stop.signal), undefined)
})

test('work that fails after it was given up fails for nobody', async () => {
  const stop = new AbortController()
  const late = Promise.withResolvers<never>()
  const waiting = unlessAborted(stop.signal, () => late.promise)
  stop.abort(new Error('stopped'))
  await assert.rejects(waiting, /stopped/)
  late.reject(new Error('late'))
  await new Promise(setImmediate)
})
