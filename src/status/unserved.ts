import type { App, Key, Mapping } from '../api/objects.ts'
import type { InvalidObject, ObjectSource } from '../source/source.ts'
import { conditionsOf, denied, type Said } from './conditions.ts'
import type { Outcome } from './outcome.ts'
import type { AppStatus, MappingStatus } from './status.ts'

/** Objects that no reconcile reports on. */
interface Unserved {
  /**
   * The statuses of apps that never were valid, of mappings that never were, and of those whose app does not exist, is such a
   * one, or is being deleted; each keeps the time since when. Costs as much as there are objects. `now`: epoch ms.
   */
  look(now: number): { apps: readonly AppStatus[]; mappings: readonly MappingStatus[] }
}

/** Looks at objects that no reconcile reports on. */
export function createUnserved(objects: Pick<ObjectSource, 'name' | 'app' | 'mappings' | 'invalid'>): Unserved {
  let apps: ReadonlyMap<Key, AppStatus> = new Map()
  let mappings: ReadonlyMap<Key, MappingStatus> = new Map()

  /** Undefined for a mapping that its app answers for. */
  function orphan(mapping: Mapping, known: InvalidByKey, now: number): MappingStatus | undefined {
    const app = objects.app(mapping.app)
    if (app !== undefined && app.deletionTimestamp === undefined) return undefined
    const wanted = newest('DomainMapping', mapping, known)
    return orphanStatus(wanted, app ?? faultOf(known, 'ServerPilotApp', mapping.app), mappings.get(mapping.key), now)
  }

  return {
    look(now) {
      const invalid = objects.invalid()
      const known = byKindAndKey(invalid)
      const all = objects.mappings()
      const valid = new Set(invalid.length === 0 ? [] : all.map(({ key }) => key))
      const found = {
        apps: invalid
          .filter(({ kind, key }) => kind === 'ServerPilotApp' && objects.app(key) === undefined)
          .map((each) => invalidAppStatus(each, apps.get(each.key), now)),
        mappings: [
          ...all.flatMap((mapping) => orphan(mapping, known, now) ?? []),
          ...invalid
            .filter(({ kind, key }) => kind === 'DomainMapping' && !valid.has(key))
            .map((each) => invalidMappingStatus(each, objects.name, mappings.get(each.key), now)),
        ],
      }
      apps = mapByKey(found.apps)
      mappings = mapByKey(found.mappings)
      return found
    },
  }
}

/** Statuses by the key of their object. */
export const mapByKey = <S extends { key: Key }>(list: readonly S[]): ReadonlyMap<Key, S> =>
  new Map(list.map((each) => [each.key, each]))

/** Objects whose newest version has a fault, by kind and key. */
type InvalidByKey = ReadonlyMap<string, InvalidObject>

export const byKindAndKey = (list: readonly InvalidObject[]): InvalidByKey =>
  new Map(list.map((each) => [`${each.kind} ${each.key}`, each]))

/** What is wrong with the newest version of an object; undefined when nothing is. */
export const faultOf = (invalid: InvalidByKey, kind: InvalidObject['kind'], key: Key): InvalidObject | undefined =>
  invalid.get(`${kind} ${key}`)

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
  const accepted = { Accepted: denied('InvalidSpec', object.message) }
  return {
    ...blankAppStatus(object),
    observedGeneration: object.generation,
    conditions: conditionsOf('ServerPilotApp', object.generation, before, accepted, now),
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

function unservedBecause(mapping: Mapping, app: App | InvalidObject | undefined): Said {
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
  const conditions = conditionsOf('DomainMapping', generation, before, { Accepted: accepted }, now)
  return { key, app, source, place, domain, observedGeneration: generation, hosts: [], conditions }
}
