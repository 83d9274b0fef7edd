import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { until } from './api-server.ts'
import { createWorld } from './world.ts'

const run = promisify(execFile)

describe('the daemon on a real API server', () => {
  test('objects reconcile, statuses tell, a mapping that goes is removed', async (t) => {
    const world = await createWorld(t)
    if (world === undefined) return
    await world.map('shop')
    const daemon = world.daemon()
    await until('shop is there', () => world.listed().includes('shop.example.com'))
    const kubectl = join(process.env.KUBEBUILDER_ASSETS ?? '', 'kubectl')
    const wait = ['wait', '--for=condition=Ready', 'dmap/shop', '--timeout=20s', '-n', world.namespace]
    await run(kubectl, ['--kubeconfig', world.server.kubeconfig, ...wait])
    const { stdout } = await run(kubectl, [
      '--kubeconfig',
      world.server.kubeconfig,
      'get',
      'spapp,dmap',
      '-n',
      world.namespace,
    ])
    assert.match(stdout, /serverpilotapp\.domainpilot\.dev\/network/)
    assert.match(stdout, /shop\.example\.com/)
    for (const name of ['one', 'two', 'three']) await world.map(name)
    await until('all are there', () => world.listed().length === 5)
    await world.unmap('two')
    await until('two is gone', () => !world.listed().includes('two.example.com'))
    assert.ok(world.listed().includes('by-hand.example.org'))
    const events = async () =>
      (await world.server.admin.events.listNamespacedEvent({ namespace: world.namespace })).items
    await until('Events tell', async () => {
      const reasons = new Set((await events()).map((each) => each.reason))
      return reasons.has('DomainsAdded') && reasons.has('DomainsRemoved')
    })
    assert.doesNotMatch(daemon.log(), new RegExp(world.simulator.apiKey))
  })

  test('two replicas: one leads; the other takes over after kill -9, and at once after a clean stop', async (t) => {
    const world = await createWorld(t)
    if (world === undefined) return
    const first = world.daemon()
    await until('the first leads', first.leads)
    const second = world.daemon()
    await until('the second has read everything', () => second.log().includes('"Started"'))
    await world.map('one')
    await until('one is there', () => world.listed().includes('one.example.com'))
    assert.equal(second.leads(), false)

    first.child.kill('SIGTERM')
    const stopped = performance.now()
    await until('the second leads', second.leads, 10_000)
    const clean = performance.now() - stopped
    assert.equal(await first.ended, 0)
    assert.ok(clean < 6_000, `${Math.round(clean)} ms after a clean stop`)

    const third = world.daemon()
    await until('the third has read everything', () => third.log().includes('"Started"'))
    second.child.kill('SIGKILL')
    await world.map('two')
    await until('the third leads', third.leads, 30_000)
    await until('two is there', () => world.listed().includes('two.example.com'))
    assert.deepEqual(world.listed(), ['by-hand.example.org', 'one.example.com', 'two.example.com'])
  })
})
