import { byKey } from '../domain/by-key.ts'
import type { ObjectSource } from '../source/source.ts'
import type { Outcome } from './outcome.ts'
import type { Reason } from './reasons.ts'
import { unservedBecause } from './unserved.ts'

/** A mapping that is declared and not accepted: no host of it is served. */
export interface NotAccepted {
  key: string
  place: string
  reason: Reason
  message: string
}

/** Mappings that no app answers for, by key: theirs does not exist, or is being deleted. Pure. */
export function orphansOf(objects: Pick<ObjectSource, 'app' | 'mappings'>): NotAccepted[] {
  return objects
    .mappings()
    .flatMap((mapping) => {
      const app = objects.app(mapping.app)
      if (app !== undefined && app.deletionTimestamp === undefined) return []
      const { reason, message } = unservedBecause(mapping, app)
      return [{ key: mapping.key, place: mapping.place, reason, message }]
    })
    .sort(byKey)
}

/** Whether an app refuses a mapping that names it. */
export const refusesMappings = (outcomes: readonly Outcome[]): boolean =>
  outcomes.some(({ desired }) => desired !== undefined && desired.rejected.length > 0)
