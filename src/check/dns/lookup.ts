import { randomBytes } from 'node:crypto'
import type { Answer, Dns } from './ask.ts'

/** Resolvers give up on chains of about this length as well. */
const MAX_ALIASES = 10

/** The name that host names may have at most, in characters. */
const MAX_NAME = 253

/** Where a name leads by CNAME records: each name in turn, without the first. */
export interface Aliases {
  names: readonly string[]
  /** `Circle`: the last of the names was there before. `TooLong`: there are more. `Unknown`: a question failed. */
  end: 'Name' | 'Circle' | 'TooLong' | 'Unknown'
}

/** What DNS says of one host. */
export interface HostLookup {
  host: string
  v4: Answer<string>
  v6: Answer<string>
  /** Only where it was asked for. */
  aliases?: Aliases
}

/** The name to ask for a host: itself; for a wildcard a name below, which nobody has by chance. */
function askedName(host: string): string {
  if (!host.startsWith('*.')) return host
  const parent = host.slice(2)
  const room = Math.max(1, Math.min(12, MAX_NAME - parent.length - 1))
  return `${randomBytes(6).toString('hex').slice(0, room)}.${parent}`
}

/** Asks for the addresses of both families. Rejects only when the resolver's signal aborts. */
export async function lookUp(dns: Dns, host: string): Promise<HostLookup> {
  const name = askedName(host)
  const [v4, v6] = await Promise.all([dns.addresses(name, 4), dns.addresses(name, 6)])
  return { host, v4, v6 }
}

/** Follows the CNAME records of a host, a question for each. Rejects only when the resolver's signal aborts. */
export async function followAliases(dns: Dns, host: string): Promise<Aliases> {
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
