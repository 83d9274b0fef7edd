import type { App, Mapping } from '../../api/objects.ts'
import { compareKey } from '../../domain/host.ts'
import { backOff } from '../../time/back-off.ts'
import type { MappingRead, SourceFailure } from '../source.ts'
import type { DatabaseError } from './database-error.ts'
import type { Family } from './families.ts'
import { interpret, type Reading } from './interpret.ts'
import { settingName } from './setting-names.ts'
import type { GoodWww } from './settings.ts'
import type { DatabaseRead, Known, Snapshot } from './snapshot.ts'

/** What one database says, and what is remembered of it to judge the next reading. A value: readings make the next one of it. */
export interface State {
  served: MappingRead
  /** What the last whole read left behind; undefined: the next one reads everything. */
  known: Known | undefined
  /** Milliseconds of the clock at the last whole read. */
  readAt: number
  /** Why the last whole read is not taken as it is. Stays until the next one. */
  doubt: string | undefined
  /** Looks in a row at which the database was not reached. */
  misses: number
  /** What `mappings: Auto` last came to. */
  family: Family | undefined
  www: GoodWww | undefined
  /** Largest id ever seen by table. */
  largest: ReadonlyMap<string, bigint>
  unknownStages: readonly string[]
}

/** The next one reads everything when the last whole read is older than this. */
export const WHOLE_READ_MS = 5 * 60_000
const LONGEST_PAUSE_MS = 60_000

/** Before the first reading. */
export function unread(app: App): State {
  const failure: SourceFailure = { source: 'wordpress', message: `the database of app ${app.key} was not read yet` }
  return {
    served: { source: 'wordpress', mappings: [], failure },
    known: undefined,
    readAt: Number.NEGATIVE_INFINITY,
    doubt: undefined,
    misses: 0,
    family: undefined,
    www: undefined,
    largest: new Map(),
    unknownStages: [],
  }
}

/** The state for an app whose way of reading changed, on the same tables: what was read stays until the next reading. */
export const reread = (state: State): State => ({ ...state, known: undefined, family: undefined, www: undefined })

/** What is known well enough for a short reading. */
export function knownAt({ known, readAt }: State, now: number): Known | undefined {
  return now - readAt < WHOLE_READ_MS ? known : undefined
}

/**
 * Pause until the next reading, in milliseconds: the poll interval, and longer and longer while the database is not reached, a
 * minute at most. `random`: 0 to 1, so that not all daemons come back at once.
 */
export function pauseOf({ misses }: State, pollInterval: number, random: number): number {
  if (misses === 0) return pollInterval
  const longest = Math.max(LONGEST_PAUSE_MS, pollInterval)
  return backOff({ first: 2 * pollInterval, longest, jitter: 0.5 }, misses, () => 1 - random)
}

/** After a reading that failed: what was good stays, and the failure is said. */
export function failed(state: State, error: DatabaseError): State {
  const next = { ...state, served: withFailure(state.served, error.message) }
  // What answers with a refusal is there: it is asked again at the usual pace, and then for everything.
  return error.unreachable ? { ...next, misses: state.misses + 1 } : { ...next, misses: 0, known: undefined }
}

/**
 * After a reading that came through. `at`: milliseconds of the clock when it began; `place` names the database in failures; `defined`:
 * which credentials of the plugin wp-config.php defines, where that is known.
 */
export function advance(
  state: State,
  app: App,
  read: DatabaseRead,
  at: number,
  place: string,
  defined?: readonly string[],
): State {
  if (read.kind === 'same')
    return { ...state, misses: 0, known: read.known, served: withFailure(state.served, state.doubt) }
  const { snapshot, known } = read
  const base = { ...state, misses: 0, known, readAt: at }
  const refusal = otherFamily(state, app, snapshot) ?? lostTable(state, snapshot)
  if (refusal !== undefined) {
    const doubt = `${place}: ${refusal}`
    return { ...base, doubt, served: withFailure(state.served, doubt) }
  }
  const reading = interpret(app, snapshot, state.www, defined)
  const back = wentBack(state, snapshot)
  if (back !== undefined) {
    // An older moment decides nothing of what is there; what is new in it is in.
    const doubt = `${place}: ${back}`
    return { ...base, doubt, served: withAdditions(state.served, reading, doubt) }
  }
  const doubt = reading.failure === undefined ? undefined : `${place}: ${reading.failure}`
  return {
    ...base,
    doubt,
    www: reading.www,
    family: snapshot.family,
    largest: largestOf(state, snapshot),
    unknownStages: reading.unknownStages,
    served: served(state.served, reading, doubt),
  }
}

/** With `Auto`, a plugin that was there does not turn into another one, or none, by itself: that would be a shorter list. */
function otherFamily({ family }: State, app: App, snapshot: Snapshot): string | undefined {
  if (app.spec.wordpress?.mappings !== 'Auto') return undefined
  if (family === undefined || family === 'Core' || family === snapshot.family) return undefined
  const present =
    snapshot.table === undefined ? 'its table is gone' : `now ${snapshot.table} looks like ${snapshot.family}`
  const values = snapshot.family === 'UltimateMultisite' ? 'UltimateMultisite' : 'DomainMapping'
  const value = snapshot.table === undefined ? 'Core, if the plugin is gone for good' : values
  return `mappings were read from the table of ${family}, and ${present}: set ${settingName('mappings')} to ${value}`
}

