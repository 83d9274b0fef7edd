import { isIPv6 } from 'node:net'
import type { Answer, Dns } from './ask.ts'

/**
 * A DNS64 resolver makes an AAAA record up for a host that has A records only: a prefix of its network with the IPv4 address in it (RFC
 * 6052). The world sees none of that. A prefix is its first hexadecimal digits: as many as it is long, without colons.
 */
type Prefix = string

/** `64:ff9b::/96`, the one that every network may use. */
const WELL_KNOWN: Prefix = '0064ff9b'.padEnd(24, '0')

/** Prefixes of 32, 40, 48, 56, 64 and 96 bits, in hexadecimal digits. */
const LENGTHS = [8, 10, 12, 14, 16, 24] as const

/** Has no records but these, so whatever else comes for it was made up (RFC 7050). */
const IPV4_ONLY = { name: 'ipv4only.arpa', addresses: ['192.0.0.170', '192.0.0.171'] } as const

/** The IPv4 address that an IPv6 address has behind the well-known prefix; undefined for any other. Total. */
export function wellKnownIpv4(address: string): string | undefined {
  const digits = digitsOf(address)
  return digits?.startsWith(WELL_KNOWN) ? ipv4In(digits, WELL_KNOWN.length) : undefined
}

/** The prefixes that an address of `ipv4only.arpa` shows; none for one that is not made up. */
export function prefixesIn(address: string): Prefix[] {
  const digits = digitsOf(address) ?? ''
  const lengths = LENGTHS.filter((length) => isOneOf(IPV4_ONLY.addresses, ipv4In(digits, length)))
  return lengths.map((length) => digits.slice(0, length))
}

/** Asks a resolver for what it makes up of `ipv4only.arpa`: once, and only when somebody wants to know. */
export function createPrefixes(dns: Dns): () => Promise<Answer<string>> {
  let asked: Promise<Answer<string>> | undefined
  return () => {
    asked ??= dns.addresses(IPV4_ONLY.name, 6)
    return asked
  }
}

/**
 * The answer for AAAA without addresses that were made up of those of the A records. Failed where one looks like that and the resolver
 * does not tell its prefixes. `ask`: see `createPrefixes`.
 */
export async function withoutTranslations(
  v4: Answer<string>,
  v6: Answer<string>,
  ask: () => Promise<Answer<string>>,
): Promise<Answer<string>> {
  if (v4.kind !== 'found' || v6.kind !== 'found') return v6
  const wellKnown = without(v6, v4.records, [WELL_KNOWN])
  if (wellKnown.kind !== 'found' || !wellKnown.records.some((each) => mayBeMadeOf(v4.records, each))) return wellKnown
  const shown = await ask()
  if (shown.kind === 'failed') return shown
  return without(wellKnown, v4.records, shown.kind === 'found' ? shown.records.flatMap(prefixesIn) : [])
}

function without(
  v6: Answer<string> & { kind: 'found' },
  v4: readonly string[],
  prefixes: readonly Prefix[],
): Answer<string> {
  const records = v6.records.filter((address) => {
    const digits = digitsOf(address) ?? ''
    return !prefixes.some((prefix) => digits.startsWith(prefix) && isOneOf(v4, ipv4In(digits, prefix.length)))
  })
  return records.length === 0 ? { kind: 'none', exists: true } : { ...v6, records }
}

/** Whether one of the IPv4 addresses stands where some prefix would leave room for it. */
function mayBeMadeOf(v4: readonly string[], address: string): boolean {
  const digits = digitsOf(address) ?? ''
  return LENGTHS.some((length) => isOneOf(v4, ipv4In(digits, length)))
}

const isOneOf = (all: readonly string[], one: string | undefined): boolean => one !== undefined && all.includes(one)

/** The IPv4 address behind a prefix of so many digits. The ninth byte belongs to none and is 0. */
function ipv4In(digits: string, length: number): string | undefined {
  if (digits.slice(16, 18) !== '00') return undefined
  const packed = digits.slice(0, 16) + digits.slice(18)
  const at = length > 16 ? length - 2 : length
  const bytes = [0, 2, 4, 6].map((offset) => Number.parseInt(packed.slice(at + offset, at + offset + 2), 16))
  return bytes.join('.')
}

/** The 32 hexadecimal digits of an IPv6 address; undefined for anything else. */
function digitsOf(address: string): string | undefined {
  if (!isIPv6(address) || address.includes('%')) return undefined
  const plain = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, ...parts: string[]) => {
    const [a, b, c, d] = parts.slice(0, 4).map((part) => Number(part).toString(16).padStart(2, '0'))
    return `${a}${b}:${c}${d}`
  })
  const [front = '', back] = plain
    .split('::')
    .map((half) => half.split(':').filter((group) => group !== ''))
    .map((groups) => groups.map((group) => group.padStart(4, '0')).join(''))
  return (back === undefined ? front : front.padEnd(32 - back.length, '0') + back).toLowerCase()
}
