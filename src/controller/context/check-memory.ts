import type { App, Key } from '../../api/objects.ts'
import { type CertificateFacts, certificateLife, covers } from '../../check/certificate.ts'
import { isCustom } from '../../check/custom.ts'
import type { DnsVerdict } from '../../check/dns/judge.ts'
import type { Outage } from '../../check/dns/outage.ts'
import { dnsOf, type HostFacts, noFacts } from '../../check/facts.ts'
import { compareKey, type Host } from '../../domain/host.ts'
import type { Found } from '../../status/outcome.ts'

/** What checks start from: what the last pass over the app saw of server and certificate. */
interface Seen {
  serverId: string
  certificate: CertificateFacts | undefined
  /** AutoSSL is wanted, and a wanted host that is listed has no certificate, or the renewal of that is overdue. */
  uncovered: boolean
  /** The certificate should have been renewed. */
  overdue: boolean
}

/** What checks found out of an app's hosts, and what the app was like then. */
interface AppChecks {
  facts: HostFacts
  seen: Seen | undefined
  /** Generation, request to reconcile and certificate: another one calls for a look at all hosts. */
  basis?: string
  /** The generation in it: looks from before another one are no looks at what the app asks for now. */
  generation?: number
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
  /** Keeps what the checks start from, as a pass has just seen it at `now` (epoch ms). */
  see(app: App, found: Found, now: number): void
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
    see({ key, spec }, { observed, certificate, desired }, now) {
      if (observed === undefined) return
      const hosts = observed.domains.map(compareKey).filter((host) => desired?.hosts.has(host as Host))
      const overdue = certificate !== undefined && certificateLife(certificate, now) !== 'Good'
      const lacks = certificate === undefined || overdue || hosts.some((host) => !covers(certificate, host))
      const uncovered = spec.ssl.auto && !isCustom(observed.ssl) && lacks
      of(key).seen = { serverId: observed.serverId, certificate, uncovered, overdue }
    },
    forget: (key) => void apps.delete(key),
  }
  return memory
}