/** A network's own table that was read and is gone, while the network is there. */
function lostTable({ largest }: State, { family, names, networks, largest: read }: Snapshot): string | undefined {
  if (family !== 'UltimateMultisite') return undefined
  const gone = networks.map(({ id }) => names.ultimateOf(id)).find((table) => largest.has(table) && !read.has(table))
  return (
    gone &&
    `table ${gone} was read, and is gone: bring it back. If it is gone for good, restart domainpilot: removals then wait for spec.safety as after every start`
  )
}

/**
 * Why this may be an older copy: the id that the next row is to get was given away already. The largest id itself shows nothing, as it
 * shrinks with the newest row; the counter does not, save by TRUNCATE, a restored copy, or a replica that lags behind. (Before MySQL 8
 * and MariaDB 10.2.4 also by a restart after the newest row was deleted: a false alarm that ends with the next row.)
 */
function wentBack({ largest }: State, { next }: Snapshot): string | undefined {
  for (const [table, seen] of largest) {
    const id = next.get(table)
    if (id === undefined || id > seen) continue
    return `table ${table} would give id ${id} to its next row, but id ${seen} was seen already: it was emptied with TRUNCATE, or this is a restored or lagging copy. Until it has caught up nothing is removed or changed by it; names that are new are added all the same. If it is as it should be, restart domainpilot: removals then wait for spec.safety as after every start`
  }
  return undefined
}

function largestOf({ largest }: State, snapshot: Snapshot): Map<string, bigint> {
  const all = new Map(largest)
  for (const [table, id] of snapshot.largest) if (id > (all.get(table) ?? 0n)) all.set(table, id)
  return all
}

function served(before: MappingRead, reading: Reading, failure: string | undefined): MappingRead {
  const old = new Map(before.mappings.map((mapping) => [mapping.key, mapping]))
  const mappings = reading.mappings.map((mapping) => sameMapping(old.get(mapping.key), mapping))
  if (failure !== undefined) {
    // Nothing of what was good is taken back while something is wrong.
    const present = new Set(mappings.map(({ key }) => key))
    mappings.push(...before.mappings.filter(({ key }) => !present.has(key)))
  }
  const isSame =
    mappings.length === before.mappings.length && mappings.every((each, index) => each === before.mappings[index])
  const kept = failure === undefined ? [] : (before.protectedHosts ?? [])
  const next: MappingRead = {
    source: 'wordpress',
    mappings: isSame ? before.mappings : mappings,
    protectedHosts: sameOr(before.protectedHosts, [...new Set([...reading.protectedHosts, ...kept])]),
    faults: sameOr(before.faults, reading.faults),
    uncounted: sameOr(before.uncounted, reading.uncounted),
    summary: reading.summary,
    ...(reading.secondWriter === undefined ? {} : { secondWriter: reading.secondWriter }),
    ...(failure === undefined ? {} : { failure: { source: 'wordpress', message: failure } }),
  }
  return sameRead(before, next) ? before : next
}

/**
 * All that was served, and the names that are new. An id that was given again for another name has two mappings then: the row's, and
 * what it was before.
 */
function withAdditions(before: MappingRead, { mappings, protectedHosts }: Reading, doubt: string): MappingRead {
  const domains = new Set(before.mappings.map(({ domain }) => compareKey(domain)))
  const keys = new Set(before.mappings.map(({ key }) => key))
  const added = mappings
    .filter(({ domain }) => !domains.has(compareKey(domain)))
    .map((mapping) => (keys.has(mapping.key) ? again(mapping) : mapping))
  const more = (protectedHosts ?? []).filter((host) => before.protectedHosts?.includes(host) !== true)
  if (added.length === 0 && more.length === 0) return withFailure(before, doubt)
  return withFailure(
    {
      ...before,
      mappings: [...before.mappings, ...added],
      protectedHosts: sameOr(before.protectedHosts, [...(before.protectedHosts ?? []), ...more]),
    },
    doubt,
  )
}

const again = (mapping: Mapping): Mapping => ({
  ...mapping,
  key: `${mapping.key}/again/${mapping.domain}`,
  name: `${mapping.name}/again/${mapping.domain}`,
})

function withFailure(before: MappingRead, message: string | undefined): MappingRead {
  if (before.failure?.message === message) return before
  const { failure: _failure, ...rest } = before
  return message === undefined ? rest : { ...rest, failure: { source: 'wordpress', message } }
}

/** The old value where both say the same: what is cached by identity stays valid. */
function sameOr<T>(before: T | undefined, after: T): T {
  return before !== undefined && JSON.stringify(before) === JSON.stringify(after) ? before : after
}

/** By key they are of the same app, table and id: what else a row says is compared, without a text made of each. */
const sameMapping = (before: Mapping | undefined, after: Mapping): Mapping =>
  before !== undefined &&
  (['domain', 'www', 'bare', 'created', 'place'] as const).every((field) => before[field] === after[field])
    ? before
    : after

const READ = ['mappings', 'protectedHosts', 'faults', 'uncounted', 'secondWriter', 'summary'] as const

const sameRead = (a: MappingRead, b: MappingRead): boolean =>
  READ.every((field) => a[field] === b[field]) && a.failure?.message === b.failure?.message
