import type { App, Key, Mapping } from '../api/objects.ts'
import type { InvalidObject, ObjectSource } from '../source/source.ts'
import { conditionOf, conditionsOf, denied, type Said, shownMessage } from './conditions.ts'
import type { Outcome } from './outcome.ts'
import type { AppStatus, MappingStatus } from './status.ts'

/** Objects that no reconcile reports on. */
interface Unserved {
  /**
   * The statuses of apps that never were valid, of mappings that never were, and of those whose app does not exist, is such a
   * one, or is being deleted; each keeps the time since when. Costs as much as there are objects, and lets other work go on while many
   * are made. `now`: epoch ms.
   */
  look(now: number): Promise<{ apps: readonly AppStatus[]; mappings: readonly MappingStatus[] }>
}

/** So many statuses are made, or taken up, in one turn of the loop. */
export const MADE_AT_ONCE = 500

/** A status, and what it was made of. */
type Made = MadeApp | MadeMapping

interface MadeApp {
  kind: 'ServerPilotApp'
  status: AppStatus
  of: InvalidObject
}

interface MadeMapping {
  kind: 'DomainMapping'
  status: MappingStatus
  of: Mapping | InvalidObject
  /** The app that does not answer for it. */
  app: App | InvalidObject | undefined
}

/** Looks at objects that no reconcile reports on. `turn`: of the event loop. */
export function createUnserved(
  objects: Pick<ObjectSource, 'name' | 'app' | 'mappings' | 'invalid'>,
  turn: () => Promise<void>,
): Unserved {
  let apps = new Map<Key, MadeApp>()
  let mappings = new Map<Key, MadeMapping>()

  /** Undefined for a mapping that its app answers for. */
  function orphan(mapping: Mapping, known: InvalidByKey, now: number): MadeMapping | undefined {
    const there = objects.app(mapping.app)
    if (there !== undefined && there.deletionTimestamp === undefined) return undefined
    const app = there ?? faultOf(known, 'ServerPilotApp', mapping.app)
    const before = mappings.get(mapping.key)
    // Of 30,000 mappings that are what they were no text is put together.
    if (before?.of === mapping && before.app === app && mapping.fault === undefined) return before
    const status = orphanStatus(newest('DomainMapping', mapping, known), app, before?.status, now)
    return status === before?.status ? before : { kind: 'DomainMapping', status, of: mapping, app }
  }

  /** Those that say what they said before as they were. */
  function* all(now: number): Generator<Made> {
    const invalid = objects.invalid()
    const known = byKindAndKey(invalid)
    const wanted = objects.mappings()
    for (const each of invalid) {
      if (each.kind !== 'ServerPilotApp' || objects.app(each.key) !== undefined) continue
      const before = apps.get(each.key)
      const status = before?.of === each ? before.status : invalidAppStatus(each, before?.status, now)
      yield status === before?.status ? before : { kind: 'ServerPilotApp', status, of: each }
    }
    for (const mapping of wanted) {
      const made = orphan(mapping, known, now)
      if (made !== undefined) yield made
    }
    const valid = new Set(invalid.length === 0 ? [] : wanted.map(({ key }) => key))
    for (const each of invalid) {
      if (each.kind !== 'DomainMapping' || valid.has(each.key)) continue
      const before = mappings.get(each.key)
      const same = before?.of === each
      const status = same ? before.status : invalidMappingStatus(each, objects.name, before?.status, now)
      yield status === before?.status ? before : { kind: 'DomainMapping', status, of: each, app: undefined }
    }
  }

  const isKnown = (made: Made): boolean =>
    (made.kind === 'ServerPilotApp' ? apps : mappings).get(made.status.key) === made

  function remember(made: Made): void {
    if (made.kind === 'ServerPilotApp') apps.set(made.status.key, made)
    else mappings.set(made.status.key, made)
  }

  return {
    async look(now) {
      let found: Made[] = []
      let count = 0
      for (const made of all(now)) {
        found.push(made)
        if (isKnown(made)) continue
        remember(made)
        if (++count % MADE_AT_ONCE === 0) await turn()
      }
      // Objects may have changed in between. Now most are made, and all of them are found at one go.
      if (count >= MADE_AT_ONCE) found = [...all(now)]
      apps = new Map()
      mappings = new Map()
      for (const made of found) remember(made)
      return {
        apps: found.flatMap((made) => (made.kind === 'ServerPilotApp' ? made.status : [])),
        mappings: found.flatMap((made) => (made.kind === 'DomainMapping' ? made.status : [])),
      }
    },
  }
}

/** Statuses by the key of their object. */
export const mapByKey = <S extends { key: Key }>(list: readonly S[]): ReadonlyMap<Key, S> =>
  new Map(list.map((each) => [each.key, each]))

/** Objects whose newest version has a fault, by kind and key. */
type InvalidByKey = Readonly<Record<InvalidObject['kind'], ReadonlyMap<Key, InvalidObject>>>

