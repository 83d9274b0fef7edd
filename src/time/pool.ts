/** Runs a job once there is room for it. */
export type Gate = ReturnType<typeof createGate>

/** Makes a gate that lets `most` jobs run at a time; the others wait in line for one of them to end. */
export function createGate(most: number) {
  const line: (() => void)[] = []
  let free = most
  return async <T>(job: () => Promise<T>): Promise<T> => {
    if (free > 0) free--
    else await new Promise<void>((enter) => line.push(enter))
    try {
      return await job()
    } finally {
      const next = line.shift()
      if (next === undefined) free++
      else next()
    }
  }
}

/**
 * Does `work` for each item, in order, with `most` under way at a time. Items are asked for one by one, when there is room: an
 * iterable that ends early ends it early. Rejects with the first error of `work`; the others under way go on, and begin nothing more.
 */
export async function inParallel<T>(items: Iterable<T>, most: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items[Symbol.iterator]()
  let failed = false
  const worker = async (): Promise<void> => {
    while (!failed) {
      const next = queue.next()
      if (next.done) return
      try {
        await work(next.value)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  await Promise.all(Array.from({ length: most }, worker))
}
