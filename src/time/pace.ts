import { fullBucket, type Rate, refill, take, waitForToken } from './bucket.ts'
import type { Clock } from './clock.ts'

/** Hands out permits one by one, in the order of asking. */
export interface Pace {
  /** Resolves when one more may go; rejects with the signal's reason. */
  take(signal?: AbortSignal): Promise<void>
}

/**
 * A token bucket on credit: each that asks takes its token at once, and waits until it has flowed in. So nobody keeps a queue, and one
 * that leaves while it waits leaves its place empty.
 */
export function createPace(rate: Rate, clock: Pick<Clock, 'steady' | 'sleep'>): Pace {
  let bucket = fullBucket(rate, clock.steady())
  return {
    async take(signal) {
      signal?.throwIfAborted()
      bucket = refill(bucket, rate, clock.steady())
      const wait = waitForToken(bucket, rate)
      bucket = take(bucket)
      if (wait > 0) await clock.sleep(wait, signal)
    },
  }
}
