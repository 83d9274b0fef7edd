import { actionsUnder } from '../../api/policy.ts'
import { compareKey, type Host } from '../../domain/host.ts'
import * as claims from '../../ownership/claims.ts'
import type { OwnershipRecord } from '../../ownership/record.ts'
import { noteQuarantined, withWrong } from '../../ownership/wrong.ts'
import { broughtBack } from '../../plan/doubt.ts'
import { type Plan, writes } from '../../plan/plan.ts'
import type { ServerPilotApp } from '../../serverpilot/serverpilot.ts'
import { type BackOff, backOff } from '../../time/back-off.ts'
import type { Facts } from './facts.ts'

/**
 * What a pass teaches an app's record, step by step: what reading shows, what is claimed before a write, what is known after it. Pure;
 * times are epoch ms.
 */

/** A name that was refused waits for so long. */
const REJECTED: BackOff = { first: 15 * 60_000, longest: 24 * 3_600_000 }

/** What reading alone teaches: adoptions, claims proven, absences, releases, the list that was seen. */
export function afterReading(
  { record, observed, wrong, now }: Facts,
  plan: Plan,
  writer: OwnershipRecord['writer'],
): OwnershipRecord {
  let next = claims.claimHosts(
    withWriter(record, plan, writer),
    [...plan.adoptions, ...plan.transfers].map(claimOf),
    'Held',
    now,
  )
  const seen = new Set(observed.domains.map(compareKey))
  const proven = (Object.keys(next.hosts) as Host[]).filter((host) => seen.has(host))
  next = claims.markHeld(next, proven, now)
  next = claims.closeLateWrite(claims.clearAbsent(next, proven), now)
  next = claims.release(next, plan.releases)
  // Those that were released have no claim any more.
  next = claims.noteAbsent(next, plan.absent, now)
  next = withWrong(next, wrong)
  return withLastSeen(next, writes(plan) ? observed.domains : alsoSeen(record, observed.domains))
}

/**
 * Only a list that a write stands on was read with care. Any other may be a wrong answer: what it lacks stays seen, and what we had
 * taken off does not count as seen, so that no write is based on the same wrong answer without a second look.
 */
function alsoSeen(record: OwnershipRecord, domains: readonly string[]): readonly string[] {
  const back = broughtBack(record, domains)
  return [...(record.lastSeen ?? []), ...domains.filter((name) => !back.has(compareKey(name)))]
}

/** The record to save before a write: whatever becomes of it, a crash orphans nothing of ours. */
export function claimed(before: OwnershipRecord, facts: Facts, plan: Plan): OwnershipRecord {
  const { app, observed, record, quarantined, now } = facts
  let next = claims.claimHosts(before, plan.additions.map(claimOf), 'Pending', now)
  next = noteQuarantined(
    next,
    plan.removals.filter((host) => quarantined.has(host)),
    now,
  )
  next = claims.recordRemovals(next, plan.removals, now, plan.approved, app.spec.safety.window)
  if (plan.approved) next = claims.useApproval(next, plan.hash)
  const foreign = plan.removals.some((host) => record.hosts[host] === undefined)
  if (plan.approved && foreign && plan.policy === 'Exclusive') next = claims.approveExclusive(next)
  // That our own removals are gone raises no doubt, also when the process ends before it has read them back.
  const going = new Set<string>(plan.removals)
  next = withLastSeen(
    next,
    observed.domains.filter((name) => !going.has(compareKey(name))),
  )
  return claims.beginWrite(next, now)
}

const claimOf = ({ host, mapping }: Plan['additions'][number]): claims.ClaimOf => ({
  host,
  mapping: mapping.key,
  source: mapping.source,
})

function withLastSeen(record: OwnershipRecord, domains: readonly string[]): OwnershipRecord {
  return { ...record, lastSeen: [...new Set(domains.map(compareKey))].sort() as Host[] }
}

/** The names that the API refused, each with the time before which it is not tried again. */
export function noteRejected(
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
    next[host] = {
      words,
      at: now,
      retryAt: now + backOff(REJECTED, attempts),
      attempts,
      generation: mapping.generation,
    }
  }
  return { ...record, rejected: next }
}

/** A write as it was read back. */
interface ReadBack {
  before: ServerPilotApp
  after: ServerPilotApp
  /** Additions that should be there. */
  wanted: readonly Host[]
  removals: readonly Host[]
  /** The end of the write is known. */
  certain: boolean
}

/** What reading back teaches: what came and went, and what is still open. */
export function readBack(
  record: OwnershipRecord,
  { before, after, wanted, removals, certain }: ReadBack,
  now: number,
): { record: OwnershipRecord; added: readonly Host[]; removed: readonly Host[]; taken: boolean } {
  const there = new Set(after.domains.map(compareKey))
  const added = wanted.filter((host) => there.has(host))
  const removed = removals.filter((host) => !there.has(host))
  const missing = wanted.filter((host) => !there.has(host))
  const taken = missing.length === 0 && removed.length === removals.length
  let next = claims.markHeld(record, added, now)
  if (!taken) next = claims.markUncertain(next, missing)
  next = claims.noteAbsent(next, removed, now)
  if (certain && next.unsureSince === undefined) next = claims.markGone(next, removed)
  next = claims.markImplied(next, impliedWww(next, added, before, there), now)
  // What it lacks besides our own removals was not looked at twice: the next write has to doubt it.
  const earlier = next.removals.filter(({ host }) => !removals.includes(host))
  const seen = alsoSeen({ ...next, removals: earlier }, after.domains)
  return { record: withLastSeen(next, seen), added, removed, taken }
}

/** `www.X` that nobody asked for and that first appeared with our own write of `X`: it goes when X goes. */
function impliedWww(
  record: OwnershipRecord,
  added: readonly Host[],
  before: ServerPilotApp,
  there: ReadonlySet<string>,
): claims.ClaimOf[] {
  const old = new Set(before.domains.map(compareKey))
  return added.flatMap((host) => {
    const www = `www.${host}` as Host
    const claim = record.hosts[host]
    if (claim === undefined || !there.has(www) || old.has(www) || record.hosts[www] !== undefined) return []
    return [{ host: www, mapping: claim.mapping, source: claim.source }]
  })
}

/** The record names the present writer only once no removal is held back that an earlier writer's absence may explain. */
function withWriter(record: OwnershipRecord, plan: Plan, writer: OwnershipRecord['writer']): OwnershipRecord {
  // Permission for the hosts of others ends with the policy that removes them: what came meanwhile nobody has agreed to.
  const { exclusiveApproved, ...rest } = record
  const kept =
    actionsUnder(plan.policy)(false, true, false) === 'remove' && exclusiveApproved
      ? { ...rest, exclusiveApproved }
      : rest
  const next = kept.policy === plan.policy ? kept : { ...kept, policy: plan.policy }
  const pending = plan.refused !== undefined || [...plan.held.values()].some((held) => held.of !== 'addition')
  return pending ? next : { ...next, writer: { ...next.writer, ...writer } }
}
