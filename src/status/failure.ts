import type { PartType } from './condition-types.ts'
import { keptOf, type Said } from './conditions.ts'
import type { Failure, Outcome } from './outcome.ts'
import type { Reason } from './reasons.ts'
import type { Condition } from './status.ts'

/** What keeps an app from being served: a fault of its newest version, else what the attempt failed at; undefined for nothing. */
export function failureOf({ app, failure }: Outcome): Pick<Failure, 'reason' | 'message'> | undefined {
  return app?.fault === undefined ? failure : { reason: 'InvalidSpec', message: app.fault }
}

/** Reasons that speak of the object itself, not of one attempt to bring it in line. */
const NOT_ACCEPTED: ReadonlySet<Reason> = new Set<Reason>([
  'Conflict',
  'NotAllowed',
  'InvalidSpec',
  'CredentialsInvalid',
  'AppNotFound',
])

/** Why the app is not accepted, so that none of its mappings is served; undefined when it is. */
export function refusalOf(outcome: Outcome): Pick<Failure, 'reason' | 'message'> | undefined {
  const failure = failureOf(outcome)
  return failure !== undefined && NOT_ACCEPTED.has(failure.reason) ? failure : undefined
}

/** A condition that the attempt did not get to see (`seen`), as it failed before: it stays as it was said last. */
export function unseen(
  outcome: Outcome,
  seen: boolean,
  before: { conditions: readonly Condition[] } | undefined,
  type: PartType,
): Said | undefined {
  return failureOf(outcome) === undefined || seen ? undefined : keptOf(before, type)
}
