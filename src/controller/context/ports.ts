import type { App } from '../../api/objects.ts'
import type { DnsVerdict } from '../../check/dns/judge.ts'
import type { Host } from '../../domain/host.ts'
import type { OwnershipRecord } from '../../ownership/record.ts'
import type { OwnershipStore } from '../../ownership/store.ts'
import type { NamespaceLabels } from '../../plan/desired.ts'
import type { ServerPilot } from '../../serverpilot/serverpilot.ts'
import type { MappingSource, ObjectSource } from '../../source/source.ts'
import type { Clock } from '../../time/clock.ts'

/** What is to be known of an object to change its finalizers. */
export type Finalizable = Pick<App, 'key' | 'namespace' | 'name' | 'uid' | 'finalizers' | 'deletionTimestamp'>

/** Puts our finalizer on objects and takes it off. Both may be repeated; both throw when it cannot be done. */
export interface Finalizers {
  add(object: Finalizable): Promise<void>
  remove(object: Finalizable): Promise<void>
}

/** What reconciling stands on: every edge is an interface, so that a cluster, a database or a test plugs in here. */
export interface Ports {
  objects: ObjectSource
  /** Every source of mappings, `objects` first. */
  mappingSources: readonly MappingSource[]
  /** The account whose credentials an app may use. Throws `ReconcileError`. */
  accountOf(app: App): Promise<ServerPilot>
  records: OwnershipStore
  clock: Clock
  namespaceLabels: NamespaceLabels
  /** Undefined where objects can have none: in files. */
  finalizers?: Finalizers | undefined
  /** Looks hosts of an app up at once, in one pass by a person; undefined in a daemon, whose checks do that beside. */
  lookUpNow?(
    app: App,
    hosts: readonly Host[],
    serverId: string,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<Host, DnsVerdict>>
  /** Hashes that somebody approved by other ways than an annotation. */
  handedApprovals?(): readonly string[]
  /** Throws when this process may not write now: lost leadership. Called directly before each claim and each write. */
  assertMayWrite(): void
}

/** How this process reconciles. */
export interface Mode {
  /** Never write to ServerPilot. */
  dryRun: boolean
  /** One pass with a person in front of it: removals do not wait, the other guards stand. */
  oneShot: boolean
  /** Hash given on the command line; annotations count as well. */
  approval: string | undefined
  /** Foreign hosts that a person asked to remove. */
  unwanted?: ReadonlySet<Host>
  writer: OwnershipRecord['writer']
}
