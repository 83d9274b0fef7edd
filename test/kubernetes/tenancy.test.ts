import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from './api-server.ts'
import { condition, createWorld, type World } from './world.ts'

async function label(world: World, namespace: string, labels: Record<string, string | null>): Promise<void> {
  const { core } = world.server.admin
  const current = await core.readNamespace({ name: namespace })
  const merged = Object.entries({ ...current.metadata?.labels, ...labels }).filter(([, value]) => value !== null)
  const next = Object.fromEntries(merged) as Record<string, string>
  await core.replaceNamespace({
    name: namespace,
    body: { ...current, metadata: { ...current.metadata, labels: next } },
  })
}

const SELECTOR = { allowedNamespaces: { from: 'Selector', selector: { matchLabels: { tenant: 'yes' } } } }

test('allowedNamespaces by labels: a label lets in, its loss takes off, a namespace without it stays out', async (t) => {
  const world = await createWorld(t, { spec: SELECTOR })
  if (world === undefined) return
  const tenant = await world.server.namespace('tenant')
  const stranger = await world.server.namespace('stranger')
  await label(world, tenant, { tenant: 'yes' })
  await world.map('shop', tenant)
  await world.map('intruder', stranger)
  await world.map('own')
  world.daemon()
  await until('both are served', () => world.listed().length === 3)
  assert.deepEqual(world.listed(), ['by-hand.example.org', 'own.example.com', 'shop.example.com'])
  await condition(world, 'DomainMapping', 'intruder', { type: 'Accepted', reason: 'NotAllowed' }, stranger)

  await label(world, stranger, { tenant: 'yes' })
  await until('the stranger is let in', () => world.listed().includes('intruder.example.com'))
  await label(world, tenant, { tenant: null })
  await until('the tenant is out', () => !world.listed().includes('shop.example.com'))
  await condition(world, 'DomainMapping', 'shop', { type: 'Accepted', reason: 'NotAllowed' }, tenant)
  assert.ok(world.listed().includes('own.example.com'))
})

test('an app that begins to choose by labels while the daemon runs', async (t) => {
  const world = await createWorld(t, { spec: { allowedNamespaces: { from: 'All' } } })
  if (world === undefined) return
  const tenant = await world.server.namespace('tenant')
  await label(world, tenant, { tenant: 'yes' })
  await world.map('shop', tenant)
  await world.map('own')
  world.daemon()
  await until('both are served', () => world.listed().length === 3)
  await world.patch('ServerPilotApp', 'network', { spec: SELECTOR })
  await world.map('more', tenant)
  await until('more is served', () => world.listed().length === 4)
  assert.ok(world.listed().includes('shop.example.com'))
})

test('the daemon’s own credentials serve its own namespace and those that are named, no other', async (t) => {
  const world = await createWorld(t, { spec: { suspend: true } })
  if (world === undefined) return
  const { home, simulator, appId } = world
  const bare = { appId, www: 'Never', ssl: { auto: false } }
  const environment = { SERVERPILOT_CLIENT_ID: simulator.clientId, SERVERPILOT_API_KEY: simulator.apiKey }
  const mapping = (name: string) => ({ domain: `${name}.example.com`, appRef: { name: 'ambient' } })
  const elsewhere = await world.server.namespace('elsewhere')
  await world.create('ServerPilotApp', 'ambient', bare, elsewhere)
  await world.create('DomainMapping', 'theirs', mapping('theirs'), elsewhere)
  const daemon = world.daemon({ environment })
  const denied = { type: 'Accepted', status: 'False', reason: 'NotAllowed', message: /ambient-credentials-namespaces/ }
  await condition(world, 'ServerPilotApp', 'ambient', denied, elsewhere)
  assert.equal(world.posts(), 0)
  assert.doesNotMatch(daemon.log(), new RegExp(simulator.apiKey))
  daemon.child.kill('SIGTERM')
  await daemon.ended

  world.daemon({ environment, flags: ['--ambient-credentials-namespaces', elsewhere] })
  await until('theirs is served', () => world.listed().includes('theirs.example.com'))
  await world.create('ServerPilotApp', 'ambient', bare, home)
  await condition(world, 'ServerPilotApp', 'ambient', denied, home)
})

test('reconcile-requested-at: a new value is handled and shown', async (t) => {
  const world = await createWorld(t)
  if (world === undefined) return
  await world.map('shop')
  world.daemon({ flags: ['--sweep-schedule', '0 0 1 1 *'] })
  await until('shop is served', () => world.listed().includes('shop.example.com'))
  world.simulator.state.setDomains(world.appId, ['by-hand.example.org'])
  const annotations = { 'domainpilot.dev/reconcile-requested-at': '2026-01-15T12:00:00Z' }
  await world.patch('ServerPilotApp', 'network', { metadata: { annotations } })
  await until('it was handled', async () => {
    const app = await world.read('ServerPilotApp', 'network')
    return app?.status?.lastHandledReconcileAt === '2026-01-15T12:00:00Z'
  })
  assert.ok(world.listed().includes('shop.example.com'))
})
