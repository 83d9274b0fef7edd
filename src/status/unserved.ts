import type { Key, Mapping } from '../api/objects.ts'
import type { InvalidObject, ObjectSource } from '../source/source.ts'
import { byKindAndKey, faultOf, type InvalidByKey, invalidAppStatus, invalidMappingStatus, newest } from './invalid.ts'
import { orphanStatus } from './mapping-status.ts'
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
  function orphan(mapping: Mapping, invalid: InvalidByKey, now: number): MappingStatus | undefined {
    const app = objects.app(mapping.app)
    if (app !== undefined && app.deletionTimestamp === undefined) return undefined
    return orphanStatus(
      newest('DomainMapping', mapping, invalid),
      app ?? faultOf(invalid, 'ServerPilotApp', mapping.app),
      mappings.get(mapping.key),
      now,
    )
  }

  return {
    look(now) {
      const invalid = objects.invalid()
      const known = byKindAndKey(invalid)
      const never = neverValid(objects, invalid)
      const lost = objects.mappings().flatMap((mapping) => orphan(mapping, known, now) ?? [])
      const bad = never.flatMap((each) =>
        each.kind === 'DomainMapping' ? [invalidMappingStatus(each, objects.name, mappings.get(each.key), now)] : [],
      )
      const found = {
        apps: never.flatMap((each) =>
          each.kind === 'ServerPilotApp' ? [invalidAppStatus(each, apps.get(each.key), now)] : [],
        ),
        mappings: [...lost, ...bad],
      }
      apps = byKey(found.apps)
      mappings = byKey(found.mappings)
      return found
    },
  }
}

/** Invalid objects of which there is no valid version. */
function neverValid(
  objects: Pick<ObjectSource, 'app' | 'mappings'>,
  invalid: readonly InvalidObject[],
): readonly InvalidObject[] {
  if (invalid.length === 0) return invalid
  const valid = new Set(objects.mappings().map(({ key }) => key))
  return invalid.filter(({ kind, key }) =>
    kind === 'DomainMapping' ? !valid.has(key) : objects.app(key) === undefined,
  )
}

const byKey = <S extends { key: Key }>(list: readonly S[]): ReadonlyMap<Key, S> =>
  new Map(list.map((each) => [each.key, each]))
