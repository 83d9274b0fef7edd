/** Time as an argument: tests bring their own. */
export interface PaceClock {
  /** Milliseconds; only differences count. */
  now(): number
  /** Resolves after `ms` milliseconds; rejects with the signal's reason once it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Hands out permits one by one, in the order of asking. */
export interface Pace {
  /** Resolves when one more query may be sent; rejects with the signal's reason. */
  take(signal?: AbortSignal): Promise<void>
}

/** How fast queries may go. */
export interface Rate {
  /** Queries a second, above 0. */
  perSecond: number
  /** How many may go at once after a quiet time, at least 1. */
  burst: number
}

/** So many questions a second, a fifth of them at once after a quiet time. */
export function rateOf(perSecond: number): Rate {
  return { perSecond, burst: Math.max(1, Math.round(perSecond / 5)) }
}

/** A pace that lets at most `burst + seconds × perSecond` queries go in any span of time. */
export function createPace({ perSecond, burst }: Rate, clock: PaceClock): Pace {
  const interval = 1000 / perSecond
  const ahead = (burst - 1) * interval
  let waiting = 0
  // The moment at which the queries handed out so far would be used up at an even pace.
  let paid = Number.NEGATIVE_INFINITY

  return {
    async take(signal) {
      signal?.throwIfAborted()
      const now = clock.now()
      // The bound matters when the clock was set back: nobody may wait for longer than the queue in front needs.
      const due = Math.min(Math.max(paid, now), now + ahead + (waiting + 1) * interval)
      paid = due + interval
      const pause = due - ahead - now
      if (pause <= 0) return
      waiting++
      try {
        await clock.sleep(Math.ceil(pause), signal)
      } finally {
        waiting--
      }
    },
  }
}
