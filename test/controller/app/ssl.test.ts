import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import fc from 'fast-check'
import type { DnsState } from '../../../src/check/dns/judge.ts'
import { remember } from '../../../src/check/dns/memory.ts'
import { attemptPause, lookPause, tried } from '../../../src/controller/app/ssl-state.ts'
import type { SimulatorOptions } from '../../../src/simulator/options.ts'
import { createWorld, objectYaml } from '../world.ts'

const auto = { ssl: { auto: true, retryInterval: '5m' } }
const DAY = 86_400_000

/** A world in which the simulator has the world's time, with a host that has its certificate. */
async function withCertificate(t: TestContext, simulator: SimulatorOptions) {
  const world = await createWorld(t, { spec: auto, simulator })
  world.clock.advance(world.simulator.state.now() - world.clock.now())
  await world.map('h001')
  await world.settle()
  return world
}

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

  test('the end of a certificate is told: three weeks before, since it lives 90 days, and when it is over', async (t) => {
    const start = Date.UTC(2026, 0, 15, 12)
    const day = 86_400_000
    const soon = 30 - 21
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
    assert.equal(await reasonAfter(soon - 1), 'Succeeded true')
    assert.equal(await reasonAfter(2), 'ExpiringSoon true')
    assert.equal(await reasonAfter(28 - soon), 'ExpiringSoon true')
    assert.equal(await reasonAfter(2), 'Expired false')
    assert.equal(world.sslPosts(), 0)
  })

  for (const days of [90, 64, 45, 6.67]) {
    test(`lifetimes-of-64-45-and-6-days: nothing is told of one of ${days} days that is renewed`, async (t) => {
      const world = await withCertificate(t, { issuance: { delay: 0, lifetime: days * DAY } })
      const ends = new Set<number | undefined>()
      for (let at = 0; at < 2 * days; at += days / 40) {
        world.simulator.state.advance((days / 40) * DAY)
        world.clock.advance((days / 40) * DAY)
        const { ssl, certificate } = await world.reconcile()
        assert.equal(ssl?.reason, 'Succeeded', `${at}: ${ssl?.message}`)
        ends.add(certificate?.notAfter)
      }
      assert.ok(ends.size >= 3, 'it is renewed')
    })
  }

  test('lifetimes-of-64-45-and-6-days: one of 45 days that is not renewed', async (t) => {
    const simulator = { issuance: { delay: 0, lifetime: 45 * DAY }, behaviours: { renewal: false } }
    const world = await withCertificate(t, simulator)
    const told: string[] = []
    // At a full day of its life a millisecond would decide.
    world.clock.advance(3_600_000)
    for (let age = 1; age <= 46; age++) {
      world.clock.advance(DAY)
      const { ssl } = await world.reconcile()
      const word = `${ssl?.reason}${/urgent/.test(ssl?.message ?? '') ? ', urgent' : ''}`
      if (!told.at(-1)?.endsWith(` ${word}`)) told.push(`${age} ${word}`)
    }
    assert.deepEqual(told, ['1 Succeeded', '34 ExpiringSoon', '41 ExpiringSoon, urgent', '45 Expired'])
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

  /** An app whose AutoSSL cannot be switched on, tried until it is exhausted. */
  async function exhausted(t: TestContext, dns: DnsState) {
    const spec = { ssl: { auto: true, maxAttempts: 2, retryInterval: '1m' } }
    const world = await createWorld(t, { spec, simulator: { issuance: { delay: 0 } } })
    const know = (state: DnsState): void => {
      const { facts } = world.context.memory.checks.of('wordpress/network')
      const verdict = { state, addresses: [], message: state }
      facts.dns.set('h001.example.com', remember(undefined, 'h001.example.com', verdict, world.clock.now()))
    }
    await world.map('h001')
    world.simulator.faults.add({ kind: 'status', status: 500, path: 'postSsl', times: 'always' })
    await world.reconcile()
    know(dns)
    for (let turn = 0; turn < 4; turn++) {
      world.clock.advance(30 * 60_000)
      await world.reconcile()
    }
    assert.equal((await world.reconcile()).ssl?.reason, 'AttemptsExhausted')
    assert.equal(world.sslPosts(), 2)
    world.simulator.faults.clear()
    return { world, know }
  }

  test('DNS that was wrong and becomes right arms it again, also after a restart', async (t) => {
    const { world, know } = await exhausted(t, 'PointsElsewhere')
    await world.restart()
    await world.reconcile()
    know('PointsElsewhere')
    world.clock.advance(30 * 60_000)
    await world.reconcile()
    assert.equal(world.sslPosts(), 2, 'a restart gives no attempt away')
    know('Ready')
    assert.deepEqual((await world.reconcile()).ssl?.switched, { auto: true })
  })

  test('DNS that was right all the time arms nothing', async (t) => {
    const { world, know } = await exhausted(t, 'Ready')
    await world.restart()
    await world.reconcile()
    know('Ready')
    world.clock.advance(24 * 3_600_000)
    await world.reconcile()
    assert.equal(world.sslPosts(), 2)
  })

  test('a request to reconcile arms it again, once', async (t) => {
    const { world } = await exhausted(t, 'Ready')
    const annotations = { 'domainpilot.dev/reconcile-requested-at': '2026-01-15T12:00:00Z' }
    const spec = { appId: world.appId, www: 'Never', ssl: { auto: true, maxAttempts: 2, retryInterval: '1m' } }
    await world.write('network.yaml', objectYaml('ServerPilotApp', 'network', spec, { annotations }))
    world.simulator.faults.add({ kind: 'status', status: 500, path: 'postSsl', times: 'always' })
    for (let turn = 0; turn < 6; turn++) {
      world.clock.advance(30 * 60_000)
      await world.reconcile()
      await world.restart()
    }
    assert.equal(world.sslPosts(), 4)
  })

  test('pauses between attempts grow to a day, and never spend the five failed validations of an hour', () => {
    const MINUTE = 60_000
    assert.deepEqual(
      [1, 2, 3, 4, 9, 10, 99].map(
        (made) => attemptPause({ attempts: made, failed: made, lastAt: 1 }, 5 * MINUTE) / MINUTE,
      ),
      [5, 20, 20, 40, 1280, 1440, 1440],
    )
    fc.assert(
      fc.property(fc.integer({ min: 1_000, max: 8760 * 60 * MINUTE }), fc.array(fc.boolean()), (interval, armed) => {
        let at = 0
        let tries = { attempts: 0, lastAt: 1 }
        const times = Array.from({ length: 100 }, (_, made) => {
          if (made > 0) {
            // Whatever arms them anew: other hosts, DNS that flaps, a request each minute.
            if (armed[made]) tries = { ...tries, attempts: 0 }
            at += attemptPause(tries, interval)
          }
          tries = tried(tries, false, at)
          return at
        })
        for (const from of times) {
          assert.ok(times.filter((time) => time >= from && time < from + 60 * MINUTE).length <= 4)
        }
        assert.ok(times.every((time, index) => index === 0 || time - (times[index - 1] ?? 0) >= interval))
      }),
    )
    assert.deepEqual(
      [1, 4, 5, 6, 7, 8, 50].map((looks) => lookPause(looks, 5 * MINUTE) / MINUTE),
      [5, 5, 10, 20, 40, 60, 60],
    )
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
