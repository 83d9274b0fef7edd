import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { covers } from '../../src/check/certificate.ts'
import { type CoverageInput, type CoverageReason, type HostCoverage, judgeCoverage } from '../../src/check/coverage.ts'
import type { CaaVerdict } from '../../src/check/dns/caa.ts'
import type { DnsState, DnsVerdict } from '../../src/check/dns/judge.ts'

const NOW = Date.UTC(2026, 0, 1)
const MINUTE = 60_000
const LONG = 'the-very-long-name-of-a-shop.in-the-catalogue-of-our-customers.brand.example.com'
const LABELS = 'a.b.c.d.e.f.g.h.i.example.com'

const dns = (state: DnsState, message = `dns: ${state}`): DnsVerdict => ({ state, addresses: [], message })
const failed = (message: string): DnsVerdict => ({ state: 'Unknown', addresses: [], message, failure: 'ServerFailure' })
const caa = (state: CaaVerdict['state']): CaaVerdict => ({ state, message: `caa: ${state}` })

interface World {
  wanted: readonly string[]
  /** Names that are on the app besides the wanted ones. */
  others?: readonly string[]
  /** SANs; none: no certificate. */
  names?: readonly string[]
  /** Minutes from now. */
  ends?: number
  dns?: Record<string, DnsVerdict>
  caa?: Record<string, CaaVerdict>
  /** Minutes since the last change. */
  changed?: number
  issuer?: 'Custom' | 'Off'
  /** Days that the certificate lives. */
  lives?: number
}

function input({ wanted, others = [], names, ends = 1000, changed = 60, ...world }: World): CoverageInput {
  const notAfter = NOW + ends * MINUTE
  const notBefore = notAfter - (world.lives ?? 90) * 1440 * MINUTE
  return {
    ...(world.issuer === undefined ? {} : { issuer: world.issuer }),
    wanted: new Set(wanted),
    observed: [...wanted, ...others],
    certificate: names === undefined ? undefined : { names, notBefore, notAfter },
    dns: new Map(Object.entries(world.dns ?? {})),
    caa: new Map(Object.entries(world.caa ?? {})),
    changedAt: NOW - changed * MINUTE,
    now: NOW,
  }
}

const judge = (world: World): HostCoverage[] => judgeCoverage(input(world))

const messageOf = (hosts: readonly HostCoverage[], of: string): string =>
  hosts.find(({ host }) => host === of)?.message ?? ''

function reasonOf(world: World, host = 'shop.example.com'): CoverageReason | undefined {
  return judge(world).find((each) => each.host === host)?.reason
}

test('names-that-lets-encrypt-refuses: the long name is covered, the other two are not, and say why', () => {
  const wanted = ['ab--cd.example.com', LABELS, LONG]
  const hosts = judge({ wanted, names: [LONG] })
  assert.deepEqual(
    hosts.map(({ host, covered, reason }) => [host, covered, reason]),
    [
      [LABELS, false, 'RefusedByCa'],
      ['ab--cd.example.com', false, 'RefusedByCa'],
      [LONG, true, 'Covered'],
    ],
  )
  assert.match(hosts[0]?.message ?? '', /11 labels; the certificate authority issues for 10/)
  assert.match(hosts[1]?.message ?? '', /refuses labels with "--"/)
  const other = judge({ wanted: [...wanted, 'shop.example.com'], names: [LONG] })
  assert.match(messageOf(other, 'shop.example.com'), new RegExp(`^${LABELS}, ab--cd\\.example\\.com may keep`))
})

test('names-below-no-public-suffix: said of each, and nobody else waits for them', () => {
  const wanted = ['shop.internal', 'shop.local', 'shop.test', 'shop.example.con', 'router.home.arpa']
  for (const [changed, others] of [
    [1, 'Issuing'],
    [60, 'Overdue'],
  ] as const) {
    const hosts = judge({ wanted: [...wanted, 'shop.example.com'], changed })
    for (const host of wanted) {
      const { covered, reason, message } = hosts.find((each) => each.host === host) ?? assert.fail(host)
      assert.deepEqual([covered, reason], [false, 'PrivateName'], host)
      assert.match(message, /ends in "[a-z.]+", and no certificate authority issues for names below that/)
    }
    assert.equal(reasonOf({ wanted: [...wanted, 'shop.example.com'], changed }), others)
  }
  assert.match(messageOf(judge({ wanted }), 'router.home.arpa'), /ends in "home\.arpa"/)
  assert.equal(judge({ wanted, names: ['shop.internal'] }).filter(({ covered }) => covered).length, 1)
})

