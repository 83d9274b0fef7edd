import type { SafetySpec } from '../api/objects.ts'
import type { Host } from '../domain/host.ts'

/** Hosts, as the keys of a map or as a set. */
type Hosts = Pick<ReadonlySet<Host>, 'has' | 'keys'>

/**
 * What this process remembers of an app's desired set, so that a removal is not taken for an interruption, nor the other way round.
 * `seen`: this process saw the host wanted, and then not. Otherwise the removal is inferred: the host was already unwanted at
 * the first pass (since start, takeover, or a change of policy), or when a source had read everything anew.
 */
export interface RemovalWatch {
  /** What decides, besides the mappings, which hosts may be removed: another basis makes every removal inferred. */
  readonly basis: string
  readonly wanted: Hosts
  /** How often sources had read everything anew. */
  readonly rereads: number
  /** When the desired set last lost a host; ms of the clock that the passes were given. */
  readonly lastLoss: number
  readonly missing: ReadonlyMap<Host, { since: number; seen: boolean }>
  /** The record was written by another version or with other filters, or is an older one: inferred removals need approval. */
  readonly distrusted: boolean
}

/**
 * Follows the desired set from one pass to the next.
 * @param watch what the pass before gave; undefined at the first, or after anything that makes what was seen worthless
 * @param rereads how often sources had read everything anew: what is gone with that nobody saw go.
 * @param frozen whether a host's source has failed: then it does not count as lost, nor is it forgotten that it was wanted.
 *   Removals that were waiting start over once the source can be read again: the failure may be what took their mappings, as
 *   a CustomResourceDefinition that is deleted takes its objects along.
 */
export function watchRemovals(
  watch: RemovalWatch | undefined,
  pass: {
    basis: string
    wanted: ReadonlyMap<Host, unknown>
    owned: Iterable<Host>
    frozen: (host: Host) => boolean
    distrusted: boolean
    rereads?: number
    now: number
  },
): RemovalWatch {
  const { now, rereads = 0 } = pass
  const before = watch?.basis === pass.basis ? watch : undefined
  const followed = before !== undefined && before.rereads === rereads
  const missing = new Map<Host, { since: number; seen: boolean }>()
  let lastLoss = before?.lastLoss ?? now
  for (const host of pass.owned) {
    if (pass.wanted.has(host) || pass.frozen(host)) continue
    const known = before?.missing.get(host)
    if (known === undefined) lastLoss = now
    missing.set(host, known ?? { since: now, seen: followed && before.wanted.has(host) })
  }
  const wanted = withFrozen(pass.wanted, before?.wanted, pass.frozen)
  const distrusted = before?.distrusted === true || pass.distrusted
  return { basis: pass.basis, wanted, rereads, lastLoss, missing, distrusted }
}

/** The wanted hosts, and those wanted before whose source has failed. The map itself where there are none: it is kept anyway. */
function withFrozen(
  wanted: ReadonlyMap<Host, unknown>,
  before: Hosts | undefined,
  frozen: (host: Host) => boolean,
): Hosts {
  if (before === undefined || before === wanted) return wanted
  const more = [...before.keys()].filter((host) => !wanted.has(host) && frozen(host))
  return more.length === 0 ? wanted : new Set([...wanted.keys(), ...more])
}

/** The same watch on a clock that shows `ms` milliseconds more. */
export function onClock(watch: RemovalWatch, ms: number): RemovalWatch {
  if (ms === 0) return watch
  const missing = new Map([...watch.missing].map(([host, each]) => [host, { ...each, since: each.since + ms }]))
  return { ...watch, lastLoss: watch.lastLoss + ms, missing }
}

/** When the removal of a host has settled (epoch ms), and whether it was only inferred. */
export function settlesAt(watch: RemovalWatch, host: Host, safety: SafetySpec): { at: number; inferred: boolean } {
  const entry = watch.missing.get(host)
  if (entry?.seen) return { at: watch.lastLoss + safety.settle, inferred: false }
  return { at: Math.max(entry?.since ?? watch.lastLoss, watch.lastLoss) + safety.settleInferred, inferred: true }
}
