import { isDeepStrictEqual } from 'node:util'
import type { LeaseRecord, LeaseWrite, StoredLease } from './api.ts'

/**
 * Leader election as a state machine: `nextRequest` says what to ask of the API server, `answered` what the answer means.
 * No clock and no I/O. That no two lead at once rests on three times, all on monotonic clocks:
 * - who leads counts from the moment at which it *sent* its last successful renewal,
 * - who waits counts from the moment at which it *saw* the record change, which is later,
 * - who leads stops writing `slack` before the others may take over: for clocks that differ in speed, and for the write
 *   that has just begun.
 * Times in the Lease are for people: no decision reads them.
 */

/** Milliseconds. */
export interface LeaseTimings {
  /** How long the holder may stay silent before another takes over. */
  duration: number
  /** How long it goes on trying to renew before it gives up. At most `duration`. */
  renewDeadline: number
  /** Between two tries. */
  retryPeriod: number
  /** This long before the end of the Lease no write may begin: at least as long as a write may take. */
  slack: number
}

/** As in client-go; the slack is the rest. */
export const LEASE_TIMINGS: LeaseTimings = { duration: 15_000, renewDeadline: 10_000, retryPeriod: 2_000, slack: 5_000 }

/** Where an elector stands. `Lost` and `Released` are final. */
type Phase =
  | { is: 'Standby' }
  /** `renewedAt`: monotonic; `renewedAtWall`: epoch ms. */
  | { is: 'Leading'; epoch: number; renewedAt: number; renewedAtWall: number; acquiredAt: number }
  | { is: 'Lost'; reason: string }
  | { is: 'Released' }

export interface LeaseState {
  readonly identity: string
  readonly timings: LeaseTimings
  readonly phase: Phase
  /** The record that was seen last, and when it was first seen as it is; monotonic. */
  readonly seen: { record: LeaseRecord; since: number } | undefined
  /** What the next write may build upon; undefined: read first. */
  readonly base: StoredLease | 'missing' | undefined
  /** The highest epoch that is known from elsewhere: who leads has a higher one. */
  readonly floor: number
}

/** What to ask of the API server. */
export type LeaseRequest =
  | { call: 'read' }
  | { call: 'create'; write: LeaseWrite }
  | { call: 'replace'; write: LeaseWrite; base: StoredLease }

/** What came back. `failed`: nothing, or nothing that shows whether a write took. */
export type LeaseAnswer = { is: 'stored'; stored: StoredLease } | { is: 'missing' | 'conflict' | 'failed' }

/** Both clocks at one moment, ms. */
export interface Moment {
  monotonic: number
  wall: number
}

/** The state of a process that has just started. `identity` must be no other's, nor that of an earlier run. */
export function newLeaseState(identity: string, timings: LeaseTimings): LeaseState {
  return { identity, timings, phase: { is: 'Standby' }, seen: undefined, base: undefined, floor: 0 }
}

/** What to ask now; undefined when there is nothing to do before the next try. */
export function nextRequest(state: LeaseState, now: Moment): LeaseRequest | undefined {
  const { phase, base } = state
  if (phase.is === 'Lost' || phase.is === 'Released') return undefined
  if (base === undefined) return { call: 'read' }
  if (phase.is === 'Standby' && !mayTake(state, now)) return undefined
  const write = holding(state, now)
  return base === 'missing' ? { call: 'create', write } : { call: 'replace', write, base }
}

/** The state after an answer to a request; `sent`: when that was sent. */
export function answered(
  state: LeaseState,
  { request, sent, answer }: { request: LeaseRequest; sent: Moment; answer: LeaseAnswer },
  now: Moment,
): LeaseState {
  const { phase, timings, identity } = state
  if (phase.is === 'Lost' || phase.is === 'Released') return state
  if (answer.is === 'missing') return { ...state, base: 'missing' }
  // After a failure the write may have taken; after a conflict somebody else's has.
  if (answer.is !== 'stored') return { ...state, base: undefined }

  const { stored } = answer
  const next: LeaseState = { ...state, seen: look(state, stored.record, now), base: stored }
  if (request.call === 'read') {
    if (phase.is !== 'Leading' || stored.record.holder === identity) return next
    return { ...next, phase: { is: 'Lost', reason: `${stored.record.holder || 'nobody'} holds it` } }
  }
  // An answer this late proves nothing about now: look again.
  if (now.monotonic - sent.monotonic >= timings.renewDeadline) return { ...next, base: undefined }
  const { acquiredAt, renewedAt, transitions: epoch } = request.write
  const leading = { epoch, acquiredAt, renewedAt: sent.monotonic, renewedAtWall: renewedAt }
  return { ...next, phase: { is: 'Leading', ...leading } }
}

