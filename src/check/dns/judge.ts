import { displayHost } from '../../domain/host.ts'
import { listNames } from '../../domain/list-names.ts'
import { plain } from '../../domain/plain.ts'
import { type AddressSet, addressSet } from './addresses.ts'
import type { Answer, Failure } from './ask.ts'

/** Where a host stands in DNS. `Unknown`: a question failed, or it is not known what would be right. */
export type DnsState = 'Ready' | 'NoRecords' | 'PointsElsewhere' | 'IPv6PointsElsewhere' | 'Unknown'

/** Where a name leads by CNAME records: each name in turn, without the first. */
export interface Aliases {
  names: readonly string[]
  /** `Circle`: the last of the names was there before. `TooLong`: there are more. `Unknown`: a question failed. */
  end: 'Name' | 'Circle' | 'TooLong' | 'Unknown'
}

/** What DNS says of one host. */
interface HostLookup {
  host: string
  v4: Answer<string>
  v6: Answer<string>
  /** Only where it was asked for. */
  aliases?: Aliases
}

/** The judgement on a lookup. */
export interface DnsVerdict {
  state: DnsState
  /** All that were found, sorted, IPv4 first: a resolver hands them out in any order. */
  addresses: readonly string[]
  /** What is so, and what to do about it. */
  message: string
  /** Seconds for which the answers hold; undefined when none said. */
  ttl?: number
  /** With `Unknown`, when a question failed. */
  failure?: Failure
  /** The resolver answers nobody: nothing that this host or its domain could help. */
  outage?: true
}

/** The words for a host that is right. */
export const READY = 'It resolves to the server.'

/** So many addresses are spelled out in a message. */
const SHOWN = 5

/**
 * Compares a lookup with the addresses that are right: the server's own and those of `dns.expectedAddresses`. All addresses
 * have to be right, since a visitor or the certificate authority may take any of them. Pure.
 */
export function judgeDns(lookup: HostLookup, expected: AddressSet): DnsVerdict {
  const { v4, v6 } = lookup
  const found = [...recordsOf(v4), ...recordsOf(v6)]
  const times = [v4, v6].flatMap((answer) => (answer.kind === 'found' ? (answer.ttl ?? []) : []))
  const ttl = times.length > 0 ? { ttl: Math.min(...times) } : {}
  const verdict = (state: DnsState, message: string): DnsVerdict => ({ state, addresses: found, message, ...ttl })

  const circle = found.length === 0 && lookup.aliases?.end === 'Circle'
  if (circle || (v4.kind === 'none' && v6.kind === 'none')) return verdict('NoRecords', noRecords(lookup, expected))
  const failed = v4.kind === 'failed' ? v4 : v6.kind === 'failed' ? v6 : undefined
  if (expected.empty && failed === undefined) {
    return verdict('Unknown', `${nameOf(lookup)} cannot be judged: ${NO_ADDRESS}`)
  }
  const isWrong = (address: string) => !expected.empty && !expected.has(address)
  const [wrong4, wrong6] = [recordsOf(v4).filter(isWrong), recordsOf(v6).filter(isWrong)]
  if (wrong4.length > 0) return verdict('PointsElsewhere', elsewhere(lookup, [...wrong4, ...wrong6], expected))
  if (wrong6.length > 0 && v4.kind !== 'failed') {
    return v4.kind === 'found'
      ? verdict('IPv6PointsElsewhere', ipv6Elsewhere(lookup, wrong6))
      : verdict('PointsElsewhere', elsewhere(lookup, wrong6, expected))
  }
  if (failed === undefined) return verdict('Ready', READY)
  const family = v4.kind !== 'failed' ? ' for its AAAA records' : v6.kind !== 'failed' ? ' for its A records' : ''
  const message = `${nameOf(lookup)}: the resolver gives no answer${family} (${FAILURE_WORDS[failed.why]})${through(lookup.aliases)}. ${UNKNOWN_CURE}`
  return { ...verdict('Unknown', message), failure: failed.why }
}

/** Whether `dns.policy: Require` lets a host be added. It never speaks of removals. */
export function admits(verdict: DnsVerdict | undefined): boolean {
  return verdict?.state === 'Ready'
}

