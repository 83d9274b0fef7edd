import { displayHost, type Host, parseHost } from '../domain/host.ts'
import { visible } from '../log/visible.ts'

/** What is known of one host on one app. */
export interface Explanation {
  app: string
  appId: string
  wantedBy: string | undefined
  place: string | undefined
  heldBy: string | undefined
  claim: string | undefined
  /** Undefined: not known. */
  listed: boolean | undefined
  verdict: string
  /** What the daemon's looks found; undefined where it said nothing. */
  dns?: string | undefined
  certificate?: string | undefined
  next: string
}

/** What is next where nothing is. */
export const FINE = 'Nothing: it is as it should be.'

/** Whether a name, however it is written, is that host. */
export const parsesTo = (name: string, host: Host): boolean => {
  const parsed = parseHost(name)
  return parsed.ok && parsed.host === host
}

/** Also a domain that is written wrongly, such as a URL of that host. */
export const means = (domain: string, host: Host): boolean =>
  parsesTo(domain, host) ||
  domain
    .toLowerCase()
    .split(/[^a-z0-9.-]+/)
    .includes(host)

/** What was found, an app each; `none`: the sentence for nothing. */
export function explanationText(host: Host, found: readonly Explanation[], none: string): string {
  if (found.length === 0) {
    return `${displayHost(host)}\n  ${none}\n  → Declare a DomainMapping with spec.domain: ${host}\n`
  }
  const blocks = found.map((each) => {
    const lines = [
      `  app        ${each.app} (${each.appId})`,
      `  wanted by  ${each.wantedBy === undefined ? 'nobody' : `${visible(each.wantedBy)} (${visible(each.place ?? '')})`}`,
      `  held by    ${each.heldBy === undefined ? 'nobody' : `${each.heldBy} (${each.claim})`}`,
      `  stands     ${visible(each.verdict)}`,
      ...(each.dns === undefined ? [] : [`  dns        ${visible(each.dns)}`]),
      ...(each.certificate === undefined ? [] : [`  cert       ${visible(each.certificate)}`]),
      `  next       ${visible(each.next)}`,
    ]
    return lines.join('\n')
  })
  return `${displayHost(host)}\n${blocks.join('\n\n')}\n`
}
