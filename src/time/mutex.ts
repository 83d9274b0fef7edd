/**
 * Makes a keyed mutex: jobs of one key run one after the other, in the order of their arrival; jobs of different keys at the same time.
 * A job that fails lets the next one in; its error goes to its own caller alone. A job that asks for its own key waits for itself.
 */
export function createKeyedMutex() {
  const tails = new Map<string, Promise<void>>()
  return <T>(key: string, job: () => Promise<T>): Promise<T> => {
    const result = (tails.get(key) ?? Promise.resolve()).then(job)
    // Only the last in the line clears the entry, so that a server nobody writes to any more costs nothing.
    const clear = (): void => {
      if (tails.get(key) === tail) tails.delete(key)
    }
    const tail = result.then(clear, clear)
    tails.set(key, tail)
    return result
  }
}
