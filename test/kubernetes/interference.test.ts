import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PatchStrategy, setHeaderOptions } from '@kubernetes/client-node'
import { apiServer, until } from './api-server.ts'
import { condition, createWorld, type World } from './world.ts'

const STATUS = { group: 'domainpilot.dev', version: 'v1alpha1' }
const NOW = new Date().toISOString()
const merge = () => setHeaderOptions('Content-Type', PatchStrategy.MergePatch)

/** Patches the app's status again and again until it is called off; gives how often. */
function meddle({ server, namespace }: World): () => Promise<number> {
  let times = 0
  let on = true
  const body = () => {
    const meddled = {
      type: 'Ready',
      status: 'False',
      reason: 'Meddled',
      message: `${++times}`,
      lastTransitionTime: NOW,
    }
    return { status: { conditions: [meddled] } }
  }
  const work = (async () => {
    while (on) {
      const call = { ...STATUS, namespace, plural: 'serverpilotapps', name: 'network', body: body() }
      await server.admin.custom.patchNamespacedCustomObjectStatus(call, merge())
    }
  })()
  return async () => {
    on = false
    await work
    return times
  }
}

/** The ownership records in the world's home: name of the ConfigMap and its text. */
async function records({ server, home }: World): Promise<{ name: string; text: string }[]> {
  const { items } = await server.admin.core.listNamespacedConfigMap({ namespace: home })
  return items.flatMap(({ metadata, data }) => {
    const text = data?.['record.json']
    return text === undefined ? [] : [{ name: metadata?.name ?? '', text }]
  })
}

async function writeRecord({ server, home }: World, name: string, text: string): Promise<void> {
  const body = { data: { 'record.json': text } }
  await server.admin.core.patchNamespacedConfigMap({ namespace: home, name, body }, merge())
}

async function recordOf(world: World, appId: string): Promise<{ name: string; text: string }> {
  const found = (await records(world)).find(({ text }) => text.includes(`"${appId}"`))
  assert.ok(found)
  return found
}

/** Adds an app of its own in the same namespace, whose list is that of the world's second app. */
async function secondApp(world: World): Promise<{ map(name: string): Promise<void>; listed(): string[] }> {
  const { spec } = (await world.read('ServerPilotApp', 'network')) ?? {}
  await world.create('ServerPilotApp', 'second', { ...spec, appId: world.secondAppId })
  return {
    map: (name) => world.create('DomainMapping', name, { domain: `${name}.example.com`, appRef: { name: 'second' } }),
    listed: () => world.simulator.state.app(world.secondAppId).domains,
  }
}

test('somebody else writes what is ours', { concurrency: true, timeout: 110_000 }, async (t) => {
  const server = await apiServer(t)
  if (server === undefined) return

  await Promise.all([
    t.test('somebody patches the status without end: work goes on, and what we say comes back', async (t) => {
      const world = await createWorld(t, { shared: server })
      assert.ok(world)
      await world.map('one')
      const daemon = world.daemon({ flags: ['--namespace', world.namespace] })
      await until('one is served', () => world.listed().length === 2)
      const stop = meddle(world)
      for (const name of ['two', 'three', 'four']) {
        await world.map(name)
        await until(`${name} is served`, () => world.listed().includes(`${name}.example.com`))
        await condition(world, 'DomainMapping', name, { type: 'Ready', status: 'True' })
      }
      await world.unmap('two')
      await until('two is gone', () => !world.listed().includes('two.example.com'))
      assert.ok((await stop()) > 20, 'it hardly meddled')
      await world.map('five')
      await until('the status counts all', async () => {
        const app = await world.read('ServerPilotApp', 'network')
        return app?.status?.ownedDomains?.length === 4
      })
      await condition(world, 'ServerPilotApp', 'network', { type: 'Ready', status: 'True', reason: 'Succeeded' })
      assert.equal(daemon.child.exitCode, null)
    }),

    t.test('a record that was edited by hand is taken as it stands', async (t) => {
      const world = await createWorld(t, { shared: server })
      assert.ok(world)
      for (const name of ['one', 'two']) await world.map(name)
      world.daemon({ flags: ['--namespace', world.namespace] })
      await until('both are served', () => world.listed().length === 3)
      await condition(world, 'ServerPilotApp', 'network', { type: 'Ready', status: 'True' })
      // As if two had never been ours: nobody may take it off.
      const { name, text } = await recordOf(world, world.appId)
      const record = JSON.parse(text) as { hosts: Record<string, unknown> }
      record.hosts = { 'one.example.com': record.hosts['one.example.com'] }
      await world.unmap('two')
      await writeRecord(world, name, JSON.stringify(record))
      await world.map('three')
      await until('a later mapping is served', () => world.listed().includes('three.example.com'))
      await until('the edit was taken in', async () => {
        const { text } = await recordOf(world, world.appId)
        return !text.includes('"two.example.com":') && text.includes('"three.example.com":')
      })
      assert.ok(world.listed().includes('by-hand.example.org'))
    }),

    t.test('a record that is corrupt: RecordCorrupt with the cure, and writes stop for that app alone', async (t) => {
      const world = await createWorld(t, { shared: server })
      assert.ok(world)
      await world.map('one')
      const second = await secondApp(world)
      await second.map('theirs')
      world.daemon({ flags: ['--namespace', world.namespace] })
      await until('both are served', () => world.listed().length === 2 && second.listed().length === 1)
      const { name, text } = await recordOf(world, world.appId)
      await writeRecord(world, name, text.slice(0, text.length / 2))
      await world.map('two')
      const message = new RegExp(`ConfigMap ${world.home}/${name}.*delete`, 's')
      await condition(world, 'ServerPilotApp', 'network', {
        type: 'Synced',
        status: 'False',
        reason: 'RecordCorrupt',
        message,
      })
      const posts = world.simulator.calls.filter(({ method, app }) => method === 'POST' && app === world.appId).length
      await second.map('later')
      await until('the other app is served', () => second.listed().includes('later.example.com'))
      assert.deepEqual(world.listed(), ['by-hand.example.org', 'one.example.com'])
      const after = world.simulator.calls.filter(({ method, app }) => method === 'POST' && app === world.appId).length
      assert.equal(after, posts)

      await writeRecord(world, name, text)
      await until('put right, it is served again', () => world.listed().includes('two.example.com'))
    }),
  ])
})
