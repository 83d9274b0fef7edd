import { backOff } from '../time/back-off.ts'
import type { Clock } from '../time/clock.ts'
import { ServerPilotError } from './errors.ts'

const CEILINGS_MS = { first: 500, longest: 4_000 } as const

/** How often a read is tried in all. */
export const READ_TRIES = 3

/** The longest wait, in milliseconds, that a read sits out for a `Retry-After`; a longer one is for the caller to schedule. */
export const PATIENCE_MS = 10_000

/** The wait before the next try, ms: from 0 to a ceiling that doubles. `failures` so far, from 1; `random` gives [0, 1). */
export function retryDelay(failures: number, random: () => number): number {
  return Math.floor(random() * backOff(CEILINGS_MS, failures))
}

/**
 * A `Retry-After` header in milliseconds from `now` (epoch ms): seconds or an HTTP date, never negative; undefined when there is
 * none or it means nothing. Source: RFC 9110, section 10.2.3.
 */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  const value = header?.trim()
  if (!value) return undefined
  if (/^\d+$/.test(value)) return Number(value) * 1000
  // A date names its month. `Date.parse` alone would take "1.5" or "-3" for a date, too.
  if (!/[A-Za-z]{3}/.test(value)) return undefined
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

/** Tries a read `READ_TRIES` times at the most; throws the last error. Not for writes: one that failed may have taken effect. */
export async function withRetries<T>(
  read: () => Promise<T>,
  { clock, random, signal }: { clock: Clock; random: () => number; signal?: AbortSignal | undefined },
): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await read()
    } catch (error) {
      if (!(error instanceof ServerPilotError) || !error.retryable || failures >= READ_TRIES) throw error
      const asked = error.retryAfter ?? 0
      if (asked > PATIENCE_MS) throw error
      await clock.sleep(Math.max(asked, retryDelay(failures, random)), signal)
    }
  }
}
