import type { Clock } from './clock.ts'

/**
 * What `work` comes to, or what `late` gives or throws when that takes longer than `ms`. Leaves no timer behind. Work that is late
 * goes on, and its result is dropped: where it can be given up, `late` does so.
 */
export async function within<T>(
  clock: Pick<Clock, 'after'>,
  ms: number,
  work: Promise<T>,
  late: () => T | Promise<T>,
): Promise<T> {
  let cancel = (): void => {}
  const limit = new Promise<'late'>((resolve) => {
    cancel = clock.after(ms, () => resolve('late'))
  })
  // A failure that comes too late would end the process.
  work.catch(() => undefined)
  try {
    const first = await Promise.race([work.then((value) => ({ value })), limit])
    return first === 'late' ? await late() : first.value
  } finally {
    cancel()
  }
}

/** What `work` comes to, unless `signal` aborts before: then it rejects with the signal's reason. */
export async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  let leave = (): void => {}
  const aborted = new Promise<never>((_, reject) => {
    leave = () => reject(signal.reason)
    if (signal.aborted) leave()
    else signal.addEventListener('abort', leave, { once: true })
  })
  work.catch(() => undefined)
  try {
    return await Promise.race([aborted, work])
  } finally {
    signal.removeEventListener('abort', leave)
  }
}
