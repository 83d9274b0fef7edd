import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createContext } from '../../src/controller/context/context.ts'
import { createDaemon } from '../../src/controller/daemon.ts'
import { createLogger } from '../../src/log/log.ts'
import { createManifestSource } from '../../src/source/manifests/manifests.ts'
import { turnUntil } from '../time/turn-until.ts'
import { openDaemon, startDaemon } from './started-daemon.ts'
import { createWorld, names, objectYaml } from './world.ts'

const HOUR = 3_600_000
/** A schedule without a sweep in the time of a test. */
const NEVER = '0 0 1 1 *'

describe('daemon', () => {
  test('N mappings added within a second are one write', async (t) => {
    const world = await createWorld(t)
    const { until } = await startDaemon(t, world)
    await until('the first look', () => world.simulator.counts().listApps > 0)
    await Promise.all(names(100).map((name) => world.map(name)))
    await until('all are there', () => world.listed().length === 101)
    assert.equal(world.posts(), 1)
  })

  test('a sweep in sync costs one call per account, no write, and repairs what somebody took off', async (t) => {
    const world = await createWorld(t)
    for (const name of names(8)) await world.map(name)
    const { until } = await startDaemon(t, world)
    await until('all are there', () => world.listed().length === 9)
    await until(
      'rest',
      () =>
        world.simulator.calls.slice(-3).every((call) => call.endpoint === 'listApps') &&
        world.simulator.calls.length > 6,
    )
    world.simulator.state.setDomains(
      world.appId,
      world.listed().filter((host) => host !== 'h001.example.com'),
    )
    await until('it is back', () => world.posts() === 2 && world.listed().length === 9)
  })

  test('when the API is away every app says so, and all is well again by itself', async (t) => {
    const world = await createWorld(t)
    await world.map('h001')
    const { statuses, metrics, until } = await startDaemon(t, world)
    const ready = async () => (await statuses.status()).apps[0]?.conditions.find((each) => each.type === 'Ready')
    await until('ready', async () => (await ready())?.status === 'True')
    world.simulator.faults.add({ kind: 'html502', times: 'always' })
    await until('not ready', async () => (await ready())?.reason === 'ApiUnreachable')
    assert.match(await metrics.text(), /domainpilot_app_condition\{[^}]*type="Ready",reason="ApiUnreachable"\} 0/)
    assert.equal(world.listed().length, 2)
    world.simulator.faults.clear()
    await until('ready again', async () => (await ready())?.status === 'True')
  })

  test('reconciles that wait for nothing let timers in between them', async (t) => {
    const { context, folder, clock } = await createWorld(t)
    const objects = createManifestSource({ paths: [folder] })
    await objects.start(() => undefined)
    const [app] = objects.apps()
    assert.ok(app)
    const suspended = names(50).map((key) => ({ ...app, key, spec: { ...app.spec, suspend: true } }))
    const apps = { ...objects, apps: () => suspended, app: (key: string) => suspended.find((each) => each.key === key) }
    const seen: string[] = []
    const reporter = {
      reconciled: ({ key }: { key: string }) => void seen.push(key),
      objectsChanged: () => undefined,
    }
    const log = createLogger({
      logLevel: 'error',
      logFormat: 'json',
      destination: { write: () => true },
      secrets: () => [],
    })
    const ports = { ...context.ports, objects: apps, mappingSources: [] }
    const options = { reporter, log, workers: 2, sweepSchedule: '0 0 1 1 *', hooks: {} }
    const daemon = createDaemon({ context: createContext(ports, context.mode), ...options })
    t.after(() => daemon.stop(1_000))
    const turns: number[] = []
    const turn = () => {
      turns.push(seen.length)
      if (seen.length < 50) setImmediate(turn)
    }
    setImmediate(turn)
    await daemon.lead()
    await turnUntil(clock, 'all were looked at', () => turns.at(-1) === 50)
    assert.ok(turns.length > 20, `${turns.length} turns of the loop`)
  })

  test('a-rare-sweep: silence is that work which is under way stands still, a sweep or a pass', async (t) => {
    for (const stuck of ['listApps', 'getApp'] as const) {
      const world = await createWorld(t)
      const { accountOf } = world.context.ports
      const asked = Promise.withResolvers<void>()
      const never = (...given: readonly unknown[]): Promise<never> => {
        const signal = given.find((each) => each instanceof AbortSignal)
        asked.resolve()
        return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
      }
      world.context.ports.accountOf = async (app) => ({
        ...(await accountOf(app)),
        listApps: async () => [],
        [stuck]: never,
      })
      const { daemon } = openDaemon(t, world, NEVER)
      await daemon.start()
      world.clock.advance(HOUR)
      assert.equal(daemon.silence(), 0, 'nothing is under way yet')
      void daemon.lead()
      await asked.promise
      world.clock.advance(HOUR)
      assert.equal(daemon.silence(), HOUR, stuck)
    }
  })

  test('a-rare-sweep: when an account answers again all of its apps follow, not only the one that asked', async (t) => {
    const apps = ['network', ...names(3, 'app')].map((name) => ({ name, domains: [`${name}.example.org`] }))
    const world = await createWorld(t, { simulator: { apps } })
    for (const [at, { name }] of apps.entries()) {
      const spec = { appId: world.simulator.apps[at], ssl: { auto: false } }
      await world.write(`${name}.yaml`, objectYaml('ServerPilotApp', name, spec))
    }
    world.simulator.faults.add({ kind: 'html502', times: 'always' })
    const { statuses, until } = await startDaemon(t, world, NEVER)
    const away = async () =>
      (await statuses.status()).apps.filter(({ conditions }) =>
        conditions.some(({ reason }) => reason === 'ApiUnreachable'),
      )
    await until('all say so', async () => (await away()).length === apps.length)
    world.simulator.faults.clear()
    await until('none says so any more', async () => (await away()).length === 0)
  })

  test('an app whose object goes leaves no status and no series behind, and its hosts stay', async (t) => {
    const world = await createWorld(t)
    await world.map('h001')
    const { statuses, metrics, until } = await startDaemon(t, world)
    await until(
      'there',
      async () => (await statuses.status()).apps[0]?.lastSuccess !== undefined && world.listed().length === 2,
    )
    await world.unmap('network')
    await until('gone', async () => (await statuses.status()).apps.length === 0)
    assert.doesNotMatch(await metrics.text(), /app="network"/)
    assert.equal(world.listed().length, 2)
    const [orphan] = (await statuses.status()).mappings
    assert.equal(orphan?.conditions.find((each) => each.type === 'Accepted')?.reason, 'AppNotFound')
  })

  test('first-failure-is-not-counted: the first API error is a step from 0', async (t) => {
    const world = await createWorld(t)
    const { statuses, metrics, until } = await startDaemon(t, world)
    await until('seen', async () => (await statuses.status()).apps[0]?.lastAttempt !== undefined)
    const text = await metrics.text()
    assert.match(text, /domainpilot_reconcile_total\{[^}]*result="failed"\} 0/)
  })
})
