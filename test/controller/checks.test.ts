import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { after, describe, test } from 'node:test'
import { createServer } from 'node:tls'
import { certificateFacts } from '../../src/check/certificate.ts'
import { handshake } from '../../src/check/served.ts'
import { appStatus } from '../../src/status/app-status.ts'
import { hostChecks } from '../../src/status/host-checks.ts'
import { systemClock } from '../../src/time/clock.ts'
import { type Leaf, type LeafOptions, makeChains } from '../check/chains.ts'
import { responder } from '../check/dns/responder.ts'
import { turnUntil } from '../time/turn-until.ts'
import { checked, SERVER } from './checked-world.ts'
import { names } from './world.ts'

const HOUR = 3_600_000

const a = (...addresses: string[]) => ({ dns: { 'shop.example.com': addresses.length > 0 ? addresses : null } })

describe('DNS of hosts', () => {
  test('right, wrong, gone; told in conditions with the address and the cure', async (t) => {
    const world = await checked(t, {
      simulator: { dns: { 'a.example.com': [SERVER], 'b.example.com': ['203.0.113.7'], 'c.example.com': null } },
    })
    for (const name of ['a', 'b', 'c']) await world.map(name)
    const before = await world.reconcile()
    assert.match(world.says(before, 'a', 'DNSReady'), /^Unknown Progressing/)
    assert.match(world.says(before, 'a', 'Ready'), /^Unknown Progressing/)
    const seen = await world.round()
    assert.equal(world.says(seen, 'a', 'DNSReady'), 'True Succeeded: ')
    assert.match(world.says(seen, 'b', 'DNSReady'), /^False PointsElsewhere: .*203\.0\.113\.7.*198\.51\.100\.10/)
    assert.match(world.says(seen, 'c', 'DNSReady'), /^False NoRecords: .*does not exist.*198\.51\.100\.10/)
    assert.match(world.says(seen, 'b', 'Ready'), /^False PointsElsewhere/)
    assert.deepEqual(seen.added, [], 'Report holds nothing back')
    assert.equal(world.listed().length, 4)
    assert.deepEqual(world.enqueued, ['wordpress/network'])
    const { app } = seen
    assert.ok(app)
    const status = appStatus(app, seen, hostChecks(app, seen), undefined)
    assert.deepEqual(status.hosts.find(({ name }) => name === 'b.example.com')?.addresses, ['203.0.113.7'])
    assert.equal(hostChecks(app, seen).failing(), 2)
  })

  test('wrong-aaaa-hides-a-right-a', async (t) => {
    const simulator = a(SERVER, '2001:db8::dead')
    const report = await checked(t, { simulator })
    await report.map('shop')
    const told = await report.round()
    assert.match(report.says(told, 'shop', 'DNSReady'), /^False IPv6PointsElsewhere: .*2001:db8::dead/)
    assert.ok(report.listed().includes('shop.example.com'))

    const strict = await checked(t, { simulator, spec: { dns: { policy: 'Require' } } })
    await strict.map('shop')
    const held = await strict.round()
    assert.match(strict.says(held, 'shop', 'Synced'), /^False AwaitingDNS: .*2001:db8::dead/)
    assert.equal(strict.posts(), 0)
    strict.simulator.state.setDns({ 'shop.example.com': [SERVER] })
    strict.clock.advance(120_000)
    await strict.round()
    assert.ok(strict.listed().includes('shop.example.com'))
    strict.simulator.state.setDns({ 'shop.example.com': [SERVER, '2001:db8::dead'] })
    strict.clock.advance(3_600_000)
    const stays = await strict.round()
    assert.match(strict.says(stays, 'shop', 'DNSReady'), /^False IPv6PointsElsewhere/)
    assert.ok(strict.listed().includes('shop.example.com'), 'it is not removed while it lasts')

    const two = await checked(t, { simulator: a(SERVER, '203.0.113.7') })
    await two.map('shop')
    assert.match(two.says(await two.round(), 'shop', 'DNSReady'), /^False PointsElsewhere: .*203\.0\.113\.7/)
  })

  test('behind-a-cdn', async (t) => {
    const simulator = a('198.51.100.7')
    for (const [policy, expectedAddresses, ready, added] of [
      ['Report', [], false, true],
      ['Require', [], false, false],
      ['Report', ['192.0.2.10', '198.51.100.0/24'], true, true],
      ['Require', ['192.0.2.10', '198.51.100.0/24'], true, true],
    ] as const) {
      const world = await checked(t, { simulator, spec: { dns: { policy, expectedAddresses } } })
      await world.map('shop')
      const outcome = await world.round()
      const words = world.says(outcome, 'shop', 'DNSReady')
      if (ready) assert.match(words, /^True/)
      else assert.match(words, /^False PointsElsewhere: .*198\.51\.100\.7.*dns\.expectedAddresses/)
      assert.equal(world.listed().includes('shop.example.com'), added, `${policy} ${expectedAddresses}`)
    }
  })

  test('resolver-outage-is-not-absence', async (t) => {
    let down = false
    const { address } = await responder(t, ({ name }) => {
      if (down) return 'ServFail'
      return name === 'h001.example.com' && world.clock.now() > gone ? 'NoName' : [SERVER]
    })
    let gone = Number.POSITIVE_INFINITY
    const world = await checked(t, { nameserver: address, spec: { dns: { policy: 'Require' } } })
    for (const name of names(12)) await world.map(name)
    await world.round()
    await world.round()
    assert.equal(world.listed().length, 13)
    const posts = world.posts()
    down = true
    for (let minute = 0; minute < 10; minute++) {
      world.clock.advance(60_000)
      const outcome = await world.round()
      for (const name of names(12)) {
        assert.doesNotMatch(world.says(outcome, name, 'DNSReady'), /False/)
        assert.match(world.says(outcome, name, 'Ready'), /^True/, 'a resolver that fails takes Ready from nobody')
      }
      assert.equal(hostChecks(outcome.app!, outcome).failing(), 0)
    }
    assert.match(world.says(await world.reconcile(), 'h005', 'DNSReady'), /^Unknown ResolverFailed: The resolver/)
    down = false
    gone = 0
    for (let hour = 0; hour < 8; hour++) {
      world.clock.advance(3_600_000)
      await world.round()
    }
    const late = await world.reconcile()
    assert.match(world.says(late, 'h001', 'DNSReady'), /^False NoRecords/)
    assert.match(world.says(late, 'h002', 'DNSReady'), /^True/)
    assert.equal(world.posts(), posts)
    assert.equal(world.listed().length, 13)
  })

  test('what an earlier leader found out is told at once, and looked at again in its turn', async (t) => {
    let asked = 0
    const { address } = await responder(t, () => {
      asked++
      return ['203.0.113.7']
    })
    const world = await checked(t, { nameserver: address })
    await world.map('shop')
    await world.map('late')
    const since = world.clock.now() - 1_000
    world.checks.recall('wordpress/network', [{ name: 'shop.example.com', addresses: [SERVER] }], since)
    const outcome = await world.round()
    assert.match(world.says(outcome, 'shop', 'DNSReady'), /^True/)
    assert.match(world.says(outcome, 'late', 'DNSReady'), /^False PointsElsewhere/)
    assert.equal(asked, 3, 'A and AAAA of the other host, and where it leads')
    world.clock.advance(2 * 3_600_000)
    assert.match(world.says(await world.round(), 'shop', 'DNSReady'), /^False PointsElsewhere/)
  })

  test('what waits for its DNS is looked at when it comes, and added once it resolves', async (t) => {
    const world = await checked(t, { simulator: a(), spec: { dns: { policy: 'Require' } } })
    world.checks.lead()
    world.checks.observe(await world.reconcile())
    await world.map('shop')
    world.checks.observe(await world.reconcile())
    await turnUntil(world.clock, 'it was looked at', () => world.enqueued.length > 0)
    assert.match(world.says(await world.reconcile(), 'shop', 'Synced'), /^False AwaitingDNS: .*does not exist/)
    assert.equal(world.posts(), 0)
  })
})

