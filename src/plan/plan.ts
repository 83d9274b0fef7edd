import type { App, Key } from '../api/objects.ts'
import { compareKey, type Host, matchesPattern } from '../domain/host.ts'
import { LATE_WRITE_MS, type OwnershipRecord } from '../ownership/record.ts'
import { judgeAdditions, MAX_HOSTS } from './capacity.ts'
import type { Desired, DesiredHost } from './desired.ts'
import type { Held } from './held.ts'
import { type Merged, merge } from './merge.ts'
import { judgeRemovals, namesOf } from './removals.ts'
import type { Refusal } from './safety.ts'
import type { RemovalWatch } from './settle.ts'

/** Everything that a plan is computed from. Time is `now`; nothing else is read. */
export interface PlanInput {
  app: App
  desired: Desired
  /** The app's list at ServerPilot, byte for byte. */
  observed: readonly string[]
  record: OwnershipRecord
  /** The hosts of `record`, which the caller has at hand: listing 100,000 again would cost a fifth of the plan. */
  owned: readonly Host[]
  /** Sources that failed, with the cause: what they claimed stays. */
  frozen: ReadonlyMap<string, string>
  /** What this process saw of the desired set; undefined in a one-shot run, which waits for nothing. */
  watch: RemovalWatch | undefined
  /** The record was written by another version or with other filters (a one-shot run has no watch to remember that). */
  distrusted: boolean
  /** Names that a source protects besides those of the app: never removed. */
  protectedHosts: readonly string[]
  /** The app's object is being deleted with deletionPolicy Delete: what is ours goes, without settling and without a budget. */
  leaving: boolean
  /** Additions that must not be tried now: refused by the API, or DNS not ready under `Require`. */
  blocked: ReadonlyMap<Host, Held>
  /** Hosts wanted by another app of the account that does not hold them there yet: they leave here only after. */
  moving: ReadonlyMap<Host, Key>
  /** Hashes that somebody approved. */
  approvals: readonly string[]
  /** More of them, meant for whichever app they fit. */
  handed?: readonly string[]
  now: number
}

/** One change of the plan. `adopt` and `release` change the record alone. */
export interface Change {
  action: 'add' | 'remove' | 'adopt' | 'release'
  host: Host
  mapping?: Key
}

/** What is to be done to one app: a value, sorted, the same for the same input. */
export interface Plan {
  app: Key
  appId: string
  policy: App['spec']['policy']
  /** What an approval of the waiting removals has to name. */
  hash: string
  changes: readonly Change[]
  /** The list to write: what is there, in its order and spelling, less removals, plus additions, sorted. */
  list: readonly string[]
  additions: readonly DesiredHost[]
  removals: readonly Host[]
  adoptions: readonly DesiredHost[]
  transfers: readonly DesiredHost[]
  kept: number
  foreign: readonly Host[]
  /** Changes that are held back. */
  held: ReadonlyMap<Host, Held>
  /** Removals that wait for approval or time, sorted: what `hash` stands for. */
  waiting: readonly Host[]
  refused: Refusal | undefined
  /** The approval given fits, and these removals are let through by it. */
  approved: boolean
  /** Claims that nobody wants and that are not observed: the reads that release them are counted. */
  absent: readonly Host[]
  /** Those of them that are released now. None while removals wait: the budget is measured on what was ours. */
  releases: readonly Host[]
  /** When to look again because time alone changes the plan; epoch ms. */
  next: number | undefined
}

/** True when applying the plan means a write to ServerPilot. */
export const writes = (plan: Plan): boolean => plan.additions.length > 0 || plan.removals.length > 0

/**
 * The three-way merge of desired, observed and owned under the app's policy, then the safety rules, then capacity.
 * Pure. Planning the result of a plan gives a plan without changes.
 */
export function makePlan(input: PlanInput): Plan {
  const { app, record, now } = input
  // Whatever the policy does with the hosts of others, or with ours while the app stays: now ours go.
  const policy = input.leaving ? 'Sync' : app.spec.policy
  const merged = merge(policy, input.desired.hosts, input.observed, record.hosts, input.owned, protector(input))
  const held = new Map<Host, Held>()
  const judged = judgeRemovals(input, merged, held)
  const room = MAX_HOSTS - (input.observed.length - namesOf(input.observed, judged.removals, merged))
  const additions = judgeAdditions(merged.add, input.blocked, room, held)
  const waits = judged.waiting.length > 0
  const releases = waits ? [] : merged.absent.filter((host) => isReleasable(record, host, now)).sort()
  return {
    app: app.key,
    appId: app.spec.appId,
    policy: app.spec.policy,
    hash: judged.hash,
    changes: changesOf(additions, judged.removals, merged, releases),
    list: listOf(input.observed, judged.removals, additions, merged.respelled),
    additions,
    removals: judged.removals,
    adoptions: merged.adopt,
    transfers: merged.transfer,
    kept: merged.kept,
    foreign: merged.foreign.sort(),
    held,
    waiting: judged.waiting,
    refused: judged.refused,
    approved: judged.approved,
    absent: merged.absent,
    releases,
    next: nextLook(held, merged.absent, record, now),
  }
}

/** Protected: the names that the app and its sources name, patterns allowed, and their `www.`. */
function protector({ app, protectedHosts }: PlanInput): (host: Host) => boolean {
  const patterns = [...app.spec.protectedDomains, ...protectedHosts].map(compareKey)
  if (patterns.length === 0) return () => false
  const exact = new Set<string>(patterns.flatMap((name) => [name, `www.${name}`]))
  const wild = patterns.filter((name) => name.startsWith('*.'))
  return (host) => exact.has(host) || wild.some((pattern) => matchesPattern(host, pattern))
}

function listOf(
  observed: readonly string[],
  removals: readonly Host[],
  additions: readonly DesiredHost[],
  respelled: Merged['respelled'],
): readonly string[] {
  if (removals.length === 0 && additions.length === 0) return observed
  const gone = new Set<string>(removals)
  const kept =
    gone.size === 0
      ? observed
      : respelled.size === 0
        ? observed.filter((name) => !gone.has(name))
        : observed.filter((name) => !gone.has(respelled.get(name) ?? name))
  return [...kept, ...additions.map((each) => each.host)]
}

function changesOf(
  additions: readonly DesiredHost[],
  removals: readonly Host[],
  merged: Merged,
  releases: readonly Host[],
): Change[] {
  const named = (action: 'add' | 'adopt') => (each: DesiredHost) =>
    ({ action, host: each.host, mapping: each.mapping.key }) satisfies Change
  const plain = (action: 'remove' | 'release') => (host: Host) => ({ action, host }) satisfies Change
  return [
    ...additions.map(named('add')),
    ...removals.map(plain('remove')),
    ...merged.adopt.map(named('adopt')).sort((a, b) => (a.host < b.host ? -1 : 1)),
    ...releases.map(plain('release')),
  ]
}

/** A claim goes after two absences further apart than a write could still be under way. */
function isReleasable(record: OwnershipRecord, host: Host, now: number): boolean {
  const since = record.hosts[host]?.absentSince
  return since !== undefined && now - since >= LATE_WRITE_MS
}

function nextLook(
  held: ReadonlyMap<Host, Held>,
  absent: readonly Host[],
  record: OwnershipRecord,
  now: number,
): number | undefined {
  let next: number | undefined
  const consider = (at: number | undefined): void => {
    if (at !== undefined && at > now && (next === undefined || at < next)) next = at
  }
  for (const { until } of held.values()) consider(until)
  for (const host of absent) consider((record.hosts[host]?.absentSince ?? now) + LATE_WRITE_MS)
  return next
}
