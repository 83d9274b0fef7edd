import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { addressSet } from '../../../src/check/dns/addresses.ts'
import type { Answer, Dns } from '../../../src/check/dns/ask.ts'
import type { DnsVerdict } from '../../../src/check/dns/judge.ts'
import { checkHost } from '../../../src/check/dns/lookup.ts'
import { checkRound } from '../../../src/check/dns/round.ts'
import { prefixesIn, wellKnownIpv4 } from '../../../src/check/dns/translation.ts'
import { named } from './named.ts'
import { quickDns } from './quick.ts'
import { unbound } from './unbound.ts'

const HOST = 'shop.example'
const IPV4_ONLY = 'ipv4only.arpa'
const OURS = addressSet(['192.0.2.33'])
const FAILED: Answer<string> = { kind: 'failed', why: 'ServerFailure' }

/** The examples of RFC 6052 (2.4): what becomes of 192.0.2.33 and of 192.0.0.170, an address of `ipv4only.arpa`. */
const EXAMPLES = [
  ['2001:db8::/32', '2001:db8:c000:221::', '2001:db8:c000:aa::'],
  ['2001:db8:100::/40', '2001:db8:1c0:2:21::', '2001:db8:1c0:0:aa::'],
  ['2001:db8:122::/48', '2001:db8:122:c000:2:2100::', '2001:db8:122:c000:0:aa00::'],
  ['2001:db8:122:300::/56', '2001:db8:122:3c0:0:221::', '2001:db8:122:3c0:0:aa::'],
  ['2001:db8:122:344::/64', '2001:db8:122:344:c0:2:2100::', '2001:db8:122:344:c0:0:aa00::'],
  ['2001:db8:122:344::/96', '2001:db8:122:344::192.0.2.33', '2001:db8:122:344::c000:aa'],
  ['64:ff9b::/96', '64:ff9b::192.0.2.33', '64:ff9b::c000:aa'],
] as const

/** A resolver that says this of each name: A and AAAA. */
function resolverOf(zone: Record<string, [v4: string[], v6: string[] | Answer<string>]>): Dns & { asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    async addresses(name, family) {
      asked.push(`${name} ${family}`)
      const records = zone[name]?.[family === 4 ? 0 : 1] ?? []
      if (!Array.isArray(records)) return records as Answer<string>
      return records.length === 0 ? { kind: 'none', exists: true } : { kind: 'found', records, ttl: 60 }
    },
    alias: async () => ({ kind: 'none', exists: true }),
    caa: assert.fail,
    probe: assert.fail,
    close: () => {},
  }
}

const told = (v4: string, v6: string, known: string[] | Answer<string>): Promise<DnsVerdict> =>
  checkHost(resolverOf({ [HOST]: [[v4], [v6]], [IPV4_ONLY]: [[], known] }), HOST, OURS)

const unbound64: typeof named = (t, zone, dns64) => unbound(t, zone, {}, dns64)

