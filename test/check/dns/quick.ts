import type { Dns } from '../../../src/check/dns/ask.ts'
import { openDns } from '../../../src/check/dns/ask.ts'
import type { Clock } from '../../../src/time/clock.ts'
import type { Pace } from '../../../src/time/pace.ts'

/** A pace that never waits. */
export const AT_ONCE: Pace = { take: async (signal) => signal?.throwIfAborted() }

/** A resolver of one server that may be asked as fast as one likes, and gives up soon. */
export function quickDns(server: string, signal = new AbortController().signal): Dns {
  return openDns({ servers: [server], pace: AT_ONCE, signal, timeout: 250, tries: 2 })
}

/** A clock on which a sleep passes at once, in the order of waking. */
export function sleeplessClock(): Pick<Clock, 'now' | 'steady' | 'sleep'> & { set(now: number): void } {
  let now = 1_000_000
  const sleepers: { at: number; wake: () => void }[] = []
  let turning = false
  function turn(): void {
    const next = sleepers.sort((a, b) => a.at - b.at).shift()
    turning = next !== undefined
    if (next === undefined) return
    now = Math.max(now, next.at)
    next.wake()
    setImmediate(turn)
  }
  return {
    now: () => now,
    steady: () => now,
    set: (to) => {
      now = to
    },
    sleep(ms, signal) {
      return new Promise((resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
        sleepers.push({ at: now + ms, wake: resolve })
        if (turning) return
        turning = true
        setImmediate(turn)
      })
    },
  }
}
