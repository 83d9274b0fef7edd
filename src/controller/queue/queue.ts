import type { Cancel, Clock } from '../../time/clock.ts'
import { type Priority, QUEUE_TIMES, queueState } from './queue-state.ts'

/** Called for what the queue does, for metrics. */
export interface QueueHooks {
  /** A key was queued that was not queued already. */
  onAdd?(): void
  /** A key was put off after a failure. */
  onRetry?(): void
  /** A worker got a key that had been queued for so long, with so many left. */
  onGet?(secondsInQueue: number, depth: number): void
}

/** What a queue is made of. */
interface QueueOptions {
  /** Only its steady time counts: a corrected wall clock neither hurries nor holds up a key. */
  clock: Pick<Clock, 'steady' | 'after'>
  hooks?: QueueHooks
  /** Numbers from 0 up to 1. */
  random?: () => number
}

export type Queue = ReturnType<typeof createQueue>

/**
 * Makes an empty queue of keys. It carries identities only: what is to be done is read afresh for each key. It does nothing by itself
 * until a key is added.
 */
export function createQueue({ clock, hooks = {}, random = Math.random }: QueueOptions) {
  const state = queueState(QUEUE_TIMES, random)
  const workers = new Set<(key: string | undefined) => void>()
  let alarm: { at: number; cancel: Cancel } | undefined
  let open = true

  /** Sees to it that `ring` is called at `at` or before. */
  function arm(at: number, now: number): void {
    if (alarm !== undefined && alarm.at <= at) return
    alarm?.cancel()
    alarm = { at, cancel: clock.after(at - now, ring) }
  }

  function ring(): void {
    alarm = undefined
    const now = clock.steady()
    for (let fresh = state.promote(now); fresh > 0; fresh--) hooks.onAdd?.()
    const next = state.nextDue()
    if (next !== undefined) arm(next, now)
    serve()
  }

  function serve(): void {
    for (const worker of workers) {
      const taken = state.take(clock.steady())
      if (taken === undefined) return
      workers.delete(worker)
      hooks.onGet?.(taken.waited / 1000, state.depth())
      worker(taken.key)
    }
  }

  /** Asks for a run now. A key that is queued already stays once; a high add lifts a low one. */
  function add(key: string, priority: Priority = 'high'): void {
    if (!open) return
    if (state.add(key, priority, clock.steady())) hooks.onAdd?.()
    serve()
  }

  return {
    add,

    /** Asks for a run in `ms`; of several such calls the earliest counts. */
    addAfter(key: string, ms: number, priority: Priority = 'high'): void {
      if (!open) return
      if (ms <= 0) {
        add(key, priority)
        return
      }
      const now = clock.steady()
      state.addAfter(key, ms, priority, now)
      arm(now + ms, now)
    },

    /** Asks for a run after a back-off that grows with each call until `forget`. A low add does not cut it short. */
    addRateLimited(key: string): void {
      if (!open) return
      const now = clock.steady()
      arm(now + state.addRateLimited(key, now), now)
      hooks.onRetry?.()
    },

    /** Asks for a run once calls with this key have paused, or have gone on for long enough. */
    addCoalesced(key: string): void {
      if (!open) return
      const now = clock.steady()
      state.addCoalesced(key, now)
      // The end of a burst that goes on comes later than this; then the alarm finds nothing and is set again.
      arm(now + QUEUE_TIMES.quiet, now)
    },

    /** Forgets the failures of a key: call it after a success, and when its app is gone. */
    forget: state.forget,

    /** The next key, as soon as there is one; undefined when the queue is shut down. Never throws. */
    get(): Promise<string | undefined> {
      return new Promise((resolve) => {
        if (!open) return resolve(undefined)
        workers.add(resolve)
        serve()
      })
    },

    /** Ends the run of a key that `get` gave. Without it the key never runs again. */
    done(key: string): void {
      state.done(key)
      serve()
    },

    /** Keys that wait for a worker now. */
    depth: (): number => (open ? state.depth() : 0),

    /** Drops what waits and lets every `get` give undefined. Runs under way end as they like. */
    shutDown(): void {
      open = false
      alarm?.cancel()
      alarm = undefined
      for (const worker of workers) worker(undefined)
      workers.clear()
    },
  }
}
