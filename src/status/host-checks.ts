import type { App } from '../api/objects.ts'
import { certificateLife, covers, overdueWords } from '../check/certificate.ts'
import {
  blockedWords,
  blockersOf,
  type CoverageInput,
  type CoverageReason,
  type HostCoverage,
  judgeCoverage,
} from '../check/coverage.ts'
import { customFault, isCustom } from '../check/custom.ts'
import { type DnsVerdict, isWrong } from '../check/dns/judge.ts'
import { changedLast, dnsOf, type HostFacts, noFacts, servedFault } from '../check/facts.ts'
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
  /** Why wanted hosts that are listed have no certificate; those for which it is just issued only with `issuing`. */
  lacking(issuing: boolean): Lack
  /** Who may keep a certificate that should have been renewed from that, why, and what to do about it; empty for nobody. */
  holdingUp(): string
  /** Wanted hosts whose DNS is wrong for certain. */
  failing(): number
  /** Wanted hosts that are listed and have no good certificate, where one is asked for. */
  uncovered(): number
}

/** A clause per cause, empty for none. `reason`: whether a person has to act, or the hosts' own DNS alone is in the way and to be left out. */
export interface Lack {
  message: string
  reason: 'NotCovered' | 'TooManyNames' | 'AwaitingDNS'
}

/** Puts together what the checks and the API say of the hosts of an app. */
export function hostChecks(app: App, outcome: Outcome): HostChecks {
  const { checks, desired, observed, certificate, endedAt } = outcome
  const facts = checks?.facts ?? noFacts()
  const listed = new Set(observed?.domains.map(compareKey))
  const dns = (host: string): DnsVerdict | undefined => dnsOf(facts, checks?.outage, host, endedAt)
  // Worked out when it is asked for first.
  let judged: ReadonlyMap<string, HostCoverage> | undefined
  let held: string | undefined
  const coverage = (): ReadonlyMap<string, HostCoverage> => {
    judged ??= new Map(judgeCoverage(coverageInput(app, outcome, dns)).map((each) => [each.host, each]))
    return judged
  }
  const isRead = observed?.unread?.ssl === undefined
  const custom = isCustom(observed?.ssl)
  const asked = isRead && (certificate !== undefined || (app.spec.ssl.auto && !custom))
  const life = certificate && certificateLife(certificate, endedAt)
  const isCovered = (host: string): boolean =>
    certificate !== undefined && life !== 'Expired' && covers(certificate, host)
  const ignored = app.spec.dns.policy === 'Ignore'
  /** Under `Ignore` a host whose own DNS is in the way keeps nobody from Ready. */
  const isLeftOut = (host: string): boolean => ignored && isWrong(dns(host))
  const holdingUp = (): string => {
    if (life === undefined || life === 'Good') return ''
    held ??= blockedWords(blockersOf(coverageInput(app, outcome, dns)))
    return held
  }
  return {
    dns,
    dnsReady(hosts) {
      if (checks === undefined || hosts.length === 0 || ignored) return undefined
      return worstDns(hosts.map((host) => dns(host)))
    },
    certificateReady(hosts) {
      const own = hosts.filter((host) => listed.has(host))
      if (own.length === 0 || !asked) return undefined
      const fault = custom ? customFault(certificate, own, endedAt, own) : undefined
      if (fault !== undefined) return denied('CustomCertificate', fault)
      const found = own.flatMap((host): Said[] => {
        if (isCovered(host)) return servedBadly(facts, host)
        const said = lackOf(host, coverage().get(host), outcome)
        return isLeftOut(host) ? said.map(leftOut) : said
      })
      const first = found.find(({ status }) => status === 'False') ?? found[0]
      if (first !== undefined) return { ...first, message: [...new Set(found.map(({ message }) => message))].join(' ') }
      if (certificate === undefined || life === 'Good') return FINE
      const message = `${overdueWords(certificate, endedAt)}. ${holdingUp()}`
      return { status: 'True', reason: 'ExpiringSoon', message: message.trim() }
    },
    lacking(issuing) {
      const causes = [...coverage().values()].filter(
        ({ covered, reason }) => !covered && (issuing || reason !== 'Issuing'),
      )
      const tooMany = causes.some(({ reason }) => reason === 'TooManyNames')
      const leftOut = causes.length > 0 && causes.every(({ host }) => isLeftOut(host))
      const reason = tooMany ? 'TooManyNames' : leftOut ? 'AwaitingDNS' : 'NotCovered'
      return { message: cutMessage(lackingAt(causes), MAX_CAUSES), reason }
    },
    holdingUp,
    uncovered: () =>
      asked
        ? [...listed].filter((host) => desired?.hosts.has(host as Host) && !isCovered(host) && !isLeftOut(host)).length
        : 0,
    failing: () => (ignored ? 0 : [...(desired?.hosts.keys() ?? [])].filter((host) => isWrong(dns(host))).length),
  }
}

function servedBadly(facts: HostFacts, host: string): Said[] {
  const fault = servedFault(facts, host)
  return fault === undefined ? [] : [denied(fault.state === 'OtherName' ? 'NotCovered' : fault.state, fault.message)]
}

const leftOut = ({ message }: Said): Said => ({ status: 'Unknown', reason: 'AwaitingDNS', message })

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
const REASON_OF: Partial<Record<CoverageReason, Reason>> = {
  Expired: 'Expired',
  Issuing: 'AwaitingAvailability',
  TooManyNames: 'TooManyNames',
  Custom: 'CustomCertificate',
}

/** Why a listed host has no certificate. */
function lackOf(host: string, coverage: HostCoverage | undefined, { ssl }: Outcome): Said[] {
  if (coverage === undefined) return []
  const timeAlone = coverage.reason === 'Issuing' || coverage.reason === 'Overdue'
  if (ssl?.reason === 'AttemptsExhausted' && timeAlone)
    return [denied('AttemptsExhausted', `No certificate for ${host}. ${ssl.message}`)]
  return [denied(REASON_OF[coverage.reason] ?? 'NotCovered', lackingAt([coverage]))]
}

function coverageInput(app: App, outcome: Outcome, dns: HostChecks['dns']): CoverageInput {
  const { observed, certificate, desired, checks, endedAt } = outcome
  const names = observed?.domains.map(compareKey) ?? []
  return {
    wanted: new Set<string>(desired?.hosts.keys()),
    observed: names,
    certificate,
    issuer: isCustom(observed?.ssl) ? 'Custom' : app.spec.ssl.auto ? 'Authority' : 'Off',
    dns: { get: dns },
    caa: checks?.facts.caa ?? new Map(),
    changedAt: changedAt(outcome, names),
    now: endedAt,
  }
}

/** When the set of hosts, or the DNS of one of them, changed last. Epoch ms. */
function changedAt({ record, checks, startedAt, added, removed }: Outcome, names: readonly string[]): number {
  if (added.length + removed.length > 0) return startedAt
  return changedLast(checks?.facts ?? noFacts(), names, record === undefined ? 0 : lastChange(record))
}

const MAX_CAUSES = 2_000

function lackingAt(hosts: readonly HostCoverage[]): string {
  // Which hosts are left out is said once, by itself.
  const [tooMany] = hosts.filter(({ reason }) => reason === 'TooManyNames')
  const others = hosts.filter(({ reason }) => reason !== 'TooManyNames')
  const said = others.map(({ host, message }) => [host, message] as const)
  return [...(tooMany === undefined ? [] : [tooMany.message]), ...hostClauses(said, 'No certificate')].join(' ')
}
