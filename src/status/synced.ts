import type { Mapping } from '../api/objects.ts'
import { firstOf } from '../domain/first-of.ts'
import { displayHost, type Host } from '../domain/host.ts'
import { listHosts } from '../domain/list-names.ts'
import type { Held } from '../plan/held.ts'
import { denied, FINE, type Said } from './conditions.ts'
import { hostClauses } from './host-clauses.ts'
import type { HostStatus } from './host-status.ts'
import { failureOf, type Outcome, refusalOf } from './outcome.ts'

/** What `Synced` of an app says after a reconcile: the first rule that has something to say. Pure. */
export function syncedOf(outcome: Outcome): Said {
  return firstOf(APP_RULES, outcome) ?? { ...FINE, message: `${outcome.plan?.kept} host(s) in place.` }
}

/** Says something, or leaves it to those after it. */
type Rule<T> = (about: T) => Said | undefined

const APP_RULES: readonly Rule<Outcome>[] = [
  suspended,
  failed,
  sourceUnavailable,
  notLookedAt,
  removalsRefused,
  notWritten,
  ({ plan }) => heldBack([...(plan?.held ?? [])]),
]

function suspended({ result }: Outcome): Said | undefined {
  if (result !== 'Suspended') return undefined
  return { status: 'Unknown', reason: 'Suspended', message: 'spec.suspend is true: nothing is read or written.' }
}

function failed(outcome: Outcome): Said | undefined {
  const failure = failureOf(outcome)
  return failure && denied(failure.reason, failure.message)
}

function sourceUnavailable({ frozen }: Outcome): Said | undefined {
  const [broken] = frozen
  if (broken === undefined) return undefined
  const [source, why] = broken
  return denied('SourceUnavailable', `Source ${source}: ${why} Nothing is removed until it can be read again.`)
}

function notLookedAt({ plan }: Outcome): Said | undefined {
  return plan === undefined ? { status: 'Unknown', reason: 'Progressing', message: 'Not looked at yet.' } : undefined
}

function removalsRefused({ plan }: Outcome): Said | undefined {
  if (plan?.refused === undefined) return undefined
  const { reason, message } = plan.refused
  return denied(reason, `${message} Held back: ${listHosts(plan.waiting, 100)}.`)
}

function notWritten({ result, plan }: Outcome): Said | undefined {
  if (result !== 'Planned' || plan === undefined || plan.changes.length === 0) return undefined
  return denied('DryRun', `${plan.changes.length} change(s) worked out and not written.`)
}

/** Reasons that wait for a host's owner, or for time alone: no alert is raised for them. */
export const OTHERS_TURN = ['AwaitingDNS', 'Quarantined', 'CertificateLimit', 'RemovalSettling'] as const

const isOthersTurn = ({ reason }: Held): boolean => OTHERS_TURN.some((each) => each === reason)

/**
 * Changes that wait, a clause per reason; the reason of the first is the condition's: what waits for us goes before what does not.
 * Undefined when nothing waits.
 */
function heldBack(all: readonly (readonly [Host, Held])[]): Said | undefined {
  const held = all.toSorted(([, a], [, b]) => Number(isOthersTurn(a)) - Number(isOthersTurn(b)))
  const [first] = held
  if (first === undefined) return undefined
  const clauses = hostClauses(held.map(([host, { message }]) => [host, message] as const))
  return denied(first[1].reason, clauses.join('; ').replaceAll('.; ', '. '))
}

/** A mapping after a reconcile of its app. */
interface MappingCase {
  mapping: Mapping
  outcome: Outcome
  /** Its hosts. */
  own: readonly HostStatus[]
  /** It is not accepted. */
  refused: boolean
}

/** What `Synced` of a mapping says: the first rule that has something to say; undefined when nobody knows. Pure. */
export function mappingSynced(look: MappingCase): Said | undefined {
  return firstOf(MAPPING_RULES, look)
}

const MAPPING_RULES: readonly Rule<MappingCase>[] = [
  newestIsFaulty,
  ({ refused }) => (refused ? denied('Progressing', 'Not accepted, so not served.') : undefined),
  ({ outcome }) => suspended(outcome),
  appNotAccepted,
  // Of no host of it anything is known: the attempt says why, or the mapping asks for none.
  ({ own, outcome }) => (own.length === 0 ? failed(outcome) : undefined),
  ownChangesWait,
  ownInPlace,
  ({ outcome }) => failed(outcome),
  notThereYet,
]

function newestIsFaulty({ mapping }: MappingCase): Said | undefined {
  if (mapping.fault === undefined) return undefined
  return denied('InvalidSpec', 'Its newest version has a fault: nothing is changed for it until that is mended.')
}

function appNotAccepted({ mapping, outcome }: MappingCase): Said | undefined {
  const refusal = refusalOf(outcome)
  return refusal && denied(refusal.reason, `ServerPilotApp ${mapping.app} cannot be served: ${refusal.message}`)
}

function ownChangesWait({ own, outcome }: MappingCase): Said | undefined {
  return heldBack(
    own.flatMap((host) => {
      const held = outcome.plan?.held.get(host.name as Host)
      return held === undefined ? [] : [[host.name as Host, held] as const]
    }),
  )
}

/** One that is on its way out is not asked for any more. */
const absentOf = (own: readonly HostStatus[]): HostStatus | undefined =>
  own.find((host) => host.state !== 'present' && host.state !== 'leaving')

function ownInPlace({ own }: MappingCase): Said | undefined {
  return own.length > 0 && absentOf(own) === undefined ? FINE : undefined
}

function notThereYet({ mapping, own, outcome }: MappingCase): Said | undefined {
  const absent = absentOf(own)
  if (absent === undefined) return undefined
  const reason = outcome.result === 'Planned' ? 'DryRun' : 'Progressing'
  return denied(reason, `${displayHost(absent.name)} of ${mapping.domain} is not on the app yet.`)
}
