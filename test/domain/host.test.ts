import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { domainToUnicode } from 'node:url'
import fc from 'fast-check'
import {
  bareHost,
  compareKey,
  displayHost,
  type Host,
  isMainDomain,
  matchesPattern,
  parseHost,
  parsePattern,
  refusedByCa,
  wwwHost,
} from '../../src/domain/host.ts'

function host(input: string): Host {
  const parsed = parseHost(input)
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.message)
  return parsed.host
}

function refusal(input: string): string {
  const parsed = parseHost(input)
  assert.ok(!parsed.ok, `${input} was accepted`)
  return parsed.message
}

describe('parseHost', () => {
  test('many-spellings-one-host', () => {
    const spellings = [
      'Shop.Example.com',
      'shop.example.com.',
      ' shop.example.com\t',
      'shop.example.com\u00a0',
      '\ufeffshop.example.com',
      'shop\u200b.example.com',
      'ＳＨＯＰ.example。com',
      '\u3000shop.example.com\u0085',
      '\u200bshop.example.com.\u200b',
    ]
    for (const spelling of spellings) assert.equal(host(spelling), 'shop.example.com', JSON.stringify(spelling))
    assert.equal(host('pro\u00adlan\u00adder.example'), 'prolander.example')
    assert.match(refusal('shop\u00a0.example.com'), /U\+00A0/)
    assert.match(refusal('shop.example.com..'), /empty label/)
  })

  test('unicode-and-punycode-are-one-host', () => {
    assert.equal(host('bücher.example'), 'xn--bcher-kva.example')
    assert.equal(host('xn--bcher-kva.example'), 'xn--bcher-kva.example')
    assert.equal(host('bu\u0308cher.example'), 'xn--bcher-kva.example')
    assert.equal(host('faß.example'), 'xn--fa-hia.example')
    assert.equal(host('fass.example'), 'fass.example')
    assert.match(refusal('xn--a.example'), /punycode/)
    assert.deepEqual(parseHost('xn--bcher-kva.example'), {
      ok: true,
      host: 'xn--bcher-kva.example',
    })
    assert.equal(displayHost(host('bücher.example')), 'xn--bcher-kva.example (bücher.example)')
    assert.equal(displayHost(host('fass.example')), 'fass.example')
  })

  test('one-underscore-must-not-stop-the-others', () => {
    assert.match(refusal('smart_panel.example.com'), /"_"/)
    assert.equal(host('shop.example.com'), 'shop.example.com')
  })

  test('names-that-lets-encrypt-refuses are hosts, and the rule is told', () => {
    assert.match(refusedByCa(host('ab--cd.example.com')) ?? '', /ab--cd/)
    assert.match(refusedByCa(host('a.b.c.d.e.f.g.h.i.example.com')) ?? '', /11 labels/)
    assert.equal(refusedByCa(host('a.b.c.d.e.f.g.h.example.com')), undefined)
    assert.equal(refusedByCa(host('bücher.example')), undefined)
    const long = 'the-very-long-name-of-a-shop.in-the-catalogue-of-our-customers.brand.example.com'
    assert.equal(refusedByCa(host(long)), undefined)
  })

  const faults: [string, string, RegExp][] = [
    ['nothing', '', /empty/],
    ['blanks', ' \u00a0\t', /empty/],
    ['a dot', '.', /no labels/],
    ['a dot at the front', '.example.com', /empty label/],
    ['two dots', 'shop..example.com', /empty label/],
    ['a long label', `${'a'.repeat(64)}.example.com`, /64 characters; 63/],
    ['a long name', `${'a.'.repeat(125)}example.com`, /261 characters in its ASCII form; 253/],
    ['a very long text', 'a'.repeat(5000), /5000 characters/],
    ['a URL', 'https://shop.example.com/blog', /URL; give only the host name, "shop.example.com"/],
    ['a URL with a port', 'http://me@shop.example.com:8080', /give only the host name, "shop.example.com"/],
    ['a path', 'shop.example.com/blog', /path, "\/blog"; give only the host name, "shop.example.com"/],
    ['a query', 'shop.example.com?x', /give only the host name/],
    ['a backslash', 'shop.example.com\\x', /give only the host name/],
    ['a port', 'shop.example.com:8080', /port; give only the host name, "shop.example.com"/],
    ['a wide slash', 'shop.example.com／blog', /"／"/],
    ['a mailbox', 'me@example.com', /"@"/],
    ['a per cent sign', 'shop%2eexample.com', /"%"/],
    ['a blank inside', 'shop example.com', /U\+0020/],
    ['a NUL', 'shop\0.example.com', /U\+0000/],
    ['a line break', 'shop.example.com\nb.example.com', /U\+000A/],
    ['a joiner', 'a\u200db.example', /order|U\+200D/],
    ['half a surrogate pair', 'a\ud800.example.com', /U\+D800|U\+FFFD/],
    ['an IPv4 address', '192.0.2.1', /IP address/],
    ['an odd IPv4 address', '0x7f.1', /IP address/],
    ['an octal IPv4 address', '0300.0.2.1', /IP address/],
    ['a wide IPv4 address', '１９２.0.2.1', /IP address/],
    ['a number', '3221225985', /IP address/],
    ['an IPv6 address', '2001:db8::1', /IP address/],
    ['an IPv6 address in brackets', '[::1]:80', /IP address/],
    ['a numeric top-level domain', 'shop.example.123', /ends in the number 123/],
    ['a hexadecimal top-level domain', 'shop.example.0x1f', /ends in the number 0x1f/],
    ['a numeric top-level domain after Unicode', 'bücher.123', /number/],
    ['a single label', 'localhost', /single label/],
    ['a leading hyphen', '-shop.example.com', /hyphen/],
    ['a trailing hyphen', 'shop-.example.com', /hyphen/],
    ['an empty punycode label', 'xn--.example.com', /hyphen/],
    ['punycode of ASCII', 'xn--abc-.example.com', /hyphen/],
    ['punycode that does not round-trip', 'xn--bucher-hjc.example', /punycode/],
    ['a public suffix', 'co.uk', /public suffix/],
    ['a public suffix in capitals', 'CO.UK', /public suffix/],
    ['a public suffix by wildcard', 'foo.ck', /public suffix/],
    ['a deep public suffix', 'pvt.k12.ma.us', /public suffix/],
    ['all names below a public suffix', '*.co.uk', /public suffix/],
    ['a star alone', '*', /no host name|single label/],
    ['a star in the middle', 'shop.*.example.com', /leftmost/],
    ['two stars', '*.*.example.com', /leftmost/],
    ['a star in a label', 'a*.example.com', /leftmost/],
    ['a template', '{{ .Values.domain }}', /"\{"/],
  ]
  for (const [what, input, message] of faults) {
    test(`refuses ${what}`, () => assert.match(refusal(input), message))
  }

  test('accepts what looks odd and is valid', () => {
    for (const name of [
      'network.example',
      '*.example.com',
      '*.shop.example.co.uk',
      'uk.com',
      'example.uk.com',
      'a-b--c.example.com',
      '1.example.com',
      '0x7f.example.com',
      'www.ck',
      'xn--n3h.example',
      'a.b.c.d.e.f.g.h.i.j.example.com',
      `${'a'.repeat(63)}.example.com`,
      `${'a.'.repeat(121)}example.com`,
    ])
      assert.equal(host(name), name)
    assert.equal(host('＊.EXAMPLE.com'), '*.example.com')
    assert.equal(host('*.bücher.example'), '*.xn--bcher-kva.example')
  })

  const text = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 40 }),
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.domain(),
    fc.webUrl(),
    fc.ipV4Extended(),
    fc.ipV6(),
    fc
      .array(
        fc.oneof(
          fc.constantFrom('xn--', 'www', 'co', 'uk', '*', '', 'ß', 'İ', '１', '0x', '-', '_', '。'),
          fc.string(),
        ),
      )
      .map((labels) => labels.join('.')),
    fc.string({ unit: fc.constantFrom(...'xn-ab0.ßüß。​ıＫ') }).map((name) => `${name}.example.com`),
  )

  test('is total, idempotent and gives canonical names only', () => {
    fc.assert(
      fc.property(text, (input) => {
        const parsed = parseHost(input)
        if (!parsed.ok) {
          assert.ok(parsed.message.length > 0 && parsed.message.length < 1000)
          assert.doesNotMatch(parsed.message, /[\0-\x1f\u00a0\u200b-\u200f\u202a-\u202e]/)
          return
        }
        assert.match(parsed.host, /^(\*\.)?[a-z0-9][a-z0-9.-]*[a-z0-9]$/)
        assert.ok(parsed.host.length <= 253 && parsed.host.includes('.'))
        assert.deepEqual(parseHost(parsed.host), parsed)
        assert.equal(host(domainToUnicode(parsed.host)), parsed.host)
        assert.equal(host(` ${parsed.host.toUpperCase()}. `), parsed.host)
      }),
      { numRuns: 3000 },
    )
  })

  test('compareKey is total, idempotent, and the host where there is one', () => {
    fc.assert(
      fc.property(text, (input) => {
        const key = compareKey(input)
        const parsed = parseHost(input)
        if (parsed.ok) assert.equal(key, parsed.host)
        assert.doesNotThrow(() => displayHost(key))
      }),
      { numRuns: 2000 },
    )
    assert.equal(compareKey(' Smart_Panel.example.com. '), 'smart_panel.example.com')
    assert.equal(compareKey('192.0.2.1'), '192.0.2.1')
    assert.equal(compareKey('bücher.example'), 'xn--bcher-kva.example')
  })

  test('takes plain names by the hundred thousand', () => {
    const names = Array.from({ length: 100_000 }, (_, i) => `shop-${i}.customer.example.com`)
    const start = performance.now()
    for (const name of names) parseHost(name)
    const took = performance.now() - start
    // 100 ms is the aim; the bound leaves room for a busy machine.
    assert.ok(took < 1000, `100,000 names took ${took.toFixed(0)} ms`)
  })
})

