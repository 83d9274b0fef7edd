import { type BackOff, backOff } from '../../time/back-off.ts'

/**
 * The state of the work queue: which keys wait for a worker, for a point in time, or for quiet. Time is an argument and
 * nothing here sleeps; queue.ts puts timers and workers around it.
 *
 * The promise: after every call that adds a key, a run of the key *starts* after that call, at the time asked for or earlier.
 * So the start of a run serves everything that was asked for before it, and a key never runs twice at once.
 */

/** `high`: fresh changes. `low`: the initial list and the sweep, which wait behind them. */
export type Priority = 'high' | 'low'

/** Times of the queue, all in milliseconds. */
interface QueueTimes {
  /** After failures in a row. */
  backOff: BackOff
  /** How long a coalesced key has to be quiet. */
  quiet: number
  /** How long a coalesced key waits for quiet at the most. */
  quietMax: number
}

export const QUEUE_TIMES: QueueTimes = {
  backOff: { first: 1000, longest: 15 * 60_000, jitter: 0.5 },
  quiet: 500,
  quietMax: 2000,
}

/** A run that is asked for: of a running key, it waits until that run is done. */
interface Wanted {
  priority: Priority
  since: number
}

interface Item {
  running: boolean
  wanted?: Wanted
  /** A run that is asked for later. `backoff`: after a failure, which a low add does not cut short. */
  delayed?: { at: number; priority: Priority; backoff: boolean }
  /** Changes that come in a burst: when it began, and when it counts as over. */
  burst?: { began: number; at: number }
}

/**
 * Makes an empty queue state, and gives its transitions. `now` never runs backwards.
 * @param random gives numbers from 0 up to 1, for the jitter
 */
export function queueState(times: QueueTimes, random: () => number) {
  const items = new Map<string, Item>()
  const failures = new Map<string, number>()
  // Sets keep the order of insertion: each is a queue out of whose middle a key can go.
  const ready: Record<Priority, Set<string>> = { high: new Set(), low: new Set() }
  const waiting = new Map<string, Item>()

  function itemOf(key: string): Item {
    const known = items.get(key)
    if (known !== undefined) return known
    const item: Item = { running: false }
    items.set(key, item)
    return item
  }

  /** Follows a change of the item's times, and lets go of an item that nothing is known of any more. */
  function follow(key: string, item: Item): void {
    if (item.delayed === undefined && item.burst === undefined) {
      waiting.delete(key)
      if (!item.running && item.wanted === undefined) items.delete(key)
    } else waiting.set(key, item)
  }

  function want(key: string, item: Item, priority: Priority, now: number): boolean {
    const before = item.wanted
    if (before !== undefined && (before.priority === 'high' || priority === 'low')) return false
    item.wanted = { priority, since: before?.since ?? now }
    if (!item.running) {
      ready.low.delete(key)
      ready[priority].add(key)
    }
    return before === undefined
  }

  /** Asks for a run now. Gives true when that queued the key, false when it was queued already. */
  function add(key: string, priority: Priority, now: number): boolean {
    const item = itemOf(key)
    // The sweep asks for every app every minute: it would make a back-off of 15 minutes void.
    if (priority === 'low' && item.delayed?.backoff) return false
    // A low run may be far off: what comes later with high priority still lifts it.
    if (priority === 'high') delete item.burst
    if (priority === 'high' || item.delayed?.priority === 'low') delete item.delayed
    const fresh = want(key, item, priority, now)
    follow(key, item)
    return fresh
  }

  function delay(key: string, at: number, priority: Priority, backoff: boolean): void {
    const item = itemOf(key)
    if (item.wanted?.priority === 'high' || item.wanted?.priority === priority) return
    if (backoff && item.wanted !== undefined) {
      // Only the sweep asked for it meanwhile, see `add`.
      delete item.wanted
      ready.low.delete(key)
    }
    const before = item.delayed
    const earlier = before !== undefined && before.at <= at ? before : { at, backoff }
    item.delayed = { ...earlier, priority: before?.priority === 'high' ? 'high' : priority }
    follow(key, item)
  }

  function due(item: Item): number {
    return Math.min(item.delayed?.at ?? Number.POSITIVE_INFINITY, item.burst?.at ?? Number.POSITIVE_INFINITY)
  }

  return {
    add,

    /** Asks for a run in `ms`; of several such calls the earliest counts. */
    addAfter(key: string, ms: number, priority: Priority, now: number): void {
      delay(key, now + ms, priority, false)
    },

    /** Asks for a run after a back-off that doubles with each call since `forget`. Gives the back-off in milliseconds. */
    addRateLimited(key: string, now: number): number {
      const count = (failures.get(key) ?? 0) + 1
      failures.set(key, count)
      const ms = backOff(times.backOff, count, random)
      delay(key, now + ms, 'high', true)
      return ms
    },

    /** Asks for a run once calls with this key have paused. */
    addCoalesced(key: string, now: number): void {
      const item = itemOf(key)
      if (item.wanted?.priority === 'high') return
      const began = item.burst?.began ?? now
      item.burst = { began, at: Math.min(now + times.quiet, began + times.quietMax) }
      follow(key, item)
    },

    /** Forgets the failures of a key: the next back-off is the shortest again. */
    forget(key: string): void {
      failures.delete(key)
    },

    /** Queues the keys whose time has come, in the order of their times; gives how many of them were not queued already. */
    promote(now: number): number {
      const ripe = [...waiting].filter(([, item]) => due(item) <= now)
      let fresh = 0
      for (const [key, item] of ripe.sort(([, a], [, b]) => due(a) - due(b))) {
        const { burst, delayed } = item
        const over = burst !== undefined && burst.at <= now
        if (delayed !== undefined && delayed.at <= now) delete item.delayed
        if (add(key, over ? 'high' : (delayed?.priority ?? 'high'), now)) fresh++
      }
      return fresh
    },

    /** Hands out the next key, high before low, else in the order of their coming, and the ms that it waited. It runs until `done`. */
    take(now: number): { key: string; waited: number } | undefined {
      const queue = ready.high.size > 0 ? ready.high : ready.low
      const key = queue.values().next().value
      const item = key === undefined ? undefined : items.get(key)
      if (key === undefined || item === undefined) return undefined
      queue.delete(key)
      waiting.delete(key)
      items.set(key, { running: true })
      return { key, waited: now - (item.wanted?.since ?? now) }
    },

    /** Ends a run. A key that was asked for meanwhile is queued again, as the last of its priority. */
    done(key: string): void {
      const item = items.get(key)
      if (item === undefined || !item.running) return
      item.running = false
      if (item.wanted !== undefined) ready[item.wanted.priority].add(key)
      follow(key, item)
    },

    /** When `promote` has something to do at the earliest. Looks at every waiting key, so it is for timers that have fired. */
    nextDue(): number | undefined {
      let next = Number.POSITIVE_INFINITY
      for (const item of waiting.values()) next = Math.min(next, due(item))
      return next === Number.POSITIVE_INFINITY ? undefined : next
    },

    /** Keys that wait for a worker. */
    depth: (): number => ready.high.size + ready.low.size,
  }
}
