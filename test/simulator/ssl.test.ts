import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { createAuthority } from '../../src/simulator/issuance.ts'
import type { SimulatorOptions } from '../../src/simulator/options.ts'
import { bench, messageOf, type WireApp } from './client.ts'

const START = 1_800_000_000_000
const DAY = 24 * 3_600_000

/** A clock in the hand, an app without domains, AutoSSL a minute after each change. */
function frozen(options: SimulatorOptions = {}) {
  const clock = { now: START }
  const apps = options.apps ?? [{ name: 'network' }]
  const issuance = { delay: 60_000, ...options.issuance }
  return { clock, options: { ...options, apps, issuance, actionDuration: 0, now: () => clock.now } }
}

function sansOf(cert: string): string[] {
  const names = new X509Certificate(cert).subjectAltName ?? ''
  return names.split(', ').map((name) => name.replace(/^DNS:/, ''))
}

test('AutoSSL: available after the delay, then a real certificate with the names in it', async (t) => {
  const { clock, options } = frozen()
  const { write, app, ssl, call } = await bench(t, options)
  await write(['b.example', 'a.example'])
  assert.deepEqual((await app()).autossl, { available: false })
  const early = await ssl({ auto: true })
  assert.equal(early.status, 400)
  assert.match(messageOf(early), /not available/)
  clock.now += 60_000
  assert.deepEqual((await app()).autossl!.domains!.sort(), ['a.example', 'b.example'])
  const reply = await ssl({ auto: true })
  assert.ok(reply.body.actionid)
  const installed = (await app()).ssl!
  assert.deepEqual(reply.body.data, installed)
  assert.equal(installed.auto, true)
  assert.equal(installed.force, false)
  const cert = new X509Certificate(installed.cert!)
  assert.deepEqual(sansOf(installed.cert!).sort(), ['a.example', 'b.example'])
  assert.equal(Date.parse(cert.validTo), START + 60_000 + 90 * DAY)
  assert.ok(cert.checkPrivateKey(createPrivateKey(installed.key!)))
  assert.ok(cert.checkHost('a.example'))
  const authority = new X509Certificate(installed.cacerts!)
  assert.ok(authority.ca)
  assert.ok(cert.checkIssued(authority))
  assert.ok(cert.verify(authority.publicKey))
  const [listed] = (await call('GET', '/apps')).body.data as WireApp[]
  assert.equal(listed!.ssl!.key, installed.key)
})

test('the same names in another order do not start the delay anew', async (t) => {
  const { clock, options } = frozen()
  const { write, app } = await bench(t, { ...options, behaviours: { order: 'kept' } })
  await write(['a.example', 'b.example'])
  clock.now += 60_000
  await write(['b.example', 'a.example'])
  assert.equal((await app()).autossl!.available, true)
})

test('serial numbers are positive', () => {
  const authority = createAuthority(START)
  for (let n = 0; n < 40; n++) {
    const { serialNumber } = new X509Certificate(authority.issue(['a.example'], START, START + DAY).cert)
    assert.match(serialNumber, /^[0-9A-F]+$/)
  }
})

test('certificates with dates beyond 2049, long names, many names and addresses parse', () => {
  const authority = createAuthority(START)
  const long = `${'a'.repeat(60)}.${'b'.repeat(60)}.example`
  const names = [long, '192.0.2.1', ...Array.from({ length: 150 }, (_, n) => `name-${n}.example`)]
  const cert = new X509Certificate(authority.issue(names, START, Date.UTC(2060, 0, 1)).cert)
  assert.equal(Date.parse(cert.validTo), Date.UTC(2060, 0, 1))
  assert.equal(cert.subjectAltName!.split(', ').length, names.length)
  assert.ok(cert.checkHost(long))
  assert.ok(cert.checkIP('192.0.2.1'))
  assert.ok(new X509Certificate(authority.issue([long], START, START + DAY).cert).checkHost(long))
})

