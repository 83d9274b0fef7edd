import { isIP } from 'node:net'
import type { App } from '../../api/objects.ts'
import { certificateFacts } from '../../check/certificate.ts'
import { MAX_NAMES } from '../../check/coverage.ts'
import { type Forecast, forecast, type History, issuanceOf, LIMITS, noteIssuance, prune } from '../../check/limits.ts'
import { compareKey, type Host, parseHost, refusedByCa } from '../../domain/host.ts'
import type { OwnershipRecord } from '../../ownership/record.ts'
import type { Held } from '../../plan/held.ts'
import type { Plan } from '../../plan/plan.ts'
import type { ServerPilotApp } from '../../serverpilot/serverpilot.ts'
import { type Context, memoryOf } from '../context.ts'

/** What is left of a limit that is nearly used up, spread over its window: one certificate in that many ms. */
const SHARE = LIMITS.CertificatesPerDomain.window / LIMITS.CertificatesPerDomain.allowed

/** What the certificate that a plan leads to costs of the authority's limits; undefined when it leads to none. */
export function forecastOf(
  context: Context,
  app: App,
  observed: ServerPilotApp,
  plan: Pick<Plan, 'additions' | 'removals' | 'list'>,
): Forecast | undefined {
  if (plan.additions.length + plan.removals.length === 0 || !isIssued(app, observed)) return undefined
  const names = certificateNames(plan.list)
  if (names.length === 0) return undefined
  return forecast(historyOf(context, app, observed), [names], context.clock.now())
}

/**
 * Additions that wait for others, so that all of them cost one certificate, while a limit is near; none otherwise. They wait for
 * as long as one certificate has to last, counted from the last one: never for the limit itself to pass, which may take days.
 */
export function heldByLimit(
  context: Context,
  app: App,
  observed: ServerPilotApp,
  additions: readonly Host[],
): ReadonlyMap<Host, Held> {
  const held = new Map<Host, Held>()
  // Who applies by hand has decided.
  if (additions.length === 0 || context.oneShot || !isIssued(app, observed)) {
    memoryOf(context, app.key).gathering = undefined
    return held
  }
  const now = context.clock.now()
  const history = historyOf(context, app, observed)
  const names = certificateNames([...observed.domains, ...additions])
  const { verdict, at, message } = forecast(history, [names], now)
  if (verdict === 'Go') {
    memoryOf(context, app.key).gathering = undefined
    return held
  }
  const until = gatherUntil(context, app, history, names, at, now)
  if (until <= now) return held
  const words =
    verdict === 'Batch' ? message : `${message} Until ${new Date(until).toISOString()} changes are gathered.`
  for (const host of additions) held.set(host, { reason: 'CertificateLimit', message: words, until })
  return held
}

/**
 * For how long additions are gathered; epoch ms. Counted from the last certificate for one of their domains, and from when gathering
 * began: other certificates that come meanwhile put nobody off.
 */
function gatherUntil(
  context: Context,
  app: App,
  history: History,
  names: readonly string[],
  at: number,
  now: number,
): number {
  const memory = memoryOf(context, app.key)
  const { domains } = issuanceOf(names, now)
  const mine = history.issuances.filter((each) => each.domains.some((domain) => domains.includes(domain)))
  // One that lies in the future was noted before the clock was set back: it would hold them for ever.
  const last = Math.max(...mine.map((each) => each.at).filter((each) => each <= now))
  memory.gathering = Math.min(memory.gathering ?? now, now)
  return Math.min(at, last + SHARE, memory.gathering + SHARE)
}

/** The record with the certificate that AutoSSL installed, and without those that no longer count; itself when nothing is new. */
export function noteCertificate(record: OwnershipRecord, observed: ServerPilotApp, now: number): OwnershipRecord {
  const before = record.issued ?? []
  const { issuances } = prune(withInstalled({ issuances: before, failures: [] }, observed), now)
  if (issuances.length === before.length && issuances.every((each, index) => each === before[index])) return record
  const { issued: _before, ...rest } = record
  return issuances.length === 0 ? rest : { ...rest, issued: [...issuances] }
}

/** The history with the certificate that AutoSSL installed. */
function withInstalled(history: History, { ssl }: ServerPilotApp): History {
  const facts = ssl?.auto ? certificateFacts(ssl.cert) : undefined
  return facts === undefined ? history : noteIssuance(history, issuanceOf(facts.names, facts.notBefore))
}

/** Whether a change of the app's hosts leads to another certificate of the authority. */
const isIssued = (app: App, { ssl }: ServerPilotApp): boolean =>
  app.spec.ssl.auto && (ssl === null || ssl.auto || ssl.cert === undefined)

/** What was issued for all apps of the account: the authority counts by domain, whatever the app. */
function historyOf(context: Context, app: App, observed: ServerPilotApp): History {
  const { account } = memoryOf(context, app.key)
  const records = [...context.memory.values()].flatMap(({ account: of, record }) =>
    of === account && record !== undefined ? [record] : [],
  )
  const issuances = records.flatMap(({ issued }) => issued ?? [])
  // An attempt that failed while the DNS of a host was wrong has cost it a validation.
  const failures = records.flatMap(({ ssl }) => (ssl?.wrong ?? []).map((host) => ({ at: ssl?.lastAt ?? 0, host })))
  return withInstalled({ issuances, failures }, observed)
}

/** The names of the certificate that AutoSSL would issue for a list: those that the authority takes. */
function certificateNames(list: readonly string[]): string[] {
  const names = new Set(list.map(compareKey))
  return [...names].filter(isIssuable).sort().slice(0, MAX_NAMES)
}

function isIssuable(name: string): boolean {
  if (name.startsWith('*.') || isIP(name) !== 0) return false
  const parsed = parseHost(name)
  return parsed.ok && refusedByCa(parsed.host) === undefined
}
