import type { Host } from '../domain/host.ts'
import type { DesiredHost } from './desired.ts'
import type { Held } from './held.ts'

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

/** Chooses the additions to make now: those that nothing blocks, as far as they fit. What is held back is put into `held`. */
export function judgeAdditions(
  wanted: readonly DesiredHost[],
  blocked: ReadonlyMap<Host, Held>,
  room: number,
  held: Map<Host, Held>,
): readonly DesiredHost[] {
  const open: DesiredHost[] = []
  for (const each of wanted) {
    const block = blocked.get(each.host)
    if (block === undefined) open.push(each)
    else held.set(each.host, { ...block, of: 'addition' })
  }
  const { fitting, full } = fit(open, room)
  for (const host of full) {
    held.set(host, {
      of: 'addition',
      reason: 'AppFull',
      message: `the app holds ${MAX_HOSTS} hosts at most; it has no place for this one`,
    })
  }
  return fitting.toSorted((a, b) => (a.host < b.host ? -1 : 1))
}
