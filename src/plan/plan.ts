import type { App, Key } from '../api/objects.ts'
import { compareKey, type Host, matchesPattern } from '../domain/host.ts'
import { LATE_WRITE_MS, type OwnershipRecord } from '../ownership/record.ts'
import { fit, MAX_HOSTS } from './capacity.ts'
import type { Desired, DesiredHost } from './desired.ts'
import { approvalHash } from './hash.ts'
import { type Merged, merge } from './merge.ts'
import { type Refusal, refuseRemovals, waitOf } from './safety.ts'
import type { RemovalWatch } from './settle.ts'

/** Everything that a plan is computed from. Time is `now`; nothing else is read. */
export interface PlanInput {
  app: App
  desired: Desired
  /** The app's list at ServerPilot, byte for byte. */
  observed: readonly string[]
  record: OwnershipRecord
  /** Sources that failed, with the cause: what they claimed stays. */
  frozen: ReadonlyMap<string, string>
  /** What this process saw of the desired set; undefined in a one-shot run, which waits for nothing. */
  watch: RemovalWatch | undefined
  /** The record was written by another version or with other filters (a one-shot run has no watch to remember that). */
  distrusted: boolean
  /** Additions that must not be tried now: refused by the API, or DNS not ready under `Require`. */
  blocked: ReadonlyMap<Host, Held>
  /** Hosts wanted by another app of the account that does not hold them there yet: they leave here only after. */
  moving: ReadonlyMap<Host, Key>
  /** Hash that somebody approved. */
  approval: string | undefined
  now: number
}

/** A change that is held back, with a reason of report/reasons.ts. `until`: epoch ms, when time alone lifts it. */
export interface Held {
  reason:
    | 'RemovalSettling'
    | 'RemovalRefused'
    | 'SourceUnavailable'
    | 'Progressing'
    | 'Rejected'
    | 'AppFull'
    | 'NoRecords'
    | 'PointsElsewhere'
    | 'IPv6PointsElsewhere'
  message: string
  until?: number
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
  const merged = merge(app.spec.policy, input.desired.hosts, input.observed, record, protector(app))
  const held = new Map<Host, Held>()
  const judged = judgeRemovals(input, merged, held)
  const additions = judgeAdditions(input, merged, namesOf(input.observed, judged.removals), held)
  return {
    app: app.key,
    appId: app.spec.appId,
    policy: app.spec.policy,
    hash: judged.hash,
    changes: changesOf(additions, judged.removals, merged, record, now),
    list: listOf(input.observed, judged.removals, additions),
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
    next: nextLook(held, merged.absent, record, now),
  }
}

/** Protected: the names that the app names, patterns allowed, and their `www.`. */
function protector(app: App): (host: Host) => boolean {
  const patterns = app.spec.protectedDomains.map(compareKey)
  if (patterns.length === 0) return () => false
  const exact = new Set<string>(patterns.flatMap((name) => [name, `www.${name}`]))
  const wild = patterns.filter((name) => name.startsWith('*.'))
  return (host) => exact.has(host) || wild.some((pattern) => matchesPattern(host, pattern))
}

interface JudgedRemovals {
  removals: Host[]
  waiting: Host[]
  hash: string
  refused: Refusal | undefined
  approved: boolean
}

function judgeRemovals(input: PlanInput, merged: Merged, held: Map<Host, Held>): JudgedRemovals {
  const { app, record, watch, now } = input
  const candidates: Host[] = []
  const invalid = invalidMappings(input.desired)
  for (const host of merged.remove) {
    const fixed = holdOf(host, input, invalid)
    if (fixed === undefined) candidates.push(host)
    else held.set(host, fixed)
  }
  candidates.sort()
  const hash = approvalHash(app.spec.appId, candidates, record.approvalsUsed)
  const nothing = { waiting: [], hash, refused: undefined, approved: false }
  if (candidates.length === 0) return { ...nothing, removals: [] }
  if (input.approval === hash) return { ...nothing, removals: candidates, approved: true }

  const settled: Host[] = []
  let distrust: Refusal | undefined
  for (const host of candidates) {
    const wait = waitOf(host, watch, input.distrusted, app.spec.safety, now)
    if (wait === undefined) settled.push(host)
    else if (wait.until === undefined) {
      distrust ??= { reason: 'RemovalRefused', message: `${host}: ${wait.message}` }
      held.set(host, { reason: 'RemovalRefused', message: wait.message })
    } else held.set(host, { reason: 'RemovalSettling', message: wait.message, until: wait.until })
  }
  const ours = (host: Host): boolean => Object.hasOwn(record.hosts, host)
  const refusal = refuseRemovals({
    removals: settled,
    foreign: settled.filter((host) => !ours(host)),
    safety: app.spec.safety,
    record,
    desired: input.desired.hosts.size,
    left: input.observed.length - namesOf(input.observed, settled) + merged.add.length,
    now,
  })
  if (refusal !== undefined) for (const host of settled) held.set(host, refusal)
  const removals = refusal === undefined ? settled : []
  const going = new Set(removals)
  return {
    removals,
    waiting: candidates.filter((host) => !going.has(host)),
    hash,
    refused: withApproval(refusal ?? distrust, input, candidates.length, hash),
    approved: false,
  }
}

