import { matchesSelector } from '../api/selector.ts'
import { byKey } from '../domain/by-key.ts'
import { namespacesOf } from '../setup/cluster-scope.ts'
import type { Io } from '../setup/io.ts'
import type { Given } from '../setup/option.ts'
import type { Settings } from '../setup/settings.ts'
import { isComputed } from '../status/condition-types.ts'
import type { HostStatus } from '../status/host-status.ts'
import type { AppStatus, Condition, MappingStatus, Status } from '../status/status.ts'
import { systemClock } from '../time/clock.ts'
import { type AppObject, type MappingObject, readAll, withReader } from './cluster-reader.ts'

/** The status of a cluster, off the objects alone: get and list on the two kinds do. Throws an `Error` that names the missing right. */
export async function readClusterStatus(io: Io, given: Given, settings: Settings): Promise<Status> {
  const { apps, mappings } = await withReader(io, settings, (reader) =>
    readAll(reader, namespacesOf(io, given, settings, reader)),
  )
  const chosen = apps.filter((app) => matchesSelector(app.labels, settings.selection.selector))
  const left = new Set(apps.filter((app) => !chosen.includes(app)).map(({ key }) => key))
  const shown = mappings.filter((mapping) => !left.has(mapping.app))
  return statusOf(chosen, shown, { version: io.version, now: systemClock.now() })
}

/** What the objects say, as a status. `now`: epoch ms. Pure. */
export function statusOf(
  apps: readonly AppObject[],
  mappings: readonly MappingObject[],
  { version, now }: { version: string; now: number },
): Status {
  const statuses = mappings.map(mappingStatus).sort(byKey)
  return {
    version,
    generatedAt: now,
    leader: true,
    dryRun: false,
    source: { name: 'kubernetes', synced: true, faults: [] },
    apps: apps.map((app) => appStatus(app, hostsOf(app, statuses))).sort(byKey),
    mappings: statuses,
  }
}

function appStatus(app: AppObject, hosts: HostStatus[]): AppStatus {
  const { plan, conditions, ...rest } = app.status
  return {
    key: app.key,
    appId: app.appId,
    policy: app.policy,
    place: `ServerPilotApp ${app.key}`,
    hosts,
    ...rest,
    ...(plan === undefined ? {} : { plan: { ...plan, diff: '' } }),
    conditions: conditionsNow(conditions, app.generation, rest.observedGeneration),
  }
}

function mappingStatus({ key, app, domain, generation, status }: MappingObject): MappingStatus {
  const { conditions, hosts, ...rest } = status
  return {
    key,
    app,
    source: 'kubernetes',
    place: `DomainMapping ${key}`,
    domain,
    ...rest,
    hosts: hosts.map((host) => ({ ...host, mapping: key })),
    conditions: conditionsNow(conditions, generation, rest.observedGeneration),
  }
}

function hostsOf(app: AppObject, mappings: readonly MappingStatus[]): HostStatus[] {
  const hosts = mappings.filter((mapping) => mapping.app === app.key).flatMap((mapping) => mapping.hosts)
  return hosts.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

/** What was said of an earlier generation is not true of this one: nobody has looked yet. */
function conditionsNow(conditions: readonly Condition[], generation: number, seen: number): Condition[] {
  if (seen >= generation) return [...conditions]
  const message =
    seen < 0
      ? 'No daemon has looked at this object yet.'
      : `The daemon has not looked at generation ${generation} yet; it saw ${seen}.`
  const said = { reason: 'Progressing', message, observedGeneration: seen, lastTransitionTime: 0 }
  const others = conditions.filter(({ type }) => !isComputed(type))
  return [...others, { type: 'Ready', status: 'Unknown', ...said }, { type: 'Reconciling', status: 'True', ...said }]
}
