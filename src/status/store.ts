import type { App, Key, Mapping } from '../api/objects.ts'
import type { Kind } from '../api/schema.ts'
import { byKey } from '../domain/by-key.ts'
import type { Log } from '../log/log.ts'
import type { InvalidObject, ObjectSource } from '../source/source.ts'
import type { Cancel, Clock } from '../time/clock.ts'
import { appStatus } from './app-status.ts'
import { conditionOf } from './conditions.ts'
import { type EventSubject, type Happening, happenings, mappingHappenings } from './happenings.ts'
import { hostChecks } from './host-checks.ts'
import { type AppReconciled, isCompiled, mappingStatuses } from './mapping-status.ts'
import { failureOf, type Outcome } from './outcome.ts'
import type { AppStatus, MappingStatus, Status } from './status.ts'
import { atNewest, blankAppStatus, byKindAndKey, createUnserved, faultOf, MADE_AT_ONCE, mapByKey } from './unserved.ts'

/** Keeps what reconciles reported: the status page, `/status.json`, `status` and the metrics are read off it. */
export interface StatusStore {
  /** After each reconcile; never throws. */
  reconciled(outcome: Outcome): void
  /** Objects changed; called before their apps are reconciled. */
  objectsChanged(): void
  status(): Promise<Status>
  /** Grows whenever `status` may have become another one, but for its time. */
  changes(): number
  /** Calls this after each of these changes, at once. */
  watch(changed: () => void): void
}

/** One reconcile with the statuses that came of it. */
export interface Reconciled extends AppReconciled {
  mappings: readonly MappingStatus[]
}

/** Counts what happens. */
export interface StatusMetrics {
  reconciled(reconciled: Reconciled): void
  /** The app never was valid: only its conditions are known. */
  appUnread(status: AppStatus): void
  /** The app is gone, and so is all that was counted of it. */
  appGone(app: Key): void
  /** A read of a source: a good one says how many objects at which epoch millisecond. */
  sourceRead(source: string, read: { ok: true; objects: number; at: number } | { ok: false }): void
}

/** Gets statuses and Events whenever a reconcile or a change of objects made them. */
export interface Publisher {
  app(status: AppStatus): void
  mapping(status: MappingStatus): void
  event(about: EventSubject, happening: Happening): void
}

interface StatusStoreOptions {
  version: string
  dryRun: boolean
  objects: ObjectSource
  metrics: StatusMetrics
  log: Log
  clock: Clock
  leader: () => boolean
  /** Undefined where nobody keeps statuses. */
  publish?: Publisher
}

/** A thousand objects that change within a second would otherwise mean a thousand looks at 30,000; ms. */
const LOOK_EVERY_MS = 500

const subject = (kind: Kind, { key, uid }: App | Mapping | InvalidObject): EventSubject => ({ kind, key, uid })

