import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PatchStrategy, setHeaderOptions } from '@kubernetes/client-node'
import { apiServer, until } from './api-server.ts'
import { condition, createWorld } from './world.ts'

/** More than the API server itself writes while it starts. */
const REVISIONS = 120
const PATHS = ['serverpilotapps', 'domainmappings', 'namespaces']

test('a-watch-from-the-future: etcd is put back to an older copy while a daemon runs', {
  timeout: 150_000,
}, async (t) => {
  const server = await apiServer(t)
  if (server === undefined) return
  const { own } = server
  if (own === undefined) return t.skip('needs an API server of its own: set KUBEBUILDER_ASSETS')
  // What this process saw go would go at the end of the first wait; what it only finds gone waits for an hour.
  const safety = { settle: '8s', settleInferred: '1h', maxRemovalPercent: 100, allowEmpty: true }
  const allowedNamespaces = { from: 'Selector', selector: { matchLabels: { tenant: 'yes' } } }
  const world = await createWorld(t, { shared: server, spec: { safety, allowedNamespaces } })
  assert.ok(world)
  const tenant = await server.namespace('tenant')
  const label = (value: string | null) =>
    server.admin.core.patchNamespace(
      { name: tenant, body: { metadata: { labels: { tenant: value } } } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    )
  const served = (name: string) =>
    until(`${name} is served`, () => world.listed().includes(`${name}.example.com`), 10_000)
  await label('yes')
  for (const name of ['one', 'two']) await world.map(name)
  await world.map('theirs', tenant)
  const daemon = world.daemon()
  await until('all are there', () => world.listed().length === 4)
  await condition(world, 'ServerPilotApp', 'network', { type: 'Synced', status: 'True' })

  await world.unmap('two')
  await label(null)
  const copy = await own.backUp()
  for (let count = 0; count < REVISIONS; count++)
    await server.admin.core.createNamespacedConfigMap({
      namespace: world.namespace,
      body: { metadata: { generateName: 'later-' } },
    })
  await world.map('two')
  await label('yes')
  await world.patch('ServerPilotApp', 'network', { metadata: { annotations: { example: 'later' } } })
  await condition(world, 'DomainMapping', 'two', { type: 'Synced', status: 'True' })
  await own.restore(copy)
  await world.map('three')

  const wentBack = (path: string) => (line: string) => line.includes('went back from version') && line.includes(path)
  for (const path of PATHS)
    await until(
      `${path}: noticed`,
      () =>
        daemon
          .log()
          .split('\n')
          .some(wentBack(`${path}"`)),
      10_000,
    )
  await served('three')
  const held = { type: 'Synced', status: 'False', reason: 'RemovalSettling' }
  const message = /theirs.example.com, two.example.com: .*already absent/
  await condition(world, 'ServerPilotApp', 'network', { ...held, message })

  // What is changed from now on is followed again: mappings, namespaces and apps.
  await world.map('newcomer', tenant)
  await label('yes')
  await served('newcomer')
  await world.patch('ServerPilotApp', 'network', { spec: { www: 'Always' } })
  await served('www.three')

  // So few revisions that the API server may have passed them when it is ready.
  const next = await own.backUp()
  await world.map('two')
  await condition(world, 'ServerPilotApp', 'network', { type: 'Synced', status: 'True' })
  await own.restore(next)
  await world.map('four')
  await served('four')
  // The record went back too, and is known as an older one: somebody has to look.
  const refused = { ...held, reason: 'RemovalRefused', message: /two.example.com: .*an older one that was put back/ }
  await condition(world, 'ServerPilotApp', 'network', refused)
  for (const name of ['one', 'two', 'theirs']) assert.ok(world.listed().includes(`${name}.example.com`), name)
  assert.equal(daemon.child.exitCode, null, 'it runs on')
})
