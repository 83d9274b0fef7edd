import { isIP } from 'node:net'
import { displayHost, parseHost, refusedByCa } from '../domain/host.ts'
import { type CertificateFacts, covers } from './certificate.ts'
import type { CaaVerdict } from './dns/caa.ts'
import type { DnsVerdict } from './dns/judge.ts'

/** A certificate of the authority names this many hosts at most. */
export const MAX_NAMES = 100

/** ServerPilot takes 5 to 15 minutes to issue. */
const ISSUING = { least: 5 * 60_000, most: 15 * 60_000 } as const

/** Why a host is covered or not. `Blocked`: by another name of the app. `Overdue`: no cause was found. */
export type CoverageReason =
  | 'Covered'
  | 'Expired'
  | 'Address'
  | 'Wildcard'
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

/** A name of the app that may keep the authority from issuing for any of them. */
export interface Blocker {
  name: string
  message: string
  /** The `www.` of a wanted host, which nobody asked for: the panel added it. */
  unasked: boolean
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
  dns: ReadonlyMap<string, DnsVerdict>
  caa: ReadonlyMap<string, CaaVerdict>
  /** When the set of hosts, or the DNS of one of them, changed last. */
  changedAt: number
  now: number
}

export interface Coverage {
  /** Of the wanted hosts that the app lists, sorted. */
  hosts: readonly HostCoverage[]
  blockers: readonly Blocker[]
  /** When to look again because time alone may change it. */
  again?: number
}

/** Which hosts of an app its certificate covers, and why not the others. Pure. */
export function judgeCoverage(input: CoverageInput): Coverage {
  const { wanted, observed, certificate, now } = input
  const names = [...new Set(observed)]
  const blockers = names.flatMap((name) => blockerOf(name, input)).sort((a, b) => (a.name < b.name ? -1 : 1))
  const issuable = names.filter((name) => !hasNoCertificate(name)).length
  const hosts = names
    .filter((name) => wanted.has(name))
    .sort()
    .map((host): HostCoverage => {
      const named = certificate !== undefined && covers(certificate, host)
      if (named && certificate.notAfter > now) {
        return { host, covered: true, reason: 'Covered', message: 'The certificate names it.' }
      }
      const cause = causeOf(host, input, blockers, issuable)
      if (!named) return { host, covered: false, ...cause }
      const message = `The certificate ended ${new Date(certificate.notAfter).toISOString()}. ${cause.message}`
      return { host, covered: false, reason: 'Expired', message }
    })
  const again = hosts.some(({ reason }) => reason === 'Issuing') ? { again: issuedBy(input) } : {}
  return { hosts, blockers, ...again }
}

type Cause = Pick<HostCoverage, 'reason' | 'message'>

/** The first that holds: the host's own fault, then the app's, then another name's, then time. */
function causeOf(host: string, input: CoverageInput, blockers: readonly Blocker[], issuable: number): Cause {
  const own = hasNoCertificate(host) ?? ownFault(host, input)
  if (own !== undefined) return own
  if (issuable > MAX_NAMES) {
    const message = `The app has ${issuable} names, and a certificate takes ${MAX_NAMES}: ${issuable - MAX_NAMES} stay without. Spread them over more apps.`
    return { reason: 'TooManyNames', message }
  }
  if (blockers.length > 0) return { reason: 'Blocked', message: blockedBy(blockers) }
  const until = issuedBy(input)
  if (input.now < until) {
    const message = `Its certificate is being issued. That takes ${ISSUING.least / 60_000} to ${ISSUING.most / 60_000} minutes, so until ${new Date(until).toISOString()} at the latest.`
    return { reason: 'Issuing', message }
  }
  const unknown = input.dns.get(host)?.state === 'Unknown' ? input.dns.get(host) : input.caa.get(host)
  const hint = unknown?.state === 'Unknown' ? ` ${unknown.message}` : ''
  const message = `No certificate names ${displayHost(host)}, though the time that issuing takes is over, and no fault was found.${hint} Look at the app's SSL page in the control panel.`
  return { reason: 'Overdue', message }
}

/** Names for which AutoSSL has no certificate; they do not stop the others. */
function hasNoCertificate(host: string): Cause | undefined {
  if (isIP(host) !== 0) {
    return { reason: 'Address', message: `${host} is an IP address: AutoSSL issues for host names alone.` }
  }
  if (!host.startsWith('*.')) return undefined
  const message = `${displayHost(host)} is a wildcard, and AutoSSL proves names over HTTP, which no wildcard can be. Map its names one by one, or install a certificate of your own.`
  return { reason: 'Wildcard', message }
}

/** What makes the authority refuse this very name. */
function ownFault(host: string, { dns, caa }: CoverageInput): Cause | undefined {
  const parsed = parseHost(host)
  const refused = parsed.ok ? refusedByCa(parsed.host) : parsed.message
  if (refused !== undefined) return { reason: 'RefusedByCa', message: `${refused}. Take the name off the app.` }
  const resolved = dns.get(host)
  if (resolved !== undefined && resolved.state !== 'Ready' && resolved.state !== 'Unknown') {
    return { reason: 'WrongDns', message: resolved.message }
  }
  const allowed = caa.get(host)
  return allowed?.state === 'Refused' ? { reason: 'Caa', message: allowed.message } : undefined
}

function blockerOf(name: string, input: CoverageInput): Blocker[] {
  if (hasNoCertificate(name) !== undefined) return []
  const fault = ownFault(name, input)
  if (fault === undefined) return []
  const unasked = !input.wanted.has(name) && name.startsWith('www.') && input.wanted.has(name.slice('www.'.length))
  const who = unasked ? `${displayHost(name)} came with ${displayHost(name.slice('www.'.length))} by itself: ` : ''
  return [{ name, message: `${who}${fault.message}`, unasked }]
}

function blockedBy(blockers: readonly Blocker[]): string {
  const names = blockers.slice(0, 3).map(({ name }) => displayHost(name))
  const more = blockers.length - names.length
  const all = `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
  return `${all} may keep the whole certificate of the app from being issued. ${blockers[0]?.message}`
}

function issuedBy({ changedAt, now }: CoverageInput): number {
  // A change that lies in the future was noted before the clock was set back.
  return Math.min(changedAt, now) + ISSUING.most
}
