import { createHash } from 'node:crypto'
import type { Log } from '../log/log.ts'
import { messageOf } from '../log/message-of.ts'
import type { Clock } from '../time/clock.ts'
import { aborted, unlessAborted, within } from '../time/within.ts'
import { codeOf, type LeaseApi, type StoredLease } from './api.ts'
import {
  answered,
  expire,
  LEASE_TIMINGS,
  type LeaseAnswer,
  type LeaseRequest,
  type LeaseState,
  type LeaseTimings,
  type Moment,
  newLeaseState,
  nextRequest,
  observed,
  outranked,
  release,
  released,
  untilLost,
  writeObstacle,
} from './lease-state.ts'

/** A write was about to begin without leadership. Nothing was sent. */
export class NotLeadingError extends Error {
  override readonly name = 'NotLeadingError'
}

interface ElectorOptions {
  /** Past the limit on requests. */
  api: LeaseApi
  /** No other process', nor an earlier one's: a pod's name with something random. */
  identity: string
  clock: Clock
  log: Log
  timings?: LeaseTimings
}

/** Takes part in the election of one Lease. */
export type Elector = ReturnType<typeof createElector>

/** Standbys try after 0.8 to 1.2 retry periods, so that they do not all come at once. */
const JITTER = 0.4

/** Requests of one try: read, write, and both once more after a conflict. */
const REQUESTS_PER_TRY = 4

/** Name of the Lease of a shard: one for each app selector, so that every shard has a leader of its own. */
export function leaseName(shard: string): string {
  if (shard === '') return 'domainpilot'
  const readable = shard
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replaceAll(/^-+|-+$/g, '')
  const digest = createHash('sha256').update(shard).digest('hex').slice(0, 8)
  return ['domainpilot', readable, digest].filter((part) => part !== '').join('-')
}

