import type { App, Key, Mapping } from '../api/objects.ts'
import type { CertificateFacts } from '../check/certificate.ts'
import type { DnsVerdict } from '../check/dns/judge.ts'
import type { Outage } from '../check/dns/outage.ts'
import { type HostFacts, noFacts } from '../check/facts.ts'
import type { Host } from '../domain/host.ts'
import type { OwnershipRecord } from '../ownership/record.ts'
import type { OwnershipStore } from '../ownership/store.ts'
import type { Compiled, Desired, NamespaceLabels } from '../plan/desired.ts'
import type { RemovalWatch } from '../plan/settle.ts'
import type { ServerPilot, ServerPilotApp } from '../serverpilot/serverpilot.ts'
import type { MappingSource, ObjectSource } from '../source/source.ts'
import type { SslOutcome } from '../status/outcome.ts'
import type { Clock } from '../time/clock.ts'
import type { Finalizers } from './app/finalize.ts'
import type { Grounds } from './app/ssl-state.ts'

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
  lookUpNow?(app: App, hosts: readonly Host[], serverId: string): Promise<ReadonlyMap<Host, DnsVerdict>>
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
  writer: OwnershipRecord['writer']
}

/** Writes that did not last, per app: what tells contention from bad luck. */
export interface Contention {
  /** Times at which we wrote something that we had proven in place before, per host. */
  reversals: Map<Host, number[]>
  /** No write before this; epoch ms. */
  until: number
  /** Back-off level. */
  level: number
}

/** The compiled wishes of all apps of one account, kept until one of the reads that they came from is another one. */
export interface AccountDesires {
  inputs: readonly unknown[]
  byApp: ReadonlyMap<Key, Desired>
  /** The one app that gets each host. */
  wantedBy: ReadonlyMap<Host, Key>
  /** What each mapping came to, as long as app and labels are the same. */
  compiled: WeakMap<Mapping, Compiled & { app: App; labels: ReturnType<NamespaceLabels> }>
}

/** What the process remembers of one app between reconciles. All of it may be lost at any time without harm. */
export interface AppMemory {
  watch: RemovalWatch | undefined
  /** The record as loaded or saved last; `loaded` false means: read it first. */
  loaded: boolean
  /** Account and appId that all of this is of: another one makes it worthless. */
  of: string | undefined
  record: OwnershipRecord | undefined
  token: string | undefined
  /** What a sweep listed, until it is used, and how many writes had ended when it was asked for. */
  listed: { app: ServerPilotApp; writes: number } | undefined
  /** Changes made at ServerPilot by this process: a listing that was asked for before one of them is not true any more. */
  writes: number
  contention: Contention
  ssl: SslMemory | undefined
  account: string | undefined
  /** Since when additions have been gathered, as certificates are scarce; epoch ms. */
  gathering: number | undefined
  /** What the last reconcile saw of server and certificate. */
  seen: Seen | undefined
  checks: AppChecks
}

/** The last look at AutoSSL and ForceSSL. */
export interface SslMemory {
  outcome: SslOutcome
  /** Looks in a row that came to the same. */
  looks: number
  /** When; epoch ms. */
  at: number
  /** Not before this is it looked at again, unless something changed; epoch ms. */
  lookAt: number
  /** What it was found on; `ssl` is what the list said of SSL. */
  grounds: Grounds & { ssl: string }
}

/** What looking at an app's hosts starts from. */
export interface Seen {
  serverId: string
  /** PEM of the certificate, and what it says. */
  pem: string | undefined
  certificate: CertificateFacts | undefined
  /** AutoSSL is wanted, and a wanted host that is listed has no certificate. */
  bare: boolean
}

/** What looks found out of an app's hosts, and what the app was like then. */
export interface AppChecks {
  facts: HostFacts
  generation?: number
  /** Value of the annotation that asks for a reconcile. */
  requested?: string | undefined
  /** Fingerprint. */
  certificate?: string | undefined
}

/** Ports, mode and memory of one running controller. */
export interface Context extends Ports, Mode {
  memory: Map<Key, AppMemory>
  desires: Map<string, AccountDesires>
  /** Whether hosts are looked at beside the reconciles, and an outage of the resolver while one lasts. */
  checks: { on: boolean; outage: Outage | undefined }
}

/** Puts a context together; nothing starts. */
export function createContext(ports: Ports, mode: Mode): Context {
  return { ...ports, ...mode, memory: new Map(), desires: new Map(), checks: { on: false, outage: undefined } }
}

/** The memory of an app, made when there is none. */
export function memoryOf(context: Context, key: Key): AppMemory {
  const known = context.memory.get(key)
  if (known !== undefined) return known
  const fresh = blankMemory()
  context.memory.set(key, fresh)
  return fresh
}

/** The memory of an app of which nothing is known. */
export function blankMemory(): AppMemory {
  return {
    watch: undefined,
    loaded: false,
    of: undefined,
    record: undefined,
    token: undefined,
    listed: undefined,
    writes: 0,
    contention: { reversals: new Map(), until: 0, level: 0 },
    ssl: undefined,
    account: undefined,
    gathering: undefined,
    seen: undefined,
    checks: { facts: noFacts() },
  }
}
