import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { describe, test } from 'node:test'
import { addressSet } from '../../../src/check/dns/addresses.ts'
import { type Answer, type Caa, type Dns, openDns, serverFault } from '../../../src/check/dns/ask.ts'
import { createCaaLookup, judgeCaa } from '../../../src/check/dns/caa.ts'
import { checkHost } from '../../../src/check/dns/lookup.ts'
import { bench } from '../../simulator/client.ts'
import { AT_ONCE, quickDns } from './quick.ts'
import { type Reply, responder } from './responder.ts'
import { unbound } from './unbound.ts'

const OURS = addressSet(['192.0.2.10'])

const ZONE = `
right 120 IN A 192.0.2.10
both 120 IN A 192.0.2.10
both 60 IN AAAA 2001:db8::dead
only6 300 IN AAAA 2001:db8::1
alias 30 IN CNAME mid.example.
mid 40 IN CNAME right.example.
away 30 IN CNAME cdn.example.
cdn 30 IN A 198.51.100.7
l1 60 IN CNAME l2.example.
l2 60 IN CNAME l1.example.
self 60 IN CNAME self.example.
dangling 60 IN CNAME nowhere.example.
hollow 60 IN CNAME text.example.
text 60 IN TXT "x"
*.wild 60 IN A 192.0.2.10
*.stray 60 IN A 198.51.100.9
ours 60 IN CAA 0 issue "letsencrypt.org"
deep.ours 60 IN A 192.0.2.10
theirs 60 IN CAA 0 issue "other.test; account=1"
critical 60 IN CAA 128 tbs "unknown"
wildonly 60 IN CAA 0 issue "letsencrypt.org"
wildonly 60 IN CAA 0 issuewild ";"
${Array.from({ length: 60 }, (_, index) => `many 60 IN A 198.51.100.${index}`).join('\n')}
${Array.from({ length: 12 }, (_, index) => `c${index} 60 IN CNAME c${index + 1}.example.`).join('\n')}
c12 60 IN A 192.0.2.10
`

/** A resolver that nobody asks. */
const NOBODY: Dns = {
  addresses: () => assert.fail(),
  alias: () => assert.fail(),
  caa: () => assert.fail(),
  probe: () => assert.fail(),
  close: () => {},
}

interface Row {
  host: string
  state: string
  /** What the message says. */
  says?: RegExp
  ttl?: number
}

const ROWS: readonly Row[] = [
  { host: 'right.example', state: 'Ready', ttl: 120 },
  { host: 'both.example', state: 'IPv6PointsElsewhere', says: /2001:db8::dead/, ttl: 60 },
  { host: 'only6.example', state: 'PointsElsewhere', says: /2001:db8::1\b/ },
  // The least of the chain.
  { host: 'alias.example', state: 'Ready', ttl: 30 },
  { host: 'away.example', state: 'PointsElsewhere', says: /198\.51\.100\.7 by way of CNAME cdn\.example/ },
  { host: 'l1.example', state: 'NoRecords', says: /circle \(l2\.example → l1\.example\)/ },
  { host: 'self.example', state: 'NoRecords', says: /circle/ },
  { host: 'dangling.example', state: 'NoRecords', says: /alias \(CNAME\) of nowhere\.example, which does not exist/ },
  { host: 'hollow.example', state: 'NoRecords', says: /alias \(CNAME\) of text\.example, which has no address/ },
  { host: 'text.example', state: 'NoRecords', says: /neither A nor AAAA.*an A record with 192\.0\.2\.10/ },
  { host: 'gone.example', state: 'NoRecords', says: /does not exist in DNS/ },
  { host: '*.wild.example', state: 'Ready', ttl: 60 },
  { host: '*.stray.example', state: 'PointsElsewhere', says: /198\.51\.100\.9/ },
  { host: '*.gone.example', state: 'NoRecords', says: /\*\.gone\.example/ },
  // More than fit into 512 bytes: over TCP.
  { host: 'many.example', state: 'PointsElsewhere', says: /198\.51\.100\.0.* and 55 more/ },
  // Its zone's name server is dead; the resolver tries for longer than we wait, or gives up first.
  { host: 'shop.broken.example', state: 'Unknown', says: /SERVFAIL|timed out/ },
]

