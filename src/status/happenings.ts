import type { Key, Mapping } from '../api/objects.ts'
import type { Kind } from '../api/schema.ts'
import { type Life, lifeOf, renewalOf } from '../check/certificate.ts'
import { dayOf } from '../time/day.ts'
import { conditionOf } from './conditions.ts'
import { failureOf, type Outcome } from './outcome.ts'
import type { EventReason } from './reasons.ts'
import type { AppStatus, MappingStatus } from './status.ts'

/** Something worth an Event: a reason of EVENTS, one sentence with figures, and the hosts that it speaks of. */
export interface Happening {
  reason: EventReason
  note: string
  names?: readonly string[]
}

/** The object that an Event is about. */
export interface EventSubject {
  kind: Kind
  key: Key
  uid?: string | undefined
}

/** What a reconcile did and what changed by it since the status before. Pure; a state that lasts is reported once. */
export function happenings(outcome: Outcome, before: AppStatus | undefined, after: AppStatus): Happening[] {
  const found: Happening[] = []
  const add = (reason: EventReason, note: string | undefined, names: readonly string[] = []): void => {
    if (note !== undefined) found.push({ reason, note, names })
  }
  const { added, removed, plan, ssl } = outcome
  if (added.length > 0) add('DomainsAdded', `${added.length} host(s) added, read back and compared`, added)
  if (removed.length > 0) add('DomainsRemoved', `${removed.length} host(s) removed, read back and compared`, removed)
  const quarantined = removed.filter((host) => plan?.held.get(host)?.reason === 'Quarantined')
  if (quarantined.length > 0)
    add('Quarantined', `${quarantined.length} host(s) are off until their DNS is right`, quarantined)
  const knownBefore = before?.plan?.reason === 'RemovalRefused' && before.plan.hash === plan?.hash
  if (plan?.refused !== undefined && !knownBefore) add('RemovalRefused', plan.refused.message, plan.waiting)
  const rejected = rejectedOf(after).filter((host) => !rejectedOf(before).includes(host))
  if (rejected.length > 0) add('DomainRejected', `ServerPilot refuses ${rejected.length} host(s)`, rejected)
  if (ssl?.switched !== undefined && 'auto' in ssl.switched) add('AutoSSLEnabled', 'AutoSSL was switched on.')
  add('CertificateIssued', issuedSince(before, after))
  add('CertificateExpiring', expiringSince(before, after, outcome.endedAt))
  const failure = failureOf(outcome)
  if (failure !== undefined && failure.reason !== conditionOf(before, 'Synced')?.reason)
    add('SyncFailed', `${failure.reason}: ${failure.message}`)
  add('SyncFailed', outcome.leftBehind)
  if (failure === undefined && outcome.result !== 'Suspended' && before !== undefined && hadFailed(before))
    add('SyncRecovered', 'The app is looked after again.')
  return found
}

/** How long before its end a certificate that is not renewed is reported, once each: of one that lives 90 days 21, 14, 7, 3 and 1 days. ms. */
function warningsOf(life: Life): number[] {
  const { overdueAt, urgentAt } = renewalOf(life)
  const [overdue, urgent] = [life.notAfter - overdueAt, life.notAfter - urgentAt]
  return [overdue, (overdue * 2) / 3, urgent, (urgent * 3) / 7, urgent / 7]
}

/** Another certificate than at the look before. */
function issuedSince(before: AppStatus | undefined, { certificate }: AppStatus): string | undefined {
  const end = certificate?.notAfter
  if (before === undefined || end === undefined || before.certificate?.notAfter === end) return
  return `A certificate until ${dayOf(end)} covers ${certificate?.covered.length} host(s), ${certificate?.uncovered.length} not`
}

/** The certificate came so near to its end since the look before. */
function expiringSince(before: AppStatus | undefined, after: AppStatus, now: number): string | undefined {
  const life = lifeOf(after.certificate)
  if (life === undefined || before?.lastAttempt === undefined || before.certificate?.notAfter !== life.notAfter) return
  const end = life.notAfter
  const [last, left] = [end - before.lastAttempt, end - now]
  if (!warningsOf(life).some((warning) => last > warning && left <= warning)) return
  return `The certificate ends in ${daysOrHours(left)}, on ${new Date(end).toISOString()}, and was not renewed`
}

/** `3 day(s)`; below two days `40 hour(s)`. */
function daysOrHours(ms: number): string {
  const hours = Math.max(0, Math.round(ms / 3_600_000))
  return hours < 48 ? `${hours} hour(s)` : `${Math.round(hours / 24)} day(s)`
}

/** Of more mappings than this one reconcile makes no Events: the app's Event names the hosts. */
const MAX_MAPPINGS = 20

/** What happened to single mappings: their hosts were added, or they are not served and why. Pure; reported once. */
export function mappingHappenings(
  outcome: Outcome,
  before: ReadonlyMap<string, MappingStatus>,
  after: readonly MappingStatus[],
): (Happening & { mapping: Mapping })[] {
  const added = new Set<string>(outcome.added)
  const mappings = new Map(outcome.mappings.map((mapping) => [mapping.key, mapping]))
  const found = after.flatMap((status): (Happening & { mapping: Mapping })[] => {
    const mapping = mappings.get(status.key)
    if (mapping === undefined) return []
    const trouble = troubleOf(status)
    if (trouble !== undefined && trouble !== troubleOf(before.get(status.key)))
      return [{ mapping, reason: 'DomainRejected', note: trouble }]
    const own = status.hosts.filter((host) => added.has(host.name)).map((host) => host.name)
    return own.length === 0 ? [] : [{ mapping, reason: 'DomainsAdded', note: `On the app: ${own.join(', ')}` }]
  })
  return found.length > MAX_MAPPINGS ? [] : found
}

/** Why a mapping is not served though nothing is under way for it; undefined when it is, or will be. */
function troubleOf(status: MappingStatus | undefined): string | undefined {
  const accepted = conditionOf(status, 'Accepted')
  if (accepted?.status === 'False') return `${accepted.reason}: ${accepted.message}`
  const rejected = status?.hosts.find((host) => host.state === 'rejected')
  return rejected === undefined ? undefined : `Rejected: ${rejected.name}: ${rejected.message ?? ''}`
}

const rejectedOf = (status: AppStatus | undefined): string[] =>
  (status?.hosts ?? []).filter((host) => host.state === 'rejected').map((host) => host.name)

/** The attempt before had failed: its success lies further back than its attempt. */
const hadFailed = ({ lastAttempt = 0, lastSuccess = 0, plan }: AppStatus): boolean =>
  plan === undefined && lastSuccess > 0 && lastSuccess < lastAttempt
