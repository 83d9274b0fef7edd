import type { Host } from '../domain/host.ts'
import type { DesiredHost } from './desired.ts'

/** Hosts that one app holds at most (API documentation, 2024-02). */
export const MAX_HOSTS = 300

/**
 * Chooses the additions that fit: mapped domains before derived www names, the older first.
 * @param room places left; zero or less fits nothing
 */
export function fit(
  additions: readonly DesiredHost[],
  room: number,
): { fitting: readonly DesiredHost[]; full: ReadonlySet<Host> } {
  if (additions.length <= room) return { fitting: additions, full: new Set() }
  const ranked = additions.toSorted(rank)
  const places = Math.max(room, 0)
  return { fitting: ranked.slice(0, places), full: new Set(ranked.slice(places).map((each) => each.host)) }
}

function rank(a: DesiredHost, b: DesiredHost): number {
  if (a.derived !== b.derived) return a.derived ? 1 : -1
  const age = (a.mapping.created ?? 0) - (b.mapping.created ?? 0)
  return age !== 0 ? age : a.host < b.host ? -1 : 1
}
