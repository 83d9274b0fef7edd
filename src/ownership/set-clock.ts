import type { Host } from '../domain/host.ts'
import type { OwnershipRecord, SslTries } from './record.ts'

/** What becomes of the times of a record, which are by the wall clock, when somebody sets that clock. */

/** A smaller difference is no clock that was set, but a leap second, or two readings of one moment; ms. */
const SET_MS = 5_000

/**
 * Whether the wall clock was set while the process lived.
 * @param by how much further it went on than the steady clock; ms
 */
export const wasSet = (by: number): boolean => Math.abs(by) >= SET_MS

/**
 * The record of a process that lived on while the wall clock was set by so many milliseconds: its times go along, so that each lies as
 * far back as before. The times of certificates are by the clock of the authority, and stay.
 */
export function goneAlong(record: OwnershipRecord, by: number): OwnershipRecord {
  // 0 stands for never.
  const along = (at: number): number => (at === 0 ? 0 : at + by)
  const { ssl } = record
  const rejected = Object.entries(record.rejected).map(([host, each]) => [
    host,
    { ...each, at: along(each.at), retryAt: along(each.retryAt) },
  ])
  const tries = <T extends SslTries>(each: T): T => ({ ...each, lastAt: along(each.lastAt) })
  return {
    ...withTimes(record, along),
    rejected: Object.fromEntries(rejected),
    ...(ssl === undefined
      ? {}
      : { ssl: { ...tries(ssl), ...(ssl.force === undefined ? {} : { force: tries(ssl.force) }) } }),
  }
}

/**
 * The record without a time that lies ahead: it was taken from a clock that was set back while no process of ours lived, and what hangs
 * on it would last as long as the clock jumped. What counts from such a time counts from now; a pause that it began is over.
 */
export function notAhead(record: OwnershipRecord, now: number): OwnershipRecord {
  const { hosts, removals, rejected, unsureSince } = record
  const isAhead = (at: number | undefined): boolean => at !== undefined && at > now
  const over = (Object.keys(rejected) as Host[]).filter((host) => isAhead(rejected[host]?.at))
  const late =
    over.length > 0 ||
    isAhead(unsureSince) ||
    removals.some(({ at }) => isAhead(at)) ||
    Object.values(hosts).some(({ since, absentSince }) => isAhead(since) || isAhead(absentSince))
  if (!late) return record
  return {
    ...withTimes(record, (at) => Math.min(at, now)),
    rejected: {
      ...rejected,
      ...Object.fromEntries(over.map((host) => [host, { ...rejected[host], at: now, retryAt: now }])),
    },
  }
}

/** The record with other times of its claims, its removals, and its write of unknown end. */
function withTimes(record: OwnershipRecord, change: (at: number) => number): OwnershipRecord {
  const { hosts, removals, unsureSince } = record
  const claims = Object.entries(hosts).map(([host, claim]) => {
    const { since, absentSince } = claim
    const absent = absentSince === undefined ? {} : { absentSince: change(absentSince) }
    return [host, { ...claim, since: change(since), ...absent }]
  })
  return {
    ...record,
    hosts: Object.fromEntries(claims),
    removals: removals.map((removal) => ({ ...removal, at: change(removal.at) })),
    ...(unsureSince === undefined ? {} : { unsureSince: change(unsureSince) }),
  }
}
