import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { until } from './api-server.ts'
import { condition, createWorld, type Spec } from './world.ts'

const FINALIZER = 'domainpilot.dev/remove-hosts'
const THREE = ['one', 'two', 'three']

/** An app with three hosts of ours on it, and a daemon that leads. */
async function served(t: TestContext, spec: Spec) {
  const world = await createWorld(t, { spec })
  if (world === undefined) return undefined
  for (const name of THREE) await world.map(name)
  const daemon = world.daemon()
  await until('all three are on the app', () => world.listed().length === 4)
  return { ...world, running: daemon }
}

test('deletionPolicy: Delete: a finalizer, then what is ours goes from ServerPilot, then the object', async (t) => {
  const world = await served(t, { deletionPolicy: 'Delete', protectedDomains: ['two.example.com'] })
  if (world === undefined) return
  const before = await world.read('ServerPilotApp', 'network')
  assert.deepEqual(before?.metadata.finalizers, [FINALIZER])
  await world.delete('ServerPilotApp', 'network')
  await until('the object is gone', async () => (await world.read('ServerPilotApp', 'network')) === undefined)
  assert.deepEqual(world.listed(), ['by-hand.example.org', 'two.example.com'])
  await condition(world, 'DomainMapping', 'one', { type: 'Accepted', status: 'False', reason: 'AppNotFound' })
})

test('other finalizers are left alone', async (t) => {
  const world = await served(t, { deletionPolicy: 'Delete' })
  if (world === undefined) return
  const finalizers = ['example.com/other', FINALIZER]
  await world.patch('ServerPilotApp', 'network', { metadata: { finalizers } })
  await world.delete('ServerPilotApp', 'network')
  await until('ours is gone', async () => {
    const left = (await world.read('ServerPilotApp', 'network'))?.metadata.finalizers
    return left?.join() === 'example.com/other'
  })
  assert.deepEqual(world.listed(), ['by-hand.example.org'])
  await world.patch('ServerPilotApp', 'network', { metadata: { finalizers: [] } })
  await until('the object is gone', async () => (await world.read('ServerPilotApp', 'network')) === undefined)
})

test('deleted while no daemon runs: the next one does it', async (t) => {
  const world = await served(t, { deletionPolicy: 'Delete' })
  if (world === undefined) return
  world.running.child.kill('SIGTERM')
  await world.running.ended
  await world.delete('ServerPilotApp', 'network')
  for (const name of THREE) await world.unmap(name)
  assert.equal(world.listed().length, 4)
  world.daemon()
  await until('the object is gone', async () => (await world.read('ServerPilotApp', 'network')) === undefined)
  assert.deepEqual(world.listed(), ['by-hand.example.org'])
})

test('secret-gone-before-the-finalizer: it says so with both ways out; Retain lets it go; others are served', async (t) => {
  const world = await served(t, { deletionPolicy: 'Delete' })
  if (world === undefined) return
  await world.create('ServerPilotApp', 'keep', {
    appId: 'BBBBBBBBBBBBBBBB',
    credentialsSecretRef: { name: 'serverpilot' },
  })
  const elsewhere = await world.server.namespace('elsewhere')
  await world.secret(elsewhere)
  const spec = { appId: world.secondAppId, credentialsSecretRef: { name: 'serverpilot' } }
  await world.create('ServerPilotApp', 'other', spec, elsewhere)
  await world.server.admin.core.deleteNamespacedSecret({ namespace: world.namespace, name: 'serverpilot' })
  for (const name of THREE) await world.unmap(name)
  // The Secret was read moments ago: a daemon that knows nothing of it any more.
  world.running.child.kill('SIGTERM')
  await world.running.ended
  await world.delete('ServerPilotApp', 'keep')
  await world.delete('ServerPilotApp', 'network')
  const daemon = world.daemon()
  assert.equal(await world.read('ServerPilotApp', 'keep'), undefined)
  const words = /Secret wordpress-\w+\/serverpilot.*put the credentials right, or set spec\.deletionPolicy: Retain/
  await condition(world, 'ServerPilotApp', 'network', { type: 'Synced', reason: 'CredentialsInvalid', message: words })
  assert.match(daemon.log(), words)
  assert.deepEqual((await world.read('ServerPilotApp', 'network'))?.metadata.finalizers, [FINALIZER])

  const theirs = { domain: 'theirs.example.com', appRef: { name: 'other' } }
  await world.create('DomainMapping', 'theirs', theirs, elsewhere)
  const second = () => world.simulator.state.app(world.secondAppId).domains
  await until('the other namespace is served meanwhile', () => second().includes('theirs.example.com'))
  assert.equal(world.listed().length, 4)

  await world.patch('ServerPilotApp', 'network', { spec: { deletionPolicy: 'Retain' } })
  await until('the object is gone', async () => (await world.read('ServerPilotApp', 'network')) === undefined)
  assert.equal(world.listed().length, 4)
})