test('www-that-came-by-itself: the condition names it as what blocks the certificate', () => {
  const hosts = judge({
    wanted: ['hm.example.com', 'keep.example.com'],
    others: ['www.hm.example.com'],
    dns: {
      'hm.example.com': dns('Ready'),
      'keep.example.com': dns('Ready'),
      'www.hm.example.com': dns('NoRecords', 'www.hm.example.com does not exist in DNS.'),
    },
  })
  const cdn = judge({
    wanted: ['hm.example.com'],
    others: ['cdn.hm.example.com', 'www.old.example.com'],
    dns: { 'cdn.hm.example.com': dns('NoRecords'), 'www.old.example.com': dns('NoRecords') },
  })
  const blocked = messageOf(cdn, 'hm.example.com')
  assert.match(blocked, /^cdn\.hm\.example\.com, www\.old\.example\.com may keep/)
  assert.doesNotMatch(blocked, /by itself/, 'somebody asked for these')
  for (const { reason, message } of hosts) {
    assert.equal(reason, 'Blocked')
    assert.equal(
      message,
      'www.hm.example.com may keep the whole certificate of the app from being issued. www.hm.example.com came with hm.example.com by itself: www.hm.example.com does not exist in DNS.',
    )
  }
})

describe('why a host is not covered', () => {
  const shop = 'shop.example.com'
  for (const [title, world, reason, host] of [
    ['named', { wanted: [shop], names: [shop] }, 'Covered'],
    ['named, whatever DNS says now', { wanted: [shop], names: [shop], dns: { [shop]: dns('NoRecords') } }, 'Covered'],
    ['by a wildcard', { wanted: [shop], names: ['*.example.com'] }, 'Covered'],
    ['named by one that ended', { wanted: [shop], names: [shop], ends: 0 }, 'Expired'],
    ['an address', { wanted: ['192.0.2.10'] }, 'Address', '192.0.2.10'],
    ['a wildcard', { wanted: ['*.example.com'] }, 'Wildcard', '*.example.com'],
    ['a wildcard that is covered', { wanted: ['*.example.com'], names: ['*.example.com'] }, 'Covered', '*.example.com'],
    ['a public suffix', { wanted: ['co.uk'] }, 'RefusedByCa', 'co.uk'],
    ['an underscore', { wanted: ['a_b.example.com'] }, 'RefusedByCa', 'a_b.example.com'],
    ['no records', { wanted: [shop], dns: { [shop]: dns('NoRecords') } }, 'WrongDns'],
    ['elsewhere', { wanted: [shop], dns: { [shop]: dns('PointsElsewhere') } }, 'WrongDns'],
    ['elsewhere by IPv6', { wanted: [shop], dns: { [shop]: dns('IPv6PointsElsewhere') } }, 'WrongDns'],
    ['CAA', { wanted: [shop], caa: { [shop]: caa('Refused') } }, 'Caa'],
    ['wrong DNS goes before the wait', { wanted: [shop], dns: { [shop]: dns('NoRecords') }, changed: 1 }, 'WrongDns'],
    ['another host', { wanted: [shop, 'x.example.com'], dns: { 'x.example.com': dns('NoRecords') } }, 'Blocked'],
    [
      'a foreign host',
      { wanted: [shop], others: ['old.example.org'], dns: { 'old.example.org': dns('NoRecords') } },
      'Blocked',
    ],
    [
      'a wildcard of another stops nobody',
      { wanted: [shop], others: ['*.b.example', '192.0.2.1'], changed: 1 },
      'Issuing',
    ],
    ['just added', { wanted: [shop], changed: 0 }, 'Issuing'],
    ['14 minutes on', { wanted: [shop], names: [], changed: 14 }, 'Issuing'],
    ['15 minutes on', { wanted: [shop], names: [], changed: 15 }, 'Overdue'],
    ['the resolver is silent', { wanted: [shop], dns: { [shop]: dns('Unknown') } }, 'Overdue'],
    ['nobody knows of CAA', { wanted: [shop], caa: { [shop]: caa('Unknown') } }, 'Unread'],
    [
      'nobody knows of CAA, and it is early',
      { wanted: [shop], caa: { [shop]: caa('Unknown') }, changed: 1 },
      'Issuing',
    ],
    ['its A cannot be read', { wanted: [shop], dns: { [shop]: failed('shop: SERVFAIL.') } }, 'Unread'],
    ['an outage', { wanted: [shop], dns: { [shop]: { ...failed('down'), outage: true } } }, 'Overdue'],
    ['custom', { wanted: [shop], names: [], issuer: 'Custom', changed: 1 }, 'Custom'],
    ['custom, ended', { wanted: [shop], names: [shop], ends: 0, issuer: 'Custom', changed: 1 }, 'Custom'],
    ['not asked for', { wanted: [shop], names: [], issuer: 'Off', changed: 1 }, 'Off'],
    // The clock was set back by an hour after the change.
    ['changed in the future', { wanted: [shop], changed: -60 }, 'Issuing'],
  ] as const satisfies readonly (readonly [string, World, CoverageReason, string?])[]) {
    test(`${title}: ${reason}`, () => assert.equal(reasonOf(world, host ?? shop), reason))
  }

  test('100 names fit, 101 do not; wildcards and addresses take no place', () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => `h${index}.example.com`)
    const others = ['*.example.com', '192.0.2.1']
    assert.equal(reasonOf({ wanted: [shop, ...many(99)], others, changed: 1 }), 'Issuing')
    const over = judge({ wanted: [shop, ...many(129)], names: many(100), changed: 1 })
    assert.equal(over.filter(({ covered }) => covered).length, 100)
    const out = over.find(({ host }) => host === shop)
    assert.equal(out?.reason, 'TooManyNames')
    assert.match(out?.message ?? '', /130 names, and a certificate takes 100: 30 stay without/)
  })

  test('an unknown is said when nothing else explains it', () => {
    const hosts = judge({ wanted: [shop], dns: { [shop]: dns('Unknown', 'The resolver is down.') } })
    assert.match(hosts[0]?.message ?? '', /The resolver is down\./)
  })

  test('while it is being issued, until when', () => {
    const until = (changed: number) =>
      /until (\S+) at the latest/.exec(messageOf(judge({ wanted: [shop], changed }), shop))?.[1]
    assert.equal(until(5), new Date(NOW + 10 * MINUTE).toISOString())
    assert.equal(until(-60), new Date(NOW + 15 * MINUTE).toISOString(), 'the clock was set back')
  })
})