describe('wwwHost', () => {
  const both = [
    'example.com',
    'example.co.uk',
    'example.org.br',
    'example.co.za',
    'example.com.tr',
    'example.co.jp',
    'example.uk.com',
    'network.example',
    'bücher.example',
  ]
  const alone = ['shop.example.com', 'shop.example.co.uk', 'shop.example.uk.com', 'www.example.com', '*.example.com']

  test('registrable-domain-needs-the-whole-list', () => {
    for (const name of both) assert.deepEqual(wwwHost(host(name), 'MainOnly'), { host: `www.${host(name)}` })
    for (const name of alone) assert.deepEqual(wwwHost(host(name), 'MainOnly'), {})
    assert.match(refusal('co.uk'), /public suffix/)

    const long = host(`${'a'.repeat(50)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.shop.example.com`)
    assert.equal(long.length, 250)
    const answer = wwwHost(long, 'Always')
    assert.equal(answer.host, undefined)
    assert.match(answer.note ?? '', /254 characters, more than 253/)
  })

  test('Always, Never', () => {
    assert.equal(wwwHost(host('shop.example.com'), 'Always').host, 'www.shop.example.com')
    assert.deepEqual(wwwHost(host('www.example.com'), 'Always'), {})
    assert.deepEqual(wwwHost(host('*.example.com'), 'Always'), {})
    assert.deepEqual(wwwHost(host('example.com'), 'Never'), {})
  })

  test('the main domain', () => {
    assert.ok(isMainDomain(host('uk.com')))
    assert.ok(isMainDomain(host('example.com')))
    assert.ok(!isMainDomain(host('www.example.com')))
    assert.ok(!isMainDomain(host('*.example.com')))
  })
})