test('a real resolver: what comes of each kind of host', async (t) => {
  const server = await unbound(t, ZONE, { 'broken.example': '127.0.0.1@1' })
  if (server === undefined) return
  const dns = openDns({
    servers: [server],
    pace: AT_ONCE,
    signal: new AbortController().signal,
    timeout: 400,
    tries: 3,
  })
  for (const { host, state, says, ttl } of ROWS) {
    const verdict = await checkHost(dns, host, OURS)
    assert.equal(verdict.state, state, `${host}: ${verdict.message}`)
    if (says !== undefined) assert.match(verdict.message, says)
    if (ttl !== undefined) assert.equal(verdict.ttl, ttl, host)
  }

  const lookup = createCaaLookup(dns)
  for (const [host, state, says] of [
    ['right.example', 'Allowed', /no CAA records/],
    ['a.b.deep.ours.example', 'Allowed', /of ours\.example allow/],
    ['shop.theirs.example', 'Refused', /at theirs\.example.*names other\.test/],
    ['critical.example', 'Refused', /critical CAA record "tbs"/],
    ['wildonly.example', 'Allowed', /allow/],
    ['*.wildonly.example', 'Refused', /"issuewild" names nobody/],
    ['alias.example', 'Allowed', /no CAA records/],
    ['shop.broken.example', 'Unknown', /cannot be read/],
  ] as const) {
    const verdict = judgeCaa(host, await lookup(host))
    assert.equal(verdict.state, state, `${host}: ${verdict.message}`)
    assert.match(verdict.message, says)
  }
})

describe('what no sound server does', () => {
  for (const [reply, why] of [
    ['ServFail', 'ServerFailure'],
    ['Refused', 'Refused'],
    ['Silence', 'Timeout'],
    ['WrongId', 'Timeout'],
    ['OtherName', 'Timeout'],
    ['Cut', 'BadAnswer'],
  ] as const satisfies readonly (readonly [Reply, string])[]) {
    test(`${reply}: Unknown, because of ${why}`, async (t) => {
      const { address } = await responder(t, () => reply)
      const verdict = await checkHost(quickDns(address), 'shop.example.com', OURS)
      assert.equal(verdict.state, 'Unknown')
      assert.equal(verdict.failure, why)
      assert.deepEqual(verdict.addresses, [])
    })
  }

  test('nothing listens: Unknown, because it is unreachable', async (t) => {
    const gone = await responder(t, () => [])
    gone.stop()
    assert.equal((await checkHost(quickDns(gone.address), 'shop.example.com', OURS)).failure, 'Unreachable')
  })

  test('no answer is kept: what changed is seen at the next question', async (t) => {
    let addresses = ['198.51.100.7']
    const { address } = await responder(t, () => addresses)
    const dns = quickDns(address)
    assert.equal((await checkHost(dns, 'shop.example.com', OURS)).state, 'PointsElsewhere')
    addresses = ['192.0.2.10']
    assert.equal((await checkHost(dns, 'shop.example.com', OURS)).state, 'Ready')
  })

  test('names above several hosts are asked for CAA once', async (t) => {
    const { address, queries } = await responder(t, () => [])
    const lookup = createCaaLookup(quickDns(address))
    await Promise.all(['a.example.com', 'b.example.com', 'c.example.com'].map(lookup))
    assert.deepEqual(queries.map(({ name }) => name).sort(), [
      'a.example.com',
      'b.example.com',
      'c.example.com',
      'com',
      'example.com',
    ])
  })

  test('above a question that failed, no CAA record is believed', async () => {
    const answers: Record<string, Answer<Caa>> = {
      'example.com': { kind: 'failed', why: 'Timeout' },
      com: { kind: 'found', records: [{ tag: 'issue', value: 'letsencrypt.org', critical: false }] },
    }
    const caa = async (name: string): Promise<Answer<Caa>> => answers[name] ?? { kind: 'none', exists: true }
    const lookup = createCaaLookup({ ...NOBODY, caa })
    assert.deepEqual(await lookup('shop.example.com'), { kind: 'failed', at: 'example.com', why: 'Timeout' })
  })

  test('a longer name than DNS has is asked for by none', async (t) => {
    const { address, queries } = await responder(t, () => [])
    const parent = `${'a.'.repeat(124)}abc`
    assert.equal(parent.length, 251)
    await checkHost(quickDns(address), `*.${parent}`, OURS)
    assert.equal(queries[0]?.name.length, 253)
  })
})

