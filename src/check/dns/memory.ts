import { backOff } from '../../time/back-off.ts'
import { type DnsVerdict, READY } from './judge.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** The first pause after a verdict, and the longest: hours once all is right, minutes while somebody may be at work on it. */
const PAUSES = {
  right: { first: 5 * MINUTE, longest: 6 * HOUR },
  wrong: { first: MINUTE, longest: 15 * MINUTE },
  unknown: { first: 30 * SECOND, longest: 15 * MINUTE },
} as const

/** A resolver gives the same answer until its time is over, so it is not asked before; but after this pause even at TTL 0. */
const LEAST_TTL = 30 * SECOND

/** What is remembered of one host. Times in epoch milliseconds. A value: the functions below give a new one. */
export interface HostMemory {
  /** What to show: after one failed look still the verdict before it, since one lost packet means nothing. Without its `ttl`. */
  shown: DnsVerdict
  checkedAt: number
  /** When to look again. */
  dueAt: number
  /** Since when `shown` has been in this state, as far as is known. */
  since: number
  /** When the state became another one under our eyes. */
  changedAt?: number
  /** Looks in a row that came to the same state, this one included. */
  streak: number
  /** The last look failed, and `shown` is older. */
  missed?: true
}

/** The memory after a look at `now` (epoch ms). `before`: what was remembered, undefined after a start. */
export function remember(before: HostMemory | undefined, host: string, verdict: DnsVerdict, now: number): HostMemory {
  const first =
    verdict.failure !== undefined && before !== undefined && before.shown.state !== 'Unknown' && !before.missed
  if (first) return { ...before, checkedAt: now, dueAt: now + spread(host, now, PAUSES.unknown.first), missed: true }
  const same = before?.shown.state === verdict.state
  const streak = same ? before.streak + 1 : 1
  const dueAt = now + spread(host, now, pauseOf(verdict, streak))
  const shown = keep(before?.shown, verdict)
  const since = same ? Math.min(before.since, now) : now
  const changedAt = before === undefined || same ? before?.changedAt : now
  return { shown, checkedAt: now, dueAt, since, streak, ...(changedAt === undefined ? {} : { changedAt }) }
}

/** What is known after a restart of a host that was right before: right, until its turn within the next hours. */
export function trust(host: string, addresses: readonly string[], since: number, now: number): HostMemory {
  const shown: DnsVerdict = { state: 'Ready', addresses, message: READY }
  return { shown, checkedAt: now, dueAt: now + Math.round(HOUR * share(host, now)), since, streak: 4 }
}

/** One object for the same words: there may be 30,000 hosts. */
function keep(before: DnsVerdict | undefined, { ttl: _ttl, ...verdict }: DnsVerdict): DnsVerdict {
  const same =
    before !== undefined &&
    before.state === verdict.state &&
    before.message === verdict.message &&
    before.failure === verdict.failure &&
    before.addresses.join() === verdict.addresses.join()
  return same ? before : verdict
}

/** The memory of a host of which something has changed (its mapping, the app, a request): due now, and often from then on. */
export function hurry(memory: HostMemory, now: number): HostMemory {
  return { ...memory, dueAt: Math.min(memory.dueAt, now), streak: 0 }
}

/** When to look again; at once after a look that lies in the future: it was remembered before the clock was set back. */
export function dueAt(known: HostMemory, now: number): number {
  return known.checkedAt > now ? Number.NEGATIVE_INFINITY : known.dueAt
}

/** The hosts to look at now, the most urgent first: never seen, then in the order in which they fell due. */
export function dueHosts(hosts: Iterable<string>, memory: ReadonlyMap<string, HostMemory>, now: number): string[] {
  const due: { host: string; at: number }[] = []
  for (const host of hosts) {
    const known = memory.get(host)
    const at = known === undefined ? Number.NEGATIVE_INFINITY : dueAt(known, now)
    if (at <= now) due.push({ host, at })
  }
  return due.sort((a, b) => (a.at === b.at ? 0 : a.at - b.at)).map(({ host }) => host)
}

/** Doubles with each look that found the same; never shorter than the answer holds, within what is usual for the state. */
function pauseOf({ state, ttl }: DnsVerdict, streak: number): number {
  const pauses = PAUSES[state === 'Ready' ? 'right' : state === 'Unknown' ? 'unknown' : 'wrong']
  const valid = ttl === undefined ? 0 : Math.max(LEAST_TTL, ttl * SECOND)
  return Math.min(pauses.longest, Math.max(backOff(pauses, streak), valid))
}

/** Up to an eighth more, by host and time, so that hosts that came together do not stay together. */
function spread(host: string, now: number, pause: number): number {
  return Math.round(pause * (1 + share(host, now) / 8))
}

/** From 0 to below 1, by host and time. */
function share(host: string, now: number): number {
  let hash = now % 65_521
  for (let at = 0; at < host.length; at++) hash = (hash * 31 + host.charCodeAt(at)) % 65_521
  return hash / 65_521
}
