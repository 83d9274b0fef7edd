import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ApiServer, apiServer, until } from './api-server.ts'
import { installOther, WITHOUT_ADDRESSES, WITHOUT_CHOICES } from './other-crds.ts'
import { condition, createWorld, type Daemon, type World } from './world.ts'

/** Nobody but the daemon sees that this is no address: the API server only since it knows what one is. */
const FAULT = { dns: { expectedAddresses: ['cdn.example.net'] } }
const WORDS = /spec\.dns\.expectedAddresses\[0\] must be an IP address or a network/
const INVALID = { status: 'False', reason: 'InvalidSpec' }

async function metrics(daemon: Daemon): Promise<string> {
  const page = /"page":"([^"]+)"/.exec(daemon.log())?.[1]
  return await (await fetch(`${page}/metrics`)).text()
}

const gauge = (world: World, name: string) =>
  `domainpilot_app_condition{namespace="${world.namespace}",app="${name}",type="Accepted",reason="InvalidSpec"} 0`

async function events(world: World, name: string): Promise<string[]> {
  const { items } = await world.server.admin.events.listNamespacedEvent({ namespace: world.namespace })
  return items.flatMap(({ regarding, reason, note }) => (regarding?.name === name ? [`${reason} ${note}`] : []))
}

/** Two more sweeps, one a second: whatever was to be written would have been. */
const rest = () => sleep(2500)

/** The app says what is wrong with it as it is now, and so do Events, log and metrics. */
async function saysSo(world: World, daemon: Daemon, name: string): Promise<void> {
  await condition(world, 'ServerPilotApp', name, { type: 'Accepted', ...INVALID, message: WORDS })
  await condition(world, 'ServerPilotApp', name, { type: 'Stalled', status: 'True', reason: 'InvalidSpec' })
  const app = await world.read('ServerPilotApp', name)
  const said = app?.status?.conditions?.map(({ observedGeneration }) => observedGeneration)
  assert.deepEqual(new Set(said), new Set([app?.metadata.generation]))
  await until('an Event says it', async () => (await events(world, name)).some((each) => WORDS.test(each)))
  assert.match(daemon.log(), WORDS)
  await until('the gauge says it', async () => (await metrics(daemon)).includes(gauge(world, name)))
}

async function brakes(t: TestContext, shared: ApiServer, spec: object): Promise<void> {
  const world = await createWorld(t, { shared, spec: { deletionPolicy: 'Delete' } })
  assert.ok(world)
  await world.map('one')
  const daemon = world.daemon({ flags: ['--namespace', world.namespace] })
  await condition(world, 'DomainMapping', 'one', { type: 'Ready', status: 'True' })
  const posts = world.posts()

  await world.patch('ServerPilotApp', 'network', { spec: { ...FAULT, ...spec } })
  await world.map('two')
  await saysSo(world, daemon, 'network')
  for (const name of ['one', 'two'])
    await condition(world, 'DomainMapping', name, { type: 'Ready', ...INVALID, message: WORDS })
  await world.unmap('one')
  await rest()

  await world.delete('ServerPilotApp', 'network')
  await until('it is let go', async () => (await world.read('ServerPilotApp', 'network')) === undefined)
  await until('the log says what stays', () => /was deleted while it had a fault, and let go/.test(daemon.log()))
  await condition(world, 'DomainMapping', 'two', { type: 'Ready', status: 'False', reason: 'AppNotFound' })
  await until('the gauge went', async () => !(await metrics(daemon)).includes('reason="InvalidSpec"'))
  assert.equal(world.posts(), posts, 'something was written')
  assert.deepEqual(world.listed(), ['by-hand.example.org', 'one.example.com'])
}

test('objects whose newest version has a fault', { concurrency: true, timeout: 110_000 }, async (t) => {
  const server = await apiServer(t)
  if (server === undefined) return
  await installOther(server, WITHOUT_ADDRESSES)
  await installOther(server, WITHOUT_CHOICES)

  await Promise.all([
    t.test('a-faulty-object-obeys-its-brakes: nothing is written, its deletion leaves the hosts', (t) =>
      brakes(t, server, { suspend: true, policy: 'Observe', deletionPolicy: 'Retain' }),
    ),

    t.test('a-faulty-object-obeys-its-brakes: with the fault alone', (t) => brakes(t, server, {})),

    t.test('a-faulty-object-obeys-its-brakes: a mapping keeps its host, and its app goes on', async (t) => {
      const world = await createWorld(t, { shared: server })
      assert.ok(world)
      for (const name of ['one', 'two']) await world.map(name)
      world.daemon({ flags: ['--namespace', world.namespace] })
      for (const name of ['one', 'two'])
        await condition(world, 'DomainMapping', name, { type: 'Ready', status: 'True' })
      await world.patch('DomainMapping', 'one', { spec: { www: 'Maybe', domain: 'other.example.com' } })
      await condition(world, 'DomainMapping', 'one', { type: 'Ready', ...INVALID, message: /spec\.www/ })
      await world.unmap('two')
      await world.map('three')
      const both = 'by-hand.example.org,one.example.com,three.example.com'
      await until('the app goes on', () => world.listed().join() === both)
      // Somebody else takes its host off: nobody knows whether it is wanted.
      world.simulator.state.setDomains(world.appId, ['by-hand.example.org', 'three.example.com'])
      await rest()
      assert.deepEqual(world.listed(), ['by-hand.example.org', 'three.example.com'])
      await world.patch('DomainMapping', 'one', { spec: { www: null } })
      await until('the mended one is served', () => world.listed().includes('other.example.com'))
    }),

    t.test('a-new-app-with-a-fault: it says so, its mappings too, and it is served once it is mended', async (t) => {
      const world = await createWorld(t, { shared: server, spec: { suspend: true } })
      assert.ok(world)
      const spec = { appId: world.secondAppId, credentialsSecretRef: { name: 'serverpilot' }, ssl: { auto: false } }
      await world.create('ServerPilotApp', 'fresh', { ...spec, ...FAULT })
      for (const name of ['one', 'two'])
        await world.create('DomainMapping', name, { domain: `${name}.example.com`, appRef: { name: 'fresh' } })
      const daemon = world.daemon({ flags: ['--namespace', world.namespace] })
      await saysSo(world, daemon, 'fresh')
      for (const name of ['one', 'two'])
        await condition(world, 'DomainMapping', name, {
          type: 'Ready',
          ...INVALID,
          message: /fresh is invalid: spec\.dns/,
        })
      await rest()
      await until('the gauge stays', async () => (await metrics(daemon)).includes(gauge(world, 'fresh')))
      assert.equal(world.posts(), 0)
      assert.equal((await events(world, 'fresh')).filter((each) => WORDS.test(each)).length, 1)

      await world.patch('ServerPilotApp', 'fresh', { spec: { dns: null } })
      const listed = () => world.simulator.state.app(world.secondAppId).domains.toSorted().join()
      await until('both are served', () => listed().includes('one.example.com,two.example.com'))
      await condition(world, 'DomainMapping', 'one', { type: 'Ready', status: 'True' })
      assert.ok(!(await metrics(daemon)).includes('reason="InvalidSpec"'))
    }),
  ])
})
