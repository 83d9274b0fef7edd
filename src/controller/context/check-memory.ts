import type { App, Key } from '../../api/objects.ts'
import { type CertificateFacts, covers } from '../../check/certificate.ts'
import type { DnsVerdict } from '../../check/dns/judge.ts'
import type { Outage } from '../../check/dns/outage.ts'
import { dnsOf, type HostFacts, noFacts } from '../../check/facts.ts'
import { compareKey, type Host } from '../../domain/host.ts'
import type { Found } from '../../status/outcome.ts'

/** What checks start from: what the last pass over the app saw of server and certificate. */
interface Seen {
  serverId: string
  certificate: CertificateFacts | undefined
  /** AutoSSL is wanted, and a wanted host that is listed has no certificate. */
  uncovered: boolean
}

/** What checks found out of an app's hosts, and what the app was like then. */
interface AppChecks {
  facts: HostFacts
  seen: Seen | undefined
  /** Generation, request to reconcile and certificate: another one calls for a look at all hosts. */
  basis?: string
  /** Fingerprint. */
  certificate?: string | undefined
}

/** What checks of DNS and certificates found out. The checks change it; passes report and use it. */
export interface CheckMemory {
  /** Whether hosts are checked beside the passes. */
  on: boolean
  /** While the resolver gives no answers. */
  outage: Outage | undefined
  of(key: Key): AppChecks
  /** What is known of the DNS of a host at `now` (epoch ms); undefined while nobody has asked. */
  dns(key: Key, host: Host, now: number): DnsVerdict | undefined
  /** Keeps what the checks start from, as a pass has just seen it. */
  see(app: App, found: Found): void
  forget(key: Key): void
}

/** Nothing was checked yet. */
export function createCheckMemory(): CheckMemory {
  const apps = new Map<Key, AppChecks>()
  function of(key: Key): AppChecks {
    const known = apps.get(key) ?? { facts: noFacts(), seen: undefined }
    apps.set(key, known)
    return known
  }
  const memory: CheckMemory = {
    on: false,
    outage: undefined,
    of,
    dns: (key, host, now) => dnsOf(of(key).facts, memory.outage, host, now),
    see({ key, spec }, { observed, certificate, desired }) {
      if (observed === undefined) return
      const desiredHosts = observed.domains.map(compareKey).filter((host) => desired?.hosts.has(host as Host))
      const lacks = certificate === undefined || desiredHosts.some((host) => !covers(certificate, host))
      of(key).seen = { serverId: observed.serverId, certificate, uncovered: spec.ssl.auto && lacks }
    },
    forget: (key) => void apps.delete(key),
  }
  return memory
}
