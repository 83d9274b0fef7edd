import { registrableDomain } from '../../domain/host.ts'
import { backOff } from '../../time/back-off.ts'
import type { Dns, Failure } from './ask.ts'
import { type DnsVerdict, FAILURE_WORDS } from './judge.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND

/** Failures at this many domains in a row are a reason to probe the resolver. */
const SUSPICIOUS = 3

/** At this many, with no answer in between, the resolver is to blame though it answered for the root: that answer may come from its cache. */
const CERTAIN = 8

/** How lookups have gone since the last one that was answered. A value. */
export interface Run {
  /** Domains of the hosts whose lookups failed: one broken zone may have hundreds of hosts. */
  domains: ReadonlySet<string>
  why?: Failure
  /** Whether the resolver was probed, and answered: for the root alone, or for a host that resolved before too. */
  probed: 'No' | 'Root' | 'Proven'
}

export const QUIET: Run = { domains: new Set(), probed: 'No' }

/** The run after one more lookup. */
export function advance(run: Run, host: string, verdict: DnsVerdict): Run {
  if (verdict.failure === undefined) return run.domains.size === 0 ? run : QUIET
  const domain = registrableDomain(host)
  if (run.domains.has(domain)) return run
  return { ...run, domains: new Set(run.domains).add(domain), why: verdict.failure }
}

/** What a run says of the resolver. `Ask`: a probe has to show. */
export function suspicion({ domains, probed }: Run): 'None' | 'Ask' | 'Outage' {
  if (probed === 'Proven' || domains.size < SUSPICIOUS) return 'None'
  if (probed === 'No') return 'Ask'
  return domains.size >= CERTAIN ? 'Outage' : 'None'
}

/**
 * Probes the resolver: the root's name servers, then hosts that resolved before (`controls`), as many as are asked
 * for until one is answered. Any answer is a sign of life, also that there is no record. Gives why it is down, else how far it is
 * known to live. Rejects only when the resolver's signal aborts.
 */
export async function probeResolver(
  dns: Dns,
  controls: readonly string[],
): Promise<{ down: Failure } | { probed: Run['probed'] }> {
  const root = await dns.probe()
  if (root.kind === 'failed') return { down: root.why }
  let down: Failure | undefined
  for (const host of controls) {
    const answer = await dns.addresses(host, 4)
    if (answer.kind !== 'failed') return { probed: 'Proven' }
    down = answer.why
  }
  return down === undefined ? { probed: 'Root' } : { down }
}

/** An outage of the resolver: one fact, and not one per host. Times in epoch milliseconds. */
export interface Outage {
  why: Failure
  since: number
  /** Rounds that ended with it. */
  rounds: number
  /** When to ask the resolver again. */
  dueAt: number
}

/** The longest pause before a resolver that is down is asked again; ms. */
export const LONGEST_OUTAGE_PAUSE = 5 * MINUTE
const PAUSES = { first: 30 * SECOND, longest: LONGEST_OUTAGE_PAUSE } as const

/** What is known after a round at `now` that ended with this cause, or with none. */
export function rememberOutage(before: Outage | undefined, why: Failure | undefined, now: number): Outage | undefined {
  if (why === undefined) return undefined
  const rounds = (before?.rounds ?? 0) + 1
  return { why, since: Math.min(before?.since ?? now, now), rounds, dueAt: now + backOff(PAUSES, rounds) }
}

/** The verdict on every host while the resolver is down: the same words for all, so that nobody takes it for their fault. */
export function outageVerdict({ why, since }: Outage): DnsVerdict {
  const message = `The resolver gives no answers since ${new Date(since).toISOString()} (${FAILURE_WORDS[why]}), so nothing is known of DNS. Check the DNS servers of this host, or name others with --dns-servers.`
  return { state: 'Unknown', addresses: [], message, failure: why, outage: true }
}