/** Makes an elector; nothing starts. */
export function createElector({ api, identity, clock, log, timings = LEASE_TIMINGS }: ElectorOptions) {
  const end = new AbortController()
  /** Ends the watch: who leads knows of the Lease by its own writes. */
  const following = new AbortController()
  /** Aborts with the reason for which leadership was lost. */
  const loss = new AbortController()
  const waiting = new Set<() => void>()
  let state = newLeaseState(identity, timings)
  let failure: unknown
  let epoch: number | undefined
  let running: Promise<unknown> | undefined
  let stopping: Promise<void> | undefined
  /** Ready: until then it looks on. */
  let mayTake = false
  /** A write of ours may have taken: the Lease may be ours, whatever we know of it. */
  let wrote = false

  const lastError = (): string => (failure === undefined ? '' : messageOf(failure))
  const moment = (): Moment => ({ monotonic: clock.steady(), wall: clock.now() })

  function enter(next: LeaseState): void {
    const before = state.phase.is
    state = next
    const { phase } = state
    if (phase.is === 'Leading') epoch = phase.epoch
    if (phase.is === before) return
    following.abort()
    if (phase.is === 'Lost') {
      log.error('Leadership is lost', { lease: api.name, reason: phase.reason })
      loss.abort(phase.reason)
    } else if (phase.is === 'Leading') {
      log.info('This process leads', { lease: api.name, identity, epoch })
      for (const callback of waiting) callback()
      waiting.clear()
    }
  }

  async function attempt(): Promise<void> {
    for (let requests = 0; requests < REQUESTS_PER_TRY; requests++) {
      enter(expire(state, moment(), lastError()))
      const sent = moment()
      const request = nextRequest(state, sent)
      if (request === undefined || (!mayTake && request.call !== 'read')) break
      const answer = await ask(request)
      if (end.signal.aborted) return
      enter(answered(state, { request, sent, answer }, moment()))
      if (answer.is === 'failed' || (answer.is === 'stored' && request.call !== 'read')) break
    }
    enter(expire(state, moment(), lastError()))
    // A standby looks again at every try; a leader goes on from its own last write.
    if (state.phase.is === 'Standby') enter({ ...state, base: undefined })
  }

  async function ask(request: LeaseRequest): Promise<LeaseAnswer> {
    try {
      // Half the deadline: a call that hangs leaves time for a second one.
      const patience = Math.min(timings.renewDeadline / 2, untilLost(state, moment()) ?? Number.POSITIVE_INFINITY)
      const stored = await within(clock, patience, send(request), () => {
        throw new Error('the API server did not answer in time')
      })
      // That it is not there says nothing of whether it can be made.
      if (stored === undefined) return { is: 'missing' }
      failure = undefined
      return { is: 'stored', stored }
    } catch (error) {
      const code = codeOf(error)
      if (code === 409) return { is: 'conflict' }
      if (code === 404 && request.call === 'replace') return { is: 'missing' }
      if (error === end.signal.reason) return { is: 'failed' }
      const words = messageOf(error)
      if (words !== lastError()) log.warn('The Lease cannot be reached', { lease: api.name, call: request.call, error })
      failure = error
      return { is: 'failed' }
    }
  }

  function send(request: LeaseRequest): Promise<StoredLease | undefined> {
    // The last reading, before the Lease is given back, has only its time-out.
    if (request.call === 'read')
      return end.signal.aborted ? api.read() : unlessAborted(end.signal, () => api.read(end.signal))
    wrote = true
    return request.call === 'create' ? api.create(request.write) : api.replace(request.write, request.base)
  }

  async function run(ready: Promise<unknown>): Promise<void> {
    const begun = ready.then(() => {
      mayTake = true
    })
    begun.catch(() => undefined)
    while (!end.signal.aborted) {
      await attempt()
      if (state.phase.is === 'Lost' || end.signal.aborted) return
      const left = untilLost(state, moment())
      const jitter = 1 - JITTER / 2 + Math.random() * JITTER
      const pause = left === undefined ? timings.retryPeriod * jitter : Math.min(timings.retryPeriod, left)
      const paused = clock.sleep(pause, end.signal)
      // Who never gets ready looks on for as long as it lives.
      await (mayTake ? paused : Promise.race([paused, begun.catch(() => paused)])).catch(() => undefined)
    }
  }

  // A renewal that is only seen at the next look, after an outage of the API server, counts as made then: the Lease would have to run
  // out once more.
  async function follow(): Promise<void> {
    const { signal } = following
    let warned = ''
    while (!signal.aborted) {
      try {
        await api.watch((record) => enter(observed(state, record, moment())), signal)
        warned = ''
      } catch (error) {
        if (signal.aborted) return
        const words = messageOf(error)
        if (words !== warned) log.warn('The Lease cannot be watched', { lease: api.name, error })
        warned = words
      }
      await clock.sleep(timings.retryPeriod, signal).catch(() => undefined)
    }
  }

  async function stop(): Promise<void> {
    // From here on no write of this process begins, whatever becomes of the rest.
    end.abort()
    following.abort()
    enter(released(state))
    await running
    if (!wrote || state.phase.is === 'Lost') return
    // Read first: a renewal, or the write that made us leader, may just have been under way.
    for (let tries = 0; tries < 2; tries++) {
      const now = await ask({ call: 'read' })
      if (now.is !== 'stored' || now.stored.record.holder !== identity) return
      const answer = await ask(release(now.stored, moment()))
      if (answer.is === 'stored') log.info('Leadership is given back', { lease: api.name, identity })
      if (answer.is !== 'conflict') return
    }
  }

  return {
    /** Resolves with the reason once leadership is lost. It does not come back: the process has to end. */
    lost: aborted(loss.signal).then(() => String(loss.signal.reason)),
    /** Looks at the Lease from now on, and takes it once it is free and `ready` has resolved; without one it is ready. */
    start(ready: Promise<unknown> = Promise.resolve()): void {
      if (running !== undefined || end.signal.aborted) return
      running = Promise.all([run(ready), follow()])
    },
    /** Calls back once this process leads; at once when it does already. */
    onLeading(callback: () => void): void {
      if (state.phase.is === 'Leading') callback()
      else waiting.add(callback)
    },
    /** Whether a write may begin at this moment. */
    isLeading: (): boolean => writeObstacle(state, moment()) === undefined,
    /** Throws `NotLeadingError` unless a write may begin at this moment. To be called directly before each write. */
    assertLeading(): void {
      const obstacle = writeObstacle(state, moment())
      if (obstacle !== undefined) throw new NotLeadingError(`Nothing is written: ${obstacle}.`)
    },
    /** Grows with every change of the leader; undefined before the first time. */
    epoch: (): number | undefined => epoch,
    /** An ownership record has the epoch of a later leader: the next renewal either raises ours above it, or shows that another leads. */
    outranked(by: number): void {
      state = outranked(state, by)
    },
    /** Why the last call for the Lease failed; undefined while it can be had or read. */
    failure: (): unknown => failure,
    /** Who leads as far as is known; undefined for nobody. */
    holder: (): string | undefined => state.seen?.record.holder || undefined,
    /** Gives leadership back, so that another takes over at once. Every write must have ended before. */
    stop(): Promise<void> {
      stopping ??= stop()
      return stopping
    },
  }
}