describe('one-resolver-failure-among-hosts', () => {
  const shop = 'shop.example.org'
  const wanted = [shop, 'a.example.com', 'b.example.com']
  const unread = {
    [shop]: failed('shop.example.org: the resolver gives no answer (SERVFAIL). Check its name servers.'),
  }
  const closed = { [shop]: caa('Unknown') }

  test('it is named on all hosts once the certificate is overdue, with the reason and the fix, in this order', () => {
    for (const world of [
      { wanted, dns: unread },
      { wanted, caa: closed },
    ]) {
      for (const { host, reason, message } of judge(world)) {
        assert.equal(reason, host === shop ? 'Unread' : 'Blocked')
        if (host !== shop) assert.match(message, /^shop\.example\.org may keep the whole certificate/)
      }
    }
    const words = messageOf(judge({ wanted, dns: unread }), 'a.example.com')
    assert.match(words, /^shop\.example\.org may keep .* shop\.example\.org: .*SERVFAIL.* Check its name servers\.$/)
  })

  test('beside other faults too, and on the host that has one', () => {
    const world = { wanted, dns: { ...unread, 'b.example.com': dns('NoRecords', 'b.example.com does not exist.') } }
    const all = judge(world)
    const blocked = messageOf(all, 'a.example.com')
    assert.match(blocked, /^b\.example\.com, shop\.example\.org may keep .*b\.example\.com does not exist\. .*SERVFAIL/)
    assert.match(
      messageOf(all, 'b.example.com'),
      /^b\.example\.com does not exist\. Besides, shop\.example\.org may keep/,
    )
    assert.match(messageOf(all, shop), /b\.example\.com does not exist/)
    const many = Array.from({ length: 9 }, (_, index) => `w${index}.example.com`)
    const faults = Object.fromEntries(many.map((name) => [name, dns('NoRecords', `${name} does not exist.`)]))
    const among = judge({ wanted: [...wanted, ...many], dns: { ...unread, ...faults } })
    assert.match(messageOf(among, 'a.example.com'), /SERVFAIL/, 'a suspect is explained beside any number of faults')
    assert.match(messageOf(among, 'a.example.com'), /shop\.example\.org may keep|shop\.example\.org: /)
  })

  test('before that, and in an outage of the resolver, nobody is accused', () => {
    for (const { message } of judge({ wanted, dns: unread, changed: 14 })) assert.doesNotMatch(message, /SERVFAIL/)
    const down = { ...failed('The resolver gives no answers.'), outage: true as const }
    for (const { message, reason } of judge({ wanted, dns: { [shop]: down } })) {
      assert.equal(reason, 'Overdue')
      assert.doesNotMatch(message, /may keep/)
    }
  })
})

