import { byKey } from '../domain/by-key.ts'
import { isComputed } from '../status/condition-types.ts'
import { conditionOf } from '../status/conditions.ts'
import type { HostStatus } from '../status/host-status.ts'
import { isReason, isRetryable, REASONS, type Reason } from '../status/reasons.ts'
import type { AppStatus, Condition, MappingStatus, Status } from '../status/status.ts'

/** How a state feels: all is well, something is under way, somebody has to look, or it is none of our business. */
export type Tone = 'ok' | 'work' | 'bad' | 'quiet'

/** A state in one word, with its tone and a sign that differs in shape, since many people cannot tell colours apart. */
interface Verdict {
  tone: Tone
  word: string
  reason: string
  message: string
}

/** One sign per tone. */
export const SIGNS: Record<Tone, string> = { ok: '●', work: '◐', bad: '▲', quiet: '○' }

/** Tone of each state of a host. */
export const HOST_TONES: Record<HostStatus['state'], Tone> = {
  present: 'ok',
  pending: 'work',
  absent: 'work',
  leaving: 'work',
  rejected: 'bad',
  foreign: 'quiet',
}

/** What a person has chosen: nothing moves, and nobody has to act. With the word for an object on which nothing else is wrong. */
const LEFT_ALONE: ReadonlyMap<string, string> = new Map<Reason, string>([
  ['Suspended', 'Suspended'],
  ['DryRun', 'Planned'],
])

/** Reasons of a condition that holds and has something to say all the same. */
const WARNINGS: ReadonlySet<string> = new Set<Reason>(['SecondWriter', 'ExpiringSoon'])

/** Whether a condition holds, and something is to be seen to before it does no more. */
export const isWarning = ({ status, reason }: Condition): boolean => status === 'True' && WARNINGS.has(reason)

/** Where an app or a mapping stands, from the conditions that `summarize` computed. */
export function verdict(conditions: readonly Condition[]): Verdict {
  const of = (type: string) => conditionOf({ conditions }, type)
  const ready = of('Ready')
  if (ready?.status === 'True') {
    const warning = conditions.find(isWarning)
    return said(warning ? 'work' : 'ok', 'Ready', warning ?? ready)
  }
  const chosen = LEFT_ALONE.get(ready?.reason ?? '')
  if (chosen !== undefined) {
    // The choice may stand before a fault, and does not hide it.
    const fault = worstOf(conditions.filter(({ type }) => !isComputed(type)))
    return said(fault ? conditionTone(fault) : 'quiet', chosen, fault ?? ready)
  }
  if (of('Stalled')?.status === 'True') return said('bad', 'Stalled', ready)
  // Something that may pass and that is a failure all the same (`False`) is shown apart from plain work.
  if (of('Reconciling')?.status === 'True') return said('work', 'Reconciling', ready)
  return said('quiet', 'Unknown', ready)
}

const said = (tone: Tone, word: string, by: Condition | undefined): Verdict => ({
  ...{ tone, word },
  reason: by?.reason ?? '',
  message: by?.message ?? '',
})

/** The first that is bad, else the first that waits; undefined where none does. */
function worstOf(conditions: readonly Condition[]): Condition | undefined {
  const first = (tone: Tone) => conditions.find((condition) => conditionTone(condition) === tone)
  return first('bad') ?? first('work')
}

/** Tone of one condition. */
export function conditionTone(condition: Condition): Tone {
  const { type, status, reason } = condition
  if (type === 'Reconciling') return status === 'True' ? 'work' : 'quiet'
  if (type === 'Stalled') return status === 'True' ? 'bad' : 'quiet'
  if (status === 'True') return isWarning(condition) ? 'work' : 'ok'
  if (status === 'Unknown' || LEFT_ALONE.has(reason)) return 'quiet'
  return isRetryable(reason) ? 'work' : 'bad'
}

/** What to do about a reason; empty when nothing, or when the reason is not of our table. */
export function cureOf(reason: string): string {
  return isReason(reason) ? REASONS[reason].cure : ''
}

/** What wants attention first: the lowest. */
export const ATTENTION: Record<Tone, number> = { bad: 0, work: 1, quiet: 2, ok: 3 }

/** Plans that somebody can approve first, then what needs a person otherwise; within one tone by key. */
export function byAttention<T extends AppStatus | MappingStatus>(list: readonly T[]): T[] {
  const ranked = list.map((item) => ({
    item,
    rank: 'plan' in item && item.plan?.reason === 'RemovalRefused' ? -1 : ATTENTION[verdict(item.conditions).tone],
  }))
  return ranked.sort((a, b) => a.rank - b.rank || byKey(a.item, b.item)).map(({ item }) => item)
}

