import { isPart } from '../status/condition-types.ts'
import { conditionOf } from '../status/conditions.ts'
import type { HostStatus } from '../status/host-status.ts'
import type { AppStatus, Condition, MappingStatus } from '../status/status.ts'
import { conditionTone, dnsFault, HOST_TONES, isWarning, type Tone, verdict } from './words.ts'

/** One thing that is not as it should be, of an app or of a host. */
export interface Issue {
  /** Of the table of reasons. */
  reason: string
  message: string
  tone: Tone
  /** Epoch ms; undefined where nobody has noted it. */
  since?: number | undefined
}

const NOT_LOOKED_AT: Issue = { reason: 'Progressing', message: 'Not looked at yet.', tone: 'work' }

/** What is not as it should be with an app itself, the plan that waits included. Pure. */
export function appIssues({ conditions, plan }: AppStatus): Issue[] {
  if (conditions.length === 0) return [NOT_LOOKED_AT]
  const issues = conditionIssues(conditions).map(({ issue }) => issue)
  if (plan !== undefined && !issues.some(({ reason }) => reason === plan.reason)) {
    const tone = plan.reason === 'RemovalRefused' ? 'bad' : 'work'
    issues.unshift({ reason: plan.reason, message: plan.message, tone })
  }
  return withoutEchoes(issues)
}

/** What is asked of an app for each of its hosts. */
export interface Ground {
  /** Hosts that wait for a certificate that the installed one is not. */
  uncovered: ReadonlySet<string>
  plan: AppStatus['plan']
  /** Hosts whose removal waits. */
  removals: ReadonlySet<string>
}

/** A host, and what stands around it. */
export interface HostCase {
  host: HostStatus
  mapping: MappingStatus | undefined
  ground: Ground
}

/** `app` is undefined where a mapping names one that is not there. */
export function groundOf(app: AppStatus | undefined): Ground {
  return {
    uncovered: new Set<string>(app?.certificate?.uncovered),
    plan: app?.plan,
    removals: new Set<string>(app?.plan?.removals),
  }
}

/**
 * What is not as it should be with one host: what its mapping says, as far as it speaks of this host; where it stands, its DNS and its
 * certificate. A reason stands once, and the worst comes first. Pure.
 */
export function hostIssues(look: HostCase): Issue[] {
  const { host, mapping } = look
  if (host.state === 'foreign') return []
  const said = conditionIssues(mapping?.conditions ?? [])
  const issues = said.filter(({ type }) => concerns(type, look)).map(({ issue }) => issue)
  const add = (issue: Issue | undefined): void => {
    if (issue !== undefined && !issues.some(({ reason }) => reason === issue.reason)) issues.push(issue)
  }
  const dns = dnsFault(host)
  // Why it is not known, the mapping says.
  add(dns?.state === 'Unknown' ? undefined : dns && { reason: dns.state, message: dns.message, tone: dns.tone })
  add(placeIssue(look, issues))
  add(certificateIssue(look, said))
  return withoutEchoes(issues)
}

/** The worst tone of a host. */
export function hostTone({ host, mapping }: HostCase, issues: readonly Issue[]): Tone {
  if (host.state === 'foreign') return 'quiet'
  for (const tone of ['bad', 'work'] as const) if (issues.some((issue) => issue.tone === tone)) return tone
  return mapping !== undefined && verdict(mapping.conditions).tone === 'quiet' ? 'quiet' : 'ok'
}

/** Each part that is not `True`, in order; one that is, where it warns all the same. */
function conditionIssues(conditions: readonly Condition[]): { type: string; issue: Issue }[] {
  const ready = conditionOf({ conditions }, 'Ready')
  return conditions.filter(isIssue).map((condition) => {
    const { type, reason, message, lastTransitionTime: since } = condition
    const isCause = condition.status === 'Unknown' && reason === ready?.reason && ready.status !== 'True'
    const tone = isCause ? verdict(conditions).tone : conditionTone(condition)
    return { type, issue: { reason, message, tone, since } }
  })
}

function isIssue(condition: Condition): boolean {
  const { type, status, reason } = condition
  if (!isPart(type) || reason === 'NotChecked') return false
  return status !== 'True' || isWarning(condition)
}

/** A mapping may have two hosts, and speak of one of them. Where it is not known of which, it speaks of both. */
function concerns(type: string, look: HostCase): boolean {
  const hosts = look.mapping?.hosts ?? []
  const isOdd = ODD[type]
  if (isOdd === undefined || hosts.length < 2) return true
  return isOdd(look.host, look.ground) || !hosts.some((host) => isOdd(host, look.ground))
}

/** Which host of a mapping a type of condition speaks of. */
const ODD: Record<string, (host: HostStatus, ground: Ground) => boolean> = {
  Synced: ({ state }) => state !== 'present',
  DNSReady: (host) => dnsFault(host) !== undefined,
  CertificateReady: ({ name, certificateNotAfter }, { uncovered }) =>
    certificateNotAfter === undefined || uncovered.has(name),
}

/** What follows from where the host stands, where nothing said so far explains it. */
function placeIssue({ host, ground }: HostCase, said: readonly Issue[]): Issue | undefined {
  const tone = HOST_TONES[host.state]
  if (host.state === 'leaving' && ground.plan !== undefined && ground.removals.has(host.name)) {
    const { reason } = ground.plan
    return { reason, message: host.message ?? '', tone: reason === 'RemovalRefused' ? 'bad' : 'work' }
  }
  if (tone === 'ok' || said.some((issue) => issue.tone === tone || issue.tone === 'bad' || issue.tone === 'quiet'))
    return undefined
  const reason = host.state === 'rejected' ? 'Rejected' : 'Progressing'
  return { reason, message: host.message ?? '', tone }
}

function certificateIssue({ host, ground }: HostCase, said: readonly { type: string }[]): Issue | undefined {
  if (host.state !== 'present' || !ground.uncovered.has(host.name)) return undefined
  if (said.some(({ type }) => type === 'CertificateReady')) return undefined
  return { reason: 'NotCovered', message: '', tone: 'work' }
}

/**
 * Each reason once, the worst first. Without `Progressing` where something else is in the way: it only says that the rest waits for that.
 */
function withoutEchoes(issues: readonly Issue[]): Issue[] {
  const isReal = ({ reason, tone }: Issue): boolean => reason !== 'Progressing' && tone !== 'quiet'
  const kept = issues.some(isReal) ? issues.filter(({ reason }) => reason !== 'Progressing') : [...issues]
  const seen = new Set<string>()
  return kept
    .sort((a, b) => RANK.indexOf(a.tone) - RANK.indexOf(b.tone))
    .filter(({ reason }) => !seen.has(reason) && seen.add(reason))
}

const RANK: readonly Tone[] = ['bad', 'work', 'quiet', 'ok']
