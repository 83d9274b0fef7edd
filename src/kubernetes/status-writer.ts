import { createHash } from 'node:crypto'
import type { Log } from '../report/log.ts'
import type { AppStatus, Condition, MappingStatus } from '../report/status.ts'
import { codeOf, type Kind, type ObjectVersion, type StatusApi, splitKey, type Time } from './api.ts'

/** A `status` as it stands in an object: JSON. */
export type StatusFields = Record<string, unknown>

export interface StatusWriterOptions {
  api: StatusApi
  time: Time
  log: Log
  /** Throws when this process may not write; asked directly before each patch. */
  assertMayWrite(): void
  /** Patches under way at once, 8 when not given: more is no faster. */
  parallel?: number
}

/** Writes statuses behind the reconciles, which never wait for it. Of one object only the latest is written. */
export interface StatusWriter {
  /** With a `resourceVersion` it is written only if the object is still that one. */
  app(status: AppStatus, version?: ObjectVersion): void
  /** Mappings that are no objects of the cluster are passed over. */
  mapping(status: MappingStatus, version?: ObjectVersion): void
  /** What was read off the cluster: no patch says what stands there already. What we wrote ourselves counts for more. */
  seen(kind: Kind, key: string, status: StatusFields | undefined, version: ObjectVersion): void
  /** The object is gone. */
  forget(kind: Kind, key: string): void
  /** Statuses that wait or are under way. */
  depth(): number
  /** Waits until all are written, `timeoutMs` milliseconds at most, and gives how many are not. */
  flush(timeoutMs: number): Promise<number>
  /** Drops what waits; nothing is sent any more. */
  stop(): void
}

const PARALLEL = 8
/** After a failure that may pass nothing is sent for this long, doubled each time up to the maximum; ms. */
const PAUSE_MS = 500
const MAX_PAUSE_MS = 15_000
/** So many are looked at in one turn of the loop. */
const TAKEN_AT_ONCE = 100
const REFUSED_EVERY_MS = 60_000

interface Wish {
  kind: Kind
  key: string
  /** Made when it is its turn: 30,000 of them waiting would be many copies. */
  fields: () => StatusFields
  version: ObjectVersion
}

/** What is remembered of what stands in an object, in few bytes. */
interface Known {
  uid: string | undefined
  /** Undefined when we cannot know. */
  digest: string | undefined
  /** By type of the condition: its status, and since when it has it. */
  since: ReadonlyMap<string, { status: unknown; time: unknown }>
  /** The version that our last patch stood on, and the one that it made: whoever names the first means the second. */
  basedOn?: string | undefined
  made?: string | undefined
}

/** Makes a status writer. */
export function createStatusWriter(options: StatusWriterOptions): StatusWriter {
  const { api, time, log, assertMayWrite, parallel = PARALLEL } = options
  const known = new Map<string, Known>()
  // Apps first: there are few of them, and people look there.
  const waiting: Record<Kind, Map<string, Wish>> = { ServerPilotApp: new Map(), DomainMapping: new Map() }
  const underWay = new Set<string>()
  const idle = new Set<() => void>()
  let pause = 0
  let pausing = false
  const end = new AbortController()
  let taken = 0
  let refused = 0
  let refusedAt = Number.NEGATIVE_INFINITY

  const depth = (): number => waiting.ServerPilotApp.size + waiting.DomainMapping.size + underWay.size

  function take(): Wish | undefined {
    for (const wishes of [waiting.ServerPilotApp, waiting.DomainMapping]) {
      for (const [id, wish] of wishes) {
        // Two patches of one object at once could land in the wrong order.
        if (underWay.has(id)) continue
        wishes.delete(id)
        return wish
      }
    }
    return undefined
  }

  function pump(): void {
    while (!pausing && underWay.size < parallel) {
      // Those that have not changed take no call: without a break, thousands of them would hold everything up.
      if (++taken % TAKEN_AT_ONCE === 0) {
        setImmediate(pump)
        return
      }
      const wish = take()
      if (wish === undefined) break
      const id = idOf(wish.kind, wish.key)
      underWay.add(id)
      void write(wish, id).finally(() => {
        underWay.delete(id)
        pump()
      })
    }
    if (depth() > 0) return
    for (const wake of idle) wake()
    idle.clear()
  }

  async function write(wish: Wish, id: string): Promise<void> {
    const { kind, key, version } = wish
    let before = known.get(id)
    if (version.uid !== undefined && before?.uid !== undefined && before.uid !== version.uid) before = undefined
    const status = keepTransitionTimes(wish.fields(), before?.since)
    const digest = digestOf(status)
    if (digest === before?.digest) return
    const { resourceVersion } = version
    const basis = resourceVersion !== undefined && resourceVersion === before?.basedOn ? before.made : resourceVersion
    const { namespace, name } = splitKey(key)
    try {
      assertMayWrite()
    } catch {
      // Whoever leads now writes its own.
      return
    }
    try {
      const made = await api.patchStatus(kind, namespace, name, { ...ABSENT[kind], ...status }, basis)
      const sameObject = version.uid === undefined || made.uid === undefined || made.uid === version.uid
      const after = { uid: made.uid ?? version.uid, basedOn: resourceVersion, made: made.resourceVersion }
      known.set(id, { ...after, digest: sameObject ? digest : undefined, since: sinceOf(status) })
      pause = 0
    } catch (error) {
      failed(wish, id, before, error)
    }
  }

  function failed(wish: Wish, id: string, before: Known | undefined, error: unknown): void {
    const { kind, key } = wish
    const code = codeOf(error)
    if (code === 404) {
      known.delete(id)
      return
    }
    // The object has changed; its next outcome is on its way and writes again.
    if (code === 409) return
    if (code !== undefined && code < 500 && code !== 429) {
      refused++
      // Missing rights concern thousands of objects at once.
      if (time.monotonic() - refusedAt < REFUSED_EVERY_MS) return
      log.warn('A status was refused', { kind, object: key, refused, error })
      refusedAt = time.monotonic()
      refused = 0
      return
    }
    // It may have been written all the same.
    if (before !== undefined) known.set(id, { uid: before.uid, digest: undefined, since: before.since })
    if (!waiting[kind].has(id) && !end.signal.aborted) waiting[kind].set(id, wish)
    hold(error)
  }

  function hold(error: unknown): void {
    if (pausing || end.signal.aborted) return
    pausing = true
    if (pause === 0) log.warn('Statuses cannot be written, trying again', { waiting: depth(), error })
    pause = Math.min(MAX_PAUSE_MS, pause === 0 ? PAUSE_MS : pause * 2)
    const resume = (): void => {
      pausing = false
      pump()
    }
    time.sleep(pause, end.signal).then(resume, resume)
  }

  function wish(kind: Kind, key: string, fields: () => StatusFields, version: ObjectVersion): void {
    if (end.signal.aborted) return
    waiting[kind].set(idOf(kind, key), { kind, key, fields, version })
    // Not within the caller's own turn.
    queueMicrotask(pump)
  }

  return {
    app: (status, version = {}) => wish('ServerPilotApp', status.key, () => appFields(status), version),
    mapping(status, version = {}) {
      if (status.source === 'kubernetes') wish('DomainMapping', status.key, () => mappingFields(status), version)
    },
    seen(kind, key, status, { uid }) {
      const id = idOf(kind, key)
      const before = known.get(id)
      // A cache may be behind our own last patch.
      if (before !== undefined && before.uid === uid) return
      known.set(id, { uid, digest: digestOf(status ?? {}), since: sinceOf(status ?? {}) })
    },
    forget(kind, key) {
      known.delete(idOf(kind, key))
      waiting[kind].delete(idOf(kind, key))
    },
    depth,
    async flush(timeoutMs) {
      if (depth() === 0) return 0
      const over = new AbortController()
      const empty = new Promise<void>((resolve) => idle.add(resolve))
      await Promise.race([empty, time.sleep(timeoutMs, over.signal).catch(() => undefined)])
      over.abort()
      return depth()
    },
    stop() {
      end.abort()
      for (const wishes of Object.values(waiting)) wishes.clear()
    },
  }
}

