import type { App, Key, Mapping } from '../../api/objects.ts'
import type { Host } from '../../domain/host.ts'
import { settleConflicts } from '../../plan/conflicts.ts'
import { type Compiled, compileMapping, type Desired, needsLabels } from '../../plan/desired.ts'
import type { MappingRead, SourceFault } from '../../source/source.ts'
import { type AccountDesires, type Context, memoryOf } from '../context.ts'
import { ReconcileError } from './errors.ts'

/** What is wanted of one app, and which sources cannot be trusted to have said everything. */
export interface Wish {
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

/** Step 1: compiles the mappings of an app into hosts. Conflicts are settled among all apps of its account. */
export function desire(context: Context, app: App, account: string): Wish {
  const apps = context.objects.apps().filter((each) => context.memory.get(each.key)?.account === account)
  const reads = apps.map((each) => readAll(context, each))
  const known = context.desires.get(account)
  const inputs = [...apps, ...reads.flat().map((read) => read.mappings), ...labelsRead(context, apps, reads)]
  const current =
    known !== undefined && sameInputs(known.inputs, inputs)
      ? known
      : compileAll(context, account, apps, reads, inputs, known)
  // By key: the source may have made a new object of it meanwhile.
  const own = reads[apps.findIndex((each) => each.key === app.key)]
  if (own === undefined) {
    throw new ReconcileError('Progressing', `App ${app.key} was changed meanwhile; it is looked at again.`, {
      retryable: true,
    })
  }
  return {
    desired: current.byApp.get(app.key) ?? { hosts: new Map(), rejected: [], notes: [] },
    mappings: own.flatMap((read) => read.mappings),
    frozen: new Map(own.flatMap((read) => (read.failure === undefined ? [] : [[read.source, read.failure.message]]))),
    protectedHosts: own.flatMap((read) => read.protectedHosts ?? []),
    faults: own.flatMap((read) => read.faults ?? []),
    secondWriter: own.find((read) => read.secondWriter !== undefined)?.secondWriter,
  }
}

function readAll(context: Context, app: App): MappingRead[] {
  // An app that is being deleted wants nothing any more, and needs no source for that.
  if (app.deletionTimestamp !== undefined) return []
  return context.mappingSources.map((source) => source.mappingsOf(app))
}

/** The labels that decide which mappings the apps take: like everything else that goes in, others make another result. */
function labelsRead(context: Context, apps: readonly App[], reads: readonly MappingRead[][]): unknown[] {
  const namespaces = apps.flatMap((app, index) => {
    if (app.spec.allowedNamespaces.from !== 'Selector') return []
    return (reads[index] ?? []).flatMap((read) => read.mappings.map((mapping) => mapping.namespace))
  })
  return [...new Set(namespaces)].map((namespace) => context.namespaceLabels(namespace))
}

const sameInputs = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((each, index) => each === b[index])

function compileAll(
  context: Context,
  account: string,
  apps: readonly App[],
  reads: readonly MappingRead[][],
  inputs: readonly unknown[],
  known: AccountDesires | undefined,
): AccountDesires {
  const cache: AccountDesires['compiled'] = known?.compiled ?? new WeakMap()
  const compile = (app: App, mapping: Mapping): Compiled => {
    const hit = cache.get(mapping)
    const labels = needsLabels(app, mapping) ? context.namespaceLabels(mapping.namespace) : undefined
    if (hit?.app === app && hit.labels === labels) return hit
    const { hosts, rejected, note } = compileMapping(app, mapping, () => labels)
    const compiled = { mapping, hosts, rejected, note, app, labels }
    cache.set(mapping, compiled)
    return compiled
  }
  const compiled = apps.map((app, index) => ({
    app: app.key,
    compiled: (reads[index] ?? []).flatMap((read) => read.mappings.map((mapping) => compile(app, mapping))),
  }))
  const byApp = settleConflicts(compiled, holders(context, apps))
  const wantedBy = new Map(
    [...byApp].flatMap(([app, { hosts }]) => [...hosts.keys()].map((host) => [host, app] as const)),
  )
  const fresh = { inputs, byApp, wantedBy, compiled: cache }
  context.desires.set(account, fresh)
  return fresh
}

function holders(context: Context, apps: readonly App[]): (host: Host) => Key | undefined {
  const records = apps.map((app) => memoryOf(context, app.key).record?.hosts)
  return (host) => {
    for (const hosts of records) {
      const claim = hosts?.[host]
      if (claim !== undefined && claim.absentSince === undefined) return claim.mapping
    }
    return undefined
  }
}

/**
 * Hosts of this app that another app of the account wants and does not hold yet: they leave here only once they are proven
 * there, so that a host that moves is never unserved.
 */
export function movingHosts(context: Context, app: App, account: string): ReadonlyMap<Host, Key> {
  const owned = memoryOf(context, app.key).record?.hosts
  const moving = new Map<Host, Key>()
  if (owned === undefined) return moving
  const wantedBy = context.desires.get(account)?.wantedBy
  for (const host of Object.keys(owned) as Host[]) {
    const other = wantedBy?.get(host)
    if (other === undefined || other === app.key) continue
    const record = memoryOf(context, other).record
    // A second object for the same app has our own record in memory: that proves nothing.
    const claim = record?.owner === other ? record.hosts[host] : undefined
    if (claim?.state !== 'Held' || claim.absentSince !== undefined) moving.set(host, other)
  }
  return moving
}

/** Apps of the account that want or own one of these hosts: they have to look again when it comes or goes elsewhere. */
export function concerned(context: Context, app: Key, account: string, hosts: readonly Host[]): Key[] {
  const apps: Key[] = []
  for (const [other, desired] of context.desires.get(account)?.byApp ?? []) {
    const record = context.memory.get(other)?.record
    const touches = (host: Host): boolean => desired.hosts.has(host) || record?.hosts[host] !== undefined
    const waits = desired.rejected.some((each) => each.reason === 'Conflict')
    if (other !== app && (waits || hosts.some(touches))) apps.push(other)
  }
  return apps
}
