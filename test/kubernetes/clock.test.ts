import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { temporaryFolder } from '../e2e/process.ts'
import { type ApiServer, apiServer, until } from './api-server.ts'
import { mostAtOnce, openDoor, writtenLists } from './door.ts'
import { createWorld } from './world.ts'

const PRELOAD = pathToFileURL(join(import.meta.dirname, '../fixtures/shifted-clock.mjs'))
const HOUR = 3_600_000
/** Longer than the few seconds that a test needs between a removal and a jump. */
const SETTLE_MS = 12_000

/** A daemon whose wall clock a test sets, leading, with two mappings in place. */
async function withClock(t: TestContext, server: ApiServer) {
  const settle = `${SETTLE_MS / 1000}s`
  const world = await createWorld(t, { shared: server, spec: { safety: { settle, settleInferred: settle } } })
  assert.ok(world)
  const file = join(await temporaryFolder(t), 'shift')
  const jump = (ms: number) => writeFile(file, String(ms))
  await jump(0)
  await world.map('stays')
  await world.map('goes')
  const door = await openDoor(t, world.simulator.url)
  const environment = { NODE_OPTIONS: `--import=${PRELOAD}`, SHIFTED_CLOCK: file }
  const flags = ['--namespace', world.namespace, '--serverpilot-url', door.url]
  const daemon = world.daemon({ environment, flags })
  await until('both are there', () => world.listed().length === 3)
  return { world, jump, door, daemon }
}

test('the wall clock jumps', { concurrency: true, timeout: 110_000 }, async (t) => {
  const server = await apiServer(t)
  if (server === undefined) return
  const jumps = [
    ['forward', HOUR],
    ['back', -HOUR],
  ] as const

  await Promise.all(
    jumps.map(([way, ms]) =>
      t.test(`an hour ${way}: leadership stays, no removal comes early, and work goes on`, async (t) => {
        const { world, jump, door, daemon } = await withClock(t, server)
        const gone = performance.now()
        await world.unmap('goes')
        await world.map('seen')
        await until('the change was taken up', () => world.listed().includes('seen.example.com'))
        await jump(ms)
        await world.map('after')
        await until('a mapping after the jump is served', () => world.listed().includes('after.example.com'))
        const removal = () =>
          writtenLists([door]).find(({ names, at }) => at > gone && !names.includes('goes.example.com'))
        await until('the removal has settled', () => removal() !== undefined)
        const took = (removal()?.at ?? 0) - gone
        t.diagnostic(`removed after ${Math.round(took)} ms`)
        assert.ok(took >= SETTLE_MS - 500, `removed after ${Math.round(took)} ms`)

        world.simulator.state.setDomains(world.appId, ['by-hand.example.org', 'stays.example.com'])
        await until('a sweep repairs what was undone', () => world.listed().length === 4)
        assert.doesNotMatch(daemon.log(), /Leadership is lost/)
        assert.equal(daemon.child.exitCode, null)
        assert.equal(mostAtOnce([door]), 1)
        assert.ok(world.listed().includes('by-hand.example.org'))
      }),
    ),
  )
})
