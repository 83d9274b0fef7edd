import type { App, Key, Mapping } from '../api/objects.ts'
import type { CertificateFacts } from '../check/certificate.ts'
import type { Outage } from '../check/dns/outage.ts'
import type { HostFacts } from '../check/facts.ts'
import type { Forecast } from '../check/limits.ts'
import type { Host } from '../domain/host.ts'
import type { OwnershipRecord } from '../ownership/record.ts'
import type { Desired } from '../plan/desired.ts'
import type { Plan } from '../plan/plan.ts'
import type { ServerPilotApp, SslChange } from '../serverpilot/serverpilot.ts'
import type { SourceFault } from '../source/source.ts'
import type { Reason } from './reasons.ts'

/** How a reconcile ended. `Planned`: dry run or policy Observe. `Refused`: removals wait for approval. */
export type Result = 'Applied' | 'Unchanged' | 'Planned' | 'Refused' | 'Failed' | 'Suspended' | 'Gone'

/** A failure as conditions and logs show it. Times in ms. */
export interface Failure {
  reason: Reason
  message: string
  /** False: only a change by somebody helps. */
  retryable: boolean
  retryAfter?: number
}

/** Where AutoSSL and ForceSSL stand. `next`: epoch ms of the next look, while something is wanted that is not there. */
export interface SslOutcome {
  reason: Reason
  message: string
  ready: boolean
  /** What this reconcile switched on. */
  switched: SslChange | undefined
  next: number | undefined
}

/** Everything that one reconcile found out and did: what conditions, metrics, Events and the command line are made from. */
export interface Outcome {
  key: Key
  app?: App | undefined
  result: Result
  mappings: readonly Mapping[]
  desired?: Desired | undefined
  frozen: ReadonlyMap<string, string>
  /** What sources say of single rows of theirs. */
  faults: readonly SourceFault[]
  /** Who else writes the same list, with the cure; undefined while nobody is known. */
  secondWriter?: string | undefined
  observed?: ServerPilotApp | undefined
  /** What the installed certificate says; undefined without one. */
  certificate?: CertificateFacts | undefined
  record?: OwnershipRecord | undefined
  /** The plan that stands now: after a write, what is left to do. */
  plan?: Plan | undefined
  /** The plan that was applied, for the one-shot commands. */
  applied?: Plan | undefined
  /** What the certificate that the plan leads to costs of the authority's limits; undefined when it leads to none. */
  forecast?: Forecast | undefined
  added: readonly Host[]
  removed: readonly Host[]
  /** Changes of the record alone. */
  adopted: number
  released: number
  /** Writes begin to wait, as somebody else keeps undoing them. */
  contended: boolean
  ssl?: SslOutcome | undefined
  /** What looks at the hosts found out; undefined when nobody looks. */
  checks?: { facts: HostFacts; outage: Outage | undefined } | undefined
  failure?: Failure | undefined
  /** The object was let go though hosts of ours may still be on its app: why. */
  leftBehind?: string | undefined
  /** Look again at this time though nothing changes; epoch ms. */
  next?: number | undefined
  /** When it started and ended; epoch ms. */
  startedAt: number
  endedAt: number
}

/** What keeps an app from being served: a fault of its newest version, else what the attempt failed at; undefined for nothing. */
export function failureOf({ app, failure }: Outcome): Pick<Failure, 'reason' | 'message'> | undefined {
  return app?.fault === undefined ? failure : { reason: 'InvalidSpec', message: app.fault }
}

/** Reasons that speak of the object itself, not of one attempt to bring it in line. */
const NOT_ACCEPTED: readonly Reason[] = ['Conflict', 'NotAllowed', 'InvalidSpec', 'CredentialsInvalid', 'AppNotFound']

/** Why the app is not accepted, so that none of its mappings is served; undefined when it is. */
export function refusalOf(outcome: Outcome): ReturnType<typeof failureOf> {
  const failure = failureOf(outcome)
  return failure !== undefined && NOT_ACCEPTED.includes(failure.reason) ? failure : undefined
}

/** What steps of a reconcile found out and did so far. */
export type Found = Partial<Outcome>

/** The outcome of a reconcile that found this. */
export function outcomeOf(found: Found & Pick<Outcome, 'key' | 'startedAt'>): Outcome {
  return {
    result: 'Gone',
    mappings: [],
    frozen: new Map(),
    faults: [],
    added: [],
    removed: [],
    adopted: 0,
    released: 0,
    contended: false,
    endedAt: found.startedAt,
    ...found,
  }
}