/** Makes an empty status store. */
export function createStatusStore(options: StatusStoreOptions): StatusStore {
  const { objects, metrics, log, clock, publish } = options
  const apps = new Map<Key, AppStatus>()
  const mappings = new Map<Key, ReadonlyMap<Key, MappingStatus>>()
  const unserved = createUnserved(objects, clock.turn)
  const watchers: (() => void)[] = []
  let changes = 0
  let pending: Cancel | undefined
  let lookedAt = Number.NEGATIVE_INFINITY

  function noteChange(): void {
    changes++
    for (const changed of watchers) changed()
  }

  /** Forgets the apps of which there is no object any more, whatever it says. */
  function forgetGone(keys: Iterable<Key>): void {
    const missing = [...keys].filter((key) => objects.app(key) === undefined)
    if (missing.length === 0) return
    const invalid = byKindAndKey(objects.invalid())
    for (const key of missing) {
      if (faultOf(invalid, 'ServerPilotApp', key) !== undefined) continue
      apps.delete(key)
      mappings.delete(key)
      metrics.appGone(key)
    }
  }

  function take(app: App, outcome: Outcome): void {
    const before = apps.get(app.key)
    const checks = hostChecks(app, outcome)
    const status = appStatus(app, outcome, checks, before)
    const known = mappings.get(app.key) ?? new Map<Key, MappingStatus>()
    const reconciled = { app, outcome, checks, status }
    const own =
      app.deletionTimestamp === undefined && saysNothingOfMappings(outcome)
        ? [...known.values()]
        : mappingStatuses(reconciled, known)
    apps.set(app.key, status)
    mappings.set(app.key, mapByKey(own))
    metrics.reconciled({ ...reconciled, mappings: own })
    logReady(log, before, status)
    if (outcome.leftBehind !== undefined) log.warn('App let go', { app: app.key, message: outcome.leftBehind })
    if (publish === undefined) return
    for (const each of happenings(outcome, before, status)) publish.event(subject('ServerPilotApp', app), each)
    for (const { mapping, ...each } of mappingHappenings(outcome, known, own))
      if (mapping.source === objects.name) publish.event(subject('DomainMapping', mapping), each)
    publish.app(status)
    for (const each of own) publish.mapping(each)
  }

  /** Takes up the status of an app that never was valid; `object` is undefined once that is gone. */
  function takeUnread(status: AppStatus, object: InvalidObject | undefined): void {
    const before = apps.get(status.key)
    apps.set(status.key, status)
    metrics.appUnread(status)
    if (logReady(log, before, status) && object !== undefined)
      publish?.event(subject('ServerPilotApp', object), {
        reason: 'SyncFailed',
        note: `InvalidSpec: ${object.message}`,
      })
    publish?.app(status)
  }

  /** Costs as much as there are objects. */
  async function lookAtAll(): Promise<void> {
    pending = undefined
    lookedAt = clock.steady()
    const failure = objects.failure()
    const count = objects.apps().length + objects.mappings().length
    metrics.sourceRead(
      objects.name,
      failure === undefined ? { ok: true, objects: count, at: clock.now() } : { ok: false },
    )
    if (failure !== undefined) log.warn('Source failed', { source: failure.source, message: failure.message })
    if (!options.leader()) return
    const found = await unserved.look(clock.now())
    for (const each of found.mappings) publish?.mapping(each)
    const invalid = byKindAndKey(found.apps.length === 0 ? [] : objects.invalid())
    let taken = 0
    for (const each of found.apps) {
      // It may have become valid since.
      if (objects.app(each.key) === undefined) takeUnread(each, faultOf(invalid, 'ServerPilotApp', each.key))
      if (++taken % MADE_AT_ONCE === 0) await clock.turn()
    }
  }

  return {
    reconciled(outcome) {
      noteChange()
      const { app, ...rest } = atNewest(outcome, objects.invalid)
      if (app !== undefined) take(app, { ...rest, app })
      else forgetGone([outcome.key])
    },
    objectsChanged() {
      noteChange()
      forgetGone(apps.keys())
      if (pending !== undefined) return
      const wait = lookedAt + LOOK_EVERY_MS - clock.steady()
      if (wait <= 0) void lookAtAll()
      else pending = clock.after(wait, () => void lookAtAll(), { idle: true })
    },
    async status() {
      const found = await unserved.look(clock.now())
      const all = objects.apps()
      // Each mapping once: of those of an app that is being deleted both speak.
      const others = new Set(found.mappings.map(({ key }) => key))
      const served = all.flatMap(({ key }) => [...(mappings.get(key)?.values() ?? [])])
      return {
        version: options.version,
        generatedAt: clock.now(),
        leader: options.leader(),
        dryRun: options.dryRun,
        source: {
          name: objects.name,
          synced: objects.synced(),
          failure: objects.failure()?.message,
          faults: objects.faults().map(({ place, message }) => ({ place, message })),
        },
        apps: [...all.map((app) => apps.get(app.key) ?? blankAppStatus(app)), ...found.apps].sort(byKey),
        mappings: [...served.filter(({ key }) => !others.has(key)), ...found.mappings].sort(byKey),
      }
    },
    changes: () => changes,
    watch: (changed) => void watchers.push(changed),
  }
}

/** It ended before it got to the mappings, and does not name them either: what was said of them stays. */
const saysNothingOfMappings = (outcome: Outcome): boolean =>
  !isCompiled(outcome) && (failureOf(outcome) === undefined || outcome.mappings.length === 0)

/** A line when the app's Ready says something else than before, not at every look; false when it does not. */
function logReady(log: Log, before: AppStatus | undefined, after: AppStatus): boolean {
  const was = conditionOf(before, 'Ready')
  const is = conditionOf(after, 'Ready')
  if (is === undefined || (was?.status === is.status && was.reason === is.reason && was.message === is.message))
    return false
  const fields = { app: after.key, ready: is.status, reason: is.reason, message: is.message }
  if (is.status === 'False') log.warn('App is not ready', fields)
  else log.info('App status', fields)
  return true
}
