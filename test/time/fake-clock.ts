import { type Clock, systemClock } from '../../src/time/clock.ts'

/** A clock that a test turns. */
export interface FakeClock extends Clock {
  /** Lets time pass, and wakes whoever is due, in order: each sees the time for which it asked. */
  advance(ms: number): void
  /** Somebody sets the wall clock; what waits is not concerned. */
  set(now: number): void
  /** Every sleep asked for, in ms, in order. */
  readonly slept: number[]
  /** How many sleeps and timers are not over. */
  pending(): number
}

/**
 * Sleeps shorter than `instantBelow` ms pass at once (the clock moves along); longer ones, such as time-outs, wait for `advance`.
 */
export function fakeClock({ start = 1_700_000_000_000, instantBelow = 0 } = {}): FakeClock {
  let steady = 0
  let offset = start
  let count = 0
  const waiting = new Set<{ at: number; order: number; wake: () => void }>()
  const slept: number[] = []

  const advance = (ms: number): void => {
    const end = steady + ms
    for (;;) {
      const [next] = [...waiting]
        .filter(({ at }) => at <= end)
        .sort((a, b) => (a.at === b.at ? a.order - b.order : a.at - b.at))
      if (next === undefined) break
      steady = Math.max(steady, next.at)
      waiting.delete(next)
      next.wake()
    }
    steady = end
  }

  const after: Clock['after'] = (ms, fire) => {
    const entry = { at: steady + Math.max(Math.ceil(ms), 0), order: count++, wake: fire }
    waiting.add(entry)
    return () => waiting.delete(entry)
  }

  return {
    slept,
    now: () => offset + steady,
    steady: () => steady,
    pending: () => waiting.size,
    advance,
    after,
    turn: systemClock.turn,
    set(now) {
      offset = now - steady
    },
    async sleep(ms, signal) {
      signal?.throwIfAborted()
      slept.push(ms)
      if (ms < instantBelow) return advance(ms)
      await new Promise<void>((resolve, reject) => {
        const leave = (): void => {
          cancel()
          reject(signal?.reason)
        }
        const cancel = after(ms, () => {
          signal?.removeEventListener('abort', leave)
          resolve()
        })
        signal?.addEventListener('abort', leave, { once: true })
      })
    },
  }
}
