import assert from 'node:assert/strict'
import { test } from 'node:test'
import { apiServer, until } from './api-server.ts'
import { openDoor } from './door.ts'
import { createWorld } from './world.ts'

// docs of the design: "A source is failed: … terminating namespace … nothing that it ever claimed is removed".
test('a namespace that is being deleted for longer than removals take to settle: nothing is removed', async (t) => {
  const server = await apiServer(t)
  if (server === undefined) return
  const world = await createWorld(t, { shared: server })
  assert.ok(world)
  for (const name of ['one', 'two', 'three']) await world.map(name)
  const door = await openDoor(t, world.simulator.url)
  world.daemon({ flags: ['--serverpilot-url', door.url] })
  await until('all are there', () => world.listed().length === 4)
  const sweeps = () => door.passages.filter(({ path }) => path === '/v1/apps').length
  const posts = world.posts()
  await server.admin.core.deleteNamespace({ name: world.namespace })
  await world.unmap('one')
  const from = sweeps()
  await until('sweeps go on', () => sweeps() >= from + 4)
  assert.equal(world.posts(), posts)
})
