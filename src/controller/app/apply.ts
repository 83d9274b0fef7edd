import type { App } from '../../api/objects.ts'
import type { Host } from '../../domain/host.ts'
import { compareKey } from '../../domain/host.ts'
import * as claims from '../../ownership/claims.ts'
import type { OwnershipRecord } from '../../ownership/record.ts'
import { type Plan, writes } from '../../plan/plan.ts'
import { ServerPilotError } from '../../serverpilot/errors.ts'
import type { ServerPilot, ServerPilotApp } from '../../serverpilot/serverpilot.ts'
import type { Context } from '../context.ts'
import { saveRecord } from './records.ts'
import { type Wrote, writeList } from './write-list.ts'

/** How one write ended, proven by reading back. */
export interface Applied {
  record: OwnershipRecord
  /** The list as read back; the plan's own input when nothing was written. */
  observed: ServerPilotApp
  added: readonly Host[]
  removed: readonly Host[]
  /** Changes of the record alone. */
  adopted: number
  released: number
  /** False when what was written is not (wholly) there. */
  taken: boolean
}

/** A first failure of isolation waits this long, then twice as long each time, up to a day; ms. */
const REJECTED_BACKOFF = 15 * 60_000
const REJECTED_BACKOFF_MAX = 24 * 3_600_000

/**
 * Steps 5 and 6: claims durably, writes the complete list, waits for the action, reads again and compares.
 * Whatever happens after the claim, the record knows of it: a crash orphans nothing of ours.
 */
export async function applyPlan(
  context: Context,
  account: ServerPilot,
  app: App,
  plan: Plan,
  before: ServerPilotApp,
  record: OwnershipRecord,
  signal: AbortSignal,
): Promise<Applied> {
  const now = context.clock.now()
  const settled = settleRecord(record, plan, before.domains, now)
  if (!writes(plan)) {
    await saveRecord(context, app, settled)
    return { record: settled, observed: before, added: [], removed: [], ...recordChanges(plan), taken: true }
  }
  let claimed = claims.claimHosts(settled, plan.additions.map(claimOf), 'Pending', now)
  claimed = claims.recordRemovals(claimed, plan.removals, now, plan.approved, app.spec.safety.window)
  if (plan.approved) claimed = claims.useApproval(claimed, plan.hash)
  if (plan.approved && plan.removals.some((host) => record.hosts[host] === undefined))
    claimed = claims.approveExclusive(claimed)
  // That our own removals are gone raises no doubt, also when the process ends before it has read them back.
  const going = new Set<string>(plan.removals)
  claimed = withLastSeen(
    claimed,
    before.domains.filter((name) => !going.has(compareKey(name))),
  )
  claimed = claims.beginWrite(claimed, now)
  await saveRecord(context, app, claimed)

  const wrote = await writeList(context, account, app, plan, signal).catch(async (error: unknown) => {
    // What certainly had no effect uses no approval up.
    const unused = error instanceof ServerPilotError && error.outcome === 'none' && plan.approved
    if (unused) await saveRecord(context, app, claims.endWrite(claims.returnApproval(claimed, settled), settled))
    throw error
  })
  const rejected = [...wrote.rejected.keys()]
  const known = wrote.failure === undefined ? claims.endWrite(claimed, settled) : claimed
  let after = noteRejected(known, plan, wrote.rejected, now)
  after = claims.release(after, [...rejected, ...wrote.waiting])
  if (wrote.failure !== undefined) after = claims.markUncertain(after, hostsOf(plan, rejected, wrote.waiting))
  const observed = await readBack(context, account, app, wrote.expected, signal).catch(async (error: unknown) => {
    await saveRecord(context, app, claims.markUncertain(after, hostsOf(plan, rejected, wrote.waiting)))
    throw wrote.failure ?? error
  })
  return await conclude(context, app, plan, before, after, wrote, observed)
}

/** How many hosts the plan adopts and releases. */
const recordChanges = (plan: Plan): { adopted: number; released: number } => ({
  adopted: plan.adoptions.length,
  released: plan.changes.filter((each) => each.action === 'release').length,
})

const claimOf = (each: Plan['additions'][number]) => ({
  host: each.host,
  mapping: each.mapping.key,
  source: each.mapping.source,
})

const hostsOf = (plan: Plan, ...without: (readonly Host[])[]): Host[] => {
  const out = new Set(without.flat())
  return plan.additions.map((each) => each.host).filter((host) => !out.has(host))
}

