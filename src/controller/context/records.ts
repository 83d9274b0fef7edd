import type { App, Key } from '../../api/objects.ts'
import { emptyRecord, heldAgainst, type OwnershipRecord } from '../../ownership/record.ts'
import { RecordConflictError, type Stored } from '../../ownership/store.ts'
import { ReconcileError } from './errors.ts'
import type { Ports } from './ports.ts'

export type Records = ReturnType<typeof createRecords>

interface Entry {
  /** Account and appId. */
  of: string
  /** Undefined: it has to be read first. */
  loaded: Partial<Stored> | undefined
  /** Serial of the newest record loaded or saved. */
  newest: number
  /** See `Declared`: as of our own last save, or else the lowest since the beginning of the process. */
  wallOffset: number
}

/** What `Declared` needs of a record. */
interface Loaded {
  record: OwnershipRecord
  wallOffset: number
  fresh: boolean
}

/** Whether two records say the same, however often each was saved. A pass that changes nothing leaves the large parts as they are. */
function sayTheSame({ serial: _a, ...a }: OwnershipRecord, { serial: _b, ...b }: OwnershipRecord): boolean {
  const fields = new Set([...Object.keys(a), ...Object.keys(b)]) as Set<keyof typeof a>
  return [...fields].every((field) => a[field] === b[field] || JSON.stringify(a[field]) === JSON.stringify(b[field]))
}

/**
 * The ownership records as they were loaded or saved last. `anotherApp` is called when an object names another app at ServerPilot than
 * before: nothing that was seen of the old one is true of it.
 */
export function createRecords(
  ports: Pick<Ports, 'objects' | 'records' | 'assertMayWrite' | 'clock'>,
  writer: OwnershipRecord['writer'],
  anotherApp: (key: Key) => void,
) {
  const entries = new Map<Key, Entry>()
  const { clock } = ports
  const wallOffset = (): number => clock.now() - Math.floor(clock.steady())
  /**
   * The lowest that was seen. A record that another process saved went along with the clock until then, as far as nobody here can know: against
   * the lowest its times are only ever moved on, so that what is too old by the clock counts longer, and never less.
   */
  let lowest = wallOffset()

  function entryOf({ key, spec }: App, account: string): Entry {
    const of = JSON.stringify([account, spec.appId])
    const known = entries.get(key)
    if (known?.of === of) return known
    if (known !== undefined) anotherApp(key)
    const entry: Entry = { of, loaded: undefined, newest: 0, wallOffset: lowest }
    entries.set(key, entry)
    return entry
  }

  async function read(entry: Entry, account: string, appId: string): Promise<Partial<Stored>> {
    const stored = await ports.records.load(account, appId)
    lowest = Math.min(lowest, wallOffset())
    entry.wallOffset = lowest
    if (stored === undefined) return {}
    const record = heldAgainst(stored.record, entry.newest)
    entry.newest = record.serial ?? 0
    return { ...stored, record }
  }

  /**
   * The record of an app. `fresh`: there was none, so everything observed is foreign and the first plan removes nothing.
   * Throws when it is corrupt, or `ReconcileError` when another `ServerPilotApp` is recorded as being in charge.
   */
  async function load(app: App, account: string): Promise<Loaded> {
    const entry = entryOf(app, account)
    entry.loaded ??= await read(entry, account, app.spec.appId)
    const { record } = entry.loaded
    if (record === undefined) {
      const empty = emptyRecord(account, app.spec.appId, app.key, writer)
      return { record: empty, wallOffset: wallOffset(), fresh: true }
    }
    // Whether the app that the record names is still there, for the same app at ServerPilot.
    if (record.owner !== app.key && ports.objects.app(record.owner)?.spec.appId === app.spec.appId) {
      const message = `App ${record.owner} is in charge of appId ${app.spec.appId} already. Delete one of the two ServerPilotApp objects.`
      throw new ReconcileError('Conflict', message)
    }
    const owned = record.owner === app.key ? record : { ...record, owner: app.key }
    return { record: owned, wallOffset: entry.wallOffset, fresh: false }
  }

  return {
    load,
    /** Loads those of these apps that are not loaded yet; what is wrong with one its own reconcile reports. */
    async loadAll(apps: readonly App[], account: string): Promise<void> {
      for (const app of apps) {
        if (entries.get(app.key)?.loaded === undefined) await load(app, account).catch(() => undefined)
      }
    },
    /**
     * Saves the record durably, if it differs from what is stored. After it resolves the record survives a crash.
     * Somebody else's change in between makes the caller start over: throws `RecordConflictError`.
     * @param by see `Declared.wallOffset`
     */
    async save(key: Key, record: OwnershipRecord, by = wallOffset()): Promise<void> {
      const entry = entries.get(key)
      const before = entry?.loaded?.record
      if (before !== undefined && sayTheSame(before, record)) return
      ports.assertMayWrite()
      const next = { ...record, serial: (before?.serial ?? 0) + 1 }
      try {
        const token = await ports.records.save(next, entry?.loaded?.token)
        if (entry !== undefined)
          Object.assign(entry, { loaded: { record: next, token }, newest: next.serial, wallOffset: by })
      } catch (error) {
        if (error instanceof RecordConflictError && entry !== undefined) entry.loaded = undefined
        throw error
      }
    },
    /** The record as it is known; undefined when there is none or it was not loaded. */
    of: (key: Key): OwnershipRecord | undefined => entries.get(key)?.loaded?.record,
    forget: (key: Key) => void entries.delete(key),
  }
}
