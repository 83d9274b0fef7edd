import type { Clock } from '../../src/time/clock.ts'

/** A clock that a test moves. */
export interface FakeClock extends Clock {
  /** Lets time pass, and wakes the sleeps that are due, in their order. */
  advance(ms: number): void
  /** Every sleep asked for, in ms, in order. */
  readonly slept: number[]
  /** How many sleeps are not over. */
  pending(): number
}

/**
 * Sleeps shorter than `instantBelow` ms pass at once (the clock moves along); longer ones, such as time-outs, wait for `advance`.
 */
export function fakeClock({ start = 1_700_000_000_000, instantBelow = 0 } = {}): FakeClock {
  let now = start
  const sleepers = new Set<{ at: number; wake: () => void }>()
  const slept: number[] = []
  const advance = (ms: number) => {
    now += ms
    for (const sleeper of [...sleepers].sort((a, b) => a.at - b.at)) if (sleeper.at <= now) sleeper.wake()
  }
  return {
    slept,
    now: () => now,
    pending: () => sleepers.size,
    advance,
    async sleep(ms, signal) {
      signal?.throwIfAborted()
      slept.push(ms)
      if (ms < instantBelow) return advance(ms)
      await new Promise<void>((resolve, reject) => {
        const leave = () => {
          sleepers.delete(sleeper)
          reject(signal?.reason)
        }
        const sleeper = {
          at: now + ms,
          wake() {
            sleepers.delete(sleeper)
            signal?.removeEventListener('abort', leave)
            resolve()
          },
        }
        sleepers.add(sleeper)
        signal?.addEventListener('abort', leave, { once: true })
      })
    },
  }
}
