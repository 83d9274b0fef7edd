import type { Host } from '../domain/host.ts'
import type { DesiredHost } from './desired.ts'
import type { HeldChange } from './held.ts'
import type { PlanInput } from './input.ts'

/** Hosts that one app holds at most (API documentation, 2024-02). */
export const MAX_HOSTS = 300

/** The additions that the merge asks for, or those of them that are made now; and what is held back. */
export interface Additions {
  hosts: readonly DesiredHost[]
  held: ReadonlyMap<Host, HeldChange>
}

/** Takes out the additions that are not to be tried now: another writer undoes them, or something blocks them. */
export function openAdditions(
  wanted: readonly DesiredHost[],
  { contended, blocked }: Pick<PlanInput, 'contended' | 'blocked'>,
): Additions {
  const hosts: DesiredHost[] = []
  const held = new Map<Host, HeldChange>()
  for (const each of wanted) {
    const hold = contended.get(each.host) ?? blocked.get(each.host)
    if (hold === undefined) hosts.push(each)
    else held.set(each.host, { ...hold, of: 'addition' })
  }
  return { hosts, held }
}

/** How many of that many additions find a place on an app that lists `listed` names. */
export const fitting = (additions: number, listed: number): number =>
  Math.min(additions, Math.max(MAX_HOSTS - listed, 0))

/** Of open additions those that fit on an app that lists `listed` names, sorted: mapped domains before derived www names, the older first. */
export function fit({ hosts, held }: Additions, listed: number): Additions {
  const places = fitting(hosts.length, listed)
  if (places === hosts.length) return { hosts: hosts.toSorted(byHost), held }
  const ranked = hosts.toSorted(rank)
  const full = ranked.slice(places).map(({ host }) => [host, FULL] as const)
  return { hosts: ranked.slice(0, places).sort(byHost), held: new Map([...held, ...full]) }
}

const FULL: HeldChange = {
  of: 'addition',
  reason: 'AppFull',
  message: `the app holds ${MAX_HOSTS} hosts at most; it has no place for this one`,
}

function rank(a: DesiredHost, b: DesiredHost): number {
  if (a.derived !== b.derived) return a.derived ? 1 : -1
  const age = (a.mapping.created ?? 0) - (b.mapping.created ?? 0)
  return age !== 0 ? age : byHost(a, b)
}

/** Sorts by host. */
export const byHost = (a: DesiredHost, b: DesiredHost): number => (a.host < b.host ? -1 : 1)