/** The `status` of a `ServerPilotApp`. */
export function appFields(status: AppStatus): StatusFields {
  const { plan, certificate, lastHandledReconcileAt } = status
  return {
    observedGeneration: status.observedGeneration,
    ownedDomains: status.ownedDomains,
    domains: { ...status.domains },
    ...(plan && { plan: { hash: plan.hash, removals: plan.removals, reason: plan.reason, message: plan.message } }),
    ...(certificate && { certificate: { ...certificate, notAfter: null, ...dated('notAfter', certificate.notAfter) } }),
    ...(lastHandledReconcileAt === undefined ? {} : { lastHandledReconcileAt }),
    conditions: status.conditions.map(conditionFields),
  }
}

/** The `status` of a `DomainMapping`. */
export function mappingFields(status: MappingStatus): StatusFields {
  return {
    observedGeneration: status.observedGeneration,
    ...(status.appId === undefined ? {} : { appId: status.appId }),
    hosts: status.hosts.map(({ name, state, addresses, certificateNotAfter, message }) => ({
      name,
      state,
      ...(addresses === undefined ? {} : { addresses }),
      ...dated('certificateNotAfter', certificateNotAfter),
      ...(message === undefined ? {} : { message }),
    })),
    conditions: status.conditions.map(conditionFields),
  }
}

/** A merge patch leaves alone what it does not name: what may be there and is not wanted any more has to be taken out. */
const ABSENT: Record<Kind, StatusFields> = {
  ServerPilotApp: { plan: null, certificate: null, lastHandledReconcileAt: null },
  DomainMapping: { appId: null },
}

const idOf = (kind: Kind, key: string): string => `${kind} ${key}`

/** RFC 3339 in whole seconds, as Kubernetes writes its own times. */
const rfc3339 = (time: number): string => new Date(time).toISOString().replace(/\.\d+Z$/, 'Z')

const dated = (field: string, time: number | undefined): StatusFields =>
  time === undefined ? {} : { [field]: rfc3339(time) }

const conditionFields = ({ lastTransitionTime, ...condition }: Condition): StatusFields => ({
  ...condition,
  ...dated('lastTransitionTime', lastTransitionTime),
})

/** After a restart nobody remembers since when a condition has been as it is; the object does. */
function keepTransitionTimes(status: StatusFields, since: Known['since'] | undefined): StatusFields {
  const conditions = listOf(status.conditions).map((condition) => {
    const same = since?.get(String(condition.type))
    return same?.status === condition.status ? { ...condition, lastTransitionTime: same?.time } : condition
  })
  return { ...status, conditions }
}

function sinceOf(status: StatusFields): Known['since'] {
  return new Map(
    listOf(status.conditions).map(({ type, status: is, lastTransitionTime }) => [
      String(type),
      { status: is, time: lastTransitionTime },
    ]),
  )
}

const listOf = (value: unknown): StatusFields[] => (Array.isArray(value) ? (value as StatusFields[]) : [])

/** The same for the same content: in whatever order its fields are, and with nulls, which a patch takes out. */
function digestOf(status: StatusFields): string {
  const text = JSON.stringify(status, (_, value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    const fields = Object.entries(value).filter(([, field]) => field !== null && field !== undefined)
    return Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1)))
  })
  return createHash('sha256').update(text).digest('base64')
}
