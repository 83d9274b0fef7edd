import { createHash } from 'node:crypto'
import { type Key, splitKey } from '../../api/objects.ts'
import type { Kind } from '../../api/schema.ts'
import { codeOf, type ObjectVersion, type StatusApi } from '../../kubernetes/api.ts'
import { sharing } from '../../kubernetes/shared-text.ts'
import type { Log } from '../../log/log.ts'
import { type BackOff, backOff } from '../../time/back-off.ts'
import type { Clock } from '../../time/clock.ts'
import { within } from '../../time/within.ts'
import type { AppStatus, MappingStatus } from '../status.ts'
import { appFields, mappingFields, type StatusFields } from '../wire/wire.ts'

interface StatusWriterOptions {
  api: StatusApi
  clock: Clock
  log: Log
  /** Throws when this process may not write; asked directly before each patch. */
  assertMayWrite(): void
}

/** Writes statuses behind the reconciles, which never wait for it. Of one object only the latest is written. */
interface StatusWriter {
  app(status: AppStatus): void
  /** Mappings that are not objects of the cluster are passed over. */
  mapping(status: MappingStatus): void
  /**
   * What was read off the cluster: no patch says what stands there already, and what somebody else wrote there is written over with the next
   * outcome. A reading that is behind our own last patch costs one patch too many at worst: its echo follows.
   */
  seen(kind: Kind, key: string, status: StatusFields | undefined, object: ObjectVersion): void
  /** Statuses that wait or are under way. */
  depth(): number
  /** Waits until all are written, `timeoutMs` milliseconds at most, and gives how many are not. */
  flush(timeoutMs: number): Promise<number>
  /** Drops what waits; nothing is sent any more. */
  stop(): void
}

/** Patches under way at once: more would not be faster. */
const PARALLEL = 8
/** After a failure that may pass nothing is sent for so long. */
const PAUSES: BackOff = { first: 500, longest: 15_000 }
/** So many are looked at in one turn of the loop. */
const TAKEN_AT_ONCE = 100
const REFUSED_EVERY_MS = 60_000

/** The fields are made of it when it is its turn: 30,000 of them waiting would be many copies. */
type Write = { kind: 'ServerPilotApp'; status: AppStatus } | { kind: 'DomainMapping'; status: MappingStatus }

/** What is remembered of what stands in an object, in few bytes: there may be 30,000. */
interface Known {
  uid: string | undefined
  /** The version that our last patch made, until it was seen. Only so long: after a restore of etcd it may be that of something else. */
  echo: string | undefined
  /** Undefined when we cannot know. */
  digest: string | undefined
  /** Since when the conditions are as they are: a line `TYPE STATUS TIME` for each. */
  since: string
}

/** All objects of one kind, by key. */
interface Lane {
  known: Map<Key, Known>
  waiting: Map<Key, Write>
  underWay: Set<Key>
}

const emptyLane = (): Lane => ({ known: new Map(), waiting: new Map(), underWay: new Set() })

