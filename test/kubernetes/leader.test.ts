import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type ApiServer, apiServer, until } from './api-server.ts'
import { type Door, openApiDoor, openDoor, writtenLists } from './door.ts'
import { createWorld, type World } from './world.ts'

/** A daemon behind doors of its own. */
async function behindDoors(t: TestContext, world: World, flags: readonly string[] = []) {
  const api = await openApiDoor(t, world.server.kubeconfig)
  const serverpilot = await openDoor(t, world.simulator.url)
  const all = ['--namespace', world.namespace, '--serverpilot-url', serverpilot.url, ...flags]
  const daemon = world.daemon({ kubeconfig: api.kubeconfig, flags: all })
  return { daemon, api: api.door, serverpilot }
}

/** A leads and has claimed `late.example.com`, but does not know it yet; B stands by. */
async function leaderAtItsClaim(t: TestContext, server: ApiServer, flags: readonly string[] = []) {
  const world = await createWorld(t, { shared: server })
  assert.ok(world)
  await world.map('first')
  const a = await behindDoors(t, world, flags)
  await until('A has written', () => world.listed().includes('first.example.com'), 60_000)
  const b = await behindDoors(t, world)
  await until('B stands by', () => b.daemon.log().includes('"Started"'))
  const claim = a.api.hold(({ path, body }) => /\/configmaps\//.test(path) && body.includes('late.example.com'))
  await world.map('late')
  await until('A has claimed', claim.caught, 60_000)
  return { world, a, b, claim }
}

const WRITES = ['POST', 'PUT', 'PATCH', 'DELETE']
const writes = ({ passages }: Door) => passages.filter(({ method }) => WRITES.includes(method)).length

/** B takes over and adds a mapping that A does not know; then A wakes, writes nothing and ends. */
async function wakeUpLate({ world, a, b }: Awaited<ReturnType<typeof leaderAtItsClaim>>): Promise<void> {
  await until('B leads', b.daemon.leads)
  await world.map('theirs')
  const exact = ['by-hand', 'first', 'late', 'theirs'].map(
    (name) => `${name}.example.${name === 'by-hand' ? 'org' : 'com'}`,
  )
  await until('the list is B’s', () => world.listed().join() === exact.join())

  const before = [writes(a.api), writes(a.serverpilot)]
  a.daemon.child.kill('SIGCONT')
  assert.notEqual(await a.daemon.ended, 0, 'a leader that lost ends with a failure')
  assert.deepEqual([writes(a.api), writes(a.serverpilot)], before, 'no write of any kind after waking')
  assert.match(a.daemon.log(), /Leadership is lost/)
  const lists = writtenLists([a.serverpilot, b.serverpilot]).map(({ names }) => names)
  const from = lists.findIndex((names) => names.includes('theirs.example.com'))
  for (const names of lists.slice(from)) assert.deepEqual(names.toSorted(), exact)
  assert.deepEqual(world.listed(), exact)
}

test('leader-that-wakes-up-late: stopped between claim and POST', async (t) => {
  const server = await apiServer(t)
  if (server === undefined) return
  const all = await leaderAtItsClaim(t, server)
  all.a.daemon.child.kill('SIGSTOP')
  all.claim.release()
  await wakeUpLate(all)
})
