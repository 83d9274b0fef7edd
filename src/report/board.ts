import type { App, Key, Mapping } from '../api/objects.ts'
import type { Kind } from '../api/schema.ts'
import type { Log } from '../log/log.ts'
import type { ObjectSource } from '../source/source.ts'
import { appStatus } from '../status/app-status.ts'
import { type Happening, happenings, mappingHappenings } from '../status/happenings.ts'
import { type HostChecks, hostChecks } from '../status/host-checks.ts'
import { mappingStatuses, orphanStatus } from '../status/mapping-status.ts'
import type { Outcome } from '../status/outcome.ts'
import type { AppStatus, MappingStatus, Status } from '../status/status.ts'
import type { Metrics } from './metrics.ts'

/** Keeps what reconciles reported: the status page, `/status.json`, `status` and the metrics are read off it. */
export interface Board {
  reconciled(outcome: Outcome): void
  turned(): void
  objectsChanged(): void
  status(): Status
  /** Grows whenever `status` may have become another one, but for its time. */
  changes(): number
  /** When the loop turned last; epoch ms. */
  lastTurn(): number
}

export interface BoardOptions {
  version: string
  dryRun: boolean
  objects: ObjectSource
  metrics: Metrics
  log: Log
  now: () => number
  leader: () => boolean
  /** Gets statuses whenever a reconcile or a change of objects made them; undefined where nobody keeps them. */
  publish?: {
    app(status: AppStatus): void
    mapping(status: MappingStatus): void
    event(about: EventSubject, happening: Happening): void
  }
}

/** The object that an Event is about. */
export interface EventSubject {
  kind: Kind
  key: Key
  uid?: string
}

/** A thousand objects that change within a second would otherwise mean a thousand looks at 30,000; ms. */
const LOOK_EVERY_MS = 500

const subject = (kind: Kind, { key, uid }: App | Mapping): EventSubject => ({
  kind,
  key,
  ...(uid === undefined ? {} : { uid }),
})

/** Makes an empty board. */
export function createBoard(options: BoardOptions): Board {
  const { objects, metrics, log, now } = options
  const apps = new Map<Key, AppStatus>()
  const mappings = new Map<Key, Map<Key, MappingStatus>>()
  const orphans = new Map<Key, MappingStatus>()
  let lastTurn = now()
  let changes = 0
  let look: NodeJS.Timeout | undefined
  let lookedAt = Number.NEGATIVE_INFINITY

  function forget(key: Key): void {
    apps.delete(key)
    mappings.delete(key)
    metrics.appGone(key)
  }

  function take(app: App, outcome: Outcome): void {
    const before = apps.get(app.key)
    const checks = hostChecks(app, outcome)
    const status = appStatus(app, outcome, checks, before)
    const known = mappings.get(app.key) ?? new Map<Key, MappingStatus>()
    const own =
      outcome.desired === undefined && outcome.result !== 'Suspended' && known.size > 0
        ? [...known.values()]
        : mappingStatuses(app, status, outcome, checks, known)
    apps.set(app.key, status)
    mappings.set(app.key, new Map(own.map((each) => [each.key, each])))
    metrics.appSeen(app.key)
    measure(metrics, app.key, outcome, status, own, checks)
    tell(log, before, status)
    if (outcome.leftBehind !== undefined) log.warn('App let go', { app: app.key, message: outcome.leftBehind })
    for (const each of happenings(outcome, before, status)) options.publish?.event(subject('ServerPilotApp', app), each)
    for (const { mapping, ...each } of mappingHappenings(outcome, known, own))
      if (mapping.source === objects.name) options.publish?.event(subject('DomainMapping', mapping), each)
    options.publish?.app(status)
    for (const each of own) options.publish?.mapping(each)
  }

  /** Mappings whose app does not exist or is on its way out; each keeps the time since when. */
  function orphanStatuses(): MappingStatus[] {
    const list = objects.mappings().flatMap((mapping) => {
      const app = objects.app(mapping.app)
      const lost = app === undefined || app.deletionTimestamp !== undefined
      return lost ? [orphanStatus(mapping, app, orphans.get(mapping.key), now())] : []
    })
    orphans.clear()
    for (const each of list) orphans.set(each.key, each)
    return list
  }

  /** Costs as much as there are objects. */
  function lookAtAll(): void {
    look = undefined
    const failure = objects.failure()
    const count = objects.apps().length + objects.mappings().length
    metrics.sourceRead(objects.name, failure === undefined ? { ok: true, objects: count, at: now() } : { ok: false })
    if (failure !== undefined) log.warn('Source failed', { source: failure.source, message: failure.message })
    if (options.publish !== undefined && options.leader())
      for (const each of orphanStatuses()) options.publish.mapping(each)
    lookedAt = performance.now()
  }

  return {
    reconciled(outcome) {
      changes++
      lastTurn = now()
      if (outcome.app === undefined) forget(outcome.key)
      else take(outcome.app, outcome)
    },
    turned() {
      lastTurn = now()
    },
    objectsChanged() {
      changes++
      for (const key of apps.keys()) if (objects.app(key) === undefined) forget(key)
      if (look !== undefined) return
      const wait = lookedAt + LOOK_EVERY_MS - performance.now()
      if (wait <= 0) lookAtAll()
      else look = setTimeout(lookAtAll, wait).unref()
    },
    status: () => ({
      version: options.version,
      generatedAt: now(),
      leader: options.leader(),
      dryRun: options.dryRun,
      source: sourceStatus(objects),
      apps: objects
        .apps()
        .map((app) => apps.get(app.key) ?? unseen(app))
        .sort(byKey),
      mappings: [
        ...objects.apps().flatMap((app) => [...(mappings.get(app.key)?.values() ?? [])]),
        ...orphanStatuses(),
      ].sort(byKey),
    }),
    changes: () => changes,
    lastTurn: () => lastTurn,
  }
}

