import type { App, Key, Mapping } from '../../api/objects.ts'
import type { Host } from '../../domain/host.ts'
import { resolveConflicts } from '../../plan/conflicts.ts'
import { type Compiled, compileMapping, type Desired, type NamespaceLabels, needsLabels } from '../../plan/desired.ts'
import type { MappingRead, SourceFault } from '../../source/source.ts'
import type { AppAccounts } from './app-accounts.ts'
import { ReconcileError } from './errors.ts'
import type { Ports } from './ports.ts'
import type { Records } from './records.ts'

/** What is desired of one app, and which sources cannot be trusted to have said everything. */
export interface AppDesired {
  desired: Desired
  mappings: readonly Mapping[]
  /** Failed sources with the cause. */
  frozen: ReadonlyMap<string, string>
  /** Names that sources protect. */
  protectedHosts: readonly string[]
  /** What sources say of single rows. */
  faults: readonly SourceFault[]
  /** Who else writes the same list, as sources found out. */
  secondWriter: string | undefined
}

export type Desires = ReturnType<typeof createDesires>

/** What is desired of all apps of one account, kept until one of the reads that it came from is another one. */
interface AccountDesires {
  inputs: readonly unknown[]
  byApp: ReadonlyMap<Key, Desired>
  /** The one app that gets each host. */
  desiredBy: ReadonlyMap<Host, Key>
  /** What each mapping came to, as long as app and labels are the same. */
  compiled: WeakMap<Mapping, Compiled & { app: App; labels: ReturnType<NamespaceLabels> }>
}

/** An app with what each source says of its mappings. */
interface AppReads {
  app: App
  reads: readonly MappingRead[]
}

/** What the apps want, account by account: one host goes to one app, so nobody is compiled alone. */
export function createDesires(
  ports: Pick<Ports, 'mappingSources' | 'namespaceLabels'>,
  accounts: AppAccounts,
  records: Records,
) {
  const known = new Map<string, AccountDesires>()

  function readAll(app: App): AppReads {
    // An app that is being deleted wants nothing any more, and needs no source for that.
    const sources = app.deletionTimestamp === undefined ? ports.mappingSources : []
    return { app, reads: sources.map((source) => source.mappingsOf(app)) }
  }

  function compile(account: string, all: readonly AppReads[]): AccountDesires {
    const before = known.get(account)
    const inputs = inputsOf(all, ports.namespaceLabels)
    if (before !== undefined && sameInputs(before.inputs, inputs)) return before
    const cache: AccountDesires['compiled'] = before?.compiled ?? new WeakMap()
    const compiled = all.map(({ app, reads }) => ({
      app: app.key,
      compiled: reads.flatMap(({ mappings }) =>
        mappings.map((mapping) => compileOnce(cache, app, mapping, ports.namespaceLabels)),
      ),
    }))
    const byApp = resolveConflicts(compiled, holderIn(all.map(({ app }) => records.of(app.key)?.hosts)))
    const desiredBy = new Map(
      [...byApp].flatMap(([app, { hosts }]) => [...hosts.keys()].map((host) => [host, app] as const)),
    )
    const fresh = { inputs, byApp, desiredBy, compiled: cache }
    known.set(account, fresh)
    return fresh
  }

  return {
    /** Compiles the mappings of an app into hosts. Throws a retryable `ReconcileError` while the app is not one of the account. */
    of(app: App, account: string): AppDesired {
      const all = accounts.appsOf(account).map(readAll)
      const { byApp } = compile(account, all)
      // By key: the source may have made a new object of it meanwhile.
      const own = all.find((each) => each.app.key === app.key)
      if (own === undefined) {
        throw new ReconcileError('Progressing', `App ${app.key} was changed meanwhile; it is looked at again.`)
      }
      return withReads(byApp.get(app.key) ?? NOTHING, own.reads)
    },
    /** What was compiled last; undefined when nothing was. */
    known: (app: Key): Desired | undefined => known.get(accounts.of(app) ?? '')?.byApp.get(app),
    /**
     * Hosts of this app that another app of the account wants and does not hold yet: they leave here only once they are proven there,
     * so that a host that moves is never unserved.
     */
    moving(app: Key, account: string): ReadonlyMap<Host, Key> {
      const moving = new Map<Host, Key>()
      const desiredBy = known.get(account)?.desiredBy
      for (const host of Object.keys(records.of(app)?.hosts ?? {}) as Host[]) {
        const other = desiredBy?.get(host)
        if (other === undefined || other === app) continue
        const record = records.of(other)
        // A second object for the same app has our own record in memory: that proves nothing.
        const claim = record?.owner === other ? record.hosts[host] : undefined
        if (claim?.state !== 'Held' || claim.absentSince !== undefined) moving.set(host, other)
      }
      return moving
    },
    /** Other apps of the account that want or own one of these hosts: they have to look again when it comes or goes elsewhere. */
    concerned(app: Key, account: string, hosts: readonly Host[]): Key[] {
      return [...(known.get(account)?.byApp ?? [])].flatMap(([other, desired]) => {
        if (other === app) return []
        const claims = records.of(other)?.hosts
        const touches = (host: Host): boolean => desired.hosts.has(host) || claims?.[host] !== undefined
        const waits = desired.rejected.some((each) => each.reason === 'Conflict')
        return waits || hosts.some(touches) ? [other] : []
      })
    },
  }
}

const NOTHING: Desired = { hosts: new Map(), rejected: [], notes: [] }

function withReads(desired: Desired, reads: readonly MappingRead[]): AppDesired {
  return {
    desired,
    mappings: reads.flatMap((read) => read.mappings),
    frozen: new Map(reads.flatMap((read) => (read.failure === undefined ? [] : [[read.source, read.failure.message]]))),
    protectedHosts: reads.flatMap((read) => read.protectedHosts ?? []),
    faults: reads.flatMap((read) => read.faults ?? []),
    secondWriter: reads.find((read) => read.secondWriter !== undefined)?.secondWriter,
  }
}

/** Everything that decides what the apps get, each the same value as long as it says the same. */
function inputsOf(all: readonly AppReads[], labelsOf: NamespaceLabels): unknown[] {
  const inputs: unknown[] = []
  const namespaces = new Set<string>()
  for (const { app, reads } of all) {
    inputs.push(app)
    for (const { mappings } of reads) {
      inputs.push(mappings)
      if (app.spec.allowedNamespaces.from === 'Selector') for (const each of mappings) namespaces.add(each.namespace)
    }
  }
  for (const namespace of namespaces) inputs.push(labelsOf(namespace))
  return inputs
}

const sameInputs = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((each, index) => each === b[index])

function compileOnce(
  cache: AccountDesires['compiled'],
  app: App,
  mapping: Mapping,
  labelsOf: NamespaceLabels,
): Compiled {
  const hit = cache.get(mapping)
  const labels = needsLabels(app, mapping) ? labelsOf(mapping.namespace) : undefined
  if (hit?.app === app && hit.labels === labels) return hit
  const { hosts, rejected, note } = compileMapping(app, mapping, () => labels)
  const compiled = { mapping, hosts, rejected, note, app, labels }
  cache.set(mapping, compiled)
  return compiled
}

/** The mapping that holds a host, by the records of all apps. */
function holderIn(
  records: readonly (Record<Host, { mapping: Key; absentSince?: number }> | undefined)[],
): (host: Host) => Key | undefined {
  return (host) => {
    for (const hosts of records) {
      const claim = hosts?.[host]
      if (claim !== undefined && claim.absentSince === undefined) return claim.mapping
    }
    return undefined
  }
}
