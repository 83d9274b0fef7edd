import { type Item, UndecodableLine } from './reflector-events.ts'

/** More than fit into the memory of any daemon: a list without an end. */
const MOST_OBJECTS = 200_000

/** Makes an empty cache of a collection: what is served, and what is under way. `decode`, `same`: as the reflector's options. */
export function createCache<Slim>(
  decode: (object: unknown, previous: Slim | undefined, key: string) => Slim,
  same: (before: Slim, after: Slim) => boolean = () => false,
) {
  let served = new Map<string, Slim>()
  let staged = new Map<string, Slim>()
  let differing = new Set<string>()
  let marked = false

  function slim({ key, object }: Item): Slim {
    try {
      return decode(object, served.get(key), key)
    } catch (cause) {
      throw new UndecodableLine(`${key} cannot be decoded`, { cause })
    }
  }

  function hold(records: Map<string, Slim>, key: string, record: Slim): void {
    records.set(key, record)
    if (records.size > MOST_OBJECTS) throw new UndecodableLine(`there are more than ${MOST_OBJECTS} objects`)
  }

  function put(key: string, record: Slim): void {
    const before = served.get(key)
    if (before === undefined || !same(before, record)) differing.add(key)
  }

  return {
    records: (): ReadonlyMap<string, Slim> => served,
    /** Starts an empty collection beside what is served. */
    begin(): void {
      staged = new Map()
    },
    stage(item: Item, change: 'put' | 'remove'): void {
      if (change === 'put') hold(staged, item.key, slim(item))
      else staged.delete(item.key)
    },
    /** Changes what is served. */
    apply(item: Item, change: 'put' | 'remove'): void {
      if (change === 'remove') {
        if (served.delete(item.key)) differing.add(item.key)
        return
      }
      const record = slim(item)
      put(item.key, record)
      hold(served, item.key, record)
    },
    /** `swap`: what is not in the collection goes. `merge`: all of it comes in, nothing goes. */
    serve(how: 'swap' | 'merge'): void {
      for (const [key, record] of staged) put(key, record)
      if (how === 'merge') for (const [key, record] of staged) served.set(key, record)
      else {
        for (const key of served.keys()) if (!staged.has(key)) differing.add(key)
        served = staged
      }
      staged = new Map()
    },
    /** Has `notify` call even when no record differs. */
    mark(): void {
      marked = true
    },
    /** Hands over the keys of the records that differ since the last call that did not throw. */
    notify(changed: (keys: ReadonlySet<string>) => void): void {
      if (differing.size === 0 && !marked) return
      changed(differing)
      differing = new Set()
      marked = false
    },
  }
}
