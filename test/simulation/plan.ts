import type { EventKind } from './events/kind.ts'
import { EVENTS, GROUPS } from './events.ts'
import type { Setting } from './ground.ts'
import { createRandom, type Random } from './random.ts'

/** One event of a seed's story. */
export interface Planned {
  /** Milliseconds since the world began. */
  at: number
  kind: EventKind
  /** Decides what exactly happens. */
  seed: string
}

/** What a seed decides beforehand: when the world is disturbed and by what, and when it has to be at rest. */
export interface Plan {
  setting: Setting
  /** The ends of the storms: from then on nothing more happens, until the next one. */
  calms: readonly number[]
  events: readonly Planned[]
  end: number
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** How the events of a plan lie in time; milliseconds. */
export interface Pace {
  /** Before the first storm, and after the last one. */
  first: number
  last: number
  /** The shortest and the longest storm, in minutes, and quiet between two of them. */
  storm: readonly [number, number]
  quiet: readonly [number, number]
  /** Between two events of a storm, on average: one of these. */
  means: readonly number[]
}

/** One storm after the other, with a rest in between: the most that can happen in few hours. */
export const STORMY: Pace = {
  first: MINUTE,
  last: 0,
  storm: [10, 40],
  quiet: [MINUTE, 10 * MINUTE],
  means: [5_000, 20_000, 2 * MINUTE],
}

const USUAL: Pace = {
  first: 10 * MINUTE,
  last: 3 * HOUR,
  storm: [5, 60],
  quiet: [3 * HOUR, 10 * HOUR],
  means: [20_000, 2 * MINUTE, 8 * MINUTE],
}

/** The story of a seed; `hours` in all. */
export function planOf(seed: string, hours: number, pace: Pace = USUAL): Plan {
  const random = createRandom(`${seed}/plan`)
  const place = random.pick(['files', 'files', 'cluster'] as const)
  const setting = { seed, place, apps: random.whole(1, 3), daemons: place === 'files' ? 1 : random.whole(1, 2) }
  return storms(setting, { random, groups: GROUPS[place], end: hours * HOUR, pace })
}

/** The story of a seed for a daemon that is a real process. */
export function planOfProcesses(seed: string, hours: number, pace: Pace): Plan {
  const random = createRandom(`${seed}/processes`)
  const setting: Setting = { seed, place: 'files', apps: random.whole(1, 3), daemons: 1 }
  return storms(setting, { random, groups: GROUPS.processes, end: hours * HOUR, pace })
}

interface Weather {
  random: Random
  groups: readonly string[]
  end: number
  pace: Pace
}

function storms(setting: Setting, { random, groups, end, pace }: Weather): Plan {
  const { seed } = setting
  const events: Planned[] = []
  const calms: number[] = []
  for (let at = pace.first; at < end - pace.last; ) {
    const storm = at + random.whole(...pace.storm) * MINUTE
    // Each storm has a few groups of its own: all of them at once would hide one behind the other.
    const active = groups.filter(() => random.chance(0.5))
    const mean = random.pick(pace.means)
    for (; at < storm; at += random.next() * 2 * mean) {
      const kind = random.pick(EVENTS[active.length === 0 ? 'users' : random.pick(active)]!)
      events.push({ at, kind, seed: `${seed}/${events.length}` })
    }
    calms.push(storm)
    at = storm + random.whole(...pace.quiet)
  }
  return { setting, calms, events, end }
}