test('the name server of the simulator is one that lives', async (t) => {
  const dns = { 'gone.example': null, 'both.example': ['198.51.100.10', '2001:db8::17'] }
  const { simulator } = await bench(t, { dns, dnsPort: 0 })
  assert.ok(simulator.nameserver)
  const [asked, expected] = [quickDns(simulator.nameserver), addressSet(['198.51.100.10'])]
  const stateOf = async (host: string) => (await checkHost(asked, host, expected)).state
  assert.equal(await stateOf('network.example'), 'Ready')
  assert.equal(await stateOf('gone.example'), 'NoRecords')
  assert.equal(await stateOf('both.example'), 'IPv6PointsElsewhere')
  assert.deepEqual(await createCaaLookup(asked)('shop.network.example'), { kind: 'none' })
  assert.notEqual((await asked.probe()).kind, 'failed')
})

describe('stopping', () => {
  test('a question under way ends with the reason', async (t) => {
    const stop = new AbortController()
    const asked = Promise.withResolvers<void>()
    const { address } = await responder(t, () => {
      asked.resolve()
      return 'Silence'
    })
    const dns = openDns({ servers: [address], pace: AT_ONCE, signal: stop.signal, timeout: 60_000 })
    const checking = checkHost(dns, 'shop.example.com', OURS)
    await asked.promise
    const start = performance.now()
    stop.abort(new Error('enough'))
    await assert.rejects(checking, /enough/)
    assert.ok(performance.now() - start < 10_000, 'at once')
  })

  test('none is asked afterwards', async (t) => {
    const stop = new AbortController()
    const { address, queries } = await responder(t, () => [])
    const dns: Dns = quickDns(address, stop.signal)
    stop.abort(new Error('enough'))
    await assert.rejects(checkHost(dns, 'shop.example.com', OURS), /enough/)
    assert.deepEqual(queries, [])
  })
})

test('addresses of DNS servers', () => {
  for (const good of ['192.0.2.53', '192.0.2.53:5353', '2001:db8::53', '[2001:db8::53]', '[2001:db8::53]:5353']) {
    assert.equal(serverFault(good), undefined, good)
    openDns({ servers: [good], pace: AT_ONCE, signal: new AbortController().signal })
  }
  for (const bad of [
    '',
    'dns.example',
    '192.0.2.53:',
    '192.0.2.53:0',
    '192.0.2.53:65536',
    '[192.0.2.53',
    '1.2.3',
    ' ',
  ]) {
    assert.match(serverFault(bad) ?? '', /not a valid address of a DNS server/, bad)
    assert.throws(
      () => openDns({ servers: [bad], pace: AT_ONCE, signal: new AbortController().signal }),
      /not a valid address/,
    )
  }
})

test('a resolver that was closed leaves nothing at the signal', async (t) => {
  const stop = new AbortController()
  const { address } = await responder(t, () => ['192.0.2.10'])
  for (let count = 0; count < 20; count++) {
    const dns = quickDns(address, stop.signal)
    await checkHost(dns, 'shop.example.com', OURS)
    dns.close()
  }
  assert.equal(getEventListeners(stop.signal, 'abort').length, 0)
})
