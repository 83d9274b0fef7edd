import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { PatchStrategy, setHeaderOptions } from '@kubernetes/client-node'
import { type ApiServer, apiServer, until } from './api-server.ts'
import { condition, createWorld, type Daemon, type World } from './world.ts'

/** A world whose Secret is as given, and a daemon that leads. */
async function withSecret(
  t: TestContext,
  server: ApiServer,
  values: (world: World) => Record<string, string> | undefined,
) {
  const world = await createWorld(t, { shared: server })
  assert.ok(world)
  await world.map('shop')
  await world.server.admin.core.deleteNamespacedSecret({ namespace: world.namespace, name: 'serverpilot' })
  const stringData = values(world)
  if (stringData !== undefined) {
    const body = { metadata: { name: 'serverpilot' }, stringData }
    await world.server.admin.core.createNamespacedSecret({ namespace: world.namespace, body })
  }
  const daemon = world.daemon({ flags: ['--namespace', world.namespace] })
  return { world, daemon }
}

async function patchSecret({ server, namespace }: World, stringData: Record<string, string>): Promise<void> {
  const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch)
  await server.admin.core.patchNamespacedSecret({ namespace, name: 'serverpilot', body: { stringData } }, merge)
}

const served = ({ listed }: World) => listed().includes('shop.example.com')

/** A Secret that was read counts for 30 seconds. */
const REREAD_MS = 45_000

/** Nothing that the daemon said anywhere has one of these in it. */
async function assertNoLeak(
  { server, namespace, read }: World,
  daemon: Daemon,
  values: readonly string[],
): Promise<void> {
  const { items } = await server.admin.events.listNamespacedEvent({ namespace })
  const statuses = [await read('ServerPilotApp', 'network'), await read('DomainMapping', 'shop')]
  const said = [daemon.log(), JSON.stringify(items), JSON.stringify(statuses)].join('\n')
  for (const value of values) {
    for (const form of [value, Buffer.from(value).toString('base64').replaceAll('=', '')])
      assert.ok(!said.includes(form), 'a value of the Secret is told')
  }
}

const invalid = (message: RegExp) => ({ type: 'Accepted', status: 'False', reason: 'CredentialsInvalid', message })

test('the Secret of an app', { concurrency: true, timeout: 110_000 }, async (t) => {
  const server = await apiServer(t)
  if (server === undefined) return

  await Promise.all([
    t.test('missing at the start: it is named, and everything heals once it is there', async (t) => {
      const { world, daemon } = await withSecret(t, server, () => undefined)
      await condition(world, 'ServerPilotApp', 'network', invalid(new RegExp(`Secret ${world.namespace}/serverpilot`)))
      assert.equal(world.posts(), 0)
      await world.secret()
      await until('the mapping is served', () => served(world), REREAD_MS)
      await assertNoLeak(world, daemon, [world.simulator.apiKey])
    }),

    t.test('with a wrong key: Secret and key are named; put right, it is served', async (t) => {
      const { world, daemon } = await withSecret(t, server, ({ simulator }) => ({
        clientId: simulator.clientId,
        'api-key': simulator.apiKey,
      }))
      const words = new RegExp(`Secret ${world.namespace}/serverpilot.*"apiKey"`)
      await condition(world, 'ServerPilotApp', 'network', invalid(words))
      await patchSecret(world, { apiKey: world.simulator.apiKey })
      await until('the mapping is served', () => served(world), REREAD_MS)
      await assertNoLeak(world, daemon, [world.simulator.apiKey])
    }),

    t.test('with a blank inside the key: it is named, no call is made with it', async (t) => {
      const key = 'half-of-the-key other-half'
      const { world, daemon } = await withSecret(t, server, ({ simulator }) => ({
        clientId: simulator.clientId,
        apiKey: key,
      }))
      await condition(world, 'ServerPilotApp', 'network', invalid(new RegExp(`Secret ${world.namespace}/serverpilot`)))
      assert.deepEqual(world.simulator.calls, [])
      await assertNoLeak(world, daemon, [key, ...key.split(' ')])
      await patchSecret(world, { apiKey: world.simulator.apiKey })
      await until('the mapping is served', () => served(world), REREAD_MS)
    }),

    t.test('rotated while it runs: the old key is refused, the new one is taken up without a restart', async (t) => {
      const { world, daemon } = await withSecret(t, server, ({ simulator }) => ({
        clientId: simulator.clientId,
        apiKey: simulator.apiKey,
      }))
      await until('the mapping is served', () => served(world))
      world.simulator.state.rotateKey('the-next-api-key')
      await condition(world, 'ServerPilotApp', 'network', invalid(new RegExp(`Secret ${world.namespace}/serverpilot`)))
      await patchSecret(world, { apiKey: 'the-next-api-key' })
      await world.map('later')
      await until('a later mapping is served', () => world.listed().includes('later.example.com'), REREAD_MS)
      assert.ok(served(world))
      await condition(world, 'ServerPilotApp', 'network', { type: 'Ready', status: 'True' })
      await assertNoLeak(world, daemon, [world.simulator.apiKey, 'the-next-api-key'])
    }),
  ])
})
