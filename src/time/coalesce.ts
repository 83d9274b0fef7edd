import { type Cancel, type Clock, systemClock } from './clock.ts'

/**
 * Runs one piece of work for many requests: `work`, which never runs twice at a time and must not throw, begins after a pause of
 * `pauseMs` without requests, but `longestMs` after the first of them at the latest. Starts nothing by itself.
 */
export function createCoalescer(
  work: () => Promise<void>,
  { pauseMs, longestMs, clock = systemClock }: { pauseMs: number; longestMs: number; clock?: Pick<Clock, 'after'> },
) {
  let pause: Cancel | undefined
  let longest: Cancel | undefined
  let running: Promise<void> | undefined
  let again = false
  let stopped = false

  function clear(): void {
    pause?.()
    longest?.()
    pause = longest = undefined
  }

  function request(): void {
    if (stopped) return
    if (running !== undefined) {
      again = true
      return
    }
    pause?.()
    pause = clock.after(pauseMs, run)
    longest ??= clock.after(longestMs, run)
  }

  function run(): void {
    clear()
    again = false
    running = work().finally(() => {
      running = undefined
      if (again) request()
    })
  }

  return {
    request,
    /** Lets nothing start any more; resolves when what was running has ended. */
    async stop() {
      stopped = true
      clear()
      await running
    },
  }
}