test('auto, force and DELETE in that state already are errors, or accepted', async (t) => {
  const { options } = frozen({ apps: [{ name: 'network', domains: ['a.example'] }] })
  const { ssl, call, app, appId, simulator } = await bench(t, options)
  const remove = () => call('DELETE', `/apps/${appId}/ssl`)
  assert.equal((await remove()).status, 400)
  assert.equal((await ssl({ force: true })).status, 400)
  assert.equal((await ssl({ auto: true })).status, 200)
  assert.equal((await ssl({ auto: true })).status, 400)
  assert.equal((await ssl({ force: false })).status, 400)
  assert.ok((await ssl({ force: true })).body.actionid)
  assert.equal((await ssl({ force: true })).status, 400)
  assert.equal((await app()).ssl!.force, true)
  simulator.state.setBehaviours({ sslErrorStatus: 409 })
  assert.equal((await ssl({ force: true })).status, 409)
  simulator.state.setBehaviours({ repeatedSsl: 'accept' })
  assert.equal('actionid' in (await ssl({ force: true })).body, false)
  assert.equal((await ssl({ auto: true })).status, 200)
  const removed = await remove()
  assert.deepEqual(removed.body.data, {})
  assert.ok(removed.body.actionid)
  assert.equal((await app()).ssl, null)
  assert.equal((await remove()).status, 200)
})

test('exactly one change of SSL per call', async (t) => {
  const { ssl, app } = await bench(t)
  const wrong = [
    {},
    { auto: false },
    { auto: 'true' },
    { auto: true, force: true },
    { force: 1 },
    { key: 'x', cert: 'y' },
    { key: 'x', cert: 'y', cacerts: null },
    { key: 1, cert: 'y', cacerts: null },
    { key: 'x', cert: 'y', cacerts: 3 },
    { auto: true, more: 1 },
    [],
    null,
  ]
  for (const body of wrong) assert.equal((await ssl(body)).status, 400, JSON.stringify(body))
  assert.equal((await app()).ssl, null)
})

test('a custom certificate stands in the way of AutoSSL; its key is in no log', async (t) => {
  const { ssl, app, simulator, call, appId } = await bench(t)
  const authority = createAuthority(Date.now())
  const { key, cert } = authority.issue(['network.example'], Date.now(), Date.now() + DAY)
  const { key: otherKey } = authority.issue(['network.example'], Date.now(), Date.now() + DAY)
  assert.equal((await ssl({ key: otherKey, cert, cacerts: null })).status, 400)
  assert.equal((await ssl({ key, cert, cacerts: authority.cert })).status, 200)
  assert.deepEqual((await app()).ssl, { key, cert, cacerts: authority.cert, auto: false, force: false })
  assert.match(messageOf(await ssl({ auto: true })), /custom/)
  assert.equal(JSON.stringify(simulator.calls).includes('PRIVATE KEY'), false)
  assert.equal((await call('DELETE', `/apps/${appId}/ssl`)).status, 200)
  assert.equal((await ssl({ auto: true })).status, 200)
})

test('a name that does not resolve here blocks the certificate, or is left out', async (t) => {
  const dns = {
    'www.sub.example': null,
    'elsewhere.example': ['203.0.113.9'],
    'masked.example': ['198.51.100.10', '2001:db8::1'],
  }
  const domains = ['sub.example', 'www.sub.example', 'elsewhere.example', 'masked.example']
  const { clock, options } = frozen({ apps: [{ name: 'network', domains }], dns })
  const { app, simulator } = await bench(t, options)
  assert.equal((await app()).autossl!.available, false)
  simulator.state.setBehaviours({ unresolvedName: 'skip' })
  assert.deepEqual((await app()).autossl, { available: true, domains: ['sub.example'] })
  simulator.state.setDns({ 'www.sub.example': ['198.51.100.10'] })
  assert.equal((await app()).autossl!.available, false)
  clock.now += 60_000
  assert.deepEqual((await app()).autossl!.domains, ['sub.example', 'www.sub.example'])
})

test('wildcards and addresses are not covered, or block', async (t) => {
  const { options } = frozen({ apps: [{ name: 'network', domains: ['*.a.example', '192.0.2.1', 'a.example'] }] })
  const { app, simulator } = await bench(t, options)
  assert.deepEqual((await app()).autossl!.domains, ['a.example'])
  simulator.state.setBehaviours({ wildcardOrAddress: 'block' })
  assert.equal((await app()).autossl!.available, false)
})

test('an app with nothing to cover, or a server that was never connected, has no AutoSSL', async (t) => {
  const { app } = await bench(t, { apps: [{ name: 'network', domains: ['*.a.example'] }] })
  assert.equal((await app()).autossl!.available, false)
  const lonely = await bench(t, { servers: [{ name: 'new', lastaddress: null }] })
  assert.equal((await lonely.app()).autossl!.available, false)
})