describe('matchesPattern', () => {
  const rows: [string, string, boolean][] = [
    ['shop.example.com', '*', true],
    ['shop.example.com', ' * ', true],
    ['shop.example.com', '*.example.com', true],
    ['a.shop.example.com', '*.example.com', true],
    ['*.example.com', '*.example.com', true],
    ['*.shop.example.com', '*.example.com', true],
    ['example.com', '*.example.com', false],
    ['badexample.com', '*.example.com', false],
    ['shop.example.com', 'Shop.Example.com.', true],
    ['a.shop.example.com', 'shop.example.com', false],
    ['shop.bücher.example', '*.Bücher.example', true],
    ['shop.example.com', '', false],
    ['shop.example.com', '*.com', true],
  ]
  for (const [name, pattern, matches] of rows) {
    test(`${name} ${matches ? 'is' : 'is not'} covered by "${pattern}"`, () => {
      assert.equal(matchesPattern(host(name), pattern), matches)
    })
  }
})

test('parsePattern gives patterns a canonical form, and refuses what parseHost refuses in its words', () => {
  const good: [string, string][] = [
    [' Home.Example. ', 'home.example'],
    ['*.Bücher.example', '*.xn--bcher-kva.example'],
    ['*.de', '*.de'],
    [' *.CO.UK', '*.co.uk'],
    ['*.Élan', '*.xn--lan-9la'],
  ]
  for (const [input, pattern] of good) assert.deepEqual(parsePattern(input), { ok: true, pattern }, input)
  for (const input of [
    '',
    '*',
    '**',
    '*.',
    '*..de',
    '*example.org',
    '*.*.de',
    'a.*',
    'de',
    'co.uk',
    '*.1',
    'a,b',
    '*.a/b',
    '*.a:1',
  ])
    assert.deepEqual(parsePattern(input), parseHost(input), input)
  const names = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.domain().map((name) => `*.${name.toUpperCase()}`),
  )
  fc.assert(
    fc.property(names, (input) => {
      const once = parsePattern(input)
      if (once.ok) assert.deepEqual(parsePattern(once.pattern), once)
    }),
  )
})

test('bareHost: the name without www., where the rule gives the two together', () => {
  const bare = (name: string, rule: Parameters<typeof bareHost>[1]) => bareHost(host(name), rule)
  assert.equal(bare('www.example.com', 'MainOnly'), 'example.com')
  assert.equal(bare('www.example.co.uk', 'MainOnly'), 'example.co.uk')
  assert.equal(bare('www.shop.example.com', 'MainOnly'), undefined)
  assert.equal(bare('www.shop.example.com', 'Always'), 'shop.example.com')
  for (const name of ['example.com', 'www.co.uk', 'www.www.example.com', '*.example.com'])
    assert.equal(bare(name, 'Always'), undefined, name)
  assert.equal(bare('www.example.com', 'Never'), undefined)
})
