/** Runs one piece of work for many requests. */
export interface Coalescer {
  /** Asks for a run: after a pause of `pauseMs` without requests, but `longestMs` after the first of them at the latest. */
  request(): void
  /** Lets nothing start any more; resolves when what was running has ended. */
  stop(): Promise<void>
}

/** A coalescer around `work`, which never runs twice at a time and must not throw. Starts nothing by itself. */
export function createCoalescer(work: () => Promise<void>, pauseMs: number, longestMs: number): Coalescer {
  let pause: NodeJS.Timeout | undefined
  let longest: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  let again = false
  let stopped = false

  function clear(): void {
    clearTimeout(pause)
    clearTimeout(longest)
    pause = longest = undefined
  }

  function request(): void {
    if (stopped) return
    if (running !== undefined) {
      again = true
      return
    }
    clearTimeout(pause)
    pause = setTimeout(run, pauseMs)
    longest ??= setTimeout(run, longestMs)
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
    async stop() {
      stopped = true
      clear()
      await running
    },
  }
}
