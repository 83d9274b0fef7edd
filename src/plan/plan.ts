import type { App, Key } from '../api/objects.ts'
import { compareKey, type Host } from '../domain/host.ts'
import { LATE_WRITE_MS, type OwnershipRecord } from '../ownership/record.ts'
import { byHost, fit, openAdditions } from './capacity.ts'
import type { DesiredHost } from './desired.ts'
import type { HeldChange } from './held.ts'
import type { PlanInput } from './input.ts'
import { type Merged, merge } from './merge.ts'
import { type JudgedRemovals, judgeRemovals, namesOf } from './removals.ts'

/** One change of the plan. `adopt` and `release` change the record alone. */
export interface Change {
  action: 'add' | 'remove' | 'adopt' | 'release'
  host: Host
  mapping?: Key
}

/** What is to be done to one app: a value, sorted, the same for the same input. */
export interface Plan extends JudgedRemovals {
  app: Key
  appId: string
  policy: App['spec']['policy']
  changes: readonly Change[]
  /** The list to write: what is there, in its order and spelling, less removals, plus additions, sorted. */
  list: readonly string[]
  additions: readonly DesiredHost[]
  adoptions: readonly DesiredHost[]
  transfers: readonly DesiredHost[]
  kept: number
  foreign: readonly Host[]
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
  const { app, observed, record, now } = input
  const merged = merge(input)
  const open = openAdditions(merged.add, input)
  const judged = judgeRemovals(input, merged, open)
  const { removals } = judged
  const added = fit(open, observed.length - namesOf(observed, removals, merged))
  const additions = added.hosts
  const held = new Map([...quarantinedOff(input), ...judged.held, ...added.held])
  const waits = judged.waiting.length > 0
  const releases = waits ? [] : merged.release.filter((host) => releasedAt(record, host, now) <= now).sort()
  return {
    ...judged,
    app: app.key,
    appId: app.spec.appId,
    policy: app.spec.policy,
    changes: changesOf({ additions, removals, adoptions: merged.adopt, releases }),
    list: listOf(observed, removals, additions, merged.respelled),
    additions,
    adoptions: merged.adopt,
    transfers: merged.transfer,
    kept: merged.kept,
    foreign: merged.foreign.sort(),
    held,
    absent: merged.release,
    releases,
    next: nextChange(held, merged.release, record, now),
  }
}

/** Quarantined hosts that are not on the list: they are not added. */
function quarantinedOff({ quarantined, observed }: PlanInput): [Host, HeldChange][] {
  if (quarantined === undefined || quarantined.size === 0) return []
  const there = new Set(observed.map(compareKey))
  return [...quarantined].flatMap(([host, held]) => (there.has(host) ? [] : [[host, { ...held, of: 'addition' }]]))
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

function changesOf(of: Pick<Plan, 'additions' | 'removals' | 'adoptions' | 'releases'>): Change[] {
  const named = (action: 'add' | 'adopt') => (each: DesiredHost) =>
    ({ action, host: each.host, mapping: each.mapping.key }) satisfies Change
  const plain = (action: 'remove' | 'release') => (host: Host) => ({ action, host }) satisfies Change
  return [
    ...of.additions.map(named('add')),
    ...of.removals.map(plain('remove')),
    ...of.adoptions.toSorted(byHost).map(named('adopt')),
    ...of.releases.map(plain('release')),
  ]
}

/** When a claim goes: after two absences further apart than a write could still be under way. This is the first if none is noted. */
const releasedAt = (record: OwnershipRecord, host: Host, now: number): number =>
  (record.hosts[host]?.absentSince ?? now) + LATE_WRITE_MS

function nextChange(
  held: ReadonlyMap<Host, HeldChange>,
  absent: readonly Host[],
  record: OwnershipRecord,
  now: number,
): number | undefined {
  let next: number | undefined
  const consider = (at: number | undefined): void => {
    if (at !== undefined && at > now && (next === undefined || at < next)) next = at
  }
  for (const { until } of held.values()) consider(until)
  for (const host of absent) consider(releasedAt(record, host, now))
  return next
}
