import type { Cancel } from '../../src/time/clock.ts'
import type { Random } from './random.ts'

/** Time that passes as fast as there is nothing left to do: one queue of what is due, in the order that a seed decides. */
export interface WorldTime {
  /** Milliseconds since the world began. */
  now(): number
  /** Calls `fire` in `ms` milliseconds, unless it is called off. */
  after(ms: number, fire: () => void): Cancel
  /** Resolves in `ms` milliseconds. */
  wait(ms: number): Promise<void>
  /** Lets time pass up to a moment, or until `stop` says so. */
  runUntil(end: number, stop?: () => boolean): Promise<void>
  /** How many turns there were so far. */
  turns(): number
}

interface Entry {
  at: number
  /** Decides among those that are due at the same moment. */
  order: number
  fire: (() => void) | undefined
}

/** Everything that follows from a turn happens before the next one: nothing in this world waits for a real answer. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Makes a world's time, at 0. */
export function createVirtualTime(random: Random): WorldTime {
  const heap: Entry[] = []
  let now = 0
  let turns = 0

  const earlier = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

  function push(entry: Entry): void {
    let at = heap.push(entry) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!earlier(entry, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = entry
  }

  function pop(): void {
    const last = heap.pop()!
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && earlier(heap[child + 1]!, heap[child]!)) child++
      if (!earlier(heap[child]!, last)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
  }

  function after(ms: number, fire: () => void): Cancel {
    const entry: Entry = { at: now + Math.max(ms, 0), order: random.next(), fire }
    push(entry)
    return () => {
      entry.fire = undefined
    }
  }

  return {
    now: () => now,
    after,
    wait: (ms) => new Promise((resolve) => after(ms, resolve)),
    turns: () => turns,
    async runUntil(end, stop = () => false) {
      // Whatever was begun outside of a turn gets as far as it can.
      await settled()
      while (!stop()) {
        const next = heap[0]
        if (next === undefined || next.at > end) break
        pop()
        if (next.fire === undefined) continue
        now = next.at
        turns++
        next.fire()
        await settled()
      }
      if (!stop()) now = Math.max(now, end)
    },
  }
}
