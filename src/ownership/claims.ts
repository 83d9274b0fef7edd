import type { Key } from '../api/objects.ts'
import { compareKey, type Host } from '../domain/host.ts'
import { type Claim, type ClaimState, LATE_WRITE_MS, type OwnershipRecord } from './record.ts'

/**
 * What happens to an ownership record. Every function gives a new record and leaves the one that it got alone; hosts that it
 * has nothing to say about stay as they are. `now` is in epoch milliseconds.
 */

/** A host to claim, and the mapping that wants it. */
export interface ClaimOf {
  host: Host
  mapping: Key
  source: string
}

/** How long removals are kept for the budget, at the least. */
const REMOVALS_KEPT_MS = 24 * 3_600_000

/**
 * Claims hosts that mappings want: `Pending` before a write that adds them, `Held` for those that are there already. Of a host
 * that is ours already the mapping is brought up to date; it is no longer absent or implied.
 */
export function claimHosts(
  record: OwnershipRecord,
  hosts: readonly ClaimOf[],
  state: ClaimState,
  now: number,
): OwnershipRecord {
  if (hosts.length === 0) return record
  const next = { ...record.hosts }
  for (const { host, mapping, source } of hosts) {
    const before = next[host]
    // Each write starts over the time in which it may still land.
    const since = state !== 'Pending' && before?.state === state ? before.since : now
    next[host] = { mapping, source, state, since }
  }
  return { ...record, hosts: next }
}

/** The outcome of the write that adds these hosts is unknown. Hosts that are not ours are passed over. */
export function markUncertain(record: OwnershipRecord, hosts: readonly Host[]): OwnershipRecord {
  return changeClaims(record, hosts, (claim) =>
    claim.state === 'Uncertain' ? claim : { ...claim, state: 'Uncertain' },
  )
}

/**
 * These hosts were read back: they are there. Hosts that are not ours are passed over. A removal of theirs that by now
 * cannot land any more did not take place, or was undone: it leaves the budget.
 */
export function markHeld(record: OwnershipRecord, hosts: readonly Host[], now: number): OwnershipRecord {
  const held = changeClaims(record, hosts, (claim) => {
    if (claim.state === 'Held' && claim.absentSince === undefined) return claim
    const { absentSince: _, ...rest } = claim
    return claim.state === 'Held' ? rest : { ...rest, state: 'Held', since: now }
  })
  if (record.removals.length === 0) return held
  const there = new Set(hosts.filter((host) => claimOn(record, host) !== undefined))
  const removals = record.removals.filter(({ host, at }) => !there.has(host) || now - at < LATE_WRITE_MS)
  return removals.length === record.removals.length ? held : { ...held, removals }
}

/** Gives claims up. */
export function release(record: OwnershipRecord, hosts: readonly Host[]): OwnershipRecord {
  const ours = hosts.filter((host) => claimOn(record, host) !== undefined)
  if (ours.length === 0) return record
  const next = { ...record.hosts }
  for (const host of ours) delete next[host]
  return { ...record, hosts: next }
}

/**
 * Records removals for the budget, before the write that makes them. Of each host only the last counts; what is older than
 * 24 hours, or than `window` where that is longer, goes. The claims stay until the hosts are proven gone.
 */
export function recordRemovals(
  record: OwnershipRecord,
  hosts: readonly Host[],
  now: number,
  approved: boolean,
  window = REMOVALS_KEPT_MS,
): OwnershipRecord {
  const kept = Math.max(window, REMOVALS_KEPT_MS)
  const again = new Set(hosts)
  const removals = record.removals.filter(({ host, at }) => now - at < kept && !again.has(host))
  for (const host of again) removals.push(approved ? { host, at: now, approved } : { host, at: now })
  return { ...record, removals }
}

/** Uses an approval up: the next plan has another hash, so that the same approval never serves twice. */
export function useApproval(record: OwnershipRecord, hash: string): OwnershipRecord {
  return { ...record, approvalsUsed: record.approvalsUsed + 1, lastApproval: hash }
}

/** Gives an approval back, as it was in `before`: the write that it was for certainly had no effect. */
export function returnApproval(record: OwnershipRecord, before: OwnershipRecord): OwnershipRecord {
  const { lastApproval: _last, exclusiveApproved: _exclusive, ...rest } = record
  const { approvalsUsed, lastApproval, exclusiveApproved } = before
  return {
    ...rest,
    approvalsUsed,
    ...(lastApproval === undefined ? {} : { lastApproval }),
    ...(exclusiveApproved === undefined ? {} : { exclusiveApproved }),
  }
}

