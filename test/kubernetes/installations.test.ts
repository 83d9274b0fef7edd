import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type ApiServer, apiServer, until } from './api-server.ts'
import { type Door, openDoor, writtenLists } from './door.ts'
import { createWorld, type World } from './world.ts'

/** A daemon that leads without asking anybody. */
async function unelected(t: TestContext, world: World, flags: readonly string[] = []) {
  const door = await openDoor(t, world.simulator.url)
  const all = ['--leader-elect', 'false', '--serverpilot-url', door.url, '--namespace', world.namespace, ...flags]
  return { door, daemon: world.daemon({ flags: all }) }
}

const sweeps = ({ passages }: Door) => passages.filter(({ path }) => path === '/v1/apps').length
const posts = (doors: readonly Door[]) => doors.flatMap(({ passages }) => passages).filter(isPost).length
const isPost = ({ method }: { method: string }) => method === 'POST'

/** Waits until no daemon has written anything for three sweeps of each. */
async function rest(doors: readonly Door[]): Promise<void> {
  let written = -1
  let from: number[] = []
  await until('all come to rest', () => {
    if (posts(doors) !== written) {
      written = posts(doors)
      from = doors.map(sweeps)
    }
    return doors.every((door, each) => sweeps(door) >= (from[each] ?? 0) + 3)
  })
}

/** Every list that was written has these. */
function assertNeverLost(doors: readonly Door[], hosts: readonly string[]): void {
  for (const { names } of writtenLists(doors)) {
    assert.deepEqual(
      hosts.filter((host) => !names.includes(host)),
      [],
    )
  }
}

async function oneNamespace(t: TestContext, server: ApiServer): Promise<void> {
  const world = await createWorld(t, { shared: server })
  assert.ok(world)
  for (const name of ['one', 'two']) await world.map(name)
  const doors = [await unelected(t, world), await unelected(t, world)].map(({ door }) => door)
  await until('both are there', () => world.listed().length === 3)
  for (const name of ['three', 'four', 'five']) await world.map(name)
  await world.unmap('one')
  await until('the change is there', () => world.listed().length === 5)
  await rest(doors)
  assertNeverLost(doors, ['by-hand.example.org', 'two.example.com'])
  const exact = ['by-hand.example.org', ...['five', 'four', 'three', 'two'].map((name) => `${name}.example.com`)]
  assert.deepEqual(world.listed(), exact)
  const [record, ...more] = await recordsIn(world, world.home)
  assert.deepEqual(more, [], 'one record')
  assert.deepEqual(
    Object.keys(record?.hosts ?? {})
      .filter((host) => record?.hosts[host]?.absentSince === undefined)
      .sort(),
    exact.slice(1),
  )
}

interface Stored {
  hosts: Record<string, { state: string; absentSince?: number }>
}

async function recordsIn(world: World, namespace: string): Promise<Stored[]> {
  const { items } = await world.server.admin.core.listNamespacedConfigMap({ namespace })
  return items.flatMap(({ data }) => (data?.['record.json'] === undefined ? [] : [JSON.parse(data['record.json'])]))
}

/** Two installations with an object each for the same app, and a record each. */
async function twoInstallations(t: TestContext, server: ApiServer) {
  const world = await createWorld(t, { shared: server })
  assert.ok(world)
  const [namespace, home] = [await server.namespace('second'), await server.namespace('second-home')]
  await world.secret(namespace)
  const { spec } = (await world.read('ServerPilotApp', 'network')) ?? {}
  await world.create('ServerPilotApp', 'network', spec as object, namespace)
  const mapB = (name: string) =>
    world.create('DomainMapping', name, { domain: `${name}.example.com`, appRef: { name: 'network' } }, namespace)
  const a = await unelected(t, world)
  const b = await unelected(t, { ...world, namespace }, ['--record-namespace', home])
  return { world, mapB, doors: [a.door, b.door] }
}

test('two daemons write to one app', { concurrency: true, timeout: 110_000 }, async (t) => {
  const server = await apiServer(t)
  if (server === undefined) return

  await Promise.all([
    t.test('without an election, with one record: nothing is lost, and they come to rest', (t) =>
      oneNamespace(t, server),
    ),

    t.test('two-installations-one-app (1): the list becomes both, then rest', async (t) => {
      const { world, mapB, doors } = await twoInstallations(t, server)
      await world.map('a')
      await mapB('b')
      await until('both are there', () => world.listed().join() === 'a.example.com,b.example.com,by-hand.example.org')
      await rest(doors)
      assert.deepEqual(world.listed(), ['a.example.com', 'b.example.com', 'by-hand.example.org'])
      assertNeverLost(doors, ['by-hand.example.org'])
    }),

    t.test('two-installations-one-app (3): what both wanted is put back once, then rest', async (t) => {
      const { world, mapB, doors } = await twoInstallations(t, server)
      for (const name of ['a', 'c']) await world.map(name)
      for (const name of ['b', 'c']) await mapB(name)
      await until('all are there', () => world.listed().length === 4)
      await rest(doors)
      const before = posts(doors)
      await world.unmap('c')
      await until('A removes it, B puts it back', () => posts(doors) >= before + 2)
      await rest(doors)
      assert.equal(posts(doors), before + 2)
      assert.ok(world.listed().includes('c.example.com'))
    }),
  ])
})
