import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPulse } from '../../src/time/pulse.ts'
import { fakeClock } from './fake-clock.ts'

test('a silence begins with work, each beat ends it, and with the last work it is over', async () => {
  const clock = fakeClock()
  const pulse = createPulse(clock)
  clock.advance(1_000)
  assert.equal(pulse.silence(), 0)
  const ends = [Promise.withResolvers<string>(), Promise.withResolvers<never>()] as const
  const first = pulse.during(() => ends[0].promise)
  clock.advance(1_000)
  const second = pulse.during(() => ends[1].promise)
  clock.advance(300)
  assert.equal(pulse.silence(), 300)
  clock.set(0)
  assert.equal(pulse.silence(), 300)
  pulse.beat()
  clock.advance(200)
  assert.equal(pulse.silence(), 200)
  ends[0].resolve('done')
  assert.equal(await first, 'done')
  clock.advance(100)
  assert.equal(pulse.silence(), 100)
  ends[1].reject(new Error('fault'))
  await assert.rejects(second, /fault/)
  clock.advance(100)
  assert.equal(pulse.silence(), 0)
})
