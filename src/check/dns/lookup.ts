import { randomBytes } from 'node:crypto'
import { MAX_HOST } from '../../domain/syntax.ts'
import type { AddressSet } from './addresses.ts'
import type { Dns } from './ask.ts'
import { type Aliases, type DnsVerdict, judgeDns } from './judge.ts'
import { createPrefixes, withoutTranslations } from './translation.ts'

/** Resolvers give up on chains of about this length as well. */
const MAX_ALIASES = 10

/**
 * Looks one host up and judges it; where it is not right, finds out by which aliases. Rejects when the signal aborts. `prefixes`: those
 * of the resolver, one function for a round.
 */
export async function checkHost(
  dns: Dns,
  host: string,
  expected: AddressSet,
  prefixes = createPrefixes(dns),
): Promise<DnsVerdict> {
  const name = askedName(host)
  const [v4, all6] = await Promise.all([dns.addresses(name, 4), dns.addresses(name, 6)])
  const v6 = await withoutTranslations(v4, all6, prefixes)
  const verdict = judgeDns({ host, v4, v6 }, expected)
  // A resolver that is silent knows no aliases either.
  const silent = verdict.failure !== undefined && verdict.failure !== 'ServerFailure'
  if (verdict.state === 'Ready' || silent) return verdict
  return judgeDns({ host, v4, v6, aliases: await followAliases(dns, host) }, expected)
}

/** The name to ask for a host: itself; for a wildcard a name below, which nobody has by chance. */
function askedName(host: string): string {
  if (!host.startsWith('*.')) return host
  const parent = host.slice(2)
  const room = Math.max(1, Math.min(12, MAX_HOST - parent.length - 1))
  return `${randomBytes(6).toString('hex').slice(0, room)}.${parent}`
}

/** Follows the CNAME records of a host, a question for each. */
async function followAliases(dns: Dns, host: string): Promise<Aliases> {
  let name = askedName(host)
  const names: string[] = []
  for (;;) {
    const answer = await dns.alias(name)
    if (answer.kind === 'failed') return { names, end: 'Unknown' }
    const next = answer.kind === 'found' ? answer.records[0]?.toLowerCase() : undefined
    if (next === undefined) return { names, end: 'Name' }
    const seen = next === name || names.includes(next) || next === host
    names.push(next)
    if (seen) return { names, end: 'Circle' }
    if (names.length > MAX_ALIASES) return { names, end: 'TooLong' }
    name = next
  }
}
