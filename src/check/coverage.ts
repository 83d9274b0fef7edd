import { isIP } from 'node:net'
import { firstOf } from '../domain/first-of.ts'
import { displayHost, parseHost, privateSuffix, refusedByCa } from '../domain/host.ts'
import { listNames } from '../domain/list-names.ts'
import { type CertificateFacts, covers } from './certificate.ts'
import type { CaaVerdict } from './dns/caa.ts'
import type { DnsVerdict } from './dns/judge.ts'
import { NAMES_PER_CERTIFICATE } from './limits.ts'

/** A certificate of AutoSSL, which asks for no profile, names this many hosts at most. */
export const MAX_NAMES = NAMES_PER_CERTIFICATE.classic

/** ServerPilot takes 5 to 15 minutes to issue. */
const ISSUING = { least: 5 * 60_000, most: 15 * 60_000 } as const

/** Why a host is covered or not. `Blocked`: by another name of the app. `Overdue`: no cause was found. */
export type CoverageReason =
  | 'Covered'
  | 'Expired'
  | 'Address'
  | 'Wildcard'
  | 'PrivateName'
  | 'RefusedByCa'
  | 'TooManyNames'
  | 'WrongDns'
  | 'Caa'
  | 'Blocked'
  | 'Issuing'
  | 'Overdue'

export interface HostCoverage {
  host: string
  covered: boolean
  reason: CoverageReason
  message: string
}

/** What is known of one app. Names are canonical (`compareKey`). Times in epoch milliseconds. */
export interface CoverageInput {
  /** Hosts that are wanted. */
  wanted: ReadonlySet<string>
  /** Every name that the app lists. */
  observed: readonly string[]
  /** The certificate that is installed, by the API or as it is served; undefined: none. */
  certificate: Pick<CertificateFacts, 'names' | 'notAfter'> | undefined
  /** DNS of names of the app, the unwanted too; a name that is missing counts as right. */
  dns: Pick<ReadonlyMap<string, DnsVerdict>, 'get'>
  caa: ReadonlyMap<string, CaaVerdict>
  /** When the set of hosts, or the DNS of one of them, changed last. */
  changedAt: number
  now: number
}

type Cause = Pick<HostCoverage, 'reason' | 'message'>

/** What rules look at. */
interface Situation extends CoverageInput {
  /** How many of the app's names a certificate can be had for. */
  issuable: number
  /** Sentences on the names that may keep the authority from issuing for any of them, by name. */
  blockers: ReadonlyMap<string, string>
}

type Rule<Known> = (host: string, known: Known) => Cause | undefined

/** Names for which AutoSSL has no certificate; they do not stop the others. */
const NO_CERTIFICATE: readonly Rule<unknown>[] = [address, wildcard, privateName]

/** What makes the authority refuse this very name. */
const FAULTS: readonly Rule<CoverageInput>[] = [refusedName, wrongDns, refusedByCaa]

/** The first that holds: the host's own fault, then the app's, then another name's, then time. */
const CAUSES: readonly Rule<Situation>[] = [...NO_CERTIFICATE, ...FAULTS, tooManyNames, blockedByOthers, beingIssued]

/** Which of the wanted hosts that an app lists its certificate covers, and why not the others; sorted. Pure. */
export function judgeCoverage(input: CoverageInput): HostCoverage[] {
  const { wanted, observed, certificate, now } = input
  const names = [...new Set(observed)].sort()
  const issuable = names.filter((name) => firstOf(NO_CERTIFICATE, name, undefined) === undefined)
  const situation = { ...input, issuable: issuable.length, blockers: blockersOf(issuable, input) }
  return names
    .filter((name) => wanted.has(name))
    .map((host): HostCoverage => {
      const named = certificate !== undefined && covers(certificate, host)
      if (named && certificate.notAfter > now) {
        return { host, covered: true, reason: 'Covered', message: 'The certificate names it.' }
      }
      const cause = firstOf(CAUSES, host, situation) ?? overdue(host, input)
      if (!named) return { host, covered: false, ...cause }
      const message = `The certificate ended ${new Date(certificate.notAfter).toISOString()}. ${cause.message}`
      return { host, covered: false, reason: 'Expired', message }
    })
}

