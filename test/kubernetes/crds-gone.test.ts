import assert from 'node:assert/strict'
import { test } from 'node:test'
import { customResourceDefinitions } from '../../src/status/crd.ts'
import { names } from '../controller/world.ts'
import { type ApiServer, until } from './api-server.ts'
import { openDoor, writtenLists } from './door.ts'
import { condition, createWorld, type Daemon, type World } from './world.ts'

const CRDS = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' }
const TWELVE = names(12)
const HOSTS = ['by-hand.example.org', ...TWELVE.map((name) => `${name}.example.com`)].sort()
const ABSENT = /domainmappings: .*domainpilot crds \| kubectl apply/

/** Deletes the definition of mappings, and with it every mapping. */
async function deleteMappingsCrd({ admin }: ApiServer): Promise<void> {
  const { name } = customResourceDefinitions()
    .map(({ metadata }) => metadata)
    .find(({ name }) => name.startsWith('domainmappings')) as { name: string }
  await admin.custom.deleteClusterCustomObject({ ...CRDS, name })
  await until('it is gone', async () => {
    const found = await admin.custom
      .getClusterCustomObject({ ...CRDS, name })
      .catch((error: { code?: number }) => error.code)
    return found === 404
  })
}

async function isReady(daemon: Daemon): Promise<boolean> {
  const page = /"page":"([^"]+)"/.exec(daemon.log())?.[1]
  assert.ok(page, 'the page is served')
  return (await fetch(new URL('/readyz', page))).ok
}

/** A world of twelve mappings and a daemon that goes through a door of its own. */
async function served(t: Parameters<typeof createWorld>[0]) {
  // No guard but the settling, and that shorter than by default: what holds back is that the source has failed.
  const world = await createWorld(t, {
    spec: { safety: { settle: '5s', settleInferred: '5s', maxRemovalPercent: 100, allowEmpty: true } },
  })
  if (world === undefined) return undefined
  const door = await openDoor(t, world.simulator.url)
  for (const name of TWELVE) await world.map(name)
  const start = () => world.daemon({ flags: ['--serverpilot-url', door.url] })
  const daemon = start()
  await until('all are there', () => world.listed().length === HOSTS.length, 60_000)
  const sweeps = () => door.passages.filter(({ path }) => path === '/v1/apps').length
  const watch = async (count: number) => {
    const from = sweeps()
    await until(`${count} more sweeps`, () => sweeps() >= from + count)
  }
  return { world, door, start, daemon, watch }
}

async function mapAgain(world: World): Promise<void> {
  for (const name of TWELVE) await world.map(name)
}

test('source-that-is-not-there-yet (d): the definition of mappings is deleted, is absent at the start, and comes back', async (t) => {
  const all = await served(t)
  if (all === undefined) return
  const { world, door, start, daemon, watch } = all
  const posts = world.posts()
  const missing = { type: 'Synced', reason: 'SourceUnavailable', message: ABSENT }

  await deleteMappingsCrd(world.server)
  await condition(world, 'ServerPilotApp', 'network', missing)
  assert.equal(await isReady(daemon), true, 'the last good list is served')
  // Longer than a removal takes to settle.
  await watch(7)
  assert.equal(world.posts(), posts)
  await world.server.installCrds()
  await mapAgain(world)
  await condition(world, 'ServerPilotApp', 'network', { type: 'Synced', status: 'True' })
  await condition(world, 'DomainMapping', TWELVE[0] as string, { type: 'Ready', status: 'True' })
  assert.equal(world.posts(), posts)

  daemon.child.kill('SIGTERM')
  await daemon.ended
  await deleteMappingsCrd(world.server)
  const second = start()
  await until('it leads', second.leads)
  await condition(world, 'ServerPilotApp', 'network', missing)
  assert.equal(await isReady(second), false, 'never synced')
  await watch(7)
  assert.equal(world.posts(), posts)
  await world.server.installCrds()
  await mapAgain(world)
  await world.map('new')
  await until('the new one is served, without a restart', () => world.listed().includes('new.example.com'))
  assert.equal(await isReady(second), true)
  const written = writtenLists([door]).slice(1)
  for (const { names: list } of written)
    assert.deepEqual(
      HOSTS.filter((host) => !list.includes(host)),
      [],
    )
})

test('both definitions are deleted and come back with their objects: nothing is removed', async (t) => {
  const all = await served(t)
  if (all === undefined) return
  const { world, daemon, watch } = all
  const posts = world.posts()
  const { spec } = (await world.read('ServerPilotApp', 'network')) as { spec: object }
  await world.server.deleteCrds()
  await until('it says so', () => /serverpilotapps: .*domainpilot crds/.test(daemon.log()))
  await until('the old ones are gone', async () => {
    const { items } = (await world.server.admin.custom.listClusterCustomObject(CRDS)) as { items: unknown[] }
    return items.length === 0
  })
  await world.server.installCrds()
  await world.create('ServerPilotApp', 'network', spec)
  await mapAgain(world)
  await condition(world, 'ServerPilotApp', 'network', { type: 'Synced', status: 'True' })
  await watch(7)
  assert.equal(world.posts(), posts)
  assert.deepEqual(world.listed(), HOSTS)
  assert.equal(daemon.child.exitCode, null)
})
