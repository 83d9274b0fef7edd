import { isIP } from 'node:net'
import { firstOf } from '../domain/first-of.ts'
import { displayHost, parseHost, privateSuffix, refusedByCa } from '../domain/host.ts'
import { listNames } from '../domain/list-names.ts'
import { type CertificateFacts, covers } from './certificate.ts'
import { customFault } from './custom.ts'
import type { CaaVerdict } from './dns/caa.ts'
import { type DnsVerdict, isWrong } from './dns/judge.ts'
import { NAMES_PER_CERTIFICATE } from './limits.ts'
import { profileOf } from './profile.ts'

/** A certificate of AutoSSL, which asks for no profile, names this many hosts at most. */
export const MAX_NAMES = NAMES_PER_CERTIFICATE.classic

/** ServerPilot takes 5 to 15 minutes to issue. */
const ISSUING = { least: 5 * 60_000, most: 15 * 60_000 } as const

/**
 * Why a host is covered or not. `Blocked`: by another name of the app. `Unread`: its own DNS or CAA cannot be read, and nothing else is in
 * the way. `Overdue`: no cause was found. `Custom`, `Off`: nobody issues for the app.
 */
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
  | 'Unread'
  | 'Issuing'
  | 'Overdue'
  | 'Custom'
  | 'Off'

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
  certificate: Omit<CertificateFacts, 'fingerprint'> | undefined
  /** Who issues: the authority, unless a person has installed a certificate (`Custom`), or AutoSSL is not asked for (`Off`). */
  issuer?: 'Authority' | 'Custom' | 'Off'
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
  blockers: Blockers
  /** Who is in the way of all, and which of them are suspects alone: in words, empty for nobody. */
  blocked: string
  suspected: string
  tooMany: Cause | undefined
}

/** Names that may keep the authority from issuing for any name of the app, by name. */
export type Blockers = ReadonlyMap<string, Blocker>

/** What is so of such a name, and what to do about it. `Unread`: that cannot be known, and it is a suspect. */
interface Blocker extends Cause {
  reason: 'RefusedByCa' | 'WrongDns' | 'Caa' | 'Unread'
}

type Rule<Known, Found = Cause> = (host: string, known: Known) => Found | undefined

/** Names for which AutoSSL has no certificate; they do not stop the others. */
const NO_CERTIFICATE: readonly Rule<unknown>[] = [address, wildcard, privateName]

/** What makes the authority refuse this very name. */
const FAULTS: readonly Rule<CoverageInput, Blocker>[] = [refusedName, wrongDns, refusedByCaa]

/** The first that holds: who issues, the host's own fault, then the app's, then another name's, then time. */
const CAUSES: readonly Rule<Situation>[] = [
  ...[nobodyIssues, ...NO_CERTIFICATE, ownFault],
  ...[(_host: string, { tooMany }: Situation) => tooMany, blocked, beingIssued],
]

/** Which of the wanted hosts that an app lists its certificate covers, and why not the others; sorted. Pure. */
export function judgeCoverage(input: CoverageInput): HostCoverage[] {
  const { wanted, observed, certificate, now } = input
  const situation = situationOf(input)
  return [...new Set(observed)]
    .sort()
    .filter((name) => wanted.has(name))
    .map((host): HostCoverage => {
      const named = certificate !== undefined && covers(certificate, host)
      if (named && certificate.notAfter > now) {
        return { host, covered: true, reason: 'Covered', message: 'The certificate names it.' }
      }
      const cause = firstOf(CAUSES, host, situation) ?? overdue(host, input)
      if (!named || cause.reason === 'Custom') return { host, covered: false, ...cause }
      const message = `The certificate ended ${new Date(certificate.notAfter).toISOString()}. ${cause.message}`
      return { host, covered: false, reason: 'Expired', message }
    })
}

/**
 * The names of an app that may keep its certificate from being issued or renewed: those of which it is known, sorted, then those of which
 * nothing can be known, once the time that issuing takes is over. Pure.
 */
