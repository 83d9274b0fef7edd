import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aborted, unlessStopped } from '../../src/setup/stop.ts'

test('what ends before the stop is given as it is, and nothing listens any more', async () => {
  const stop = new AbortController()
  assert.equal(await unlessStopped(stop.signal, async () => 7), 7)
  await assert.rejects(
    unlessStopped(stop.signal, () => Promise.reject(new Error('broken'))),
    /broken/,
  )
  stop.abort()
})

test('the stop goes before work that does not end, and keeps further work from beginning', async () => {
  const stop = new AbortController()
  const reason = new Error('stopped by SIGTERM')
  const waiting = unlessStopped(stop.signal, () => new Promise(() => undefined))
  stop.abort(reason)
  await assert.rejects(waiting, reason)
  await assert.rejects(
    unlessStopped(stop.signal, () => assert.fail('it began')),
    reason,
  )
  assert.equal(await aborted(stop.signal), undefined)
})

test('work that fails after it was given up fails for nobody', async () => {
  const stop = new AbortController()
  const late = Promise.withResolvers<never>()
  const waiting = unlessStopped(stop.signal, () => late.promise)
  stop.abort(new Error('stopped'))
  await assert.rejects(waiting, /stopped/)
  late.reject(new Error('late'))
  await new Promise(setImmediate)
})
