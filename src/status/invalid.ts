import type { App, Key, Mapping } from '../api/objects.ts'
import type { InvalidObject } from '../source/source.ts'
import { conditionsOf, type Said } from './conditions.ts'
import type { Outcome } from './outcome.ts'
import type { AppStatus, MappingStatus } from './status.ts'

/** Objects whose newest version has a fault, by kind and key. */
export type InvalidByKey = ReadonlyMap<string, InvalidObject>

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
export function newest<T extends App | Mapping>(kind: InvalidObject['kind'], object: T, known: InvalidByKey): T {
  const found = object.fault === undefined ? undefined : faultOf(known, kind, object.key)
  return found === undefined ? object : { ...object, generation: found.generation, fault: found.message }
}

const invalidSpec = ({ message }: InvalidObject): Said => ({ status: 'False', reason: 'InvalidSpec', message })

/** The status of an app that never was valid: nothing is known of it but its fault. Pure. */
export function invalidAppStatus(object: InvalidObject, before: AppStatus | undefined, now: number): AppStatus {
  const accepted = { Accepted: invalidSpec(object) }
  return {
    ...blankAppStatus(object),
    observedGeneration: object.generation,
    conditions: conditionsOf('ServerPilotApp', object.generation, before?.conditions ?? [], accepted, now),
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
  const { key, place, generation } = object
  const accepted = { Accepted: invalidSpec(object) }
  return {
    key,
    app: '',
    source,
    place,
    domain: '',
    observedGeneration: generation,
    hosts: [],
    conditions: conditionsOf('DomainMapping', generation, before?.conditions ?? [], accepted, now),
  }
}