test('at most 100 names: the first ones, or none', async (t) => {
  const domains = Array.from({ length: 130 }, (_, n) => `d${n}.example`)
  const { options } = frozen({ apps: [{ name: 'network', domains }] })
  const { app, ssl, simulator } = await bench(t, options)
  assert.equal((await app()).autossl!.domains!.length, 100)
  await ssl({ auto: true })
  assert.equal(sansOf((await app()).ssl!.cert!).length, 100)
  simulator.state.setBehaviours({ tooManyNames: 'block' })
  assert.equal((await app()).autossl!.available, false)
})

test('a certificate gets later names by a new POST, by itself, or only after a DELETE', async (t) => {
  for (const reissue of ['onPost', 'automatic', 'afterDelete'] as const) {
    const { clock, options } = frozen({ apps: [{ name: 'network', domains: ['a.example'] }], behaviours: { reissue } })
    const { app, ssl, write, call, appId } = await bench(t, options)
    await ssl({ auto: true })
    const names = async () => sansOf((await app()).ssl!.cert!).sort()
    await write(['a.example', 'b.example'])
    assert.equal((await ssl({ auto: true })).status, 400, reissue)
    clock.now += 60_000
    assert.deepEqual(await names(), reissue === 'automatic' ? ['a.example', 'b.example'] : ['a.example'], reissue)
    const again = await ssl({ auto: true })
    assert.equal(again.status, reissue === 'onPost' ? 200 : 400, reissue)
    if (reissue === 'afterDelete') {
      await call('DELETE', `/apps/${appId}/ssl`)
      await ssl({ auto: true })
    }
    assert.deepEqual(await names(), ['a.example', 'b.example'], reissue)
  }
})

test('during a change the earlier certificate may still be available', async (t) => {
  const { options } = frozen({
    apps: [{ name: 'network', domains: ['a.example', 'b.example'] }],
    behaviours: { availableDuringChange: 'earlier' },
  })
  const { app, write } = await bench(t, options)
  await write(['a.example', 'c.example'])
  assert.deepEqual((await app()).autossl, { available: true, domains: ['a.example'] })
})

test('AutoSSL may be on for a while without a certificate', async (t) => {
  const apps = [{ name: 'network', domains: ['a.example'] }]
  const { clock, options } = frozen({ apps, issuance: { installDelay: 5000 } })
  const { app, ssl } = await bench(t, options)
  await ssl({ auto: true })
  assert.deepEqual((await app()).ssl, { key: null, cert: null, cacerts: null, auto: true, force: false })
  assert.match(messageOf(await ssl({ auto: true })), /already/)
  clock.now += 5000
  assert.deepEqual(sansOf((await app()).ssl!.cert!), ['a.example'])
})

test('certificates are renewed by themselves while the names resolve, unless told otherwise', async (t) => {
  const apps = [{ name: 'network', domains: ['a.example'], ssl: { force: true } }]
  const { clock, options } = frozen({ apps })
  const { app, simulator } = await bench(t, options)
  const end = async () => Date.parse(new X509Certificate((await app()).ssl!.cert!).validTo)
  assert.equal(await end(), START + 90 * DAY)
  clock.now += 61 * DAY
  assert.equal(await end(), START + 151 * DAY)
  assert.equal((await app()).ssl!.force, true)
  simulator.state.setBehaviours({ renewal: false })
  clock.now += 100 * DAY
  assert.equal(await end(), START + 151 * DAY)
})

test('a seeded certificate has the names and the end that it was given', async (t) => {
  const ssl = { names: ['other.example'], notAfter: START - DAY, auto: false }
  const { options } = frozen({ apps: [{ name: 'network', domains: ['a.example'], ssl }] })
  const { app, simulator, appId } = await bench(t, options)
  const shown = (await app()).ssl!
  assert.equal(shown.auto, false)
  assert.deepEqual(sansOf(shown.cert!), ['other.example'])
  assert.equal(Date.parse(new X509Certificate(shown.cert!).validTo), START - DAY)
  simulator.state.setCertificate(appId, null)
  assert.equal((await app()).ssl, null)
})
