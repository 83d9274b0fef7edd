import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, test } from 'node:test'
import { type MakePart, stopAnywhere } from './stop-anywhere.ts'
import { fakeClock } from './time/fake-clock.ts'

/** A part that reads a file, then beats on a clock. `guard`: it looks after each await whether it was stopped. */
const beating =
  (guard: boolean): MakePart =>
  (act) => {
    const clock = fakeClock()
    let cancel = () => {}
    let stopped = false
    const beat = (): void => {
      act('beat')
      cancel = clock.after(1_000, beat)
    }
    return {
      clock,
      async start() {
        await readFile(import.meta.filename)
        if (guard && stopped) return
        beat()
      },
      async stop() {
        stopped = true
        cancel()
      },
    }
  }

describe('the harness for stops', () => {
  test('a part that looks after each await passes at every point', async () => {
    assert.ok((await stopAnywhere(beating(true))) > 3)
  })

  test('one that goes on after the stop is found', { timeout: 20_000 }, async () => {
    await assert.rejects(stopAnywhere(beating(false)), /after turn \d+: (timers of the clock|done after the stop)/)
  })

  test('a stop that does not end, a start that does not end, and a timer that stays are found', async () => {
    const forever = () => new Promise<never>(() => undefined)
    const soon = async () => undefined
    const stop = { patience: 50 }
    await assert.rejects(
      stopAnywhere(() => ({ start: soon, stop: forever }), stop),
      /the stop does not end/,
    )
    await assert.rejects(
      stopAnywhere(() => ({ start: forever, stop: soon }), stop),
      /the start does not end/,
    )
    let timer: NodeJS.Timeout | undefined
    const start = async () => {
      timer = setInterval(() => undefined, 1_000)
    }
    await assert.rejects(
      stopAnywhere(() => ({ start, stop: soon }), stop),
      /still at work: Timeout/,
    )
    clearInterval(timer)
  })
})
