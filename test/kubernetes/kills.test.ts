import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { names } from '../controller/world.ts'
import { type ApiServer, apiServer, until } from './api-server.ts'
import { type Door, mostAtOnce, openDoor, writtenLists } from './door.ts'
import { createWorld, type Daemon, type World } from './world.ts'

/** Worlds side by side, as each of them mostly waits for a Lease to run out; and leaders killed in each. */
const WORLDS = 5
const KILLS = 10
const SEED = Number(process.env.DOMAINPILOT_TEST_SEED ?? Date.now() % 1_000_000)

const FOREIGN = names(5, 'foreign').map((name) => `${name}.example.org`)
/** Mappings that stay; the others come and go. */
const STEADY = names(8)
const GUESTS = names(6, 'guest')
const hostOf = (name: string): string => `${name}.example.com`

/** How long after a mapping is back a list without it may still be written: it was read before. */
const BEHIND_MS = 5_000

/** Numbers from 0 to below 1, the same for the same seed. Park and Miller. */
function dice(seed: number): () => number {
  let state = (seed * 48_271 + 1) % 2_147_483_647
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

/** Maps and unmaps guests, and remembers when each was unwanted. */
function createGuests(world: World, random: () => number) {
  const mapped = new Set<string>()
  const unwanted = new Map(GUESTS.map((name) => [hostOf(name), [{ from: 0, to: Number.POSITIVE_INFINITY }]]))
  return {
    mapped,
    async change(): Promise<void> {
      const name = GUESTS[Math.floor(random() * GUESTS.length)] as string
      const times = unwanted.get(hostOf(name))
      if (mapped.delete(name)) {
        times?.push({ from: performance.now(), to: Number.POSITIVE_INFINITY })
        await world.unmap(name)
      } else {
        mapped.add(name)
        await world.map(name)
        const last = times?.at(-1)
        if (last !== undefined) last.to = performance.now()
      }
    },
    /** Whether a list of this moment may lack the host. */
    mayLack: (host: string, at: number): boolean =>
      unwanted.get(host)?.some(({ from, to }) => from <= at && at <= to + BEHIND_MS) ?? false,
  }
}

const writesThrough = ({ passages }: Door): number => passages.filter(({ method }) => method === 'POST').length

/** Kills leader after leader of one world while its mappings change, then looks at every list that was ever written. */
async function killLeaders(t: TestContext, server: ApiServer, seed: number): Promise<number> {
  const random = dice(seed)
  // The share of removals comes to more than a day allows: the guard has tests of its own.
  const safety = { maxRemovalPercent: 100, settle: '100ms', settleInferred: '100ms' }
  const simulator = { latency: 20, actionDuration: 20 }
  const world = await createWorld(t, { shared: server, domains: FOREIGN, spec: { safety }, simulator })
  assert.ok(world)
  const doors: Door[] = []
  const start = async (): Promise<{ daemon: Daemon; door: Door }> => {
    const door = await openDoor(t, world.simulator.url)
    doors.push(door)
    const flags = ['--namespace', world.namespace, '--serverpilot-url', door.url, '--serverpilot-qps', '500']
    return { daemon: world.daemon({ flags }), door }
  }
  for (const name of STEADY) await world.map(name)
  const guests = createGuests(world, random)
  const exact = () => [...FOREIGN, ...[...STEADY, ...guests.mapped].map(hostOf)].sort().join()

  let leader = await start()
  for (let kill = 0; kill < KILLS; kill++) {
    await until('one leads', leader.daemon.leads, 40_000)
    const next = await start()
    const before = writesThrough(leader.door)
    await guests.change()
    // Half of the deaths fall into a write and what follows it, the others anywhere.
    const aimed = random() < 0.5
    if (aimed) await until('a write', () => writesThrough(leader.door) > before, 5_000).catch(() => undefined)
    await pause(random() * (aimed ? 150 : 1_500))
    await guests.change()
    await pause(random() * (aimed ? 150 : 1_500))
    leader.daemon.child.kill('SIGKILL')
    await leader.daemon.ended
    assert.equal(leader.daemon.child.signalCode, 'SIGKILL', leader.daemon.log())
    leader = next
  }
  await until('the last one leads', leader.daemon.leads, 40_000)
  await until('the exact list', () => world.listed().join() === exact())

  assert.ok(mostAtOnce(doors) <= 1, 'two writes at once')
  const lists = writtenLists(doors)
  let before = FOREIGN
  for (const { at, names: list } of lists) {
    const there = new Set(list)
    const lost = before.filter((host) => !there.has(host) && !guests.mayLack(host, at))
    assert.deepEqual(lost, [], `lost at ${Math.round(at)} ms by ${JSON.stringify(list)}`)
    before = list
  }
  return lists.length
}

test(`${WORLDS * KILLS} leaders killed while mappings change: nothing is lost, nothing wrongly removed, one write at a time`, {
  concurrency: true,
  timeout: 480_000,
}, async (t) => {
  const server = await apiServer(t)
  if (server === undefined) return
  t.diagnostic(`DOMAINPILOT_TEST_SEED=${SEED}`)
  let written = 0
  await Promise.all(
    Array.from({ length: WORLDS }, (_, world) =>
      t.test(`world ${world + 1}`, { timeout: 480_000 }, async (t) => {
        const lists = await killLeaders(t, server, SEED * WORLDS + world)
        written += lists
      }),
    ),
  )
  t.diagnostic(`${written} lists were written`)
  assert.ok(written >= (WORLDS * KILLS) / 2, `only ${written} lists: nothing was under way when leaders were killed`)
})