describe('certificates of hosts', () => {
  const auto = { ssl: { auto: true, retryInterval: '5m' } }
  const chains = makeChains()
  after(() => chains.remove())

  test('on the way, there, near its end', async (t) => {
    const simulator = { ...a(SERVER), issuance: { delay: 0, installDelay: 600_000 } }
    const world = await checked(t, { domains: [], simulator, spec: auto })
    await world.map('shop')
    const early = await world.round()
    assert.match(world.says(early, 'shop', 'CertificateReady'), /^False AwaitingAvailability: No certificate for shop/)
    world.simulator.state.advance(600_001)
    world.clock.advance(600_000)
    const later = await world.reconcile()
    assert.equal(world.says(later, 'shop', 'CertificateReady'), 'True Succeeded: ')
    assert.equal(world.says(later, 'shop', 'Ready'), 'True Succeeded: ')
    const end = certificateFacts(later.observed?.ssl?.cert ?? '')?.notAfter ?? 0
    world.clock.advance(end - 10 * 86_400_000 - world.clock.now())
    const soon = await world.reconcile()
    assert.match(world.says(soon, 'shop', 'CertificateReady'), /^True ExpiringSoon: .*ends on \d{4}-/)
    world.clock.advance(11 * 86_400_000)
    assert.match(world.says(await world.reconcile(), 'shop', 'CertificateReady'), /^False Expired: .*ended \d{4}-/)
  })

  test('a www that does not resolve keeps the certificate from both, and is named', async (t) => {
    const dns = { 'shop.example.com': [SERVER], 'www.shop.example.com': null }
    const world = await checked(t, { domains: [], simulator: { dns }, spec: { ...auto, www: 'Always' } })
    await world.map('shop')
    world.clock.advance(1)
    let outcome = await world.round()
    world.clock.advance(3_600_000)
    outcome = await world.round()
    const words = world.says(outcome, 'shop', 'CertificateReady')
    assert.match(words, /^False NotCovered: .*www\.shop\.example\.com does not exist in DNS/)
    const app = appStatus(outcome.app!, outcome, hostChecks(outcome.app!, outcome), undefined)
    const said = app.conditions.find(({ type }) => type === 'CertificateReady')?.message ?? ''
    assert.match(said, /www\.shop\.example\.com/)
  })

  test('what the server shows is held against what the API says, and blamed at the second look', async (t) => {
    const chained = (leaf: Leaf): Leaf => ({ ...leaf, cert: leaf.cert + chains.middle })
    const leaf = (names: string[], more: LeafOptions = {}) =>
      chains.leaf({ names: names.map((name) => `DNS:${name}`), ...more })
    const good = chained(leaf(['shop.example.com']))
    const server = createServer(good).listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const { port } = server.address() as AddressInfo
    const world = await checked(t, {
      domains: [],
      simulator: { ...a(SERVER), issuance: { delay: 0 } },
      spec: auto,
      shake: (options) => handshake({ ...options, address: '127.0.0.1', port, ca: chains.root }, systemClock),
    })
    world.clock.advance(Date.now() - world.clock.now())
    await world.map('shop')
    assert.match(world.says(await world.round(), 'shop', 'CertificateReady'), /^True/)
    const later = async (ms: number): Promise<string> => {
      world.clock.advance(ms)
      return world.says(await world.round(), 'shop', 'CertificateReady')
    }
    for (const [shown, said] of [
      [chained(leaf(['other.example'])), /^False NotCovered: .*for other\.example, not for shop/],
      [chained(leaf(['shop.example.com'], { from: -90, to: -1 })), /^False Expired: .*served for shop/],
      [chained(leaf(['shop.example.com'], { from: 30 })), /^False NotYetValid: /],
      [chains.alone('shop.example.com'), /^False SelfSigned: /],
      [leaf(['shop.example.com']), /^False ChainIncomplete: /],
    ] as const) {
      server.setSecureContext(shown)
      assert.match(await later(7 * HOUR), /^True/, 'a server may just have to reload')
      assert.match(await later(61_000), said)
      server.setSecureContext(good)
      assert.match(await later(7 * HOUR), /^True/)
    }
    server.setSecureContext(chained(leaf(['other.example'])))
    await later(7 * HOUR)
    await later(61_000)
    server.close()
    assert.match(await later(7 * HOUR), /^False NotCovered/, 'a server that is silent says nothing of its certificate')
  })

  test('a custom certificate that lacks a host: nobody issues, so no waiting is promised', async (t) => {
    const world = await checked(t, { domains: ['shop.example.com'], simulator: a(SERVER), spec: auto })
    world.simulator.state.setCertificate(world.appId, { auto: false, names: ['other.example.com'] })
    await world.map('shop')
    const outcome = await world.round()
    assert.match(
      world.says(outcome, 'shop', 'CertificateReady'),
      /^False CustomCertificate: The custom certificate does not name shop\.example\.com\. /,
    )
  })
})
