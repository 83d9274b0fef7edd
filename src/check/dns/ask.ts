import type { CaaRecord } from 'node:dns'
import { Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { Rate } from '../../time/bucket.ts'
import type { Pace } from '../../time/pace.ts'

/** Why a question got no answer. None of these says that a name does not exist. */
export type Failure = 'Timeout' | 'ServerFailure' | 'Refused' | 'Unreachable' | 'BadAnswer'

/** What came of one question. */
export type Answer<T> =
  /** `ttl`: seconds for which the answer holds, the least along a chain of aliases. */
  | { kind: 'found'; records: readonly T[]; ttl?: number }
  /** No such record; `exists`: the name has records of other types. */
  | { kind: 'none'; exists: boolean }
  | { kind: 'failed'; why: Failure }

/** One CAA record. Tag in lower case. */
export interface Caa {
  critical: boolean
  tag: string
  value: string
}

/** A resolver. Every call rejects with the signal's reason once that aborts, and with nothing else. */
export interface Dns {
  addresses(name: string, family: 4 | 6): Promise<Answer<string>>
  /** The name that this one is an alias of. */
  alias(name: string): Promise<Answer<string>>
  caa(name: string): Promise<Answer<Caa>>
  /** What comes of the question for the root's name servers, which any resolver that works can answer. */
  probe(): Promise<Answer<string>>
  /** Lets go of the signal; to be called once the round is over. */
  close(): void
}

/** How to ask. */
interface DnsOptions {
  /** `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53` or `[2001:db8::53]:5353`; empty: those of the system. */
  servers: readonly string[]
  pace: Pace
  signal: AbortSignal
  /** Milliseconds for the first try; the further ones wait longer, up to twice that. Shorter where the server was quick so far. */
  timeout?: number
  /** A resolver that has to ask around first needs a second or two: later tries find what the first set going. */
  tries?: number
}

/** So many questions a second, a fifth of them at once after a quiet time. */
export function questionRate(qps: number): Rate {
  return { qps, burst: Math.max(1, Math.round(qps / 5)) }
}

/** What is wrong with an address of a DNS server; undefined when nothing is. */
export function serverFault(server: string): string | undefined {
  const parts = /^(?:\[([^\]]*)\](?::(\d+))?|([^:]*):(\d+)|(.*))$/.exec(server)
  const address = parts?.[1] ?? parts?.[3] ?? parts?.[5] ?? ''
  const port = Number(parts?.[2] ?? parts?.[4] ?? 53)
  if (isIP(address) !== 0 && port > 0 && port < 65_536) return undefined
  return `${JSON.stringify(server)} is not a valid address of a DNS server; write 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:5353`
}

/**
 * Opens a resolver for one round of checks: each has a source port of its own, and reads the system's settings again. It keeps
 * no answers. Throws an Error for a server that `serverFault` would refuse.
 */
export function openDns({ servers, pace, signal, timeout = 1000, tries = 4 }: DnsOptions): Dns {
  const resolver = new Resolver({ timeout, tries, maxTimeout: 2 * timeout })
  const fault = servers.map(serverFault).find((each) => each !== undefined)
  if (fault !== undefined) throw new Error(fault)
  if (servers.length > 0) resolver.setServers(servers)
  const cancel = () => resolver.cancel()
  signal.addEventListener('abort', cancel, { once: true })

  async function ask<T>(question: () => Promise<{ records: readonly T[]; ttl?: number }>): Promise<Answer<T>> {
    await pace.take(signal)
    try {
      const { records, ttl } = await question()
      // An alias whose end has no record of this type comes as an empty list.
      if (records.length === 0) return { kind: 'none', exists: true }
      return ttl === undefined ? { kind: 'found', records } : { kind: 'found', records, ttl }
    } catch (error) {
      signal.throwIfAborted()
      return failureOf(error)
    }
  }

  return {
    addresses: (name, family) =>
      ask(async () => {
        const found = await resolver[family === 4 ? 'resolve4' : 'resolve6'](name, { ttl: true })
        return { records: found.map(({ address }) => address), ttl: Math.min(...found.map(({ ttl }) => ttl)) }
      }),
    alias: (name) => ask(async () => ({ records: await resolver.resolveCname(name) })),
    caa: (name) => ask(async () => ({ records: (await resolver.resolveCaa(name)).map(decodeCaa) })),
    probe: () => ask(async () => ({ records: await resolver.resolveNs('.') })),
    close: () => signal.removeEventListener('abort', cancel),
  }
}

const FAILURES: Readonly<Record<string, Failure>> = {
  ETIMEOUT: 'Timeout',
  ESERVFAIL: 'ServerFailure',
  EREFUSED: 'Refused',
  ENOTIMP: 'Refused',
  ECONNREFUSED: 'Unreachable',
}

function failureOf(error: unknown): Answer<never> {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'ENOTFOUND') return { kind: 'none', exists: false }
  if (code === 'ENODATA') return { kind: 'none', exists: true }
  return { kind: 'failed', why: FAILURES[code] ?? 'BadAnswer' }
}

/** Node gives the property under its own tag, and the whole byte of flags as `critical`. */
export function decodeCaa({ critical, ...rest }: CaaRecord): Caa {
  const [tag = '', value = ''] = Object.entries(rest).find(([name]) => name !== 'type') ?? []
  // RFC 8659 means the bit of 128. Many write 1 for it, and the authority takes both.
  return { critical: (critical & 0x81) !== 0, tag: tag.toLowerCase(), value: String(value) }
}
