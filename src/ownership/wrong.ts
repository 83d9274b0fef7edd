import type { Host } from '../domain/host.ts'
import type { OwnershipRecord, WrongDns } from './record.ts'

/** Hosts whose DNS is wrong, as a record has them. */
export type WrongHosts = NonNullable<OwnershipRecord['wrong']>

/** What a fresh look at a host's DNS found, and when; epoch ms. */
export interface Sight {
  is: 'Right' | 'Wrong'
  at: number
}

const HOUR = 3_600_000

/** Looks that are further apart leave open what was in between: the time starts anew. Milliseconds. */
export const LONGEST_GAP = 6 * HOUR

/** The record notes that often that it is still so; ms. So a restart loses no time, unless nobody looks for too long. */
const NOTED_EVERY = HOUR

/**
 * What is known of one host after a look, or after a pass without one: since when its DNS has been wrong without a gap. What is not known
 * neither counts nor starts the time over, unless it lasts. Undefined: nothing is wrong. Pure.
 */
export function followWrong(before: WrongDns | undefined, sight: Sight | undefined, now: number): WrongDns | undefined {
  const known = before && notAhead(before, now)
  if (known?.quarantined !== undefined) return sight?.is === 'Right' && sight.at > known.quarantined ? undefined : known
  if (sight?.is === 'Right') return undefined
  const at = sight?.at ?? now
  if (known !== undefined && at - known.seen <= LONGEST_GAP) {
    return sight !== undefined && at - known.seen >= NOTED_EVERY ? { ...known, seen: at } : known
  }
  return sight && { since: at, seen: at }
}

/** A time that lies ahead was noted before the clock was set back: it counts from now. */
function notAhead(wrong: WrongDns, now: number): WrongDns | undefined {
  const { since, seen, quarantined } = wrong
  if (quarantined !== undefined) return quarantined > now ? { ...wrong, quarantined: now } : wrong
  return since > now || seen > now ? undefined : wrong
}

/** The record with what is known of wrong DNS; itself when nothing is new. */
export function withWrong(record: OwnershipRecord, wrong: WrongHosts): OwnershipRecord {
  const { wrong: before = {}, ...rest } = record
  const [old, hosts] = [Object.keys(before) as Host[], Object.keys(wrong) as Host[]]
  if (old.length === hosts.length && hosts.every((host) => before[host] === wrong[host])) return record
  return hosts.length === 0 ? rest : { ...rest, wrong }
}

/** Notes that these hosts are taken off the list for their DNS, before the write that does so. */
export function noteQuarantined(record: OwnershipRecord, hosts: readonly Host[], now: number): OwnershipRecord {
  const marked = hosts.flatMap((host) => {
    const wrong = record.wrong?.[host]
    return wrong === undefined ? [] : [[host, { ...wrong, quarantined: now }] as const]
  })
  return marked.length === 0 ? record : { ...record, wrong: { ...record.wrong, ...Object.fromEntries(marked) } }
}
