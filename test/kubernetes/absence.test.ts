import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type ApiServer, apiServer, until } from './api-server.ts'
import { openDoor } from './door.ts'
import { condition, createWorld } from './world.ts'

const INFERRED_MS = 3_000

/** Three mappings in place, written by a daemon that has ended; `next` starts another one. */
async function ended(t: TestContext, server: ApiServer) {
  const safety = { settle: '200ms', settleInferred: `${INFERRED_MS}ms` }
  const world = await createWorld(t, { shared: server, spec: { safety } })
  assert.ok(world)
  for (const name of ['one', 'two', 'three']) await world.map(name)
  const first = world.daemon({ flags: ['--namespace', world.namespace] })
  await until('all are there', () => world.listed().length === 4)
  await condition(world, 'ServerPilotApp', 'network', { type: 'Ready', status: 'True' })
  first.child.kill('SIGTERM')
  assert.equal(await first.ended, 0)
  const door = await openDoor(t, world.simulator.url)
  const next = () => world.daemon({ flags: ['--namespace', world.namespace, '--serverpilot-url', door.url] })
  const posts = () => door.passages.filter(({ method }) => method === 'POST')
  return { world, door, next, posts }
}

test('mappings deleted while no daemon runs', { concurrency: true, timeout: 60_000 }, async (t) => {
  const server = await apiServer(t)
  if (server === undefined) return

  await Promise.all([
    t.test('one of them: it is removed, but not before settleInferred', async (t) => {
      const { world, door, next, posts } = await ended(t, server)
      await world.unmap('two')
      next()
      await until('it is removed', () => !world.listed().includes('two.example.com'))
      const looked = door.passages[0]?.from ?? 0
      const waited = (posts()[0]?.from ?? 0) - looked
      assert.ok(waited >= INFERRED_MS, `removed after ${Math.round(waited)} ms`)
      assert.equal(posts().length, 1)
      assert.deepEqual(world.listed(), ['by-hand.example.org', 'one.example.com', 'three.example.com'])
    }),

    t.test('all of them: nothing is removed, and it says so', async (t) => {
      const { world, next, posts } = await ended(t, server)
      for (const name of ['one', 'two', 'three']) await world.unmap(name)
      next()
      await condition(world, 'ServerPilotApp', 'network', { type: 'Synced', status: 'False', reason: 'RemovalRefused' })
      const app = await world.read('ServerPilotApp', 'network')
      assert.deepEqual(app?.status?.plan?.removals, ['one.example.com', 'three.example.com', 'two.example.com'])
      assert.deepEqual(posts(), [])
      assert.equal(world.listed().length, 4)
    }),
  ])
})