export function blockersOf(input: CoverageInput): Blockers {
  if (input.issuer === 'Custom') return new Map()
  const names = issuableOf(input)
  const found = (rules: readonly Rule<CoverageInput, Blocker>[]): [string, Blocker][] =>
    names.flatMap((name) => {
      const blocker = firstOf(rules, name, input)
      return blocker === undefined
        ? []
        : [[name, { ...blocker, message: `${cameWith(name, input)}${blocker.message}` }]]
    })
  const faults = new Map(found(FAULTS))
  const suspects = isLate(input) ? found([unread]).filter(([name]) => !faults.has(name)) : []
  return new Map([...faults, ...suspects])
}

/** Wanted hosts without a fault of their own that go without a certificate, or without its renewal, for longer than issuing takes. Pure. */
export function heldUp(input: CoverageInput, renewalIsOverdue: boolean): string[] {
  const { wanted, certificate, now } = input
  const names = issuableOf(input)
  // Not for a fault of any: there are too many of them.
  if (!isLate(input) || names.length > fitting(input)) return []
  return names.filter((name) => {
    const isGood = certificate !== undefined && certificate.notAfter > now && covers(certificate, name)
    const lacks = !isGood || renewalIsOverdue
    return wanted.has(name) && lacks && firstOf([...FAULTS, unread], name, input) === undefined
  })
}

/** So many blockers are named, and of so many it is said what is so. */
const BLOCKERS = { named: 5, explained: 3 } as const

/** Who keeps the certificate from being issued, why, and what to do about it, in this order; empty for nobody. */
export function blockedWords(blockers: Blockers): string {
  if (blockers.size === 0) return ''
  const list = [...blockers]
  const named = listNames(
    list.map(([name]) => displayHost(name)),
    BLOCKERS.named,
  )
  const suspect = list.findIndex(([, { reason }]) => reason === 'Unread')
  // What is known goes first, and one of the suspects is explained beside it all the same.
  const first = list.filter((_, index) => index < BLOCKERS.explained || index === suspect)
  return `${named} may keep the whole certificate of the app from being issued. ${first.map(([, { message }]) => message).join(' ')}`
}

function situationOf(input: CoverageInput): Situation {
  const blockers = blockersOf(input)
  const suspects = new Map([...blockers].filter(([, { reason }]) => reason === 'Unread'))
  const [blocked, suspected] = [blockedWords(blockers), blockedWords(suspects)]
  return { ...input, blockers, blocked, suspected, tooMany: tooManyNames(input) }
}

/** The names of the app that a certificate can be had for, sorted. */
function issuableOf({ observed }: CoverageInput): string[] {
  return [...new Set(observed)].sort().filter((name) => firstOf(NO_CERTIFICATE, name, undefined) === undefined)
}

/** Whether the time that issuing takes is over. A change that lies in the future was noted before the clock was set back. */
const isLate = ({ changedAt, now }: CoverageInput): boolean => now >= Math.min(changedAt, now) + ISSUING.most

/** Whose a name is that nobody asked for: the `www.` of a wanted host came from the panel. */
function cameWith(name: string, { wanted }: CoverageInput): string {
  const parent = name.startsWith('www.') ? name.slice('www.'.length) : undefined
  if (parent === undefined || !wanted.has(parent) || wanted.has(name)) return ''
  return `${displayHost(name)} came with ${displayHost(parent)} by itself: `
}

/** Neither time nor what keeps an authority from issuing is a cause then. */
function nobodyIssues(host: string, { issuer, certificate, now }: Situation): Cause | undefined {
  if (issuer === 'Custom') return { reason: 'Custom', message: customFault(certificate, [host], now) ?? '' }
  const lacks = certificate === undefined || !covers(certificate, host)
  return issuer === 'Off' && lacks ? { reason: 'Off', message: OFF } : undefined
}

const OFF = 'The installed certificate does not name it, and spec.ssl.auto is off.'

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

