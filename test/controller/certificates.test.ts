import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { looksOf } from '../../src/cli/explanation.ts'
import type { Host } from '../../src/domain/host.ts'
import type { SimulatorOptions } from '../../src/simulator/options.ts'
import { type Reply, responder } from '../check/dns/responder.ts'
import { type CheckedWorld, checked, SERVER } from './checked-world.ts'
import { names } from './world.ts'

const MINUTE = 60_000
const DAY = 86_400_000
const SHOP = 'shop.example.org'
/** No certificate is ever issued. */
const NEVER = { delay: 10_000 * DAY }
const AUTO = { ssl: { auto: true } }

/**
 * A world with hosts whose DNS is as `reply` says, the server's where it says nothing. With a certificate ServerPilot's clock is the test's:
 * then no action ends.
 */
async function asked(
  t: TestContext,
  reply: (name: string, type: number) => Reply | undefined,
  simulator: SimulatorOptions = {},
): Promise<CheckedWorld> {
  const { address } = await responder(t, ({ name, type }) => reply(name, type) ?? (type === 1 ? [SERVER] : []))
  let now = () => Date.UTC(2026, 0, 15, 12)
  const options = { ...(simulator.apps === undefined ? {} : { now: () => now() }), issuance: NEVER, ...simulator }
  const world = await checked(t, { nameserver: address, spec: AUTO, simulator: options })
  now = world.clock.now
  return world
}

/** What `explain` says of a host. */
function explained(world: CheckedWorld, mapping: string, host: string): { certificate?: string; next?: string } {
  const { conditions, hosts } = world.status(mapping)
  const at = hosts.find(({ name }) => name === host)
  assert.ok(at)
  const { certificate = '', next = '' } = looksOf(host as Host, conditions, at)
  return { certificate, next }
}

const CAA = 257

describe('one-resolver-failure-among-hosts', () => {
  for (const [what, type, words] of [
    ['CAA', CAA, /The CAA records of shop\.example\.org cannot be read \(SERVFAIL\).*check the name servers/],
    ['A', 1, /gives no answer for its A records \(SERVFAIL\).*check the name servers/],
  ] as const) {
    test(`${what}: all hosts name it, why, and what to do, and so does explain`, async (t) => {
      const world = await asked(t, (name, of) => (name === SHOP && of === type ? 'ServFail' : undefined))
      await world.map('shop', SHOP)
      for (const name of names(3)) await world.map(name)
      let outcome = await world.round()
      assert.match(world.says(outcome, 'h001', 'CertificateReady'), /AwaitingAvailability: .*is being issued/)
      for (let turn = 0; turn < 4; turn++) {
        world.clock.advance(10 * MINUTE)
        outcome = await world.round()
      }
      for (const name of names(3)) {
        const said = world.says(outcome, name, 'CertificateReady')
        assert.match(said, /^False NotCovered: .*shop\.example\.org may keep the whole certificate/)
        assert.match(said, words)
        const { certificate = '' } = explained(world, name, `${name}.example.com`)
        assert.match(certificate, new RegExp(`shop\\.example\\.org may keep.*${words.source}`))
      }
      assert.match(world.says(outcome, 'shop', 'CertificateReady'), words)
      assert.match(world.app(outcome, 'CertificateReady'), words)
    })
  }

  test('a certificate whose renewal is overdue: who holds it up is named though all hosts are on it', async (t) => {
    const domains = ['by-hand.example.org', ...names(2).map((name) => `${name}.example.com`), SHOP]
    const world = await asked(t, (name, type) => (name === SHOP && type === CAA ? 'ServFail' : undefined), {
      apps: [{ name: 'network', domains, ssl: { names: domains, notAfter: Date.UTC(2026, 0, 20) } }],
      behaviours: { renewal: false },
    })
    await world.map('shop', SHOP)
    for (const name of names(2)) await world.map(name)
    await world.round()
    world.clock.advance(20 * MINUTE)
    const outcome = await world.round()
    const words = /^True ExpiringSoon: .*shop\.example\.org may keep .*CAA records of shop\.example\.org cannot be read/
    assert.match(world.app(outcome, 'CertificateReady'), words)
    for (const name of ['h001', 'h002', 'shop']) assert.match(world.says(outcome, name, 'CertificateReady'), words)
    const { certificate = '', next = '' } = explained(world, 'h001', 'h001.example.com')
    assert.match(certificate, /^ExpiringSoon: .*shop\.example\.org may keep .*cannot be read .*check the name servers/)
    assert.match(next, /every host of the app resolves/)
  })
})

