import { setTimeout as pause, setImmediate } from 'node:timers/promises'

/** Calls a timer off; safe to call again, and after it fired. */
export type Cancel = () => void

/** Time as an argument: the program runs on `systemClock`, tests bring one that they turn. All times are in milliseconds. */
export interface Clock {
  /** The wall clock, since the epoch. Somebody may set it, forwards and back: it is for dates, never for waits. */
  now(): number
  /** Since any fixed point, by a clock that nobody sets: for waits and for how long something took. */
  steady(): number
  /** Resolves after `ms`; rejects with the signal's reason once it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Calls `fire` once, `ms` from now. `idle`: waiting for it keeps no process alive. */
  after(ms: number, fire: () => void, options?: { idle?: boolean }): Cancel
  /** Lets timers and input be served before work goes on that would otherwise follow without a break. */
  turn(): Promise<void>
}

/** The longest time that `setTimeout` takes; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

const timerMs = (ms: number): number => Math.min(Math.max(Math.ceil(ms), 0), MAX_TIMER_MS)

/** The real time. A sleep keeps the process alive until it ends or is aborted. */
export const systemClock: Clock = {
  now: () => Date.now(),
  steady: () => performance.now(),
  after(ms, fire, { idle = false } = {}) {
    const timer = setTimeout(fire, timerMs(ms))
    if (idle) timer.unref()
    return () => clearTimeout(timer)
  },
  async sleep(ms, signal) {
    try {
      await pause(timerMs(ms), undefined, { signal })
    } catch {
      throw signal?.reason
    }
  },
  turn: () => setImmediate(),
}

/** Calls `job` every `ms` until the function that it gives is called. The next turn is timed from the call, not from the job's end. */
export function every(clock: Pick<Clock, 'after'>, ms: number, job: () => void, options?: { idle?: boolean }): Cancel {
  let cancel: Cancel
  const turn = (): void => {
    cancel = clock.after(ms, turn, options)
    job()
  }
  cancel = clock.after(ms, turn, options)
  return () => cancel()
}
