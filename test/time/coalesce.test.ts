import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCoalescer } from '../../src/time/coalesce.ts'
import { fakeClock } from './fake-clock.ts'

const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

test('many requests are one run; under constant requests there is one every longest pause', async () => {
  const clock = fakeClock()
  let runs = 0
  const coalescer = createCoalescer(async () => void runs++, { pauseMs: 50, longestMs: 1000, clock })
  for (let i = 0; i < 5; i++) coalescer.request()
  clock.advance(49)
  assert.equal(runs, 0)
  clock.advance(1)
  assert.equal(runs, 1)
  await settle()
  for (let i = 0; i < 200; i++) {
    coalescer.request()
    clock.advance(10)
    await settle()
  }
  assert.ok(runs >= 2 && runs <= 3, `${runs} runs`)
})

test('requests during a run ask for one more; never two at a time; stop waits', async () => {
  const clock = fakeClock()
  let running = 0
  let most = 0
  let runs = 0
  let finish = () => {}
  const work = async () => {
    runs++
    most = Math.max(most, ++running)
    await new Promise<void>((resolve) => {
      finish = resolve
    })
    running--
  }
  const coalescer = createCoalescer(work, { pauseMs: 1, longestMs: 10, clock })
  const pass = async () => {
    clock.advance(20)
    await settle()
  }
  coalescer.request()
  await pass()
  for (let i = 0; i < 5; i++) coalescer.request()
  await pass()
  assert.equal(runs, 1)
  finish()
  await settle()
  await pass()
  assert.equal(runs, 2)
  coalescer.request()
  const stopped = coalescer.stop()
  finish()
  await stopped
  await pass()
  assert.equal(running, 0)
  assert.equal(runs, 2)
  assert.equal(most, 1)
  assert.equal(clock.pending(), 0)
  coalescer.request()
  assert.equal(clock.pending(), 0, 'a request after the stop is none')
})
