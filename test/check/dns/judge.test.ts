import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { addressSet } from '../../../src/check/dns/addresses.ts'
import type { Answer, Caa, Failure } from '../../../src/check/dns/ask.ts'
import { type CaaLookup, judgeCaa } from '../../../src/check/dns/caa.ts'
import { admits, type DnsVerdict, judgeDns } from '../../../src/check/dns/judge.ts'

const HOST = 'shop.example.com'
const found = (...records: string[]): Answer<string> => ({ kind: 'found', records, ttl: 300 })
const NONE: Answer<string> = { kind: 'none', exists: false }
const NODATA: Answer<string> = { kind: 'none', exists: true }
const failed = (why: Failure): Answer<string> => ({ kind: 'failed', why })

function judge(v4: Answer<string>, v6: Answer<string>, ...expected: string[]): DnsVerdict {
  return judgeDns({ host: HOST, v4, v6 }, addressSet(expected))
}

test('wrong-aaaa-hides-a-right-a', () => {
  const verdict = judge(found('192.0.2.10'), found('2001:db8::dead'), '192.0.2.10')
  assert.equal(verdict.state, 'IPv6PointsElsewhere')
  assert.match(verdict.message, /AAAA record leads to 2001:db8::dead/)
  assert.equal(admits(verdict), false, 'Require does not add it')
  const two = judge(found('192.0.2.10', '203.0.113.9'), NODATA, '192.0.2.10')
  assert.equal(two.state, 'PointsElsewhere')
  assert.match(two.message, /leads here and also to 203\.0\.113\.9\./)
})

test('behind-a-cdn', () => {
  const a = judge(found('198.51.100.7'), NODATA, '192.0.2.10')
  assert.equal(a.state, 'PointsElsewhere')
  assert.match(a.message, /198\.51\.100\.7.*an A record with 192\.0\.2\.10.*dns\.expectedAddresses/)
  assert.equal(admits(a), false)
  const b = judge(found('198.51.100.7'), NODATA, '192.0.2.10', '192.0.2.10', '198.51.100.0/24')
  assert.equal(b.state, 'Ready')
  assert.equal(admits(b), true)
})

test('resolver-outage-is-not-absence', () => {
  for (const why of ['Timeout', 'ServerFailure', 'Refused', 'Unreachable', 'BadAnswer'] as const) {
    for (const other of [failed(why), NONE, NODATA, found('192.0.2.10')]) {
      for (const [v4, v6] of [
        [failed(why), other],
        [other, failed(why)],
      ] as const) {
        const verdict = judge(v4, v6, '192.0.2.10', '2001:db8::1')
        assert.equal(verdict.state, 'Unknown', verdict.message)
        assert.equal(verdict.failure, why)
        assert.equal(admits(verdict), false)
      }
    }
  }
  assert.equal(judge(NONE, NONE, '192.0.2.10').state, 'NoRecords')
})

interface Row {
  v4: Answer<string>
  v6: Answer<string>
  state: DnsVerdict['state']
}

const [FAIL4, FAIL6] = [failed('Timeout'), failed('ServerFailure')]
const [RIGHT4, RIGHT6, WRONG4, WRONG6] = [
  found('192.0.2.10'),
  found('2001:db8::1'),
  found('10.0.0.1'),
  found('2001:db8::2'),
]

/** Every combination; 192.0.2.10 and 2001:db8::1 are right. */
const TABLE: readonly Row[] = [
  { v4: RIGHT4, v6: NODATA, state: 'Ready' },
  { v4: RIGHT4, v6: RIGHT6, state: 'Ready' },
  { v4: NODATA, v6: RIGHT6, state: 'Ready' },
  { v4: RIGHT4, v6: WRONG6, state: 'IPv6PointsElsewhere' },
  { v4: WRONG4, v6: NODATA, state: 'PointsElsewhere' },
  { v4: WRONG4, v6: RIGHT6, state: 'PointsElsewhere' },
  { v4: WRONG4, v6: WRONG6, state: 'PointsElsewhere' },
  { v4: NODATA, v6: WRONG6, state: 'PointsElsewhere' },
  { v4: NODATA, v6: NODATA, state: 'NoRecords' },
  { v4: NONE, v6: NONE, state: 'NoRecords' },
  // What was seen to be wrong is wrong, whatever the other question would have said.
  { v4: WRONG4, v6: FAIL6, state: 'PointsElsewhere' },
  { v4: RIGHT4, v6: FAIL6, state: 'Unknown' },
  { v4: NODATA, v6: FAIL6, state: 'Unknown' },
  { v4: FAIL4, v6: RIGHT6, state: 'Unknown' },
  { v4: FAIL4, v6: NODATA, state: 'Unknown' },
  { v4: FAIL4, v6: WRONG6, state: 'Unknown' },
  { v4: FAIL4, v6: FAIL6, state: 'Unknown' },
]

test('every combination of answers', () => {
  for (const [index, { v4, v6, state }] of TABLE.entries()) {
    const verdict = judge(v4, v6, '192.0.2.10', '2001:db8::1')
    assert.equal(verdict.state, state, `row ${index}: ${verdict.message}`)
    assert.equal(verdict.failure !== undefined, state === 'Unknown', `row ${index}`)
  }
})

