import { approveWaiting } from './approvals.ts'
import { complaintsOf } from './complaints.ts'
import { EVENTS } from './events.ts'
import { wrongExplanations } from './explained.ts'
import { createGround, type Ground } from './ground.ts'
import { watchHosts } from './hosts-ledger.ts'
import type { Violation } from './ledger.ts'
import type { Plan } from './plan.ts'
import { watchFreshness } from './promises/fresh.ts'
import { watchMoves } from './promises/moves.ts'
import { checkPrompt } from './promises/prompt.ts'
import { watchWanted } from './promises/wanted.ts'
import { createRandom, type Random } from './random.ts'
import type { Write } from './serverpilot.ts'
import { createWorld, type World } from './world.ts'

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
/** A start, with the lock of one that was killed, and a sweep. */
const LOOK_AROUND = 3 * MINUTE

/** Lives through a plan. Ends at the first broken promise. `hear` gets each line of the story as it comes. */
export async function run(
  plan: Plan,
  ground: Ground = createGround(plan.setting),
  hear: (line: string) => void = () => undefined,
): Promise<Result> {
  const world = createWorld(plan.setting, ground)
  const story: string[] = []
  const tell = (text: string): void => {
    story.push(`${timeOf(world.time.now())} ${text}`)
    hear(story.at(-1)!)
  }
  const crashed = (error: unknown): void =>
    world.ledger.violate('crash', error instanceof Error ? `${error.message} ${error.stack}` : String(error))
  const leave = enter(plan.setting.seed, crashed)
  world.serverpilot.onWrite((write) => tell(toldOf(world, write)))
  try {
    watchHosts(world)
    watchFreshness(world)
    watchWanted(world)
    watchMoves(world)
    const events = await live(world, plan, tell)
    for (const { promise, message } of world.ledger.violations) tell(`BROKEN (${promise}): ${message}`)
    const { violations } = world.ledger
    return { hours: world.time.now() / HOUR, events, turns: world.time.turns(), violations, story, log: world.log }
  } finally {
    world.fleet.killAll()
    leave()
  }
}

/** Makes this process one in which a seed decides everything, and whose crashes are noticed. Gives what ends it. */
function enter(seed: string, crashed: (error: unknown) => void): () => void {
  const { random } = Math
  const { stackTraceLimit } = Error
  // The parts shake their waits by it.
  Math.random = createRandom(`${seed}/Math.random`).next
  // An error is thrown for each look at a file that is not there.
  Error.stackTraceLimit = 0
  const events = ['unhandledRejection', 'uncaughtException'] as const
  for (const event of events) process.on(event, crashed)
  return () => {
    for (const event of events) process.off(event, crashed)
    Math.random = random
    Error.stackTraceLimit = stackTraceLimit
  }
}

function toldOf({ declared }: World, { life, appId, before, after }: Write): string {
  const added = after.filter((name) => !before.includes(name)).map((name) => ` +${name}`)
  const removed = before.filter((name) => !after.includes(name)).map((name) => ` -${name}`)
  const app = [...declared.apps.values()].find((each) => each.appId === appId)?.name
  return `${life.name} writes ${app}:${added.join('')}${removed.join('')}`
}

/** Lets everything happen that is planned, with a rest after each storm. Gives how many events there were. */
async function live(world: World, { setting, events, calms, end }: Plan, tell: (text: string) => void) {
  const { time, ledger } = world
  const broken = (): boolean => ledger.violations.length > 0
  let next = 0
  /** By how much all is later than planned, as a rest took long. */
  let late = 0
  prepare(world, createRandom(`${setting.seed}/start`))
  world.fleet.startAll()
  for (const calm of calms) {
    if (broken() || time.now() >= end) break
    late = Math.max(late, time.now() - (events[next]?.at ?? 0))
    for (; next < events.length && events[next]!.at <= calm && !broken(); next++) {
      const { at, kind, seed } = events[next]!
      await time.runUntil(at + late, broken)
      const told = broken() ? undefined : kind.happen(world, createRandom(seed))
      if (told !== undefined) tell(told)
    }
    await time.runUntil(calm + late, broken)
    if (!broken()) await rest(world, tell)
  }
  await time.runUntil(end, broken)
  return next
}

const ALWAYS = Number.NEGATIVE_INFINITY

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
      ...(world.hosts && hosts.pick([{ requireSince: ALWAYS }, { quarantineSince: ALWAYS }, {}, {}])),
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
  // What is still to come, too.
  if (world.disk !== undefined) world.disk.trouble.onWrite = () => undefined
  if (world.cluster !== undefined) world.cluster.trouble.onWrite = () => undefined
  world.fleet.startAll()
  tell('from here on nothing happens')
  const limit = world.time.now() + REST_WITHIN
  // What is said before a daemon has looked around may be what one said that is long gone.
  await world.time.runUntil(world.time.now() + LOOK_AROUND, broken)
  let complaints = complaintsOf(world)
  while (complaints.length > 0 && world.time.now() < limit && !broken()) {
    await world.time.runUntil(world.time.now() + MINUTE, broken)
    for (const told of approveWaiting(world)) tell(told)
    complaints = complaintsOf(world)
  }
  if (broken()) return
  if (complaints.length > 0) return world.ledger.violate('rest', complaints.join('; '))
  await explainSome(world)
  const told = broken() ? undefined : await checkPrompt(world)
  if (told !== undefined) tell(told)
}

/** What `explain` says has to be so as well. */
async function explainSome(world: World): Promise<void> {
  let wrong: string[] | undefined
  const answered = wrongExplanations(world).then((found) => {
    wrong = found
  })
  await world.time.runUntil(world.time.now() + MINUTE, () => wrong !== undefined)
  if (wrong === undefined) return world.ledger.violate('said', 'explain gives no answer within a minute')
  await answered
  if (wrong.length > 0) world.ledger.violate('said', wrong.join('; '))
}

function timeOf(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
}
