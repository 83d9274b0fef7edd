import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { createServerPilot } from '../../src/serverpilot/client.ts'
import type { ServerPilot } from '../../src/serverpilot/serverpilot.ts'
import type { SimulatorOptions } from '../../src/simulator/options.ts'
import { type Clock, systemClock } from '../../src/time/clock.ts'
import { createWorld, names, objectYaml, type World } from '../controller/world.ts'

/** Hosts of others: there before us, seen before by us. */
export const FOREIGN = names(5, 'foreign').map((name) => `${name}.example.org`)
/** Hosts that are ours at the beginning. */
export const OWNED = names(12).map((name) => `${name}.example.com`)
/** Mapped by `change`. */
export const ADDED = ['new1.example.com', 'new2.example.com']
/** Unmapped by `change`. */
export const REMOVED = 'h005.example.com'
/** What the list has to be in the end. */
export const EXPECTED = [...FOREIGN, ...OWNED.filter((host) => host !== REMOVED), ...ADDED].sort()

/** What a client waits for passes this many times as fast. */
const HURRY = 10

/** A clock on which real time runs faster, so that waits of a client are short and still in proportion. */
export const hurriedClock: Clock = {
  now: () => Math.floor(performance.timeOrigin + performance.now() * HURRY),
  steady: () => performance.now() * HURRY,
  turn: systemClock.turn,
  sleep: (ms, signal) => systemClock.sleep(ms / HURRY, signal),
  after: (ms, fire, options) => systemClock.after(ms / HURRY, fire, options),
}

/** A client's time-out in real milliseconds: longer than any answer of the simulator takes on a busy machine. */
export const TIMEOUT_MS = 600

/** The spec of the app, with AutoSSL asked for or not yet. */
const appYaml = (appId: string, auto: boolean, spec: object): string =>
  objectYaml('ServerPilotApp', 'network', { appId, www: 'Never', ssl: { auto, retryInterval: '5m' }, ...spec })

export interface DisturbedWorld extends World {
  /** Maps two hosts more, unmaps one, asks for AutoSSL. */
  change(): Promise<void>
}

/** An app with foreign hosts and hosts of ours, all of them known to the record, in step with its mappings. */
export async function createDisturbedWorld(
  t: TestContext,
  options: { spec?: object; simulator?: SimulatorOptions } = {},
): Promise<DisturbedWorld> {
  const { spec = {} } = options
  const world: World = await createWorld(t, {
    domains: [...FOREIGN, ...OWNED],
    spec: { ...spec, ssl: { auto: false } },
    simulator: { issuance: { delay: 0 }, ...options.simulator },
    ports: { accountOf: async () => account },
  })
  const connect = (): ServerPilot =>
    createServerPilot({
      baseUrl: world.simulator.url,
      credentials: world.simulator,
      qps: 10_000,
      clock: hurriedClock,
      timeoutMs: TIMEOUT_MS * HURRY,
      actionPollMs: 200,
      actionTimeoutMs: 2_000,
      version: 'test',
    })
  let account = connect()
  await Promise.all(OWNED.map((host) => world.map(host.split('.')[0] as string, host)))
  const adopted = await world.reconcile()
  assert.equal(adopted.result, 'Unchanged', adopted.failure?.message)
  assert.equal(Object.keys(world.record().hosts).length, OWNED.length)
  world.simulator.clearCalls()
  const { restart } = world
  return Object.assign(world, {
    async change() {
      await world.map('new1')
      await world.map('new2')
      await world.unmap('h005')
      await world.write('network.yaml', appYaml(world.appId, true, spec))
    },
    async restart() {
      // A write that stands still for ever keeps the locks of its client.
      account = connect()
      await restart()
    },
  })
}

/**
 * What has to hold once everything is over: the exact list, every claim proven, AutoSSL on.
 * @param expected the list, sorted
 * @param others hosts of other writers that may be there or not
 */
export function assertHealed(world: World, expected: readonly string[], others: readonly string[] = []): void {
  const maybe = new Set(others)
  assert.deepEqual(
    world.listed().filter((host) => !maybe.has(host)),
    expected.filter((host) => !maybe.has(host)),
  )
  const foreign = new Set([...FOREIGN, ...others])
  const claims = Object.entries(world.record().hosts)
  assert.deepEqual(
    claims.map(([host]) => host).sort(),
    expected.filter((host) => !foreign.has(host)),
  )
  for (const [host, claim] of claims) assert.equal(claim.state, 'Held', host)
}
