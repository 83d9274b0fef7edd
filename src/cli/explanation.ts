import { displayHost, type Host, parseHost } from '../domain/host.ts'
import { visible } from '../log/visible.ts'
import { cureOf, dateOf } from '../report/words.ts'
import { UsageError } from '../setup/option.ts'
import type { HostStatus } from '../status/host-status.ts'
import type { Condition } from '../status/status.ts'

/** What is known of one host on one app. */
export interface Explanation {
  app: string
  appId: string
  wantedBy?: string | undefined
  place?: string | undefined
  heldBy?: string | undefined
  claim?: string | undefined
  /** Undefined: not known. */
  listed?: boolean | undefined
  verdict: string
  /** What the daemon's looks found; undefined where it said nothing. */
  dns?: string | undefined
  certificate?: string | undefined
  next: string
}

/** What is next where nothing is. */
export const FINE = 'Nothing: it is as it should be.'

/** The host that an argument names. Throws `UsageError` for what is none. */
export function hostNamed(name: string): Host {
  const parsed = parseHost(name)
  if (parsed.ok) return parsed.host
  throw new UsageError(`${name}: ${parsed.message}`)
}

/** Whether a name, however it is written, is that host. */
export const parsesTo = (name: string, host: Host): boolean => {
  const parsed = parseHost(name)
  return parsed.ok && parsed.host === host
}

/** Also a domain that is written wrongly, such as a URL of that host. */
export const means = (domain: string, host: Host): boolean =>
  parsesTo(domain, host) || domain.split(/[\s/:@?#"'\\]+/).some((part) => part !== domain && parsesTo(part, host))

/** What was found, an app each; `none`: the sentence for nothing. */
export function explanationText(host: Host, found: readonly Explanation[], none: string): string {
  if (found.length === 0) {
    return `${displayHost(host)}\n  ${none}\n  → Declare a DomainMapping with spec.domain: ${host}\n`
  }
  const blocks = found.map((each) => {
    const lines = [
      `  app        ${visible(`${each.app} (${each.appId})`)}`,
      `  wanted by  ${each.wantedBy === undefined ? 'nobody' : `${visible(each.wantedBy)} (${visible(each.place ?? '')})`}`,
      `  held by    ${each.heldBy === undefined ? 'nobody' : visible(`${each.heldBy} (${each.claim})`)}`,
      `  stands     ${visible(each.verdict)}`,
      ...(each.dns === undefined ? [] : [`  dns        ${visible(each.dns)}`]),
      ...(each.certificate === undefined ? [] : [`  cert       ${visible(each.certificate)}`]),
      `  next       ${visible(each.next)}`,
    ]
    return lines.join('\n')
  })
  return `${displayHost(host)}\n${blocks.join('\n\n')}\n`
}

/** What is known of a host of a mapping. */
type KnownHost = Pick<HostStatus, 'state' | 'addresses' | 'certificateNotAfter' | 'dns'>

/** What a status says of DNS and certificate of a host, and what to do about it. */
export function looksOf(
  host: Host,
  conditions: readonly Condition[],
  at: KnownHost,
): { dns: string | undefined; certificate: string | undefined; next: string | undefined } {
  const of = (type: string): Condition | undefined => conditions.find((each) => each.type === type)
  const [dns, certificate] = [of('DNSReady'), of('CertificateReady')]
  // A mapping has up to two hosts: what is said of the other one is not said of this.
  const wrong = at.dns === undefined ? concerns(dns, host) : at.dns.state !== 'Ready'
  const uncovered = at.state === 'present' && at.certificateNotAfter === undefined && certificate?.status === 'False'
  const overdue = at.certificateNotAfter !== undefined && certificate?.reason === 'ExpiringSoon'
  const bad = wrong
    ? dns
    : uncovered || overdue || (at.state === 'present' && concerns(certificate, host))
      ? certificate
      : undefined
  return {
    dns: dns && dnsWords(dns, wrong, at),
    certificate: certificate && certificateWords(certificate, bad === certificate, at),
    next: bad?.status === 'False' || bad?.reason === 'ExpiringSoon' ? cureOf(bad.reason) : undefined,
  }
}

/** Whether a condition that is not True speaks of this host. */
const concerns = (condition: Condition | undefined, host: Host): boolean =>
  condition !== undefined &&
  condition.status !== 'True' &&
  condition.message.split(/[^a-z0-9.*-]+/i).some((word) => word.replace(/\.$/, '') === host)

function dnsWords({ status, reason, message }: Condition, wrong: boolean, at: KnownHost): string {
  if (at.dns !== undefined && wrong) return `${at.dns.state}: ${at.dns.message}`
  if (status !== 'True' && (wrong || (at.addresses ?? []).length === 0)) return `${reason}: ${message}`
  return `resolves to the server (${(at.addresses ?? []).join(', ')})`
}

function certificateWords({ reason, message }: Condition, bad: boolean, at: KnownHost): string | undefined {
  if (at.state !== 'present') return undefined
  if (bad) return `${reason}: ${message}`
  return at.certificateNotAfter === undefined ? undefined : `covers it, until ${dateOf(at.certificateNotAfter)}`
}
