import type { Life } from '../life.ts'
import type { Network } from './network.ts'
import { largestId, type Tables } from './tables.ts'

/** What processes can know of a database by what they have read there. */
export interface Knowledge {
  /** Reading begins at this moment of the tables. */
  begun(life: Life, tables: Tables): void
  /** Reading has ended; undefined: not as a whole. */
  ended(life: Life, tables: Tables | undefined): void
  /** Processes may have forgotten which ids they saw. */
  forget(): void
  /** Whether some process may take a domain for mapped. */
  isBelieved(domain: string): boolean
  /** Since when each reading of this process failed, or gave what has to be taken for an older copy. */
  failingSince(life: Life): number | undefined
  /** Calls back with each domain that is read as one that counts. */
  onRead(callback: (domain: string) => void): void
}

/** What one process knows. */
interface Known {
  failing: number | undefined
  /** By table. */
  largest: Map<string, number>
  believed: ReadonlySet<string>
  last: Tables | undefined
}

/** Nothing is known yet. `now`: milliseconds since the world began. */
export function createKnowledge(network: Network, now: () => number): Knowledge {
  const callbacks: ((domain: string) => void)[] = []
  const processes = new Map<Life, Known>()

  function knownBy(life: Life): Known {
    const known = processes.get(life) ?? {
      failing: undefined,
      largest: new Map(),
      believed: new Set(),
      last: undefined,
    }
    for (const each of processes.keys()) if (!each.alive) processes.delete(each)
    return processes.set(life, known).get(life)!
  }

  /** Whether these are whole, and not older than what was read before. */
  const isGood = (tables: Tables, { largest }: Known): boolean =>
    network.isWhole(tables) && network.counted.every((name) => tables.get(name)!.next > (largest.get(name) ?? 0))

  function take(tables: Tables, known: Known): void {
    known.failing = undefined
    known.believed = network.live(tables)
    for (const name of network.counted)
      known.largest.set(name, Math.max(known.largest.get(name) ?? 0, largestId(tables.get(name)!)))
  }

  return {
    begun(life, tables) {
      const known = knownBy(life)
      if (tables === known.last) return
      known.last = tables
      const live = network.live(tables)
      known.believed = new Set([...known.believed, ...live])
      for (const callback of callbacks) for (const domain of live) callback(domain)
    },
    ended(life, tables) {
      const known = knownBy(life)
      if (tables !== undefined && isGood(tables, known)) take(tables, known)
      else known.failing ??= now()
    },
    forget() {
      for (const known of processes.values()) known.largest = new Map()
    },
    isBelieved: (domain) => [...processes.values()].some(({ believed }) => believed.has(domain)),
    failingSince: (life) => processes.get(life)?.failing,
    onRead: (callback) => void callbacks.push(callback),
  }
}