describe('custom-certificate-that-ends', () => {
  const NOW = Date.UTC(2026, 0, 15, 12)
  for (const [what, days, lacks, words] of [
    ['ends in 5 days and lacks a host', 5, true, /ends on 2026-01-20, and does not name h002\.example\.com/],
    ['ends in 5 days', 5, false, /ends on 2026-01-20\./],
    ['ended', -5, false, /ended on 2026-01-10\./],
    ['lacks a host', 200, true, /does not name h002\.example\.com/],
  ] as const) {
    test(`${what}: not Ready, Stalled, in words of its own`, async (t) => {
      const hosts = names(2).map((name) => `${name}.example.com`)
      const ssl = { auto: false, names: hosts.slice(0, lacks ? 1 : 2), notAfter: NOW + days * DAY }
      const world = await asked(t, () => undefined, { apps: [{ name: 'network', domains: hosts, ssl }] })
      for (const name of names(2)) await world.map(name)
      const outcome = await world.round()
      assert.match(world.app(outcome, 'CertificateReady'), /^False CustomCertificate/)
      assert.match(world.app(outcome, 'CertificateReady'), words)
      assert.match(world.app(outcome, 'Ready'), /^False CustomCertificate/)
      assert.match(world.app(outcome, 'Stalled'), /^True CustomCertificate/)
      const said = world.says(outcome, 'h002', 'CertificateReady')
      assert.match(said, /^False CustomCertificate: The custom certificate/)
      assert.match(world.says(outcome, 'h002', 'Stalled'), /^True/)
      if (days > 100) assert.match(world.says(outcome, 'h001', 'Ready'), /^True/, 'it names that one')
      const { certificate = '', next = '' } = explained(world, 'h002', 'h002.example.com')
      for (const text of [said, world.app(outcome, 'CertificateReady'), certificate, next]) {
        assert.doesNotMatch(text, /being issued|switch AutoSSL off|renews it by itself/)
      }
      assert.match(certificate, /^CustomCertificate: The custom certificate/)
      assert.match(next, /Install one that names every host/)
    })
  }

  test('one that is good is Ready', async (t) => {
    const hosts = names(2).map((name) => `${name}.example.com`)
    const ssl = { auto: false, names: hosts, notAfter: NOW + 200 * DAY }
    const world = await asked(t, () => undefined, { apps: [{ name: 'network', domains: hosts, ssl }] })
    for (const name of names(2)) await world.map(name)
    const outcome = await world.round()
    assert.match(world.app(outcome, 'Ready'), /^True/)
    assert.match(world.app(outcome, 'CertificateReady'), /^True CustomCertificate/)
  })
})

test('more-than-one-certificate-holds: it needs a person, and says how many fit and what to do', async (t) => {
  const all = names(120)
  const domains = all.map((name) => `${name}.example.com`)
  const ssl = { names: domains.slice(0, 100) }
  const world = await asked(t, () => undefined, { apps: [{ name: 'network', domains, ssl }] })
  for (const name of all) await world.map(name)
  await world.round()
  world.clock.advance(20 * MINUTE)
  const outcome = await world.round()
  const said = world.app(outcome, 'CertificateReady')
  assert.match(said, /^False TooManyNames: The app has 120 names, and a certificate takes 100: 20 stay without/)
  assert.match(said, /Spread them over 2 apps/)
  for (const host of domains.slice(100)) assert.ok(said.includes(host), host)
  assert.match(world.app(outcome, 'Stalled'), /^True TooManyNames/)
  assert.match(world.app(outcome, 'Reconciling'), /^False/)
  assert.match(world.says(outcome, 'h001', 'Ready'), /^True/)
  assert.match(world.says(outcome, 'h101', 'Stalled'), /^True TooManyNames/)
  const { certificate = '', next = '' } = explained(world, 'h101', 'h101.example.com')
  assert.match(certificate, /^TooManyNames: .*Spread them/)
  assert.match(next, /Spread its mappings/)
})

describe('dns.policy Ignore', () => {
  const wrong = (name: string): Reply | undefined => (name.startsWith('wrong') ? 'NoName' : undefined)

  test('leaves DNS out of Ready: also a certificate that is lacking for the own DNS alone', async (t) => {
    const { address } = await responder(t, ({ name, type }) => wrong(name) ?? (type === 1 ? [SERVER] : []))
    const spec = { ...AUTO, dns: { policy: 'Ignore' } }
    const world = await checked(t, { nameserver: address, spec, domains: [], simulator: { issuance: NEVER } })
    await world.map('wrong')
    const outcome = await world.round()
    assert.equal(world.says(outcome, 'wrong', 'DNSReady'), 'none')
    assert.match(world.says(outcome, 'wrong', 'CertificateReady'), /^Unknown AwaitingDNS: .*does not exist in DNS/)
    assert.match(world.says(outcome, 'wrong', 'Ready'), /^True/)
    assert.match(world.app(outcome, 'Ready'), /^True/)
    await world.map('right')
    await world.round()
    world.clock.advance(20 * MINUTE)
    const both = await world.round()
    assert.match(world.says(both, 'right', 'CertificateReady'), /^False NotCovered: .*wrong\.example\.com may keep/)
    assert.match(world.says(both, 'wrong', 'Ready'), /^True/)
    assert.match(world.app(both, 'CertificateReady'), /^False NotCovered/)
  })
})
