import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createWorld } from './world.ts'

const auto = { ssl: { auto: true, retryInterval: '5m' } }

describe('AutoSSL', () => {
  test('is switched on once it is available, once', async (t) => {
    const world = await createWorld(t, { spec: auto, simulator: { issuance: { delay: 60_000 } } })
    await world.map('h001')
    const early = await world.reconcile()
    assert.equal(early.ssl?.reason, 'AwaitingAvailability', early.failure?.message)
    assert.equal(early.next, world.clock.now() + 300_000)
    assert.equal(world.sslPosts(), 0)
    await world.reconcile()
    const looks = world.simulator.counts().getApp
    await world.reconcile()
    assert.ok(world.simulator.counts().getApp - looks <= 1, 'it does not look closer before the interval is over')
    world.simulator.state.advance(60_001)
    world.clock.advance(300_000)
    assert.deepEqual((await world.reconcile()).ssl?.switched, { auto: true })
    await world.reconcile()
    assert.equal(world.sslPosts(), 1)
  })

  test('the end of a certificate is told: three weeks before, and when it is over', async (t) => {
    const start = Date.UTC(2026, 0, 15, 12)
    const day = 86_400_000
    const ssl = { names: ['by-hand.example.org'], notAfter: start + 30 * day }
    const world = await createWorld(t, {
      spec: auto,
      simulator: { apps: [{ name: 'network', domains: ['by-hand.example.org'], ssl }], behaviours: { renewal: false } },
    })
    const reasonAfter = async (days: number): Promise<string> => {
      world.clock.advance(days * day)
      const { ssl: found } = await world.reconcile()
      return `${found?.reason} ${found?.ready}`
    }
    assert.equal(await reasonAfter(0), 'Succeeded true')
    assert.equal(await reasonAfter(8), 'Succeeded true')
    assert.equal(await reasonAfter(2), 'ExpiringSoon true')
    assert.equal(await reasonAfter(19), 'ExpiringSoon true')
    assert.equal(await reasonAfter(2), 'Expired false')
    assert.equal(world.sslPosts(), 0)
  })

  test('ForceSSL follows only once SSL is on', async (t) => {
    const world = await createWorld(t, {
      spec: { ssl: { auto: true, force: true } },
      simulator: { issuance: { delay: 0 } },
    })
    await world.map('h001')
    await world.settle()
    assert.equal(world.simulator.state.app(world.appId)?.ssl?.force, true)
    assert.equal(world.sslPosts(), 2)
  })

  test('a host that came later gets its certificate', async (t) => {
    const world = await createWorld(t, { spec: auto, simulator: { issuance: { delay: 0 } } })
    await world.map('h001')
    await world.settle()
    await world.map('h002')
    const outcome = await world.settle()
    assert.equal(outcome.ssl?.ready, true, outcome.ssl?.message)
    assert.equal(world.sslPosts(), 2)
  })

  test('a custom certificate is left alone', async (t) => {
    const world = await createWorld(t, { spec: auto, simulator: { issuance: { delay: 0 } } })
    world.simulator.state.setCertificate(world.appId, { auto: false })
    await world.map('h001')
    const outcome = await world.settle()
    assert.equal(outcome.ssl?.reason, 'CustomCertificate')
    assert.equal(world.sslPosts(), 0)
  })

  test('attempts are bounded, survive a restart, and begin anew with another set of hosts', async (t) => {
    const world = await createWorld(t, {
      spec: { ssl: { auto: true, maxAttempts: 2, retryInterval: '1m' } },
      simulator: { issuance: { delay: 0 } },
    })
    await world.map('h001')
    world.simulator.faults.add({ kind: 'status', status: 500, path: 'postSsl', times: 'always' })
    for (let turn = 0; turn < 6; turn++) {
      await world.reconcile()
      await world.restart()
      world.clock.advance(120_000)
    }
    assert.equal(world.sslPosts(), 2)
    assert.equal((await world.reconcile()).ssl?.reason, 'AttemptsExhausted')
    world.simulator.faults.clear()
    await world.map('h002')
    await world.settle()
    assert.equal(world.simulator.state.app(world.appId)?.ssl?.auto, true)
  })

  test('nothing is switched off that somebody switched on', async (t) => {
    const world = await createWorld(t, { simulator: { issuance: { delay: 0 } } })
    world.simulator.state.setCertificate(world.appId, { auto: true, force: true })
    await world.map('h001')
    await world.settle()
    assert.equal(world.simulator.state.app(world.appId)?.ssl?.force, true)
    assert.equal(world.sslPosts(), 0)
  })
})