/** Makes a status writer. */
export function createStatusWriter(options: StatusWriterOptions): StatusWriter {
  const { api, clock, log, assertMayWrite } = options
  // Apps first: there are few of them, and people look there.
  const lanes: Record<Kind, Lane> = { ServerPilotApp: emptyLane(), DomainMapping: emptyLane() }
  const share = sharing()
  const idle = new Set<() => void>()
  /** Failures in a row that may pass. */
  let failures = 0
  let pausing = false
  const end = new AbortController()
  let taken = 0
  /** Other work goes on first. */
  let turning = false
  let called = false
  let refused = 0
  let refusedAt = Number.NEGATIVE_INFINITY

  const underWay = (): number => lanes.ServerPilotApp.underWay.size + lanes.DomainMapping.underWay.size
  const depth = (): number => lanes.ServerPilotApp.waiting.size + lanes.DomainMapping.waiting.size + underWay()

  function take(): Write | undefined {
    for (const lane of Object.values(lanes)) {
      for (const [key, wanted] of lane.waiting) {
        // Two patches of one object at once could land in the wrong order.
        if (lane.underWay.has(key)) continue
        lane.waiting.delete(key)
        return wanted
      }
    }
    return undefined
  }

  function pump(): void {
    called = false
    if (turning) return
    while (!pausing && underWay() < PARALLEL) {
      // Those that have not changed take no call: without a break, thousands of them would hold everything up.
      if (++taken % TAKEN_AT_ONCE === 0) {
        turning = true
        void clock.turn().then(() => {
          turning = false
          pump()
        })
        return
      }
      const wanted = take()
      if (wanted === undefined) break
      const lane = lanes[wanted.kind]
      lane.underWay.add(wanted.status.key)
      void write(wanted, lane).finally(() => {
        lane.underWay.delete(wanted.status.key)
        pump()
      })
    }
    if (depth() > 0) return
    for (const wake of idle) wake()
    idle.clear()
  }

  async function write(wanted: Write, lane: Lane): Promise<void> {
    const { kind } = wanted
    const { key } = wanted.status
    const before = lane.known.get(key)
    const status = keepTransitionTimes(fieldsOf(wanted), before?.since ?? '')
    const digest = digestOf(status)
    if (digest === before?.digest) return
    try {
      assertMayWrite()
    } catch {
      // The process that leads now writes its own.
      return
    }
    try {
      const { uid, resourceVersion: echo } = await api.patchStatus({ kind, ...splitKey(key) }, status)
      // One text of the uid is kept already.
      const same = uid === before?.uid ? before?.uid : uid
      lane.known.set(key, { uid: same, echo, digest, since: share(sinceOf(status)) })
      failures = 0
    } catch (error) {
      failed(wanted, lane, before, error)
    }
  }

  function failed(wanted: Write, { known, waiting }: Lane, before: Known | undefined, error: unknown): void {
    const { kind } = wanted
    const { key } = wanted.status
    const code = codeOf(error)
    if (code === 404) known.delete(key)
    // Gone, or changed: its next outcome is on its way and writes again.
    if (code === 404 || code === 409) return
    if (code !== undefined && code < 500 && code !== 429) {
      refused++
      // Missing rights concern thousands of objects at once.
      if (clock.steady() - refusedAt < REFUSED_EVERY_MS) return
      log.warn('A status was refused', { kind, object: key, refused, error })
      refusedAt = clock.steady()
      refused = 0
      return
    }
    // It may have been written all the same.
    if (before !== undefined) known.set(key, { ...before, digest: undefined })
    if (!waiting.has(key) && !end.signal.aborted) waiting.set(key, wanted)
    if (pausing || end.signal.aborted) return
    pausing = true
    if (failures === 0) log.warn('Statuses cannot be written, trying again', { waiting: depth(), error })
    const resume = (): void => {
      pausing = false
      pump()
    }
    clock.sleep(backOff(PAUSES, ++failures), end.signal).then(resume, resume)
  }

  function enqueue(wanted: Write): void {
    if (end.signal.aborted) return
    lanes[wanted.kind].waiting.set(wanted.status.key, wanted)
    // Not within the caller's own turn, and once for all that it hands in.
    if (!called) queueMicrotask(pump)
    called = true
  }

  return {
    app: (status) => enqueue({ kind: 'ServerPilotApp', status }),
    mapping(status) {
      if (status.source === 'kubernetes') enqueue({ kind: 'DomainMapping', status })
    },
    seen(kind, key, status = {}, { uid, resourceVersion: version }) {
      const { known } = lanes[kind]
      const before = known.get(key)
      const isSame = before !== undefined && before.uid === uid
      if (isSame && before.echo === version && version !== undefined) {
        before.echo = undefined
        return
      }
      const digest = digestOf(status)
      known.set(key, { uid: isSame ? before.uid : uid, echo: undefined, digest, since: share(sinceOf(status)) })
    },
    depth,
    async flush(timeoutMs) {
      if (depth() === 0) return 0
      const empty = new Promise<void>((resolve) => idle.add(resolve))
      await within(clock, timeoutMs, empty, () => undefined)
      return depth()
    },
    stop() {
      end.abort()
      for (const { waiting } of Object.values(lanes)) waiting.clear()
      pump()
    },
  }
}

const fieldsOf = (wanted: Write): StatusFields =>
  wanted.kind === 'ServerPilotApp' ? appFields(wanted.status) : mappingFields(wanted.status)

/** Since when the conditions of a status are as they are: see `Known`. */
function sinceOf(status: StatusFields): string {
  const lines = listOf(status.conditions).map(({ type, status: is, lastTransitionTime: time }) => [type, is, time])
  return lines.flatMap((line) => (line.every((word) => typeof word === 'string') ? [line.join(' ')] : [])).join('\n')
}

/** After a restart nobody remembers since when a condition has been as it is; the object does. */
function keepTransitionTimes(status: StatusFields, since: string): StatusFields {
  const lines = since.split('\n')
  const conditions = listOf(status.conditions).map((condition) => {
    const start = `${condition.type} ${condition.status} `
    const same = lines.find((line) => line.startsWith(start))
    return same === undefined ? condition : { ...condition, lastTransitionTime: same.slice(start.length) }
  })
  return { ...status, conditions }
}

const listOf = (value: unknown): StatusFields[] => (Array.isArray(value) ? (value as StatusFields[]) : [])

/** The same for the same content: in whatever order its fields are, and with nulls, which a patch takes out. */
function digestOf(status: StatusFields): string {
  const text = JSON.stringify(status, (_, value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    const fields = Object.entries(value).filter(([, field]) => field !== null && field !== undefined)
    return Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1)))
  })
  return createHash('sha256').update(text).digest('base64').slice(0, 16)
}