describe('dns64', () => {
  for (const [prefix, translated, known] of EXAMPLES) {
    test(`${prefix}: an address that the resolver made up is none`, async () => {
      const right = await told('192.0.2.33', translated, [known])
      assert.deepEqual([right.state, right.addresses], ['Ready', ['192.0.2.33']])
      assert.equal(prefixesIn(known).length, 1)
    })
  }

  test('of a wrong A record too: nobody is told of an AAAA record that is not there', async () => {
    const wrong = await checkHost(resolverOf({ [HOST]: [['198.51.100.7'], ['64:ff9b::c633:6407']] }), HOST, OURS)
    assert.equal(wrong.state, 'PointsElsewhere')
    assert.doesNotMatch(wrong.message, /64:ff9b/)
  })

  for (const [title, v6] of [
    ['the well-known prefix, without an A record that was seen', '64:ff9b::c000:221'],
    ['IPv4-mapped', '::ffff:192.0.2.33'],
    ['IPv4-mapped, in hexadecimal', '::ffff:c000:221'],
  ] as const)
    test(`${title}: is the address that it has in it`, async () => {
      assert.ok(OURS.has(v6))
      assert.equal((await checkHost(resolverOf({ [HOST]: [[], [v6]] }), HOST, OURS)).state, 'Ready')
    })

  test('a real AAAA record that has the address in it counts: this resolver makes nothing up', async () => {
    assert.equal((await told('192.0.2.33', '2001:db8:122:344::192.0.2.33', [])).state, 'IPv6PointsElsewhere')
    assert.equal(
      (await told('192.0.2.33', '2001:db8:9::192.0.2.33', ['2001:db8::c000:aa'])).state,
      'IPv6PointsElsewhere',
    )
  })

  test('nothing is known while the resolver does not tell its prefix', async () => {
    const verdict = await told('192.0.2.33', '2001:db8:122:344::192.0.2.33', FAILED)
    assert.deepEqual([verdict.state, verdict.failure], ['Unknown', 'ServerFailure'])
  })

  test('the prefix is asked for once a round, and only where an address looks like it', async () => {
    const hosts = Array.from({ length: 20 }, (_, index) => `h${index}.example`)
    const round = async (v6: string) => {
      const zone = Object.fromEntries(hosts.map((host) => [host, [['192.0.2.33'], [v6]] as [string[], string[]]]))
      const dns = resolverOf({ ...zone, [IPV4_ONLY]: [[], ['2001:db8:122:344::c000:ab']] })
      const states = new Set<string>()
      await checkRound(
        hosts.map((host) => ({ host, expected: OURS })),
        { dns, concurrency: 4, controls: [], suspicious: false, onVerdict: (_, { state }) => states.add(state) },
      )
      return [[...states], dns.asked.filter((each) => each.startsWith(IPV4_ONLY)).length]
    }
    assert.deepEqual(await round('2001:db8:122:344::c000:221'), [['Ready'], 1])
    assert.deepEqual(await round('64:ff9b::c000:221'), [['Ready'], 0])
    assert.deepEqual(await round('2001:db8::1'), [['IPv6PointsElsewhere'], 0])
  })

  test('any address behind the well-known prefix is read, and no other text', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV6(), fc.string(), (ipv4, ipv6, text) => {
        assert.equal(wellKnownIpv4(`64:ff9b::${ipv4}`), ipv4)
        assert.equal(wellKnownIpv4(`0064:ff9b:0:0:0:0:${ipv4}`), ipv4)
        if (!/^0*64:ff9b:/i.test(ipv6)) assert.equal(wellKnownIpv4(ipv6), undefined)
        assert.equal(wellKnownIpv4(text), undefined)
        assert.equal(wellKnownIpv4(ipv4), undefined)
        assert.ok(Array.isArray(prefixesIn(ipv6)) && Array.isArray(prefixesIn(text)))
      }),
    )
  })

  const ZONE = `shop 60 IN A 192.0.2.33\nelse 60 IN A 198.51.100.7\nboth 60 IN A 192.0.2.33\nboth 60 IN AAAA 2001:db8::dead\n`
  for (const [server, start] of [
    ['unbound', unbound64],
    ['named', named],
  ] as const)
    for (const [prefix] of EXAMPLES)
      test(`a real ${server} with dns64 ${prefix}`, async (t) => {
        const address = await start(t, ZONE, prefix)
        if (address === undefined) return
        const dns = quickDns(address)
        const of = (host: string) => checkHost(dns, host, OURS)
        const made = await dns.addresses('shop.example', 6)
        assert.equal(made.kind, 'found', 'the resolver makes an AAAA record up')
        assert.equal((await of('shop.example')).state, 'Ready')
        assert.doesNotMatch((await of('else.example')).message, /and also|:/)
        assert.equal((await of('both.example')).state, 'IPv6PointsElsewhere')
      })
})