/** DNS of a host as people have to see it: its state when it is wrong or not known, nothing when all is well. */
export function dnsFault({ dns, state }: HostStatus): { state: string; message: string; tone: Tone } | undefined {
  if (dns === undefined || dns.state === 'Ready' || state === 'foreign') return undefined
  return { ...dns, tone: dns.state === 'Unknown' ? 'quiet' : 'work' }
}

/** Hosts that are not in place first, then those whose DNS is wrong; else in their order, which is that of names. */
export function hostsByAttention(hosts: readonly HostStatus[]): HostStatus[] {
  const rank = (host: HostStatus): number => {
    if (host.state === 'foreign') return 4
    const fault = dnsFault(host)
    return Math.min(ATTENTION[HOST_TONES[host.state]], fault === undefined ? 4 : ATTENTION[fault.tone])
  }
  return hosts.toSorted((a, b) => rank(a) - rank(b))
}

/** Mappings that are declared and not accepted: their app does not exist, refuses them, or somebody else holds the host. */
export const notAcceptedOf = ({ mappings }: Pick<Status, 'mappings'>): MappingStatus[] =>
  mappings.filter((mapping) => conditionOf(mapping, 'Accepted')?.status === 'False')

/** The whole state in a sentence or two. */
export function overview(status: Status): { tone: Tone; text: string } {
  const verdicts = status.apps.map((app) => verdict(app.conditions))
  const ready = verdicts.filter(({ word }) => word === 'Ready').length
  const overdue = status.apps.filter(({ conditions }) => conditions.some(isOverdue)).length
  const waiting = status.apps.filter((app) => app.plan?.reason === 'RemovalRefused').length
  const broken = status.source.failure !== undefined || status.source.faults.length > 0
  const refused = notAcceptedOf(status).length
  const unserved = refused > 0 ? [`${counted(refused, 'mapping')} not accepted`] : []
  if (status.apps.length === 0)
    return { tone: broken || refused > 0 ? 'bad' : 'quiet', text: ['No apps yet', ...unserved].join(', ') }

  const all = verdicts.length === 1 ? 'The app is ready' : `All ${ready} apps are ready`
  const text = [
    ready === verdicts.length ? all : `${ready} of ${counted(verdicts.length, 'app')} ready`,
    waiting > 0 ? `${counted(waiting, 'plan')} to approve` : [],
    overdue > 0 ? `${counted(overdue, 'renewal')} overdue` : [],
    unserved,
    broken ? 'a source has faults' : [],
  ]
    .flat()
    .join(', ')
  if (broken || waiting > 0 || refused > 0 || verdicts.some((one) => one.tone === 'bad')) return { tone: 'bad', text }
  if (status.apps.some(isAtWork)) return { tone: 'work', text }
  return { tone: ready > 0 ? 'ok' : 'quiet', text }
}

const isOverdue = (condition: Condition): boolean => isWarning(condition) && condition.reason === 'ExpiringSoon'

/** It waits for something, or nobody has looked at it yet. */
function isAtWork({ conditions }: AppStatus): boolean {
  const { tone, word } = verdict(conditions)
  return tone === 'work' || word === 'Unknown'
}

/** `1 host`, `3 hosts`, `30,000 hosts`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}

const UNITS: readonly [limit: number, size: number, one: string, many: string][] = [
  [60, 1, 's', 's'],
  [3_600, 60, 'min', 'min'],
  [86_400, 3_600, 'h', 'h'],
  [Number.POSITIVE_INFINITY, 86_400, 'day', 'days'],
]

/** A time as seen from `now`, both in epoch milliseconds: `12 s ago`, `in 68 days`. */
export function relative(time: number, now: number): string {
  const distance = Math.abs(now - time) / 1000
  const [, size, one, many] = UNITS.find(([limit]) => distance < limit) ?? UNITS[3]!
  const count = Math.floor(distance / size)
  const text = `${count.toLocaleString('en')} ${count === 1 ? one : many}`
  if (time <= now) return count === 0 ? 'just now' : `${text} ago`
  return `in ${text}`
}

/** How long something has been so, both in epoch milliseconds: `for 3 h`. */
export function lasting(time: number, now: number): string {
  const text = relative(time, now)
  return text.endsWith(' ago') ? `for ${text.slice(0, -' ago'.length)}` : text
}

/** The time as ISO 8601 in UTC; an empty text for what no date can hold. */
export function isoOf(time: number): string {
  const date = new Date(time)
  return Number.isNaN(date.getTime()) ? '' : date.toISOString()
}

/** `2026-05-12`, or `2026-05-12 09:30 UTC` with `precise`; an empty text for what is not a time. */
export function dateOf(time: number, precise = false): string {
  const iso = isoOf(time)
  if (iso === '') return ''
  return precise ? `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC` : iso.slice(0, 10)
}
