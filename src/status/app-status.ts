import { ANNOTATION, type App } from '../api/objects.ts'
import { covers } from '../check/certificate.ts'
import { compareKey, type Host } from '../domain/host.ts'
import { listNames } from '../domain/list-names.ts'
import type { OwnershipRecord } from '../ownership/record.ts'
import { planToText } from '../plan/render.ts'
import { conditionsOf, denied, type Parts, type Said, unseen } from './conditions.ts'
import type { HostChecks } from './host-checks.ts'
import { hostsOf } from './host-status.ts'
import { failureOf, type Outcome, refusalOf, type SslOutcome } from './outcome.ts'
import type { Reason } from './reasons.ts'
import type { AppStatus } from './status.ts'
import { syncedOf } from './synced.ts'

/** The status of an app after a reconcile. Pure. `before` gives the transition times, and what a failed look could not see. */
export function appStatus(app: App, outcome: Outcome, checks: HostChecks, before: AppStatus | undefined): AppStatus {
  const now = outcome.endedAt
  const parts: Parts<'ServerPilotApp'> = {
    Accepted: acceptedOf(outcome),
    Synced: syncedOf(outcome),
    CertificateReady:
      certificateOf(outcome, checks) ?? unseen(outcome, outcome.ssl !== undefined, before, 'CertificateReady'),
  }
  const seen = outcome.plan !== undefined && outcome.observed !== undefined
  const good = failureOf(outcome) === undefined && outcome.frozen.size === 0 && outcome.result !== 'Suspended'
  return {
    key: app.key,
    appId: app.spec.appId,
    policy: app.spec.policy,
    place: app.place,
    observedGeneration: app.generation,
    ownedDomains: outcome.record === undefined ? (before?.ownedDomains ?? []) : heldHosts(outcome.record),
    domains: seen ? countsOf(outcome) : (before?.domains ?? { desired: 0, observed: 0, owned: 0, foreign: 0 }),
    hosts: seen ? hostsOf(outcome, checks) : (before?.hosts ?? []),
    plan: waitingPlan(outcome),
    certificate: seen ? appCertificate(outcome) : before?.certificate,
    lastHandledReconcileAt: app.annotations[ANNOTATION.reconcileRequestedAt] ?? before?.lastHandledReconcileAt,
    lastAttempt: outcome.startedAt,
    lastSuccess: good ? now : before?.lastSuccess,
    conditions: conditionsOf('ServerPilotApp', app.generation, before, parts, now),
  }
}

function acceptedOf(outcome: Outcome): Said {
  const { faults, secondWriter } = outcome
  const refusal = refusalOf(outcome)
  if (refusal !== undefined) return denied(refusal.reason, refusal.message)
  const message = [secondWriter ?? [], rowFaults(faults)].flat().join(' ')
  return { status: 'True', reason: secondWriter === undefined ? 'Succeeded' : 'SecondWriter', message }
}

/** Rows that count for nothing: the others do. */
function rowFaults(faults: Outcome['faults']): string[] {
  if (faults.length === 0) return []
  const rows = faults.map(({ place, message }) => `${place}: ${message}`)
  return [`In the database: ${listNames(rows, 10, ' ')}${rows.length > 10 ? '.' : ''}`]
}

/** Reasons that leave open which hosts have no certificate, and why. */
const LACKING: ReadonlySet<string> = new Set<Reason>(['NotCovered', 'AwaitingAvailability', 'AttemptsExhausted'])

/** Reasons that leave open who keeps the certificate from being renewed. */
const NOT_RENEWED: ReadonlySet<string> = new Set<Reason>(['ExpiringSoon', 'Expired'])

function certificateOf({ ssl }: Outcome, checks: HostChecks): Said | undefined {
  if (ssl === undefined) return undefined
  const said = certificateWords(ssl, checks)
  return { status: ssl.ready ? 'True' : NOT_DENIED.has(said.reason) ? 'Unknown' : 'False', ...said }
}

/** What cannot be read, and DNS that is to be left out, denies nothing. */
const NOT_DENIED: ReadonlySet<Reason> = new Set<Reason>(['ApiUnreachable', 'AwaitingDNS'])

function certificateWords(ssl: SslOutcome, checks: HostChecks): Pick<Said, 'reason' | 'message'> {
  const { reason, message } = ssl
  if (NOT_RENEWED.has(reason)) return { reason, message: `${message} ${checks.holdingUp()}`.trim() }
  const why = LACKING.has(reason) ? checks.lacking(reason === 'NotCovered') : undefined
  if (why === undefined || why.message === '') return { reason, message }
  if (reason === 'NotCovered') return why
  const head = reason === 'AwaitingAvailability' ? 'AutoSSL is not available yet.' : message
  // Where something else than time is in the way, waiting is no cure.
  return { reason: reason === 'AwaitingAvailability' ? why.reason : reason, message: `${head} ${why.message}` }
}

function countsOf({ desired, observed, record, plan }: Outcome): AppStatus['domains'] {
  return {
    desired: desired?.hosts.size ?? 0,
    observed: observed?.domains.length ?? 0,
    owned: record === undefined ? 0 : heldHosts(record).length,
    foreign: plan?.foreign.length ?? 0,
  }
}

/** Claims on hosts that are gone already are not counted: they only wait to be released. */
const heldHosts = ({ hosts }: OwnershipRecord): Host[] =>
  (Object.keys(hosts) as Host[]).filter((host) => hosts[host]?.absentSince === undefined).sort()

function appCertificate({ observed, desired, certificate: facts }: Outcome): AppStatus['certificate'] {
  if (observed === undefined || facts === undefined) return undefined
  const hosts = observed.domains.map(compareKey).filter((host) => desired?.hosts.has(host as Host))
  const covered = hosts.filter((host) => covers(facts, host)).sort()
  const uncovered = hosts.filter((host) => !covers(facts, host)).sort()
  return { notBefore: facts.notBefore, notAfter: facts.notAfter, covered, uncovered }
}

function waitingPlan({ plan, desired }: Outcome): AppStatus['plan'] {
  if (plan === undefined || plan.waiting.length === 0) return undefined
  const settling = { reason: 'RemovalSettling', message: 'Removals wait for the mappings to settle.' }
  const { reason, message } = plan.refused ?? settling
  const diff = planToText(plan, desired?.rejected ?? [])
  return { hash: plan.hash, removals: [...plan.waiting], reason, message, diff }
}
