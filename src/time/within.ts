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
  const limit = new AbortController()
  const cancel = clock.after(ms, () => limit.abort())
  // A failure that comes too late would end the process.
  work.catch(() => undefined)
  try {
    const first = await Promise.race([work.then((value) => ({ value })), aborted(limit.signal)])
    return first === undefined ? await late() : first.value
  } finally {
    cancel()
  }
}

/** Resolves once the signal aborts; never rejects. */
export function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined)
    else signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
}

/**
 * What `work` comes to, or a rejection with the signal's reason once that aborts: then nobody waits for `work` any more, and its result
 * is dropped. For reads alone: a write that nobody waits for would go on while the next process already writes.
 */
export async function unlessAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted()
  let abort = (): void => {}
  const end = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
  })
  try {
    return await Promise.race([work(), end])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