export function byKindAndKey(list: readonly InvalidObject[]): InvalidByKey {
  const found = { ServerPilotApp: new Map<Key, InvalidObject>(), DomainMapping: new Map<Key, InvalidObject>() }
  for (const each of list) found[each.kind].set(each.key, each)
  return found
}

/** What is wrong with the newest version of an object; undefined when nothing is. */
export const faultOf = (invalid: InvalidByKey, kind: InvalidObject['kind'], key: Key): InvalidObject | undefined =>
  invalid[kind].get(key)

/**
 * The outcome with its app and mappings as of their newest version, where that has a fault: what is said of them then is said
 * of that generation. `invalid` is asked only where something has a fault.
 */
export function atNewest(outcome: Outcome, invalid: () => readonly InvalidObject[]): Outcome {
  const { app, mappings } = outcome
  if (app?.fault === undefined && !mappings.some(({ fault }) => fault !== undefined)) return outcome
  const known = byKindAndKey(invalid())
  return {
    ...outcome,
    app: app && newest('ServerPilotApp', app, known),
    mappings: mappings.map((mapping) => newest('DomainMapping', mapping, known)),
  }
}

/** One object with the generation of its newest version; as it is where that has no fault. */
function newest<T extends App | Mapping>(kind: InvalidObject['kind'], object: T, known: InvalidByKey): T {
  const found = object.fault === undefined ? undefined : faultOf(known, kind, object.key)
  return found === undefined ? object : { ...object, generation: found.generation, fault: found.message }
}

/** The status of an app that never was valid: nothing is known of it but its fault. Pure. */
export function invalidAppStatus(object: InvalidObject, before: AppStatus | undefined, now: number): AppStatus {
  const accepted = denied('InvalidSpec', object.message)
  if (before?.appId === '' && saysSo(before, object, accepted)) return before
  return {
    ...blankAppStatus(object),
    observedGeneration: object.generation,
    conditions: conditionsOf('ServerPilotApp', object.generation, before, { Accepted: accepted }, now),
  }
}

/** The status of an app that nobody has looked at. */
export function blankAppStatus({ key, place, spec }: Pick<App, 'key' | 'place'> & { spec?: App['spec'] }): AppStatus {
  return {
    key,
    appId: spec?.appId ?? '',
    policy: spec?.policy ?? '',
    place,
    observedGeneration: -1,
    ownedDomains: [],
    domains: { desired: 0, observed: 0, owned: 0, foreign: 0 },
    hosts: [],
    conditions: [],
  }
}

/** The status of a mapping that never was valid. `source`: where it stands. Pure. */
export function invalidMappingStatus(
  object: InvalidObject,
  source: string,
  before: MappingStatus | undefined,
  now: number,
): MappingStatus {
  return refusedStatus({ ...object, app: '', source, domain: '' }, denied('InvalidSpec', object.message), before, now)
}

/** The status of a mapping that no app serves: its app does not exist, is invalid and never was valid, or is being deleted. */
export function orphanStatus(
  mapping: Mapping,
  app: App | InvalidObject | undefined,
  before: MappingStatus | undefined,
  now: number,
): MappingStatus {
  return refusedStatus(mapping, unservedBecause(mapping, app), before, now)
}

/** Why a mapping is not served whose app is this; undefined: there is none. Pure. */
export function unservedBecause(mapping: Mapping, app: App | InvalidObject | undefined): Said {
  if (mapping.fault !== undefined) return denied('InvalidSpec', mapping.fault)
  const name = `ServerPilotApp ${mapping.app}`
  if (app === undefined) return denied('AppNotFound', `There is no ${name}. Create it, or correct spec.appRef.`)
  if (app.deletionTimestamp !== undefined)
    return denied('AppNotFound', `${name} is being deleted, so nothing is done for its mappings.`)
  return denied('InvalidSpec', `${name} is invalid: ${'message' in app ? app.message : app.fault}`)
}

function refusedStatus(
  mapping: Pick<Mapping, 'key' | 'app' | 'source' | 'place' | 'domain' | 'generation'>,
  accepted: Said,
  before: MappingStatus | undefined,
  now: number,
): MappingStatus {
  const { key, app, source, place, domain, generation } = mapping
  // One that an app answered for names its appId.
  const same =
    before?.appId === undefined && before?.app === app && before.source === source && before.domain === domain
  if (same && saysSo(before, mapping, accepted)) return before
  const conditions = conditionsOf('DomainMapping', generation, before, { Accepted: accepted }, now)
  return { key, app, source, place, domain, observedGeneration: generation, hosts: [], conditions }
}

/** Whether a status has nothing new to say of an object. */
function saysSo(
  before: AppStatus | MappingStatus,
  { generation, place }: Pick<Mapping, 'generation' | 'place'>,
  { status, reason, message }: Said,
): boolean {
  if (before.observedGeneration !== generation || before.place !== place) return false
  const said = conditionOf(before, 'Accepted')
  if (said?.status !== status || said.reason !== reason) return false
  return said.message === message || said.message === shownMessage(message)
}
