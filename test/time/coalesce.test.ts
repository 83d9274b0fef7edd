import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCoalescer } from '../../src/time/coalesce.ts'

test('many requests are one run; under constant requests there is one every longest pause', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let runs = 0
  const coalescer = createCoalescer(async () => void runs++, 50, 1000)
  for (let i = 0; i < 5; i++) coalescer.request()
  t.mock.timers.tick(49)
  assert.equal(runs, 0)
  t.mock.timers.tick(1)
  assert.equal(runs, 1)
  await Promise.resolve()
  await new Promise((resolve) => setImmediate(resolve))
  for (let i = 0; i < 200; i++) {
    coalescer.request()
    t.mock.timers.tick(10)
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.ok(runs >= 2 && runs <= 3, `${runs} runs`)
})

test('requests during a run ask for one more; never two at a time; stop waits', async () => {
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
  const coalescer = createCoalescer(work, 1, 10)
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
  coalescer.request()
  await pause(20)
  for (let i = 0; i < 5; i++) coalescer.request()
  await pause(20)
  assert.equal(runs, 1)
  finish()
  await pause(20)
  assert.equal(runs, 2)
  coalescer.request()
  const stopped = coalescer.stop()
  finish()
  await stopped
  await pause(20)
  assert.equal(running, 0)
  assert.equal(runs, 2)
  assert.equal(most, 1)
})