function address(host: string): Cause | undefined {
  if (isIP(host) === 0) return undefined
  return { reason: 'Address', message: `${host} is an IP address: AutoSSL issues for host names alone.` }
}

function wildcard(host: string): Cause | undefined {
  if (!host.startsWith('*.')) return undefined
  const message = `${displayHost(host)} is a wildcard, and AutoSSL proves names over HTTP, which no wildcard can be. Map its names one by one, or install a certificate of your own.`
  return { reason: 'Wildcard', message }
}

function privateName(host: string): Cause | undefined {
  const parsed = parseHost(host)
  const suffix = parsed.ok ? privateSuffix(parsed.host) : undefined
  if (suffix === undefined) return undefined
  const message = `${displayHost(host)} ends in "${suffix}", and no certificate authority issues for names below that: it is not a suffix of the public DNS. Map a public name, or install a certificate of your own.`
  return { reason: 'PrivateName', message }
}

function refusedName(host: string): Cause | undefined {
  const parsed = parseHost(host)
  const refused = parsed.ok ? refusedByCa(parsed.host) : parsed.message
  return refused === undefined
    ? undefined
    : { reason: 'RefusedByCa', message: `${refused}. Take the name off the app.` }
}

function wrongDns(host: string, { dns }: CoverageInput): Cause | undefined {
  const resolved = dns.get(host)
  if (resolved === undefined || resolved.state === 'Ready' || resolved.state === 'Unknown') return undefined
  return { reason: 'WrongDns', message: resolved.message }
}

function refusedByCaa(host: string, { caa }: CoverageInput): Cause | undefined {
  const allowed = caa.get(host)
  return allowed?.state === 'Refused' ? { reason: 'Caa', message: allowed.message } : undefined
}

function tooManyNames(_host: string, { issuable }: Situation): Cause | undefined {
  if (issuable <= MAX_NAMES) return undefined
  const message = `The app has ${issuable} names, and a certificate takes ${MAX_NAMES}: ${issuable - MAX_NAMES} stay without. Spread them over more apps.`
  return { reason: 'TooManyNames', message }
}

function blockedByOthers(_host: string, { blockers }: Situation): Cause | undefined {
  const [first] = blockers.values()
  if (first === undefined) return undefined
  const all = listNames([...blockers.keys()].map(displayHost), 3)
  return { reason: 'Blocked', message: `${all} may keep the whole certificate of the app from being issued. ${first}` }
}

function beingIssued(_host: string, { changedAt, now }: CoverageInput): Cause | undefined {
  // A change that lies in the future was noted before the clock was set back.
  const until = Math.min(changedAt, now) + ISSUING.most
  if (now >= until) return undefined
  const message = `Its certificate is being issued. That takes ${ISSUING.least / 60_000} to ${ISSUING.most / 60_000} minutes, so until ${new Date(until).toISOString()} at the latest.`
  return { reason: 'Issuing', message }
}

/** When no rule knows why. */
function overdue(host: string, { dns, caa }: CoverageInput): Cause {
  const unknown = dns.get(host)?.state === 'Unknown' ? dns.get(host) : caa.get(host)
  const hint = unknown?.state === 'Unknown' ? ` ${unknown.message}` : ''
  const message = `No certificate names ${displayHost(host)}, though the time that issuing takes is over, and no fault was found.${hint} Look at the app's SSL page in the control panel.`
  return { reason: 'Overdue', message }
}

function blockersOf(names: readonly string[], input: CoverageInput): ReadonlyMap<string, string> {
  const blockers = new Map<string, string>()
  for (const name of names) {
    const fault = firstOf(FAULTS, name, input)
    if (fault === undefined) continue
    // The `www.` of a wanted host, which nobody asked for: the panel added it.
    const parent = name.startsWith('www.') ? name.slice('www.'.length) : undefined
    const unasked = parent !== undefined && input.wanted.has(parent) && !input.wanted.has(name)
    const who = unasked ? `${displayHost(name)} came with ${displayHost(parent)} by itself: ` : ''
    blockers.set(name, `${who}${fault.message}`)
  }
  return blockers
}
