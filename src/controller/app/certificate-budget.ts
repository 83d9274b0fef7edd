import { isIP } from 'node:net'
import { MAX_NAMES } from '../../check/coverage.ts'
import { type Forecast, forecast, type History, issuanceOf, LIMITS, noteIssuance, prune } from '../../check/limits.ts'
import { compareKey, type Host, parseHost, privateSuffix, refusedByCa } from '../../domain/host.ts'
import type { OwnershipRecord } from '../../ownership/record.ts'
import type { Held } from '../../plan/held.ts'
import type { Plan } from '../../plan/plan.ts'
import type { Facts } from './facts.ts'

/** What is left of a limit that is nearly used up, spread over its window: one certificate in that many ms. */
const SHARE = LIMITS.CertificatesPerDomain.window / LIMITS.CertificatesPerDomain.allowed

/** What is known of the certificates of an account, and of the app in question. */
type Budget = Pick<Facts, 'app' | 'observed' | 'certificate' | 'history' | 'gathering' | 'oneShot' | 'now'>

/** What the certificate that a plan leads to costs of the authority's limits; undefined when it leads to none. */
export function forecastOf(budget: Budget, plan: Pick<Plan, 'additions' | 'removals' | 'list'>): Forecast | undefined {
  if (plan.additions.length + plan.removals.length === 0 || !isIssued(budget)) return undefined
  const names = certificateNames(plan.list)
  return names.length === 0 ? undefined : forecast(historyOf(budget), [names], budget.now)
}

/**
 * Additions that wait for others, so that all of them cost one certificate, while a limit is near; none otherwise. They wait for
 * as long as one certificate has to last, counted from the last one: never for the limit itself to pass, which may take days.
 * `gathering`: since when they do; epoch ms.
 */
export function heldByLimit(
  budget: Budget,
  additions: readonly Host[],
): { held: ReadonlyMap<Host, Held>; gathering: number | undefined } {
  const free = { held: new Map<Host, Held>(), gathering: undefined }
  // A person who applies by hand has decided.
  if (additions.length === 0 || budget.oneShot || !isIssued(budget)) return free
  const { now } = budget
  const history = historyOf(budget)
  const names = certificateNames([...budget.observed.domains, ...additions])
  const { verdict, at, message } = forecast(history, [names], now)
  if (verdict === 'Go') return free
  const gathering = Math.min(budget.gathering ?? now, now)
  const until = Math.min(at, lastIssued(history, names, now) + SHARE, gathering + SHARE)
  if (until <= now) return { ...free, gathering }
  const words =
    verdict === 'Batch' ? message : `${message} Until ${new Date(until).toISOString()} changes are gathered.`
  const held: Held = { reason: 'CertificateLimit', message: words, until }
  return { held: new Map(additions.map((host) => [host, held])), gathering }
}

/** When a certificate for one of these domains was issued last; epoch ms. */
function lastIssued({ issuances }: History, names: readonly string[], now: number): number {
  const { domains } = issuanceOf(names, now)
  const mine = issuances.filter((each) => each.domains.some((domain) => domains.includes(domain)))
  // One that lies in the future was noted before the clock was set back: it would hold them for ever.
  return Math.max(...mine.map((each) => each.at).filter((each) => each <= now))
}

/** The record with the certificate that AutoSSL installed, and without those that no longer count; itself when nothing is new. */
export function noteCertificate(record: OwnershipRecord, installed: Installed, now: number): OwnershipRecord {
  const before = record.issued ?? []
  const { issuances } = prune(withInstalled({ issuances: before, failures: [] }, installed), now)
  if (issuances.length === before.length && issuances.every((each, index) => each === before[index])) return record
  const { issued: _before, ...rest } = record
  return issuances.length === 0 ? rest : { ...rest, issued: [...issuances] }
}

/** What was issued for these apps, all of one account: the authority counts by domain, whatever the app. */
export function historyIn(records: readonly OwnershipRecord[]): History {
  return {
    issuances: records.flatMap(({ issued }) => issued ?? []),
    // An attempt that failed while the DNS of a host was wrong has cost it a validation.
    failures: records.flatMap(({ ssl }) => (ssl?.wrong ?? []).map((host) => ({ at: ssl?.lastAt ?? 0, host }))),
  }
}

const historyOf = (budget: Budget): History => withInstalled(budget.history, budget)

type Installed = Pick<Facts, 'observed' | 'certificate'>

/** The history with the certificate that AutoSSL installed. */
function withInstalled(history: History, { observed: { ssl }, certificate }: Installed): History {
  if (!ssl?.auto || certificate === undefined) return history
  return noteIssuance(history, issuanceOf(certificate.names, certificate.notBefore))
}

/** Whether a change of the app's hosts leads to another certificate of the authority. */
const isIssued = ({ app, observed: { ssl } }: Budget): boolean =>
  app.spec.ssl.auto && (ssl === null || ssl.auto || ssl.cert === undefined)

/** The names of the certificate that AutoSSL would issue for a list: those that the authority takes. */
function certificateNames(list: readonly string[]): string[] {
  const names = new Set(list.map(compareKey))
  return [...names].filter(isIssuable).sort().slice(0, MAX_NAMES)
}

function isIssuable(name: string): boolean {
  if (name.startsWith('*.') || isIP(name) !== 0) return false
  const parsed = parseHost(name)
  return parsed.ok && privateSuffix(parsed.host) === undefined && refusedByCa(parsed.host) === undefined
}