function refusedName(host: string): Blocker | undefined {
  const parsed = parseHost(host)
  const refused = parsed.ok ? refusedByCa(parsed.host) : parsed.message
  return refused === undefined
    ? undefined
    : { reason: 'RefusedByCa', message: `${refused}. Take the name off the app.` }
}

function wrongDns(host: string, { dns }: CoverageInput): Blocker | undefined {
  const resolved = dns.get(host)
  return resolved !== undefined && isWrong(resolved) ? { reason: 'WrongDns', message: resolved.message } : undefined
}

function refusedByCaa(host: string, { caa }: CoverageInput): Blocker | undefined {
  const allowed = caa.get(host)
  return allowed?.state === 'Refused' ? { reason: 'Caa', message: allowed.message } : undefined
}

/** Nothing can be known of it, while all other names can be: an outage of the resolver is nobody's fault. */
function unread(host: string, { dns, caa }: CoverageInput): Blocker | undefined {
  const resolved = dns.get(host)
  if (resolved?.state === 'Unknown' && resolved.failure !== undefined && !resolved.outage) {
    return { reason: 'Unread', message: resolved.message }
  }
  const allowed = caa.get(host)
  return allowed?.state === 'Unknown' ? { reason: 'Unread', message: allowed.message } : undefined
}

/** The host's own fault, and who may be in the way besides. */
function ownFault(host: string, situation: Situation): Cause | undefined {
  const fault = firstOf(FAULTS, host, situation)
  if (fault === undefined || situation.suspected === '') return fault
  return { ...fault, message: `${fault.message} Besides, ${situation.suspected}` }
}

/** How many names one certificate of the authority takes, by the profile of the one that is installed. */
const fitting = ({ certificate }: CoverageInput): number => NAMES_PER_CERTIFICATE[profileOf(certificate)]

/** Only a person can help there: the message says how many fit, which are left out as far as that is known, and where to put them. */
function tooManyNames(input: CoverageInput): Cause | undefined {
  const { certificate } = input
  const issuable = issuableOf(input)
  const fit = fitting(input)
  if (issuable.length <= fit) return undefined
  const out = certificate === undefined ? [] : issuable.filter((name) => !covers(certificate, name))
  const left = out.length === 0 ? '' : ` Left out: ${listNames(out.map(displayHost), MAX_NAMES)}.`
  const rest = issuable.length - fit
  const message = `The app has ${issuable.length} names, and a certificate takes ${fit}: ${rest} stay without (Let's Encrypt, profile ${profileOf(certificate)}). ${spread(issuable.length, fit)}${left}`
  return { reason: 'TooManyNames', message }
}

const spread = (names: number, fit: number): string =>
  `Spread them over ${Math.ceil(names / fit)} apps: make another app at ServerPilot, declare a ServerPilotApp for it, and name that in spec.appRef of the mappings of ${names - fit} names. Or do without www. names (spec.www: Never).`

function blocked(host: string, { blockers, blocked }: Situation): Cause | undefined {
  const own = blockers.size === 1 ? blockers.get(host) : undefined
  return own ?? (blocked === '' ? undefined : { reason: 'Blocked', message: blocked })
}

function beingIssued(_host: string, input: CoverageInput): Cause | undefined {
  if (isLate(input)) return undefined
  const until = Math.min(input.changedAt, input.now) + ISSUING.most
  const message = `Its certificate is being issued. That takes ${ISSUING.least / 60_000} to ${ISSUING.most / 60_000} minutes, so until ${new Date(until).toISOString()} at the latest.`
  return { reason: 'Issuing', message }
}

/** When no rule knows why. */
function overdue(host: string, { dns }: CoverageInput): Cause {
  const resolved = dns.get(host)
  const hint = resolved?.state === 'Unknown' ? ` ${resolved.message}` : ''
  const message = `No certificate names ${displayHost(host)}, though the time that issuing takes is over, and no fault was found.${hint} Look at the app's SSL page in the control panel.`
  return { reason: 'Overdue', message }
}