/** Notes the approval that policy Exclusive needs once, before it removes hosts that are not ours. */
export function approveExclusive(record: OwnershipRecord): OwnershipRecord {
  return record.exclusiveApproved === true ? record : { ...record, exclusiveApproved: true }
}

/** Nobody wants these hosts and they were not observed: notes since when. The first time counts. */
export function noteAbsent(record: OwnershipRecord, hosts: readonly Host[], now: number): OwnershipRecord {
  // A time that is still to come was taken from a clock that has been set back; it would keep the claim for ever.
  return changeClaims(record, hosts, (claim) =>
    claim.absentSince !== undefined && claim.absentSince <= now ? claim : { ...claim, absentSince: now },
  )
}

/** These hosts are wanted or observed again. */
export function clearAbsent(record: OwnershipRecord, hosts: readonly Host[]): OwnershipRecord {
  return changeClaims(record, hosts, (claim) => {
    if (claim.absentSince === undefined && claim.gone === undefined) return claim
    const { absentSince: _absent, gone: _gone, ...rest } = claim
    return rest
  })
}

/** We took these hosts off, and read back that they are gone, while no other write of ours may have landed later. */
export function markGone(record: OwnershipRecord, hosts: readonly Host[]): OwnershipRecord {
  return changeClaims(record, hosts, (claim) => (claim.gone ? claim : { ...claim, gone: true }))
}

/** A write begins: until its end is known it may land at any time. */
export function beginWrite(record: OwnershipRecord, now: number): OwnershipRecord {
  return { ...record, unsureSince: now }
}

/** The end of the write that began is known; `before`: the record before it, which may know of another one. */
export function endWrite(record: OwnershipRecord, before: OwnershipRecord): OwnershipRecord {
  const { unsureSince: _, ...rest } = record
  return before.unsureSince === undefined ? rest : { ...rest, unsureSince: before.unsureSince }
}

/** This reading shows whatever a write of unknown end may have done: it cannot land any more. */
export function closeLateWrite(record: OwnershipRecord, now: number): OwnershipRecord {
  const { unsureSince, ...rest } = record
  if (unsureSince === undefined || Math.abs(now - unsureSince) < LATE_WRITE_MS) return record
  return rest
}

/**
 * Gives up hosts that nobody wants, that we took off for certain, and that are there again: somebody else has put them back, as a
 * second installation on the app does that wants them too. A write of ours of unknown end cannot have done so: none was open when they
 * were read back as gone, and those that began since do not have them.
 */
export function releaseBroughtBack(
  record: OwnershipRecord,
  observed: readonly string[],
  isWanted: (host: Host) => boolean,
): OwnershipRecord {
  const gone = (Object.keys(record.hosts) as Host[]).filter((host) => record.hosts[host]?.gone && !isWanted(host))
  if (gone.length === 0) return record
  const there = new Set(observed.map(compareKey))
  return release(
    record,
    gone.filter((host) => there.has(host)),
  )
}

/** Claims `www.` hosts that nobody asked for and that came with our own write: each goes when its domain goes. */
export function markImplied(record: OwnershipRecord, hosts: readonly ClaimOf[], now: number): OwnershipRecord {
  const fresh = hosts.filter(({ host }) => claimOn(record, host) === undefined)
  const hostsOf = fresh.map(({ host }) => host)
  return changeClaims(claimHosts(record, fresh, 'Held', now), hostsOf, (claim) => ({ ...claim, implied: true }))
}

function claimOn(record: OwnershipRecord, host: Host): Claim | undefined {
  return Object.hasOwn(record.hosts, host) ? record.hosts[host] : undefined
}

function changeClaims(
  record: OwnershipRecord,
  hosts: readonly Host[],
  change: (claim: Claim) => Claim,
): OwnershipRecord {
  let next: Record<Host, Claim> | undefined
  for (const host of hosts) {
    const before = claimOn(record, host)
    const after = before === undefined ? undefined : change(before)
    if (after === undefined || after === before) continue
    next ??= { ...record.hosts }
    next[host] = after
  }
  return next === undefined ? record : { ...record, hosts: next }
}