function withApproval(
  refusal: Refusal | undefined,
  input: PlanInput,
  count: number,
  hash: string,
): Refusal | undefined {
  if (refusal === undefined) return undefined
  const { approval, record } = input
  const stale = approval !== undefined && approval !== record.lastApproval
  const note = stale
    ? ` The approval ${approval} no longer fits: the plan has changed.`
    : approval === undefined
      ? ''
      : ` The approval ${approval} was used already: an approval serves once.`
  return {
    reason: refusal.reason,
    message: `${count} removal(s) held back: ${refusal.message}.${note} To let exactly these go, approve ${hash}.`,
  }
}

/** Mappings that exist but name no valid host: a slip of the pen takes nothing off the app. */
function invalidMappings(desired: Desired): ReadonlySet<Key> {
  return new Set(desired.rejected.filter((each) => each.reason === 'InvalidDomain').map((each) => each.mapping.key))
}

/** What holds one removal back that neither time nor approval lifts. */
function holdOf(host: Host, { record, frozen, moving }: PlanInput, invalid: ReadonlySet<Key>): Held | undefined {
  const claim = record.hosts[host]
  const source = claim?.source
  const failure = frozen.size === 0 ? undefined : source === undefined ? first(frozen) : frozen.get(source)
  if (failure !== undefined) {
    return { reason: 'SourceUnavailable', message: `its source cannot be read in full: ${failure}` }
  }
  if (claim !== undefined && invalid.has(claim.mapping)) {
    return { reason: 'SourceUnavailable', message: `its mapping ${claim.mapping} names no valid host now` }
  }
  const to = moving.get(host)
  return to === undefined ? undefined : { reason: 'Progressing', message: `leaves once app ${to} serves it` }
}

const first = (map: ReadonlyMap<string, string>): string | undefined => map.values().next().value

function judgeAdditions(
  input: PlanInput,
  merged: Merged,
  removed: number,
  held: Map<Host, Held>,
): readonly DesiredHost[] {
  const open: DesiredHost[] = []
  for (const each of merged.add) {
    const block = input.blocked.get(each.host)
    if (block === undefined) open.push(each)
    else held.set(each.host, block)
  }
  const { fitting, full } = fit(open, MAX_HOSTS - (input.observed.length - removed))
  for (const host of full) {
    held.set(host, {
      reason: 'AppFull',
      message: `the app holds ${MAX_HOSTS} hosts at most; it has no place for this one`,
    })
  }
  return fitting.toSorted((a, b) => (a.host < b.host ? -1 : 1))
}

/** How many observed names (spellings) the hosts stand for. */
function namesOf(observed: readonly string[], hosts: readonly Host[]): number {
  if (hosts.length === 0) return 0
  const gone = new Set<string>(hosts)
  return observed.reduce((sum, name) => sum + Number(gone.has(compareKey(name))), 0)
}

function listOf(
  observed: readonly string[],
  removals: readonly Host[],
  additions: readonly DesiredHost[],
): readonly string[] {
  if (removals.length === 0 && additions.length === 0) return observed
  const gone = new Set<string>(removals)
  const kept = gone.size === 0 ? observed : observed.filter((name) => !gone.has(compareKey(name)))
  return [...kept, ...additions.map((each) => each.host)]
}

function changesOf(
  additions: readonly DesiredHost[],
  removals: readonly Host[],
  merged: Merged,
  record: OwnershipRecord,
  now: number,
): Change[] {
  const named = (action: 'add' | 'adopt') => (each: DesiredHost) =>
    ({ action, host: each.host, mapping: each.mapping.key }) satisfies Change
  const plain = (action: 'remove' | 'release') => (host: Host) => ({ action, host }) satisfies Change
  return [
    ...additions.map(named('add')),
    ...removals.map(plain('remove')),
    ...merged.adopt.map(named('adopt')).sort((a, b) => (a.host < b.host ? -1 : 1)),
    ...merged.absent
      .filter((host) => isReleasable(record, host, now))
      .map(plain('release'))
      .sort((a, b) => (a.host < b.host ? -1 : 1)),
  ]
}

/** A claim goes after two absences further apart than a write could still be under way. */
export function isReleasable(record: OwnershipRecord, host: Host, now: number): boolean {
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