/** What reading alone teaches the record: adoptions, claims proven, absences, releases, the list that was seen. */
function settleRecord(record: OwnershipRecord, plan: Plan, domains: readonly string[], now: number): OwnershipRecord {
  let next = claims.claimHosts(record, [...plan.adoptions, ...plan.transfers].map(claimOf), 'Held', now)
  const seen = new Set(domains.map(compareKey))
  const proven = Object.keys(next.hosts).filter((host) => seen.has(host)) as Host[]
  next = claims.markHeld(next, proven, now)
  next = claims.settleWrites(claims.clearAbsent(next, proven), now)
  const releasable = plan.releases
  next = claims.release(next, releasable)
  next = claims.noteAbsent(
    next,
    plan.absent.filter((host) => !releasable.includes(host)),
    now,
  )
  // Only a list that a write stands on was read with care. Any other may be a wrong answer: what it lacks stays seen, so that a
  // write is not based on the same wrong answer without a second look.
  return withLastSeen(next, writes(plan) ? domains : [...(record.lastSeen ?? []), ...domains])
}

function withLastSeen(record: OwnershipRecord, domains: readonly string[]): OwnershipRecord {
  return { ...record, lastSeen: [...new Set(domains.map(compareKey))].sort() as Host[] }
}

/** Reads the app again; once more after a second when it is not as expected, since an answer may be stale. */
async function readBack(
  context: Context,
  account: ServerPilot,
  app: App,
  expected: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<ServerPilotApp> {
  const first = await account.getApp(app.spec.appId, signal)
  if (isAsExpected(first.domains, expected)) return first
  await context.clock.sleep(1_000, signal)
  return await account.getApp(app.spec.appId, signal)
}

function isAsExpected(domains: readonly string[], expected: ReadonlySet<string>): boolean {
  const there = new Set(domains.map(compareKey))
  return there.size === expected.size && [...expected].every((host) => there.has(host))
}

async function conclude(
  context: Context,
  app: App,
  plan: Plan,
  before: ServerPilotApp,
  claimed: OwnershipRecord,
  wrote: Wrote,
  observed: ServerPilotApp,
): Promise<Applied> {
  const now = context.clock.now()
  const there = new Set(observed.domains.map(compareKey))
  const wanted = plan.additions.map((each) => each.host).filter((host) => wrote.expected.has(host))
  const added = wanted.filter((host) => there.has(host))
  const removed = plan.removals.filter((host) => !there.has(host))
  const taken = added.length === wanted.length && removed.length === plan.removals.length
  let record = claims.markHeld(claimed, added, now)
  if (!taken)
    record = claims.markUncertain(
      record,
      wanted.filter((host) => !there.has(host)),
    )
  record = claims.noteAbsent(
    record,
    removed.filter((host) => record.hosts[host] !== undefined),
    now,
  )
  if (wrote.failure === undefined) record = claims.markGone(record, removed)
  record = claims.markImplied(record, impliedWww(added, before, there, record), now)
  // What it lacks besides our own removals was not looked at twice: the next write has to doubt it.
  record = withLastSeen(record, [...(record.lastSeen ?? []), ...observed.domains])
  await saveRecord(context, app, record)
  if (!taken && wrote.failure !== undefined) throw wrote.failure
  return { record, observed, added, removed, ...recordChanges(plan), taken }
}

/** `www.X` that nobody asked for and that first appeared with our own write of `X`: it goes when X goes. */
function impliedWww(
  added: readonly Host[],
  before: ServerPilotApp,
  there: ReadonlySet<string>,
  record: OwnershipRecord,
): { host: Host; mapping: string; source: string }[] {
  const old = new Set(before.domains.map(compareKey))
  return added.flatMap((host) => {
    const www = `www.${host}` as Host
    const claim = record.hosts[host]
    if (claim === undefined || !there.has(www) || old.has(www) || record.hosts[www] !== undefined) return []
    return [{ host: www, mapping: claim.mapping, source: claim.source }]
  })
}

function noteRejected(
  record: OwnershipRecord,
  plan: Plan,
  rejected: ReadonlyMap<Host, string>,
  now: number,
): OwnershipRecord {
  if (rejected.size === 0) return record
  const next = { ...record.rejected }
  for (const { host, mapping } of plan.additions) {
    const words = rejected.get(host)
    if (words === undefined) continue
    const attempts = (record.rejected[host]?.attempts ?? 0) + 1
    const wait = Math.min(REJECTED_BACKOFF * 2 ** (attempts - 1), REJECTED_BACKOFF_MAX)
    next[host] = { words, at: now, retryAt: now + wait, attempts, generation: mapping.generation }
  }
  return { ...record, rejected: next }
}