describe('more-than-one-certificate-holds', () => {
  const hosts = Array.from({ length: 120 }, (_, index) => `h${String(index).padStart(3, '0')}.example.com`)

  test('how many fit, who is left out, and how to spread them', () => {
    const all = judge({ wanted: hosts, names: hosts.slice(0, 100) })
    const out = all.filter(({ covered }) => !covered)
    assert.deepEqual(
      out.map(({ host }) => host),
      hosts.slice(100),
    )
    const [{ reason, message } = { reason: '', message: '' }] = out
    assert.equal(reason, 'TooManyNames')
    assert.match(
      message,
      /has 120 names, and a certificate takes 100: 20 stay without \(Let's Encrypt, profile classic\)/,
    )
    assert.match(message, /over 2 apps: .*ServerPilotApp.*spec\.appRef/)
    assert.match(message, new RegExp(`Left out: ${hosts.slice(100).join(', ')}\\.$`))
  })

  test('by the profile of the certificate that is installed', () => {
    const few = hosts.slice(0, 30)
    const takes = (world: Omit<World, 'wanted'>) =>
      judge({ wanted: few, changed: 1, ...world }).find((each) => !each.covered)
    const names = few.slice(0, 25)
    assert.match(takes({ names, lives: 6.67 })?.message ?? '', /takes 25: 5 stay .*profile shortlived.*over 2 apps/)
    assert.match(takes({ names, lives: 45 })?.message ?? '', /takes 25: 5 stay .*profile tlsserver/)
    assert.equal(takes({ names, lives: 90 })?.reason, 'Issuing')
    assert.equal(takes({ names: few.slice(1), lives: 45 })?.reason, 'Issuing', 'it names more than 25')
  })
})

test('wanted hosts that the app does not list are not spoken of', () => {
  const all = { ...input({ wanted: ['a.example.com', 'b.example.com'] }), observed: ['a.example.com'] }
  assert.deepEqual(
    judgeCoverage(all).map(({ host }) => host),
    ['a.example.com'],
  )
})

test('whatever the world: one word per wanted host, and covered exactly when a valid certificate names it', () => {
  const name = fc.constantFrom(
    'a.example.com',
    'b.example.com',
    'www.a.example.com',
    '*.example.com',
    '192.0.2.1',
    LABELS,
    'c.d',
  )
  const state = fc.constantFrom<DnsState>('Ready', 'NoRecords', 'PointsElsewhere', 'Unknown')
  const names = fc.uniqueArray(name)
  fc.assert(
    fc.property(
      names,
      names,
      fc.option(names),
      fc.dictionary(name, state),
      fc.integer({ min: -20, max: 20 }),
      (wanted, others, sans, states, minutes) => {
        const dnsOf = Object.fromEntries(Object.entries(states).map(([host, each]) => [host, dns(each)]))
        const world = input({
          wanted,
          others,
          ends: minutes,
          changed: minutes,
          dns: dnsOf,
          ...(sans === null ? {} : { names: sans }),
        })
        const hosts = judgeCoverage(world)
        assert.deepEqual(
          hosts.map(({ host }) => host),
          [...wanted].sort(),
        )
        for (const { host, covered, reason, message } of hosts) {
          const valid = world.certificate !== undefined && world.certificate.notAfter > NOW
          assert.equal(covered, valid && covers(world.certificate!, host))
          assert.equal(covered, reason === 'Covered')
          assert.ok(message.length > 10)
        }
      },
    ),
  )
})
