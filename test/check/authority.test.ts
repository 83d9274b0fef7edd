import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type Answer, type Caa, type Dns, decodeCaa } from '../../src/check/dns/ask.ts'
import { type CaaVerdict, createCaaLookup, judgeCaa } from '../../src/check/dns/caa.ts'
import { forecast, issuanceOf, NAMES_PER_CERTIFICATE } from '../../src/check/limits.ts'
import { limitKey, parseHost, privateSuffix, refusedByCa } from '../../src/domain/host.ts'

/** What Let's Encrypt's own code says: see tables/README.md. */
function tableOf<Row>(name: string): Row[] {
  const lines = readFileSync(join(import.meta.dirname, 'tables', name), 'utf8')
    .trimEnd()
    .split('\n')
  return lines.map((line) => JSON.parse(line))
}

interface CaaRow {
  host: string
  /** Records (flags, tag, value) of each name that has some; a text: why it cannot be read. */
  zone: Record<string, [flags: number, tag: string, value: string][] | string>
  verdict: 'Allowed' | 'Refused' | 'OneAccount' | 'Unreadable'
}

/** A resolver that has the CAA records of one row. */
function resolverOf(zone: CaaRow['zone']): Dns {
  const caa = async (name: string): Promise<Answer<Caa>> => {
    const there = zone[name]
    if (there === undefined) return { kind: 'none', exists: true }
    if (typeof there === 'string') return { kind: 'failed', why: 'ServerFailure' }
    const records = there.map(([critical, tag, value]) => decodeCaa({ critical, [tag]: value } as never))
    return { kind: 'found', records }
  }
  return { caa, addresses: assert.fail, alias: assert.fail, probe: assert.fail, close: () => {} }
}

/** How we call it. */
const OURS: Readonly<Record<CaaRow['verdict'], CaaVerdict['state']>> = {
  Allowed: 'Allowed',
  Refused: 'Refused',
  OneAccount: 'Unknown',
  Unreadable: 'Unknown',
}

describe('caa-as-the-authority-reads-it', () => {
  const rows = tableOf<CaaRow>('caa.jsonl')

  test('every record set of the table', async () => {
    assert.ok(rows.length >= 150)
    const wrong: string[] = []
    for (const { host, zone, verdict } of rows) {
      const { state, message } = judgeCaa(host, await createCaaLookup(resolverOf(zone))(host))
      if (state !== OURS[verdict]) wrong.push(`${host} ${JSON.stringify(zone)}: ${verdict}, not ${state} (${message})`)
    }
    assert.deepEqual(wrong, [], `${wrong.length} of ${rows.length}`)
  })

  for (const [value, says] of [
    [
      'LetsEncrypt.org',
      /it names "LetsEncrypt\.org", and the authority compares letter by letter\. Write "letsencrypt\.org"\.$/,
    ],
    ['letsencrypt.org.', /Write "letsencrypt\.org"\.$/],
    ['letsencrypt.org; validationmethods=http-01;', /cannot read it with a ";" at its end\. Take that away\.$/],
    ['letsencrypt.org; policy', /cannot read its parameter " policy"\. Take that away\.$/],
    ['letsencrypt.org; validationmethods=HTTP-01', /does not allow the method http-01/],
    ['letsencrypt.org; accounturi=https://acme.test/1', /is not an account of the authority/],
    ['letsencrypt.org; accounturi=a; accounturi=b', /accounturi more than once\. Leave one\.$/],
    ['digicert.com', /"issue" names digicert\.com\. Add a CAA record/],
    [';', /"issue" names nobody/],
  ] as const)
    test(`${value}: says what to do`, async () => {
      const lookup = await createCaaLookup(resolverOf({ 'example.com': [[0, 'issue', value]] }))('example.com')
      const { state, message } = judgeCaa('example.com', lookup)
      assert.equal(state, 'Refused')
      assert.match(message, says)
    })
})

describe('names-below-no-public-suffix', () => {
  const rows = tableOf<{ name: string; says: string }>('names.jsonl')

  /** Names that the authority's policy lets pass and that its resolver never finds. */
  const neverFound = /\.(?:home\.arpa|onion)$/

  test('every valid host of the table', () => {
    assert.ok(rows.length >= 150)
    const wrong = rows.flatMap(({ name, says }) => {
      const parsed = parseHost(name)
      // Another spelling goes to the authority in canonical form, which has a row of its own.
      if (!parsed.ok || parsed.host !== name) return []
      const fault = privateSuffix(parsed.host) ?? refusedByCa(parsed.host)
      const refused = says !== '' || neverFound.test(name)
      return refused === (fault !== undefined) ? [] : [`${name}: ${says || 'issued'}, not ${fault ?? 'issued'}`]
    })
    assert.deepEqual(wrong, [])
  })

  test('what is not a valid host to us, and a name to the authority', () => {
    const stricter = rows.filter(({ name, says }) => says === '' && !parseHost(name).ok).map(({ name }) => name)
    assert.deepEqual(
      stricter.filter((name) => name.length < 100),
      // The parents of `*.kawasaki.jp`, and labels that no browser decodes.
      [
        'kawasaki.jp',
        '*.kawasaki.jp',
        'xn--a.example.com',
        'xn--a-ecp.ru',
        'xn--0ca24w.example.com',
        'xn--example.com',
      ],
    )
    // Of a wildcard the authority measures what stands behind the asterisk.
    assert.deepEqual(
      stricter.filter((name) => name.length >= 100).map((name) => name.length),
      [255],
    )
  })
})

describe('limits-by-exact-suffix', () => {
  test('every name of the table is counted by the key of the authority', () => {
    const rows = tableOf<{ name: string; key: string }>('limits.jsonl')
    assert.ok(rows.length >= 100)
    const wrong = rows.filter(({ name, key }) => limitKey(name) !== key)
    assert.deepEqual(wrong, [])
  })

  test('what a private registry handed out is full by itself, and its sisters are not', () => {
    const now = Date.UTC(2027, 0, 1)
    const issuances = Array.from({ length: 50 }, (_, index) =>
      issuanceOf([`h${index}.q.0emm.com`, 'q.0emm.com'], now - 1),
    )
    const of = (name: string) => forecast({ issuances, failures: [] }, [[name]], now).verdict
    assert.deepEqual([of('q.0emm.com'), of('p.0emm.com'), of('0emm.com')], ['Wait', 'Go', 'Go'])
  })

  test('names per certificate of each profile', () => {
    assert.deepEqual(NAMES_PER_CERTIFICATE, { classic: 100, tlsserver: 25, shortlived: 25 })
  })
})
