import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type ApiServer, apiServer, until } from './api-server.ts'
import { openDoor } from './door.ts'
import { condition, createWorld, type Spec, type World } from './world.ts'

const THREE = ['one', 'two', 'three']

/** An app with three mappings, a daemon for all namespaces of the world, and a second app in a namespace that stays. */
async function served(t: TestContext, server: ApiServer, spec: Spec = {}) {
  const world = await createWorld(t, { shared: server, spec })
  assert.ok(world)
  const elsewhere = await server.namespace('elsewhere')
  await world.secret(elsewhere)
  const app = await world.read('ServerPilotApp', 'network')
  await world.create('ServerPilotApp', 'network', { ...app?.spec, appId: world.secondAppId }, elsewhere)
  for (const name of THREE) await world.map(name)
  const door = await openDoor(t, world.simulator.url)
  const flags = ['--namespace', world.namespace, '--namespace', elsewhere, '--serverpilot-url', door.url]
  const daemon = world.daemon({ flags })
  await until('all are there', () => world.listed().length === 4)
  await condition(world, 'ServerPilotApp', 'network', { type: 'Ready', status: 'True' })
  return {
    world,
    daemon,
    posts: () => door.passages.filter(({ method, path }) => method === 'POST' && path.includes(world.appId)).length,
    sweeps: () => door.passages.filter(({ path }) => path === '/v1/apps').length,
    /** The second app serves a new mapping. */
    async servesOthers(name: string) {
      const spec = { domain: `${name}.example.com`, appRef: { name: 'network' } }
      await world.create('DomainMapping', name, spec, elsewhere)
      const listed = () => world.simulator.state.app(world.secondAppId).domains
      await until('the other namespace is served', () => listed().includes(`${name}.example.com`))
    },
  }
}

/** `kubectl delete namespace --wait=false`, where nothing then empties the namespace. */
async function terminate({ server, namespace }: World): Promise<void> {
  await server.admin.core.deleteNamespace({ name: namespace })
  await until('it terminates', async () => {
    const { status } = await server.admin.core.readNamespace({ name: namespace })
    return status?.phase === 'Terminating'
  })
}

test('a namespace that is being deleted', { concurrency: true, timeout: 60_000 }, async (t) => {
  const server = await apiServer(t)
  if (server === undefined) return

  await Promise.all([
    t.test(
      'mappings, Secret and app go one by one: the app goes at once, nothing is removed, others are served',
      async (t) => {
        // As by default: a namespace goes within it.
        const { world, daemon, posts, sweeps, servesOthers } = await served(t, server, { safety: { settle: '30s' } })
        const before = posts()
        await terminate(world)
        for (const name of THREE) {
          await world.unmap(name)
          const turn = sweeps()
          await until('a sweep in between', () => sweeps() > turn)
        }
        await servesOthers('meanwhile')
        await world.server.admin.core.deleteNamespacedSecret({ namespace: world.namespace, name: 'serverpilot' })
        await world.delete('ServerPilotApp', 'network')
        assert.equal(await world.read('ServerPilotApp', 'network'), undefined, 'Retain holds nothing')
        await servesOthers('afterwards')
        assert.equal(posts(), before)
        assert.equal(world.listed().length, 4)
        assert.equal(daemon.child.exitCode, null)
      },
    ),

    t.test('what happens there makes an Event that is refused with 403, which is no error', async (t) => {
      const { world, daemon, servesOthers } = await served(t, server)
      await terminate(world)
      await world.patch('DomainMapping', 'one', { spec: { domain: 'other.example.com' } })
      await until('the change is served', () => world.listed().includes('other.example.com'))
      // Events go out in their order: when this one is there, the refused one has been tried.
      await servesOthers('later')
      await until('a later Event is there', async () => {
        const { items } = await world.server.admin.events.listEventForAllNamespaces()
        return items.some(
          ({ note, regarding }) => note?.includes('later.example.com') && regarding?.kind === 'ServerPilotApp',
        )
      })
      const { items } = await world.server.admin.events.listNamespacedEvent({ namespace: world.namespace })
      assert.ok(!items.some(({ note }) => note?.includes('other.example.com')), 'the API server took the Event')
      assert.doesNotMatch(daemon.log(), /An Event could not be written/)
      await condition(world, 'DomainMapping', 'one', { type: 'Accepted', status: 'True' })
    }),
  ])
})