describe('words', () => {
  test('say which record to set to what', () => {
    assert.match(
      judge(NONE, NONE, '192.0.2.10').message,
      /does not exist in DNS\. Create an A record with 192\.0\.2\.10\.$/,
    )
    assert.match(judge(NONE, NONE, '198.51.100.0/24').message, /an A record with the address of the server/)
    assert.match(
      judge(NONE, NONE, '192.0.2.10', '2001:db8::1').message,
      /192\.0\.2\.10 or an AAAA record with 2001:db8::1/,
    )
  })

  test('name a private address as what it may be: another view of DNS', () => {
    assert.match(judge(found('10.1.2.3'), NODATA, '192.0.2.10').message, /private network.*--dns-servers/)
    assert.doesNotMatch(judge(found('100.1.2.3'), NODATA, '192.0.2.10').message, /private/)
  })

  test('show international names in both forms, and a wildcard as such', () => {
    const of = (host: string) => judgeDns({ host, v4: NONE, v6: NONE }, addressSet(['192.0.2.10'])).message
    assert.match(of('xn--bcher-kva.example'), /xn--bcher-kva\.example \(bücher\.example\)/)
    assert.match(of('*.example.com'), /\*\.example\.com \(asked by a random name below it\)/)
  })

  test('show what strangers wrote as plain, short text', () => {
    const names = [`\u001b[31m<b>\n${'x'.repeat(300)}`]
    const { message } = judgeDns(
      { host: HOST, v4: NONE, v6: NONE, aliases: { names, end: 'Name' } },
      addressSet(['192.0.2.10']),
    )
    assert.match(message, /alias \(CNAME\) of \?\[31m<b>\?x+…, which/)
    const circle = judgeDns(
      { host: HOST, v4: NONE, v6: NONE, aliases: { names: ['\u001b[31m', '\u001b[31m'], end: 'Circle' } },
      addressSet(['192.0.2.10']),
    )
    assert.match(circle.message, /circle \(\?\[31m → \?\[31m\)/)
    const issue = { tag: 'issue', value: `a\nb${'y'.repeat(5000)}`, critical: false }
    const refused = judgeCaa(HOST, { kind: 'found', at: 'example.com', records: [issue] })
    assert.ok(refused.message.length < 300 && !refused.message.includes('\n'))
  })

  test('stay short with many addresses', () => {
    const many = Array.from({ length: 200 }, (_, index) => `203.0.113.${index}`)
    const verdict = judge(found(...many), NODATA, '192.0.2.10')
    assert.match(verdict.message, /and 195 more/)
    assert.ok(verdict.message.length < 500)
  })
})

test('without a right address nothing is judged but absence', () => {
  assert.equal(judge(found('192.0.2.10'), NODATA).state, 'Unknown')
  assert.match(judge(found('192.0.2.10'), NODATA).message, /no address of the server yet/)
  assert.equal(judge(NONE, NONE).state, 'NoRecords')
  for (const [v4, v6] of [
    [found('192.0.2.10'), failed('Timeout')],
    [failed('Timeout'), NODATA],
    [failed('Timeout'), failed('Timeout')],
  ] as const) {
    const verdict = judge(v4, v6)
    assert.deepEqual([verdict.state, verdict.failure], ['Unknown', 'Timeout'], 'the resolver is to blame all the same')
  }
})

test('the order in which a resolver hands addresses out changes nothing', () => {
  const addresses = fc.uniqueArray(fc.ipV4(), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(
      addresses.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
      fc.ipV4(),
      ([one, other], right) =>
        assert.deepEqual(judge(found(...one), NODATA, right), judge(found(...other), NODATA, right)),
    ),
  )
})

describe('CAA', () => {
  const caa = (tag: string, value: string, critical = false): Caa => ({ tag, value, critical })
  const at = (...records: Caa[]): CaaLookup => ({ kind: 'found', at: 'example.com', records })
  for (const [title, lookup, state, host] of [
    ['our authority', at(caa('issue', 'letsencrypt.org')), 'Allowed'],
    ['among others', at(caa('issue', 'other.test'), caa('issue', 'letsencrypt.org ; x=1')), 'Allowed'],
    ['nobody', at(caa('issue', ';')), 'Refused'],
    ['no issuer named', at(caa('iodef', 'mailto:a@example.com')), 'Allowed'],
    ['a property nobody knows', at(caa('tbs', 'x'), caa('issue', 'letsencrypt.org')), 'Allowed'],
    ['the same, critical', at(caa('tbs', 'x', true), caa('issue', 'letsencrypt.org')), 'Refused'],
    ['a known one, critical', at(caa('issue', 'letsencrypt.org', true)), 'Allowed'],
    ['wildcards by issue', at(caa('issue', 'letsencrypt.org')), 'Allowed', '*.example.com'],
    [
      'wildcards by issuewild first',
      at(caa('issue', 'letsencrypt.org'), caa('issuewild', 'other.test')),
      'Refused',
      '*.example.com',
    ],
    ['issuewild says nothing of others', at(caa('issuewild', ';')), 'Allowed'],
    ['http-01 is not allowed', at(caa('issue', 'letsencrypt.org; validationmethods=dns-01')), 'Refused'],
    ['http-01 is', at(caa('issue', 'letsencrypt.org; validationmethods=dns-01,http-01')), 'Allowed'],
    [
      'one account',
      at(caa('issue', 'letsencrypt.org; accounturi=https://acme-v02.api.letsencrypt.org/acme/acct/1')),
      'Unknown',
    ],
    ['a name like it', at(caa('issue', 'notletsencrypt.org')), 'Refused'],
    ['no answer', { kind: 'failed', at: 'example.com', why: 'Timeout' }, 'Unknown'],
  ] as const satisfies readonly (readonly [string, CaaLookup, string, string?])[]) {
    test(title, () => assert.equal(judgeCaa(host ?? HOST, lookup).state, state))
  }
})
