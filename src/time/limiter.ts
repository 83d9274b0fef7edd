import { fullBucket, pause, type Rate, refill, take, waitForToken } from './bucket.ts'
import type { Clock } from './clock.ts'

/** Reads and writes wait in lines of their own. */
export type Lane = 'read' | 'write'

/**
 * Makes the limiter of one account, over a token bucket. While both lanes wait they take turns, so that neither has less than
 * half of the rate; a lane alone has all of it. `patience`: the longest pause, in milliseconds, that a lane sits out.
 */
export function createLimiter(options: { rate: Rate; clock: Clock; patience: Record<Lane, number> }) {
  const { rate, clock, patience } = options
  // Each waiter is a function that gets the answer of `acquire`.
  const lines: Record<Lane, ((pausedFor: number) => void)[]> = { read: [], write: [] }
  let bucket = fullBucket(rate, clock.steady())
  let last: Lane = 'read'
  let running = false
  let nap: AbortController | undefined

  function nextLane(): Lane | undefined {
    const turns: Lane[] = last === 'read' ? ['write', 'read'] : ['read', 'write']
    return turns.find((lane) => lines[lane].length > 0)
  }

  function refuseLongPauses() {
    const left = bucket.pausedUntil - bucket.at
    for (const lane of ['read', 'write'] as const) {
      if (left > patience[lane]) for (const answer of lines[lane].splice(0)) answer(left)
    }
  }

  async function serve() {
    if (running) return
    running = true
    for (;;) {
      bucket = refill(bucket, rate, clock.steady())
      refuseLongPauses()
      const lane = nextLane()
      if (lane === undefined) break
      const wait = waitForToken(bucket, rate)
      if (wait > 0) {
        nap = new AbortController()
        // A nap that is cut short (a pause, nobody waits any more) is looked at again above.
        await clock.sleep(wait, nap.signal).catch(() => undefined)
        nap = undefined
        continue
      }
      bucket = take(bucket)
      last = lane
      lines[lane].shift()?.(0)
    }
    running = false
  }

  return {
    /**
     * Waits for leave to send one request. Gives 0 when it may be sent, or the milliseconds that a pause still lasts when that is
     * longer than the lane's patience: then it may not. Rejects with the signal's reason.
     */
    acquire(lane: Lane, signal?: AbortSignal): Promise<number> {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const line = lines[lane]
        const leave = () => {
          const place = line.indexOf(answer)
          if (place >= 0) line.splice(place, 1)
          if (lines.read.length + lines.write.length === 0) nap?.abort()
          reject(signal?.reason)
        }
        const answer = (pausedFor: number) => {
          signal?.removeEventListener('abort', leave)
          resolve(pausedFor)
        }
        signal?.addEventListener('abort', leave, { once: true })
        line.push(answer)
        void serve()
      })
    },
    /** Whether leave that was taken with `acquire` still counts: not while a pause lasts that began meanwhile. */
    stillGood(): boolean {
      bucket = refill(bucket, rate, clock.steady())
      return bucket.pausedUntil <= bucket.at
    },
    /** Gives leave back that was not used. */
    giveBack(): void {
      bucket = { ...bucket, tokens: Math.min(rate.burst, bucket.tokens + 1) }
      nap?.abort()
    },
    /** Sends nothing for `ms` milliseconds: the API asked for it. */
    pause(ms: number): void {
      bucket = pause(refill(bucket, rate, clock.steady()), ms)
      nap?.abort()
    },
  }
}