/** Whether a host is wrong for certain. */
export function isWrong(verdict: DnsVerdict | undefined): boolean {
  return verdict !== undefined && verdict.state !== 'Ready' && verdict.state !== 'Unknown'
}

/** A failure as a clause for people. */
export const FAILURE_WORDS: Readonly<Record<Failure, string>> = {
  Timeout: 'it timed out',
  ServerFailure: 'SERVFAIL',
  Refused: 'it refused the question',
  Unreachable: 'it cannot be reached',
  BadAnswer: 'its answer was malformed',
}

const NO_ADDRESS =
  'ServerPilot shows no address of the server yet, and dns.expectedAddresses names none. Name the addresses that are right there.'
const UNKNOWN_CURE =
  'It is asked again soon; if it lasts, check the name servers and DNSSEC of the domain: the certificate authority meets the same.'
const EXPECTED = 'add the addresses of your CDN or load balancer to dns.expectedAddresses of the app'

function noRecords(lookup: HostLookup, expected: AddressSet): string {
  const { aliases } = lookup
  const last = aliases?.names.at(-1)
  if (aliases?.end === 'Circle') {
    return `${nameOf(lookup)} has CNAME records that lead in a circle (${trail(aliases)}). Replace one of them: ${record(expected)}.`
  }
  if (last !== undefined) {
    const fault = exists(lookup) ? 'has no address' : 'does not exist'
    return `${nameOf(lookup)} is an alias (CNAME) of ${plain(last)}, which ${fault}. Correct the CNAME record, or replace it: ${record(expected)}.`
  }
  const fault = exists(lookup) ? 'has neither A nor AAAA records' : 'does not exist in DNS'
  return `${nameOf(lookup)} ${fault}. Create ${record(expected)}.`
}

function elsewhere(lookup: HostLookup, wrong: readonly string[], expected: AddressSet): string {
  const some = recordsOf(lookup.v4).some((address) => expected.has(address))
  const what = some ? `leads here and also to ${listNames(wrong, SHOWN)}` : `leads to ${listNames(wrong, SHOWN)}`
  const inside = wrong.some(INSIDE.has)
    ? ' That is an address of a private network: the resolver here may see another DNS than the world; --dns-servers names others.'
    : ''
  return `${nameOf(lookup)} ${what}${through(lookup.aliases)}. Set ${record(expected)} and no other, or ${EXPECTED}.${inside}`
}

function ipv6Elsewhere(lookup: HostLookup, wrong: readonly string[]): string {
  return `${nameOf(lookup)}: the A record is right, but an AAAA record leads to ${listNames(wrong, SHOWN)}, and that is where the certificate authority looks first. Delete the AAAA record, or ${EXPECTED}.`
}

function record({ v4, v6 }: AddressSet): string {
  const parts = [
    ...v4.map((address) => `an A record with ${address}`),
    ...v6.map((each) => `an AAAA record with ${each}`),
  ]
  return parts.slice(0, 2).join(' or ') || 'an A record with the address of the server'
}

function nameOf({ host }: HostLookup): string {
  return host.startsWith('*.') ? `${displayHost(host)} (asked by a random name below it)` : displayHost(host)
}

/** The name at the end exists, so that only records of these types are missing. */
function exists({ v4, v6 }: HostLookup): boolean {
  return [v4, v6].some((answer) => answer.kind === 'none' && answer.exists)
}

function trail({ names }: Aliases): string {
  return names.slice(0, SHOWN).map(plain).join(' → ')
}

function through(aliases: Aliases | undefined): string {
  return aliases === undefined || aliases.names.length === 0 ? '' : ` by way of CNAME ${trail(aliases)}`
}

function recordsOf(answer: Answer<string>): string[] {
  return answer.kind === 'found' ? [...new Set(answer.records)].sort() : []
}

/** Networks in which no server of the Internet can be (RFC 6890): what a resolver gives from them it made up, or another DNS has. */
const INSIDE = addressSet([
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.168.0.0/16', '198.18.0.0/15', '224.0.0.0/4', '240.0.0.0/4'],
  ...['::/127', '100::/64', 'fc00::/7', 'fe80::/10', 'ff00::/8'],
])