/** The state of a standby that saw the Lease by its watch. It builds no write upon that. */
export function observed(state: LeaseState, record: LeaseRecord, now: Moment): LeaseState {
  return state.phase.is === 'Standby' ? { ...state, seen: look(state, record, now) } : state
}

/** The state at this moment: a leader that could not renew in time has lost. */
export function expire(state: LeaseState, now: Moment, lastError: string): LeaseState {
  const { phase, timings } = state
  if (phase.is !== 'Leading' || now.monotonic - phase.renewedAt < timings.renewDeadline) return state
  const silent = Math.round((now.monotonic - phase.renewedAt) / 1000)
  const why = lastError === '' ? '' : ` (${lastError})`
  return { ...state, phase: { is: 'Lost', reason: `it could not be renewed for ${silent} s${why}` } }
}

/** Why no write may begin now; undefined when one may. */
export function writeObstacle({ phase, timings }: LeaseState, now: Moment): string | undefined {
  if (phase.is === 'Lost') return `the Lease is lost: ${phase.reason}`
  if (phase.is === 'Released') return 'the Lease is given back'
  if (phase.is === 'Standby') return 'another process leads'
  // A suspended machine does not count on the monotonic clock; the wall clock does. Set wrongly, it only ever forbids.
  const silent = Math.max(now.monotonic - phase.renewedAt, now.wall - phase.renewedAtWall)
  if (silent < timings.duration - timings.slack) return undefined
  return `the Lease was renewed last ${Math.round(silent / 1000)} s ago`
}

/** Milliseconds until a leader that does not renew has lost; undefined for all others. */
export function untilLost({ phase, timings }: LeaseState, now: Moment): number | undefined {
  return phase.is === 'Leading' ? Math.max(0, phase.renewedAt + timings.renewDeadline - now.monotonic) : undefined
}

/** `leaseTransitions` has 32 bits. */
const MOST_TRANSITIONS = 2 ** 31 - 1

/** The state of a process that has found this epoch of another leader: the next write of the Lease goes above it, and shows whether this one still leads. */
export function outranked(state: LeaseState, epoch: number): LeaseState {
  return epoch < MOST_TRANSITIONS && epoch > state.floor ? { ...state, floor: epoch } : state
}

/** The state after giving up: no write begins any more. */
export function released(state: LeaseState): LeaseState {
  return state.phase.is === 'Lost' ? state : { ...state, phase: { is: 'Released' } }
}

/** The write that gives a Lease of ours back. */
export function release(base: StoredLease, now: Moment): LeaseRequest {
  const { transitions } = base.record
  const write = { holder: '', durationSeconds: 1, acquiredAt: now.wall, renewedAt: now.wall, transitions }
  return { call: 'replace', write, base }
}

/** Whether the Lease is free, or ours without our knowing: the answer to our own write was lost. */
function mayTake({ base, seen, identity, timings }: LeaseState, now: Moment): boolean {
  // A Lease that was deleted under its holder is not free yet: the holder does not know.
  if (seen === undefined) return base === 'missing'
  const { holder, durationSeconds } = seen.record
  if (holder === '' || holder === identity) return true
  const duration = durationSeconds > 0 ? durationSeconds * 1000 : timings.duration
  return now.monotonic - seen.since > duration
}

/** The record with us as its holder. */
function holding({ phase, seen, identity, timings, base, floor }: LeaseState, now: Moment): LeaseWrite {
  const common = { holder: identity, durationSeconds: Math.ceil(timings.duration / 1000), renewedAt: now.wall }
  const above = (epoch: number): number => (epoch > floor ? epoch : floor + 1)
  if (phase.is === 'Leading') return { ...common, acquiredAt: phase.acquiredAt, transitions: above(phase.epoch) }
  const before = seen?.record
  if (before?.holder === identity && base !== 'missing') {
    return { ...common, acquiredAt: Date.parse(before.acquireTime) || now.wall, transitions: above(before.transitions) }
  }
  // Counts from the minutes since 1970: a Lease that was deleted and made again, or put back to an older state, must not
  // fall behind the epochs in the ownership records, which would then refuse every write.
  const minutes = Math.floor(now.wall / 60_000)
  return { ...common, acquiredAt: now.wall, transitions: above(Math.max((before?.transitions ?? 0) + 1, minutes)) }
}

function look({ seen }: LeaseState, record: LeaseRecord, now: Moment): LeaseState['seen'] {
  return isDeepStrictEqual(seen?.record, record) ? seen : { record, since: now.monotonic }
}
