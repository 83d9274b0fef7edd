import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { passWithProgress } from '../../src/cli/pass.ts'
import { createContext } from '../../src/controller/context/context.ts'
import { systemClock } from '../../src/time/clock.ts'
import { silentIo } from '../cli/silent-io.ts'
import { type FakeClock, fakeClock } from '../time/fake-clock.ts'
import { startDaemon } from './started-daemon.ts'
import { createWorld, names, objectYaml, type World } from './world.ts'

const EMPTY = names(20, 'empty')

/** Twenty apps without a domain, and one that has some, on one server; all are new to us. */
async function twentyEmptyApps(t: TestContext): Promise<World> {
  const apps = EMPTY.map((name) => ({ name, domains: [] as string[] }))
  const full = { name: 'network', domains: ['by-hand.example.org'] }
  const world = await createWorld(t, { simulator: { apps: [full, ...apps] } })
  for (const [index, name] of EMPTY.entries()) {
    const appId = world.simulator.apps[index + 1] as string
    await world.write(
      `app-${name}.yaml`,
      objectYaml('ServerPilotApp', name, { appId, www: 'Never', ssl: { auto: false } }),
    )
    await world.map(name, `${name}.example.com`, { appRef: { name } })
  }
  return world
}

/** How many of the empty apps have their domain. */
const served = ({ simulator }: World): number =>
  simulator.apps.slice(1).filter((id) => simulator.state.app(id).domains.length === 1).length

/**
 * Turns the clock in small steps until all have their domain, each step only once nothing is asked of ServerPilot any more: so time does
 * not run away from the answers. Gives the time that it took, in ms.
 */
async function turnUntilServed(world: World, clock: FakeClock): Promise<number> {
  const start = clock.steady()
  let calls = -1
  while (served(world) < EMPTY.length) {
    assert.ok(clock.steady() - start < 60_000, `${served(world)} served`)
    const before = calls
    calls = world.simulator.calls.length
    if (calls === before) clock.advance(250)
    await systemClock.sleep(50)
  }
  return clock.steady() - start
}

describe('empty-apps-at-first-contact', () => {
  test('the daemon: all within 15 s; other apps of the server go on meanwhile', async (t) => {
    const world = await twentyEmptyApps(t)
    await world.map('other')
    const { until } = await startDaemon(t, world)
    await until('another app of the server is written', () => world.listed().length === 2)
    assert.equal(served(world), 0)
    const took = await turnUntilServed(world, world.clock)
    assert.ok(took <= 15_000, `${took} ms`)
  })

  test('apply: the same', async (t) => {
    const world = await twentyEmptyApps(t)
    await world.map('other')
    const clock = fakeClock()
    const context = createContext({ ...world.context.ports, clock }, world.context.mode)
    const setup = { context, objects: context.ports.objects, settings: { workers: 2 } }
    const pass = passWithProgress(silentIo(), setup, 'Applying')
    const took = await turnUntilServed(world, clock)
    assert.ok(took >= 10_000 && took <= 15_000, `${took} ms`)
    const results = (await pass).map(({ result }) => result)
    assert.deepEqual(new Set(results), new Set(['Applied']))
    assert.equal(results.length, EMPTY.length + 1)
  })
})
