/** Runs jobs of one key one after the other, in the order of their arrival; jobs of different keys at the same time. */
export type KeyedMutex = <T>(key: string, job: () => Promise<T>) => Promise<T>

/**
 * Makes a keyed mutex. A job that fails lets the next one in; its error goes to its own caller alone. A job must not ask for
 * its own key again: it would wait for itself.
 */
export function createKeyedMutex(): KeyedMutex {
  const tails = new Map<string, Promise<void>>()
  return async (key, job) => {
    const before = tails.get(key)
    let release = () => {}
    const done = new Promise<void>((resolve) => {
      release = resolve
    })
    tails.set(key, done)
    await before
    try {
      return await job()
    } finally {
      release()
      // Only the last in the line clears the entry, so that a server nobody writes to any more costs nothing.
      if (tails.get(key) === done) tails.delete(key)
    }
  }
}