const byKey = (a: { key: Key }, b: { key: Key }): number => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)

function sourceStatus(objects: ObjectSource): Status['source'] {
  const failure = objects.failure()
  const faults = objects.faults().map(({ place, message }) => ({ place, message }))
  return {
    name: objects.name,
    synced: objects.synced(),
    ...(failure === undefined ? {} : { failure: failure.message }),
    faults,
  }
}

function unseen(app: App): AppStatus {
  return {
    key: app.key,
    appId: app.spec.appId,
    policy: app.spec.policy,
    place: app.place,
    observedGeneration: -1,
    ownedDomains: [],
    domains: { desired: 0, observed: 0, owned: 0, foreign: 0 },
    hosts: [],
    conditions: [],
  }
}

const RESULT = {
  Applied: 'applied',
  Unchanged: 'unchanged',
  Planned: 'planned',
  Suspended: 'suspended',
  Gone: 'unchanged',
  Refused: 'refused',
  Failed: 'failed',
} as const

function measure(
  metrics: Metrics,
  key: Key,
  outcome: Outcome,
  status: AppStatus,
  own: readonly MappingStatus[],
  checks: HostChecks,
): void {
  const ready = { true: 0, false: 0, unknown: 0 }
  for (const { conditions } of own) {
    const state = conditions.find((each) => each.type === 'Ready')?.status ?? 'Unknown'
    ready[state === 'True' ? 'true' : state === 'False' ? 'false' : 'unknown']++
  }
  const { plan } = outcome
  metrics.app(key, {
    hosts: status.domains,
    ...(plan === undefined
      ? {}
      : { pending: { add: plan.additions.length, remove: plan.removals.length + plan.waiting.length } }),
    removalsRefused: status.plan?.reason === 'RemovalRefused',
    conditions: status.conditions,
    lastAttempt: outcome.startedAt,
    ...(status.lastSuccess === undefined ? {} : { lastSuccess: status.lastSuccess }),
    certificateNotAfter: status.certificate?.notAfter ?? null,
    uncoveredHosts: checks.uncovered(),
    dnsFailingHosts: checks.failing(),
    mappings: ready,
  })
  metrics.reconciled(key, RESULT[outcome.result], outcome.endedAt - outcome.startedAt)
  if (outcome.failure?.reason === 'Contended') metrics.writeContended(key)
  metrics.hostsChanged(key, 'add', outcome.added.length)
  metrics.hostsChanged(key, 'remove', outcome.removed.length)
  metrics.hostsChanged(key, 'adopt', outcome.adopted)
  metrics.hostsChanged(key, 'release', outcome.released)
}

/** A line when the app's Ready changes its status or reason, not at every look. */
function tell(log: Log, before: AppStatus | undefined, after: AppStatus): void {
  const was = before?.conditions.find((each) => each.type === 'Ready')
  const is = after.conditions.find((each) => each.type === 'Ready')
  if (is === undefined || (was?.status === is.status && was.reason === is.reason && was.message === is.message)) return
  const fields = { app: after.key, ready: is.status, reason: is.reason, message: is.message }
  if (is.status === 'False') log.warn('App is not ready', fields)
  else log.info('App status', fields)
}
