import type { App } from '../api/objects.ts'
import { certificateLife, covers, overdueWords } from '../check/certificate.ts'
import { type CoverageReason, type HostCoverage, judgeCoverage } from '../check/coverage.ts'
import type { DnsVerdict } from '../check/dns/judge.ts'
import { dnsOf, noFacts, servedFault } from '../check/facts.ts'
import { compareKey, type Host } from '../domain/host.ts'
import { lastChange } from '../ownership/record.ts'
import { cutMessage, denied, FINE, type Said } from './conditions.ts'
import { hostClauses } from './host-clauses.ts'
import type { Outcome } from './outcome.ts'
import type { Reason } from './reasons.ts'

/** What is known of DNS and certificate of one app's hosts after a reconcile. Pure. */
export interface HostChecks {
  /** Undefined while nobody has looked. */
  dns(host: string): DnsVerdict | undefined
  /** `DNSReady` of a mapping with these hosts; undefined where DNS is not looked at. */
  dnsReady(hosts: readonly string[]): Said | undefined
  /** `CertificateReady` of a mapping with these hosts; undefined where no certificate is asked for. */
  certificateReady(hosts: readonly string[]): Said | undefined
  /** Why wanted hosts that are listed have no certificate, a clause per cause; those for which it is just issued only with `issuing`. */
  lacking(issuing: boolean): string
  /** Wanted hosts whose DNS is wrong for certain. */
  failing(): number
  /** Wanted hosts that are listed and have no good certificate, where one is asked for. */
  uncovered(): number
}

/** Puts together what the checks and the API say of the hosts of an app. */
export function hostChecks(app: App, outcome: Outcome): HostChecks {
  const { checks, desired, observed, certificate, endedAt } = outcome
  const facts = checks?.facts ?? noFacts()
  const listed = new Set(observed?.domains.map(compareKey))
  const dns = (host: string): DnsVerdict | undefined => dnsOf(facts, checks?.outage, host, endedAt)
  // Worked out when it is asked for first.
  let judged: ReadonlyMap<string, HostCoverage> | undefined
  const coverage = (): ReadonlyMap<string, HostCoverage> => {
    judged ??= new Map(coverageOf(app, outcome, dns).map((each) => [each.host, each]))
    return judged
  }
  const isRead = observed?.unread?.ssl === undefined
  const asked = isRead && (app.spec.ssl.auto || certificate !== undefined)
  const life = certificate && certificateLife(certificate, endedAt)
  const isCovered = (host: string): boolean =>
    certificate !== undefined && life !== 'Expired' && covers(certificate, host)
  return {
    dns,
    dnsReady(hosts) {
      if (checks === undefined || hosts.length === 0) return undefined
      return worstDns(hosts.map((host) => dns(host)))
    },
    certificateReady(hosts) {
      const own = hosts.filter((host) => listed.has(host))
      if (own.length === 0 || !asked) return undefined
      const found = own.flatMap((host): Said[] => {
        if (!isCovered(host)) return lackOf(host, coverage().get(host), outcome)
        const fault = servedFault(facts, host)
        return fault === undefined
          ? []
          : [denied(fault.state === 'OtherName' ? 'NotCovered' : fault.state, fault.message)]
      })
      const [first] = found
      if (first !== undefined) return { ...first, message: [...new Set(found.map(({ message }) => message))].join(' ') }
      if (certificate === undefined || life === 'Good') return FINE
      return { status: 'True', reason: 'ExpiringSoon', message: `${overdueWords(certificate, endedAt)}.` }
    },
    lacking(issuing) {
      const causes = [...coverage().values()].filter(
        ({ covered, reason }) => !covered && (issuing || reason !== 'Issuing'),
      )
      return cutMessage(lackingAt(causes), MAX_CAUSES)
    },
    uncovered: () =>
      asked ? [...listed].filter((host) => desired?.hosts.has(host as Host) && !isCovered(host)).length : 0,
    failing: () => [...(desired?.hosts.keys() ?? [])].filter((host) => isWrong(dns(host))).length,
  }
}

const isWrong = (verdict: DnsVerdict | undefined): boolean =>
  verdict !== undefined && verdict.state !== 'Ready' && verdict.state !== 'Unknown'

/** What is wrong for certain goes before what is not known; who is not looked at yet keeps Ready open. */
function worstDns(verdicts: readonly (DnsVerdict | undefined)[]): Said {
  const wrong = verdicts.filter((verdict) => verdict !== undefined).filter(isWrong)
  const [first] = wrong
  if (first !== undefined) return denied(first.state as Reason, wrong.map(({ message }) => message).join(' '))
  if (verdicts.includes(undefined))
    return { status: 'Unknown', reason: 'Progressing', message: 'DNS is looked at shortly.' }
  const unknown = verdicts.find((verdict) => verdict?.state === 'Unknown')
  if (unknown === undefined) return FINE
  const reason = unknown.failure === undefined ? 'NotChecked' : 'ResolverFailed'
  return { status: 'Unknown', reason, message: unknown.message }
}

/** How a cause of `check/coverage.ts` is called in a condition. */
const REASON_OF: Partial<Record<CoverageReason, Reason>> = { Expired: 'Expired', Issuing: 'AwaitingAvailability' }

/** Why a listed host has no certificate. */
function lackOf(host: string, coverage: HostCoverage | undefined, { ssl }: Outcome): Said[] {
  if (coverage === undefined) return []
  const timeAlone = coverage.reason === 'Issuing' || coverage.reason === 'Overdue'
  if (ssl?.reason === 'AttemptsExhausted' && timeAlone)
    return [denied('AttemptsExhausted', `No certificate for ${host}. ${ssl.message}`)]
  return [denied(REASON_OF[coverage.reason] ?? 'NotCovered', lackingAt([coverage]))]
}

function coverageOf(app: App, outcome: Outcome, dns: HostChecks['dns']): readonly HostCoverage[] {
  const { observed, certificate, desired, checks, endedAt } = outcome
  const names = observed?.domains.map(compareKey) ?? []
  const hosts = judgeCoverage({
    wanted: new Set<string>(desired?.hosts.keys()),
    observed: names,
    certificate,
    dns: { get: dns },
    caa: checks?.facts.caa ?? new Map(),
    changedAt: changedAt(outcome, names),
    now: endedAt,
  })
  const custom = observed?.ssl?.auto === false && certificate !== undefined
  if (!custom && app.spec.ssl.auto) return hosts
  // Nobody issues here: neither time nor what keeps an authority from it is a cause.
  const cause = { message: custom ? CUSTOM : OFF, reason: 'Overdue' } as const
  return hosts.map((each) => (each.covered || each.reason === 'Expired' ? each : { ...each, ...cause }))
}

const CUSTOM =
  'The custom certificate does not name it. Install one that does, or take it away at the panel so that AutoSSL issues one.'
const OFF = 'The installed certificate does not name it, and spec.ssl.auto is off.'

/** When the set of hosts, or the DNS of one of them, changed last. Epoch ms. */
function changedAt({ record, checks, startedAt, added, removed }: Outcome, names: readonly string[]): number {
  if (added.length + removed.length > 0) return startedAt
  const resolved = names.flatMap((name) => checks?.facts.dns.get(name)?.changedAt ?? [])
  return resolved.reduce((last, at) => Math.max(last, at), record === undefined ? 0 : lastChange(record))
}

const MAX_CAUSES = 2_000

function lackingAt(hosts: readonly HostCoverage[]): string {
  const said = hosts.map(({ host, message }) => [host, message] as const)
  return hostClauses(said, 'No certificate').join(' ')
}
