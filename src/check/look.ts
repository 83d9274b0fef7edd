import { backOff } from '../time/back-off.ts'
import { inParallel } from '../time/pool.ts'
import type { Dns, Failure } from './dns/ask.ts'
import { type CaaVerdict, createCaaLookup, judgeCaa } from './dns/caa.ts'
import type { DnsVerdict } from './dns/judge.ts'
import { checkRound, type HostToCheck } from './dns/round.ts'
import type { Handshake, Shake } from './served.ts'
import { judgeServed, type ServedVerdict } from './served-verdict.ts'

/** One host to look at in every way. */
export interface Target extends HostToCheck {
  /** No certificate names it, or that is not renewed: CAA may explain why. */
  uncovered: boolean
  /** The server's address, and the fingerprint of the certificate that ServerPilot shows: what is served is looked at. */
  server: { address: string; certificate: string } | undefined
}

/** Gets what is found, as it comes. */
export interface LookObserver<T extends Target> {
  dns(target: T, verdict: DnsVerdict): void
  caa(target: T, verdict: CaaVerdict): void
  served(target: T, verdict: ServedVerdict): void
}

/** With what to look. */
export interface LookOptions {
  dns: Dns
  /** Hosts that resolved lately, of different domains: see `RoundOptions`. */
  controls: readonly string[]
  /** The look before ended in an outage of the resolver. */
  suspicious: boolean
  reach: Reach
  /** Epoch ms. */
  now(): number
  signal: AbortSignal
  shake: Shake
}

/** Lookups, and handshakes, under way at a time. How fast questions go out is the resolver's pace. */
const AT_ONCE = { lookups: 8, handshakes: 4 } as const

/**
 * Looks at DNS, then at CAA where a certificate is lacking and at what is served where there is one. Gives why the resolver is down, if
 * it is. Rejects when the signal aborts.
 */
export async function look<T extends Target>(
  targets: readonly T[],
  options: LookOptions,
  observer: LookObserver<T>,
): Promise<Failure | undefined> {
  const { dns, controls, suspicious, reach, now, signal, shake } = options
  const resolved: T[] = []
  const outage = await checkRound(targets, {
    dns,
    concurrency: AT_ONCE.lookups,
    controls,
    suspicious,
    onVerdict(target, verdict) {
      observer.dns(target, verdict)
      if (verdict.state === 'Ready') resolved.push(target)
    },
  })
  const caaOf = createCaaLookup(dns)
  // What DNS leads elsewhere fails for that already.
  await inParallel(
    resolved.filter(({ uncovered }) => uncovered),
    AT_ONCE.lookups,
    async (target) => observer.caa(target, judgeCaa(target.host, await caaOf(target.host))),
  )
  await inParallel(targets, AT_ONCE.handshakes, async (target) => {
    const { host, server } = target
    if (server === undefined || !reach.worthTrying(server.address, now())) return
    const shaken = await shake({ address: server.address, host, signal })
    reach.note(server.address, shaken, now())
    observer.served(target, judgeServed({ host, handshake: shaken, now: now(), expected: server.certificate }))
  })
  return outage
}

const MINUTE = 60_000

/** The first pause after a server could not be reached, and the longest; ms. */
const PAUSES = { first: 15 * MINUTE, longest: 6 * 60 * MINUTE } as const

/** Which servers handshakes are worth trying with. */
export type Reach = ReturnType<typeof createReach>

/** Knows nothing yet. A firewall between here and a server is one fact, and not one for each of its hosts. Times in epoch ms. */
export function createReach() {
  const closed = new Map<string, { until: number; pause: number; failures: number }>()
  return {
    worthTrying(address: string, now: number): boolean {
      const shut = closed.get(address)
      // Further away than the pause: the clock was set back meanwhile.
      return shut === undefined || now >= shut.until || shut.until - now > shut.pause
    },
    /** Takes in how it went. */
    note(address: string, handshake: Handshake, now: number): void {
      if (!isUnreachable(handshake)) {
        closed.delete(address)
        return
      }
      const before = closed.get(address)
      // Several handshakes may have been under way when the first one failed.
      if (before !== undefined && now < before.until && before.until - now <= before.pause) return
      const failures = (before?.failures ?? 0) + 1
      const pause = backOff(PAUSES, failures)
      closed.set(address, { until: now + pause, pause, failures })
    },
  }
}

/** No connection at all; a server that speaks and has no certificate for a name is reached. */
function isUnreachable(handshake: Handshake): boolean {
  return handshake.kind === 'unseen' && ['Refused', 'Timeout', 'Unreachable'].includes(handshake.why)
}
