import type { App, Key } from '../api/objects.ts'
import type { Host } from '../domain/host.ts'
import type { OwnershipRecord } from '../ownership/record.ts'
import type { Desired } from './desired.ts'
import type { Held } from './held.ts'
import type { RemovalWatch } from './settle.ts'

/** Everything that a plan is computed from. Time is `now`; nothing else is read. */
export interface PlanInput {
  app: App
  /** Without the hosts that are quarantined. */
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
  /** The record was written by another version or with other filters, or is an older one (a one-shot run has no watch to remember that). */
  distrusted: boolean
  /** Names that a source protects besides those of the app: never removed. */
  protectedHosts: readonly string[]
  /** The app's object is being deleted with deletionPolicy Delete: what is ours goes, without settling and without a budget. */
  finalizing: boolean
  /** Additions that must not be tried now: refused by the API, or DNS not ready under `Require`. */
  blocked: ReadonlyMap<Host, Held>
  /** Hosts that are wanted, and that their DNS keeps off the list for now: those that are there and ours go. */
  quarantined?: ReadonlyMap<Host, Held>
  /** Hosts that another writer keeps undoing: neither added nor removed now. */
  contended: ReadonlyMap<Host, Held>
  /** Hosts wanted by another app of the account that does not hold them there yet: they leave here only after. */
  moving: ReadonlyMap<Host, Key>
  /** Foreign hosts that a person asked to remove, once approved. */
  unwanted?: ReadonlySet<Host>
  /** Hashes that somebody approved. */
  approvals: readonly string[]
  /** More of them, meant for whichever app they fit. */
  handed?: readonly string[]
  now: number
}
