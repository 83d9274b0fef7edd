import type { Host } from '../domain/host.ts'
import type { OwnershipRecord, Removal } from './record.ts'

/**
 * The share of an app's hosts that would be gone once `removals` are made, together with the removals of the last `window`
 * milliseconds. A host counts once, however often it went; one that we took off and hold again is not gone; approved
 * removals are neither gone nor ever were ours. Claims count whatever their state.
 * @param removals hosts of ours that the plan takes off
 * @param now epoch milliseconds
 * @param owned how many hosts the record has, where the caller knows
 * @returns `removed`: hosts of ours gone, by this plan or within the window without approval; `base`: hosts that were ours within
 *   the window, those that are now and those that are gone; `percent`: `removed` of `base`, 0 to 100
 */
export function removalShare(
  record: OwnershipRecord,
  removals: readonly Host[],
  now: number,
  window: number,
  owned = Object.keys(record.hosts).length,
): { removed: number; base: number; percent: number } {
  const gone = new Set(removals)
  let excused = 0
  for (const removal of latestRemovals(record, now, window)) {
    const { host } = removal
    const claimed = Object.hasOwn(record.hosts, host)
    // The claim outlives the removal until the host is proven gone; only a later one says that it is ours again.
    const again =
      claimed && (record.hosts[host]?.since ?? 0) > removal.at && record.hosts[host]?.absentSince === undefined
    if (again || gone.has(host)) continue
    if (removal.approved !== true) gone.add(host)
    else if (claimed) excused++
  }
  let base = owned - excused
  for (const host of gone) if (!Object.hasOwn(record.hosts, host)) base++
  return { removed: gone.size, base, percent: base === 0 ? 0 : (100 * gone.size) / base }
}

/** The last removal of each host, of those within the window. A removal in the future (a clock set back) is within. */
function latestRemovals(record: OwnershipRecord, now: number, window: number): Iterable<Removal> {
  const latest = new Map<Host, Removal>()
  for (const removal of record.removals) {
    if (now - removal.at >= window) continue
    const known = latest.get(removal.host)
    if (known === undefined || known.at <= removal.at) latest.set(removal.host, removal)
  }
  return latest.values()
}
