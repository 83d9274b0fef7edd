import { compareKey } from '../domain/host.ts'
import type { OwnershipRecord } from '../ownership/record.ts'

/**
 * A list that is doubted, and how often it was given so far. A value; times are milliseconds of the steady clock.
 */
export interface Doubt {
  /** Why, for people. */
  message: string
  /** The list that was given, sorted. */
  names: readonly string[]
  /** How often it was given in a row. */
  looks: number
  /** When the last of these looks was. */
  at: number
  /** Another list was doubted just before. */
  contradicts: boolean
}

/** A list is believed once it was given so often, so far apart at least: over ten seconds. */
const LOOKS = 4
const APART = Math.ceil(10_000 / (LOOKS - 1))

/** What a record knows that a list can be held against. */
type Known = Pick<OwnershipRecord, 'hosts' | 'lastSeen' | 'removals'>

/**
 * Why a list is doubted, undefined when it is not: it is empty, it lacks names that were there when it was seen last, or it has names
 * that we took off. A list that is written on top of a wrong answer costs the hosts of others, or brings back what nobody owns.
 */
export function doubtful(known: Known, observed: readonly string[]): string | undefined {
  const { lastSeen = [] } = known
  if (observed.length === 0) return 'ServerPilot lists no domain at all for this app'
  const present = new Set(observed.map(compareKey))
  const lost = lastSeen.filter((host) => !present.has(host)).length
  if (lost > 0) return `ServerPilot's list lacks ${lost} of the ${lastSeen.length} name(s) that were there before`
  const back = broughtBack(known, observed).size
  return back === 0 ? undefined : `ServerPilot's list has ${back} name(s) again that were removed`
}

/**
 * The names of a list that we took off and that have not been believed to be there again. One that is still ours may never have gone:
 * its write may have come to nothing, and it is taken off again.
 */
export function broughtBack(
  { hosts, lastSeen = [], removals }: Known,
  observed: readonly string[],
): ReadonlySet<string> {
  if (removals.length === 0) return new Set()
  const seen = new Set<string>(lastSeen)
  const gone = removals.filter(({ host }) => hosts[host] === undefined || hosts[host].gone)
  const removed = new Set<string>(gone.map(({ host }) => host))
  return new Set(observed.map(compareKey).filter((name) => removed.has(name) && !seen.has(name)))
}

/** What is doubted after one more look; undefined for nothing. A look that follows another too soon says nothing new. */
export function look(
  before: Doubt | undefined,
  known: Known,
  observed: readonly string[],
  steady: number,
): Doubt | undefined {
  const message = doubtful(known, observed)
  if (message === undefined) return undefined
  const names = observed.toSorted()
  const same = before?.names.length === names.length && before.names.every((name, index) => name === names[index])
  if (!same) return { message, names, looks: 1, at: steady, contradicts: before !== undefined }
  return steady - before.at < APART ? before : { ...before, message, looks: before.looks + 1, at: steady }
}

/** Milliseconds until the next look at a doubted list; undefined once it is believed. */
export function lookAfter({ looks, at }: Doubt, steady: number): number | undefined {
  return looks >= LOOKS ? undefined : Math.max(1, Math.ceil(at + APART - steady))
}
