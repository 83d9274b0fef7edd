/** How much a bucket holds and how fast it fills. */
export interface Rate {
  /** Tokens (requests) a second, above 0. */
  qps: number
  /** The most it holds, at least 1. */
  burst: number
}

/** A token bucket at the moment `at`. A value: the functions below give a new one. */
export interface Bucket {
  /** Below 0: given out on credit. */
  tokens: number
  /** Milliseconds of the clock that the bucket is looked at with. */
  at: number
  /** Until when nothing is handed out. */
  pausedUntil: number
}

/** A bucket that is full at `now` (ms). */
export function fullBucket(rate: Rate, now: number): Bucket {
  return { tokens: rate.burst, at: now, pausedUntil: now }
}

/** The bucket at `now` (ms), with what flowed in since. */
export function refill(bucket: Bucket, rate: Rate, now: number): Bucket {
  const elapsed = now - bucket.at
  // A clock that was set back moves the pause along with it: else a pause of a second could become one of an hour.
  if (elapsed < 0) return { ...bucket, at: now, pausedUntil: bucket.pausedUntil + elapsed }
  return { ...bucket, at: now, tokens: Math.min(rate.burst, bucket.tokens + (elapsed * rate.qps) / 1000) }
}

/** Milliseconds from `bucket.at` until a token may be taken; 0 when one is there. */
export function waitForToken(bucket: Bucket, rate: Rate): number {
  const paused = Math.max(0, bucket.pausedUntil - bucket.at)
  const missing = bucket.tokens >= 1 ? 0 : Math.ceil(((1 - bucket.tokens) * 1000) / rate.qps)
  return Math.max(paused, missing)
}

/** The bucket with one token less. Only for one that waits as long as `waitForToken` said before. */
export function take(bucket: Bucket): Bucket {
  return { ...bucket, tokens: bucket.tokens - 1 }
}

/** The bucket that hands out nothing for `ms` milliseconds from `bucket.at`; a longer pause already set stays. */
export function pause(bucket: Bucket, ms: number): Bucket {
  return { ...bucket, pausedUntil: Math.max(bucket.pausedUntil, bucket.at + ms) }
}
