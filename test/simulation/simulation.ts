import type { EventKind } from './events/kind.ts'
import { EVENTS, GROUPS } from './events.ts'
import { createGround, type Ground, type Setting } from './ground.ts'
import { hostsSettingOf } from './hosts.ts'
import { hostComplaints, mayBeHeld } from './hosts-complaints.ts'
import { watchHosts } from './hosts-ledger.ts'
import type { Violation } from './ledger.ts'
import { createRandom, type Random } from './random.ts'
import { createWorld, type World } from './world.ts'

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

/** What came of a run. */
export interface Result {
  hours: number
  events: number
  turns: number
  violations: readonly Violation[]
  /** What happened, in plain words, with the time of each. */
  story: readonly string[]
  log: readonly string[]
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** Pauses of contention last 15 minutes, inferred removals wait for 5, and somebody approves what waits for approval. */
const REST_WITHIN = 90 * MINUTE

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

const USUAL: Pace = {
  first: 10 * MINUTE,
  last: 3 * HOUR,
  storm: [5, 60],
  quiet: [3 * HOUR, 10 * HOUR],
  means: [20_000, 2 * MINUTE, 8 * MINUTE],
}

/** The story of a seed. */
export function planOf(seed: string, hours: number, pace: Pace = USUAL): Plan {
  const random = createRandom(`${seed}/plan`)
  const place = random.pick(['files', 'files', 'cluster'] as const)
  const hosts = hostsSettingOf(random.fork('hosts'))
  const setting = { seed, place, apps: random.whole(1, 3), daemons: place === 'files' ? 1 : random.whole(1, 2), hosts }
  const groups = hosts === undefined ? GROUPS[place] : [...GROUPS[place], 'dns']
  return storms(setting, { random, groups, end: hours * HOUR, pace })
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

/** Lives through a plan. Ends at the first broken promise. */
export async function run(plan: Plan, ground: Ground = createGround(plan.setting)): Promise<Result> {
  const { seed } = plan.setting
  const world = createWorld(plan.setting, ground)
  // The parts shake their waits by it.
  const before = { random: Math.random, stackTraceLimit: Error.stackTraceLimit }
  // An error is thrown for each look at a file that is not there.
  Error.stackTraceLimit = 0
  Math.random = createRandom(`${seed}/Math.random`).next
  const story: string[] = []
  const tell = (text: string): void => void story.push(`${timeOf(world.time.now())} ${text}`)
  try {
    const random = createRandom(`${seed}/start`)
    world.serverpilot.onWrite(({ life, appId, before, after }) => {
      const added = after.filter((name) => !before.includes(name))
      const removed = before.filter((name) => !after.includes(name))
      const app = [...world.declared.apps.values()].find((each) => each.appId === appId)?.name
      tell(
        `${life.name} writes ${app}:${added.map((name) => ` +${name}`).join('')}${removed.map((name) => ` -${name}`).join('')}`,
      )
    })
    watchHosts(world)
    prepare(world, random)
    world.fleet.startAll()
    let next = 0
    /** By how much all is later than planned, as a rest took long. */
    let late = 0
    const broken = (): boolean => world.ledger.violations.length > 0
    for (const calm of plan.calms) {
      if (world.time.now() >= plan.end) break
      late = Math.max(late, world.time.now() - (plan.events[next]?.at ?? 0))
      for (; next < plan.events.length && plan.events[next]!.at <= calm && !broken(); next++) {
        const { at, kind, seed: own } = plan.events[next]!
        await world.time.runUntil(at + late, broken)
        const told = broken() ? undefined : kind.happen(world, createRandom(own))
        if (told !== undefined) tell(told)
      }
      await world.time.runUntil(calm + late, broken)
      if (broken()) break
      await rest(world, tell)
      if (broken()) break
    }
    await world.time.runUntil(plan.end, broken)
    for (const { promise, message } of world.ledger.violations) tell(`BROKEN (${promise}): ${message}`)
    return {
      hours: world.time.now() / HOUR,
      events: next,
      turns: world.time.turns(),
      violations: world.ledger.violations,
      story,
      log: world.log,
    }
  } finally {
    world.fleet.killAll()
    Math.random = before.random
    Error.stackTraceLimit = before.stackTraceLimit
  }
}

function prepare(world: World, random: Random): void {
  const hosts = random.fork('hosts')
  world.serverpilot.core.apps.forEach((appId, number) => {
    world.declared.putApp({
      name: `app${number + 1}`,
      appId,
      policy: 'Sync',
      suspend: false,
      deletionPolicy: 'Retain',
      approval: '',
      requireSince: world.hosts && hosts.chance(0.5) ? Number.NEGATIVE_INFINITY : undefined,
    })
    for (const name of world.serverpilot.listed(appId)) world.ledger.foreignPut(appId, name)
  })
  const map = EVENTS.users!.find(({ name }) => name === 'map-many')!
  for (let times = random.whole(0, 5); times > 0; times--) map.happen(world, random)
}

/** Nothing more happens: the world has to come to rest in time, and what is said has to be so. */
async function rest(world: World, tell: (text: string) => void): Promise<void> {
  const broken = (): boolean => world.ledger.violations.length > 0
  while (world.healing() && !broken()) await world.time.runUntil(world.time.now() + MINUTE, broken)
  world.serverpilot.core.faults.clear()
  world.fleet.startAll()
  tell('from here on nothing happens')
  const limit = world.time.now() + REST_WITHIN
  let complaints = complaintsOf(world)
  while (complaints.length > 0 && world.time.now() < limit && !broken()) {
    await world.time.runUntil(world.time.now() + MINUTE, broken)
    approve(world, tell)
    complaints = complaintsOf(world)
  }
  if (!broken() && complaints.length > 0) world.ledger.violate('rest', complaints.join('; '))
}

/** What is not as it has to be at rest. */
function complaintsOf(world: World): string[] {
  const complaints = hostComplaints(world)
  const said = world.said()
  const all = [...world.declared.mappings.values()]
  for (const app of world.declared.apps.values()) {
    const { name, appId } = app
    const listed = new Set(world.serverpilot.listed(appId))
    const wanted = new Set(all.filter(({ app }) => app === name).map(({ domain }) => domain))
    const foreign = world.ledger.foreign(appId)
    const absent = [...wanted].filter((host) => !listed.has(host))
    const missing = absent.filter((host) => !mayBeHeld(world, app, host))
    const lost = [...foreign].filter((host) => !listed.has(host))
    const left = [...listed].filter(
      (host) => !wanted.has(host) && !foreign.has(host) && !world.ledger.either(appId).has(host),
    )
    if (missing.length > 0) complaints.push(`${missing.join(', ')} missing on ${name}`)
    if (lost.length > 0) complaints.push(`${lost.join(', ')} of somebody else missing on ${name}`)
    if (left.length > 0) complaints.push(`${left.join(', ')} left on ${name}`)
    const synced = said.find((each) => each.name === name)?.synced
    const isHeld = absent.length > 0 && ['AwaitingDNS', 'ResolverFailed'].includes(synced?.reason ?? '')
    if (synced?.status !== 'True' && !isHeld)
      complaints.push(`${name} is said to be ${synced?.reason ?? 'unknown'}: ${synced?.message ?? ''}`)
  }
  return complaints
}

/** Somebody looks at what waits for approval, and approves it. */
function approve(world: World, tell: (text: string) => void): void {
  for (const { name, appId, hash } of world.said()) {
    if (hash === undefined || world.approved.has(hash)) continue
    const foreign = world.ledger.foreign(appId)
    const ours = world.serverpilot.listed(appId).filter((host) => !foreign.has(host))
    world.ledger.approved(appId, ours)
    world.approve(name, hash)
    tell(`somebody approves plan ${hash} of ${name}`)
  }
}

function timeOf(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
}
