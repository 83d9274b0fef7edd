import { setImmediate } from 'node:timers/promises'

/**
 * Runs `work` and gives the longest hold of the event loop meanwhile, in ms: the most time that this thread computed between one turn of
 * the loop and the next. Time in which other processes had the processor does not count, so that a busy machine changes nothing.
 */
export async function longestHold<T>(work: () => Promise<T>): Promise<{ result: T; hold: number }> {
  let ended = false
  let hold = 0
  async function watch(): Promise<void> {
    while (!ended) {
      const before = process.threadCpuUsage()
      await setImmediate()
      const { user, system } = process.threadCpuUsage(before)
      hold = Math.max(hold, (user + system) / 1000)
    }
  }
  const watching = watch()
  try {
    const result = await work()
    // The turn in which it ended counts, too.
    await setImmediate()
    return { result, hold }
  } finally {
    ended = true
    await watching
  }
}
