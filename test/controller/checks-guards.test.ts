import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { after, describe, type TestContext, test } from 'node:test'
import { createServer } from 'node:tls'
import { judgeCaa } from '../../src/check/dns/caa.ts'
import type { DnsState } from '../../src/check/dns/judge.ts'
import { remember } from '../../src/check/dns/memory.ts'
import { issuanceOf } from '../../src/check/limits.ts'
import { handshake } from '../../src/check/served.ts'
import { dnsRecall } from '../../src/setup/dns-recall.ts'
import { systemClock } from '../../src/time/clock.ts'
import { makeChains } from '../check/chains.ts'
import { responder } from '../check/dns/responder.ts'
import { turnUntil } from '../time/turn-until.ts'
import { checked, SERVER } from './checked-world.ts'
import { createWorld, objectYaml, type World } from './world.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const KEY = 'wordpress/network'
const SHOP = { 'shop.example.com': [SERVER], 'www.shop.example.com': [SERVER] }

describe('looks at hosts', () => {
  test('a www that came by itself, or that is on its way out, keeps Ready from nobody', async (t) => {
    const implied = await checked(t, { simulator: { dns: SHOP, behaviours: { wwwAppears: true } } })
    await implied.map('shop')
    await implied.round()
    assert.ok(implied.listed().includes('www.shop.example.com'))
    assert.equal(implied.says(await implied.round(), 'shop', 'Ready'), 'True Succeeded: ')

    const leaving = await checked(t, { spec: { policy: 'UpsertOnly' }, simulator: { dns: SHOP } })
    await leaving.map('shop', 'shop.example.com', { www: 'Always' })
    await leaving.round()
    await leaving.map('shop', 'shop.example.com', { www: 'Never' })
    await leaving.round()
    assert.ok(leaving.listed().includes('www.shop.example.com'), 'UpsertOnly removes nothing')
    assert.equal(leaving.says(await leaving.round(), 'shop', 'Ready'), 'True Succeeded: ')
  })

  test('an API that fails makes nothing better: a certificate that was missing is missing', async (t) => {
    const simulator = { dns: SHOP, issuance: { delay: HOUR } }
    const world = await checked(t, { domains: [], spec: { ssl: { auto: true } }, simulator })
    await world.map('shop')
    assert.match(world.says(await world.round(), 'shop', 'Ready'), /^False AwaitingAvailability/)
    world.simulator.faults.add({ kind: 'status', status: 500, path: 'getApp', times: 'always' })
    world.clock.advance(10 * MINUTE)
    const failed = await world.round()
    assert.ok(failed.failure)
    assert.match(world.says(failed, 'shop', 'CertificateReady'), /^False AwaitingAvailability/)
    assert.doesNotMatch(world.says(failed, 'shop', 'Ready'), /^True/)
  })

  test('a server that ServerPilot does not show: what is expected anyway is right, the rest is not judged', async (t) => {
    for (const policy of ['Report', 'Require']) {
      const dns = { 'cdn.example.com': ['203.0.113.5'], 'direct.example.com': [SERVER] }
      const spec = { dns: { policy, expectedAddresses: ['203.0.113.0/24'] } }
      const world = await checked(t, { spec, simulator: { dns } })
      world.simulator.faults.add({ kind: 'status', status: 404, path: 'getServer', times: 'always' })
      await world.map('cdn')
      await world.map('direct')
      await world.round()
      const outcome = await world.round()
      assert.match(world.says(outcome, 'cdn', 'DNSReady'), /^True/)
      assert.match(world.says(outcome, 'direct', 'DNSReady'), /^Unknown NotChecked: .*does not say where the server is/)
      assert.match(world.says(outcome, 'cdn', 'Ready'), /^True/)
      assert.ok(world.listed().includes('cdn.example.com'))
      assert.equal(world.listed().includes('direct.example.com'), policy === 'Report')
      assert.ok(world.simulator.counts().getServer <= 1, 'it is not asked again for each host')
    }
  })

  test('an address that ServerPilot did not tell is not called one that it does not have', async (t) => {
    const world = await checked(t, { simulator: { dns: { 'shop.example.com': [SERVER] } } })
    world.simulator.faults.add({ kind: 'status', status: 500, path: 'getServer', times: 'always' })
    await world.map('shop')
    await world.round()
    const said = world.says(await world.round(), 'shop', 'DNSReady')
    assert.equal(said, 'Unknown NotChecked: It cannot be judged: ServerPilot does not say where the server is.')
  })

  test('a host that is added is looked at once', async (t) => {
    const { address, queries } = await responder(t, () => [SERVER])
    const world = await checked(t, { nameserver: address })
    world.checks.lead()
    await world.map('shop')
    world.checks.observe(await world.reconcile())
    await turnUntil(world.clock, 'it was looked at', () => queries.length >= 2)
    world.clock.advance(1_000)
    await world.checks.turn()
    assert.equal(queries.length, 2)
  })

  test('what a server showed wrongly and shows rightly again is seen within a quarter of an hour', async (t) => {
    const chains = makeChains()
    after(() => chains.remove())
    const leaf = (name: string) => {
      const { key, cert } = chains.leaf({ names: [`DNS:${name}`] })
      return { key, cert: cert + chains.middle }
    }
    const server = createServer(leaf('shop.example.com')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const { port } = server.address() as AddressInfo
    const world = await checked(t, {
      domains: [],
      simulator: { dns: SHOP, issuance: { delay: 0 } },
      spec: { ssl: { auto: true } },
      shake: (options) => handshake({ ...options, address: '127.0.0.1', port, ca: chains.root }, systemClock),
    })
    world.clock.advance(Date.now() - world.clock.now())
    await world.map('shop')
    for (let turn = 0; turn < 10; turn++) {
      await world.round()
      world.clock.advance(7 * HOUR)
    }
    server.setSecureContext(leaf('other.example'))
    await world.round()
    world.clock.advance(MINUTE + 1)
    assert.match(world.says(await world.round(), 'shop', 'CertificateReady'), /^False NotCovered/)
    server.setSecureContext(leaf('shop.example.com'))
    world.clock.advance(15 * MINUTE + 1)
    assert.match(world.says(await world.round(), 'shop', 'CertificateReady'), /^True/)
  })

  test('an outage ends though the clock was set back, and though nothing is left to look at', async (t) => {
    let down = true
    const { address } = await responder(t, () => (down ? 'ServFail' : [SERVER]))
    const world = await checked(t, { nameserver: address })
    await world.map('shop')
    await world.round()
    assert.ok(world.context.memory.checks.outage)
    world.clock.advance(-6 * HOUR)
    down = false
    assert.match(world.says(await world.round(), 'shop', 'DNSReady'), /^True/)
    down = true
    world.clock.advance(7 * HOUR)
    await world.round()
    assert.ok(world.context.memory.checks.outage)
    await world.write('network.yaml', objectYaml('ServerPilotApp', 'network', { appId: world.appId, suspend: true }))
    down = false
    world.clock.advance(10 * MINUTE)
    await world.round()
    assert.equal(world.context.memory.checks.outage, undefined)
  })

  test('what one domain had wrong is looked at again though the clock was set back by a day', async (t) => {
    let broken = true
    const { address } = await responder(t, () => (broken ? ['192.0.2.66'] : [SERVER]))
    const world = await checked(t, { nameserver: address })
    await world.map('shop')
    assert.match(world.says(await world.round(), 'shop', 'DNSReady'), /^False/)
    world.clock.advance(-24 * HOUR)
    broken = false
    assert.match(world.says(await world.round(), 'shop', 'DNSReady'), /^True/)
  })

  test('what a status says of an earlier generation is not recalled', () => {
    const object = (observedGeneration: number) => ({
      metadata: { namespace: 'wordpress', generation: 2 },
      spec: { appRef: { name: 'network' } },
      status: {
        observedGeneration,
        hosts: [{ name: 'shop.example.com', state: 'present', addresses: [SERVER] }],
        conditions: [{ type: 'DNSReady', status: 'True', lastTransitionTime: '2026-01-15T12:00:00Z' }],
      },
    })
    assert.equal(dnsRecall(object(1)), undefined)
    assert.deepEqual(dnsRecall(object(2)), {
      app: KEY,
      hosts: [{ name: 'shop.example.com', addresses: [SERVER] }],
      rightSince: Date.UTC(2026, 0, 15, 12),
    })
  })

  test('CAA records in another order are no news', () => {
    const record = (value: string) => ({ critical: false, tag: 'issue', value })
    const judge = (...values: string[]) =>
      judgeCaa('shop.example.com', { kind: 'found', at: 'example.com', records: values.map(record) })
    assert.deepEqual(judge('a.example', 'b.example'), judge('b.example', 'a.example'))
    assert.equal(judge('a.example').state, 'Refused')
  })
})

/** Reconciles each minute for so long; posts of SSL meanwhile. */
async function minutes(world: World, count: number, each: (minute: number) => unknown): Promise<number> {
  const before = world.sslPosts()
  for (let minute = 0; minute < count; minute++) {
    await each(minute)
    await world.reconcile()
    world.clock.advance(MINUTE)
  }
  return world.sslPosts() - before
}

async function withAutoSsl(t: TestContext, ssl: object = {}): Promise<World> {
  const world = await createWorld(t, { spec: { ssl: { auto: true, ...ssl } }, simulator: { issuance: { delay: 0 } } })
  await world.map('h001')
  return world
}

const failing = (world: World): unknown =>
  world.simulator.faults.add({ kind: 'status', status: 500, path: 'postSsl', times: 'always' })

describe('posts of SSL are bounded', () => {
  test('when somebody undoes each one', async (t) => {
    const world = await withAutoSsl(t, { force: true })
    await world.reconcile()
    const undo = () => world.simulator.state.setCertificate(world.appId, { auto: true, force: false })
    assert.ok((await minutes(world, 60, undo)) <= 5)
  })

  test('when hosts change each minute and each one fails', async (t) => {
    const world = await withAutoSsl(t)
    failing(world)
    assert.ok((await minutes(world, 60, (minute) => world.map(`more${minute}`))) <= 4)
  })

  test('when somebody asks each minute and each one fails', async (t) => {
    for (const retryInterval of ['5m', '1s']) {
      const world = await withAutoSsl(t, { retryInterval })
      failing(world)
      const spec = { appId: world.appId, www: 'Never', ssl: { auto: true, retryInterval } }
      const posts = await minutes(world, 60, (minute) => {
        const annotations = { 'domainpilot.dev/reconcile-requested-at': `${minute}` }
        return world.write('network.yaml', objectYaml('ServerPilotApp', 'network', spec, { annotations }))
      })
      assert.ok(posts <= 4, `${posts} at ${retryInterval}`)
    }
  })

  test('when DNS flaps each minute and each one fails', async (t) => {
    const world = await withAutoSsl(t)
    failing(world)
    const posts = await minutes(world, 120, (minute) => {
      const { dns } = world.context.memory.checks.of(KEY).facts
      const state: DnsState = minute % 2 ? 'Ready' : 'PointsElsewhere'
      const verdict = { state, addresses: [], message: state }
      dns.set('h001.example.com', remember(dns.get('h001.example.com'), 'h001.example.com', verdict, world.clock.now()))
    })
    assert.ok(posts <= 8, `${posts}`)
  })

  test('a ForceSSL that is refused keeps no new host from its certificate', async (t) => {
    const world = await withAutoSsl(t)
    await world.settle()
    const spec = { appId: world.appId, www: 'Never', ssl: { auto: true, force: true } }
    await world.write('network.yaml', objectYaml('ServerPilotApp', 'network', spec))
    const account = world.context.ports.accountOf
    const refused: unknown[] = []
    world.context.ports.accountOf = async (app) => {
      const one = await account(app)
      return {
        ...one,
        changeSsl: async (id, change, signal) => {
          if ('auto' in change) return await one.changeSsl(id, change, signal)
          refused.push(change)
          return 'error'
        },
      }
    }
    await minutes(world, 120, () => undefined)
    await world.map('h002')
    await minutes(world, 60, () => undefined)
    assert.ok(world.simulator.state.app(world.appId).ssl?.names.includes('h002.example.com'))
    assert.ok(refused.length <= 10, `${refused.length}`)
    assert.match((await world.reconcile()).ssl?.message ?? '', /ForceSSL/)
  })
})

test('certificates of others put nobody off for ever', async (t) => {
  const world = await withAutoSsl(t)
  await world.settle()
  const issue = (name: string, hoursAgo: number) => issuanceOf([name], world.clock.now() - hoursAgo * HOUR)
  const many = Array.from({ length: 46 }, (_, index) => issue(`x${index}.example.com`, index))
  await world.rewrite((record) => ({ ...record, issued: many }))
  await world.map('late')
  let hours = 0
  for (; hours < 200 && !world.listed().includes('late.example.com'); hours++) {
    await world.reconcile()
    world.clock.advance(HOUR)
    // Somebody else on the same domain goes on all the while.
    const other = issue(`y${hours}.example.com`, 0)
    if (hours % 3 === 0) await world.rewrite((record) => ({ ...record, issued: [...(record.issued ?? []), other] }))
  }
  assert.ok(hours < 8, `${hours} hours`)
})
