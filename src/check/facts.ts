import type { AddressSet } from './dns/addresses.ts'
import type { CaaVerdict } from './dns/caa.ts'
import type { DnsVerdict } from './dns/judge.ts'
import type { HostMemory } from './dns/memory.ts'
import { type Outage, outageVerdict } from './dns/outage.ts'
import type { ServedVerdict } from './served-verdict.ts'

/** What a server shows for a host, when that is not the certificate it should be. */
export interface ServedFault {
  state: Exclude<ServedVerdict['state'], 'Served' | 'Unseen'>
  message: string
  /** Looks in a row that came to it, far enough apart. */
  looks: number
  /** When the last of them was; epoch ms. */
  at: number
}

/** What looks found out of the hosts of one app. Lives in memory alone: after a restart it is found out again. */
export interface HostFacts {
  dns: Map<string, HostMemory>
  /** Of hosts without a certificate: CAA may explain why. */
  caa: Map<string, CaaVerdict>
  served: Map<string, ServedFault>
  /** As of the last look. */
  where?: Whereabouts
}

/** Where the hosts of an app have to lead. */
export interface Whereabouts {
  expected: AddressSet
  /** Undefined while ServerPilot knows none, or does not say. */
  address: string | undefined
  /** ServerPilot does not say where the server is: what leads elsewhere may be right all the same. */
  unsure?: true
}

/** Looks that a fault of what is served needs before it counts: a server that just got a new certificate has to reload. */
const LOOKS_TO_BLAME = 2

/** A server that reloads does so within this time: looks that follow sooner count as one. ms. */
const APART = 55_000

/** Facts of an app of which nothing is known. */
export function noFacts(): HostFacts {
  return { dns: new Map(), caa: new Map(), served: new Map() }
}

/**
 * Where a host stands in DNS at `now` (epoch ms); undefined while nobody has looked. While the resolver is down, what is overdue
 * is not known.
 */
export function dnsOf(
  { dns }: HostFacts,
  outage: Outage | undefined,
  host: string,
  now: number,
): DnsVerdict | undefined {
  const known = dns.get(host)
  if (outage !== undefined && (known === undefined || known.dueAt <= now)) return outageVerdict(outage)
  return known?.shown
}

/** When one of these hosts came, went or changed its DNS last; epoch ms. `listed`: when the list changed last. */
export function changedLast({ dns }: HostFacts, hosts: Iterable<string>, listed: number): number {
  let last = listed
  for (const host of hosts) last = Math.max(last, dns.get(host)?.changedAt ?? last)
  return last
}

/** Takes in what a server showed. Gives whether what is to be shown changed. */
export function noteServed(
  { served }: HostFacts,
  host: string,
  { state, message }: ServedVerdict,
  now: number,
): boolean {
  // No handshake says nothing of certificates: a firewall may stand between here and the server.
  if (state === 'Unseen') return false
  const before = served.get(host)
  if (state === 'Served') {
    served.delete(host)
    return before !== undefined && before.looks >= LOOKS_TO_BLAME
  }
  const again = before?.state === state
  if (again && Math.abs(now - before.at) < APART) return false
  const looks = again ? before.looks + 1 : 1
  served.set(host, { state, message, looks, at: now })
  return looks === LOOKS_TO_BLAME || (looks > LOOKS_TO_BLAME && before?.message !== message)
}

/** What is served wrongly for a host, once it has been seen often enough. */
export function servedFault({ served }: HostFacts, host: string): ServedFault | undefined {
  const fault = served.get(host)
  return fault !== undefined && fault.looks >= LOOKS_TO_BLAME ? fault : undefined
}

/** Lets go of hosts that nobody asks about any more. */
export function forgetOthers(facts: HostFacts, hosts: ReadonlySet<string>): void {
  for (const map of [facts.dns, facts.caa, facts.served]) {
    for (const host of map.keys()) if (!hosts.has(host)) map.delete(host)
  }
}
