import assert from 'node:assert/strict'
import { test } from 'node:test'
import { databaseServer } from '../source/wordpress/database-server.ts'
import { SMALL } from '../source/wordpress/network.ts'
import { until } from './api-server.ts'
import { condition, createWorld } from './world.ts'

test('spec.wordpress and a Secret: rows and mappings together; a wrong Secret freezes, the right one heals', async (t) => {
  const server = await databaseServer(t)
  if (server === undefined) return
  const database = await server.database()
  await database.sql(SMALL)
  const wordpress = { connectionSecretRef: { name: 'wp-db', key: 'url' }, pollInterval: '500ms' }
  const world = await createWorld(t, { spec: { wordpress } })
  if (world === undefined) return
  const { core } = world.server.admin
  const { namespace } = world
  await world.map('object')
  const daemon = world.daemon()
  const frozen = { type: 'Synced', status: 'False', reason: 'SourceUnavailable', message: /Secret .*wp-db, key url/ }
  await condition(world, 'ServerPilotApp', 'network', frozen)
  await until('what can be read is served', () => world.listed().includes('object.example.com'))

  const url = database.url()
  await core.createNamespacedSecret({ namespace, body: { metadata: { name: 'wp-db' }, stringData: { url } } })
  await until('the rows are served too', () => world.listed().length === 4, 60_000)
  assert.deepEqual(world.listed(), [
    'blog.example.org',
    'by-hand.example.org',
    'object.example.com',
    'shop.example.com',
  ])
  await condition(world, 'ServerPilotApp', 'network', { type: 'Synced', status: 'True' })

  await database.sql('DELETE FROM wp_wu_domain_mappings WHERE id = 1')
  await until('a row that goes takes its host along', () => !world.listed().includes('shop.example.com'))
  await world.unmap('object')
  await until('and so does an object', () => !world.listed().includes('object.example.com'))
  assert.deepEqual(world.listed(), ['blog.example.org', 'by-hand.example.org'])
  assert.ok(!daemon.log().includes(database.password))
})
