import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { escapeHtml } from '../../src/report/html.ts'
import { renderPage } from '../../src/report/page.ts'
import { EVERYTHING, type PageQuery } from '../../src/report/page-query.ts'
import { select } from '../../src/report/page-select.ts'
import { TONES, viewOf } from '../../src/report/page-view.ts'
import { statusText } from '../../src/report/status-text.ts'
import type { Status } from '../../src/status/status.ts'
import { app, NOW, sampleStatus } from '../status/sample-status.ts'
import { fleet, healthy, thirteen } from './situations.ts'

const plain = { colour: false, width: 120 }

/** The page of a status for a query. */
const page = (status: Status, query: Partial<PageQuery> = {}): string =>
  renderPage(viewOf(status), { ...EVERYTHING, ...query }, status.generatedAt)

/** The status with every string in it made hostile, keys and times left alone. */
function hostile(status: Status, evil: string): Status {
  const keep = new Set(['status', 'state', 'type'])
  const spoil = (value: unknown, name = ''): unknown => {
    if (typeof value === 'string') return keep.has(name) ? value : value + evil
    if (Array.isArray(value)) return value.map((inner) => spoil(inner))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, spoil(inner, key)]))
  }
  return spoil(status) as Status
}

/** The hosts of the list, in ASCII. */
const hostsOf = (text: string): string[] =>
  [...text.matchAll(/<th scope="row" role="rowheader" class="host">.*?<span class="(?:name|ascii)">([^<]+)</g)].map(
    (match) => match[1] ?? '',
  )

const faulty = (): Status =>
  sampleStatus({ source: { name: 's', synced: true, failure: 'f', faults: [{ place: 'p', message: 'm' }] } })

test('property: no text from outside becomes markup', () => {
  const tags = (text: string) => text.match(/<[^>]*>/g)?.map((tag) => tag.match(/^<\/?[a-z!]+/)?.[0])
  const queries: ((status: Status) => Partial<PageQuery>)[] = [() => ({}), ({ apps }) => ({ app: apps[2]?.key })]
  const expected = queries.map((query) => tags(page(hostile(faulty(), 'x'), query(hostile(faulty(), 'x')))))
  const evil = fc.array(
    fc.constantFrom('<script>alert(1)</script>', '"', "'", '<', '>', '&', ' onload=x', '\0', '-->', '</style>', 'ü'),
    { minLength: 1, maxLength: 6 },
  )
  fc.assert(
    fc.property(evil, (parts) => {
      const status = hostile(faulty(), parts.join(''))
      for (const [at, query] of queries.entries()) {
        const text = page(status, query(status))
        assert.deepEqual(tags(text), expected[at])
        assert.ok(!text.includes('<script>alert'))
      }
    }),
    { numRuns: 40 },
  )
})

test('property: escaped text holds none of the five characters bare', () => {
  fc.assert(
    fc.property(fc.string(), (text) =>
      assert.doesNotMatch(escapeHtml(text).replace(/&(amp|lt|gt|quot|#39);/g, ''), /[&<>"'\0]/),
    ),
  )
})

test('the search of the address is escaped, finds hosts and apps, and says when there is none', () => {
  const none = page(sampleStatus(), { search: '"><script>alert(1)</script>' })
  assert.ok(!none.includes('<script>alert'))
  assert.match(none, /Nothing here matches/)
  const found = page(sampleStatus(), { search: 'KUNDE-25.' })
  assert.deepEqual(hostsOf(found), ['kunde-25.example.org'])
  assert.match(page(sampleStatus(), { search: 'microsites' }), /site-5\.microsites\.example/)
})

test('the plan: reason, figures, hash and the exact command', () => {
  const text = page(sampleStatus())
  assert.match(text, /14 removals wait for you/)
  assert.match(text, /34 % is over the budget of 30 %/)
  assert.match(text, /domainpilot apply --approve 3f9a1c07be42/)
  assert.doesNotMatch(text, /kubectl annotate/)
  const cluster = sampleStatus({ source: { name: 'kubernetes', synced: true, faults: [] } })
  assert.match(
    page(cluster),
    /kubectl annotate spapp --overwrite -n wordpress network domainpilot\.dev\/approve-plan=3f9a1c07be42/,
  )
})

test('banners and the empty state', () => {
  assert.match(page(sampleStatus({ dryRun: true })), /<strong>Dry run\.<\/strong>/)
  assert.match(page(sampleStatus({ leader: false })), /<strong>Standby\.<\/strong>/)
  assert.match(page(faulty()), /<strong>Source s failed\.<\/strong>/)
  assert.match(page(sampleStatus({ apps: [], mappings: [] })), /domainpilot import &gt; domains/)
})

test('300 apps of 100 hosts stay light; the pages of a list show each host once', () => {
  const status = fleet(false)
  const view = viewOf(status)
  const whole = renderPage(view, EVERYTHING, NOW)
  assert.ok(Buffer.byteLength(whole) < 150_000, `${Buffer.byteLength(whole)} bytes`)
  assert.match(whole, /page 1 of 600/)
  const key = 'team-07/network-007'
  const seen = [1, 2].flatMap((number) => hostsOf(renderPage(view, { ...EVERYTHING, app: key, page: number }, NOW)))
  assert.deepEqual(new Set(seen).size, 100)
  assert.equal(seen.length, 100)
  assert.deepEqual(
    hostsOf(renderPage(view, { ...EVERYTHING, app: key, page: 99 }, NOW)),
    seen.slice(50),
    'the last one',
  )
})

test('page-behind-a-proxy: every link and form of the page is relative', () => {
  const statuses = [sampleStatus(), thirteen(), fleet(true, 60), sampleStatus({ apps: [], mappings: [] }), faulty()]
  const queries = [
    {},
    { search: 'nothing of that' },
    { app: 'wordpress/network', tone: 'bad' as const, reason: 'Rejected', page: 2 },
  ]
  for (const status of statuses) {
    for (const query of queries) {
      const text = page(status, query)
      const targets = [...text.matchAll(/ (?:href|src|action)="([^"]*)"/g)].map((match) => match[1] ?? '')
      assert.ok(targets.length > 3)
      for (const target of targets) assert.match(target, /^(?:[?#]|status\.json$|metrics$|data:)/)
    }
  }
})

test('unicode-names-are-found: by either form, in any spelling; shown as people write it with the ASCII form beside it', () => {
  const names = ['xn--bcher-kva.example.com', 'kaffee.example.org', 'xn--hxajbheg2az3al.example']
  const search = [
    'bücher',
    'BÜCHER.example',
    'bu\u0308cher',
    'xn--bcher',
    'https://bücher.example.com/shop?x=1',
    ' bücher.example.com ',
    'bücher.example.com.',
    'bücher.example.com:8443',
    'bücher.example.com/shop',
    'https://me:secret@bücher.example.com:8443/',
  ]
  for (const each of search) assert.deepEqual(hostsOf(page(healthy(), { search: each })), [names[0]], each)
  assert.deepEqual(hostsOf(page(healthy(), { search: 'παράδειγμα' })), [names[2]])
  assert.deepEqual(hostsOf(page(healthy(), { search: 'kaffee' })), [names[1]])
  assert.deepEqual(hostsOf(page(healthy(), { search: 'kaffee.' })), [names[1]], 'as it is typed')
  assert.deepEqual(hostsOf(page(healthy(), { search: 'kaff.' })), [], 'a dot within a name stands for itself')
  assert.equal(hostsOf(page(healthy(), { search: 'wordpress/' })).length, 4, 'keys have a slash')
  assert.match(
    page(healthy(), { search: 'bücher' }),
    /<bdi>bücher\.example\.com<\/bdi><\/span> <span class="ascii">xn--bcher-kva\.example\.com</,
  )
})

test('a cause that hits many apps is one card with the list', () => {
  const text = page(fleet(true))
  assert.equal(text.match(/<article class="cause/g)?.length, 1)
  assert.match(text, /<article class="cause work"/, 'nobody here can do anything about it')
  assert.match(text, />300 apps<\/a>/)
  assert.match(text, /and 292 more/)
  assert.match(text, /For example:/)
  assert.doesNotMatch(text, /class="cause bad/)
})

test('thirteen troubles are a card each, what a person must do before what waits', () => {
  const text = page(thirteen())
  const cards = [...text.matchAll(/<article class="cause (\w+)" aria-labelledby="cause-(\w+)"/g)]
  assert.deepEqual(
    cards.map(([, tone]) => tone),
    [...Array(5).fill('bad'), ...Array(8).fill('work')],
  )
  const reasons = [
    'CredentialsInvalid',
    'PaymentRequired',
    'InvalidSpec',
    'Rejected',
    'AppFull',
    'ApiUnreachable',
    'SourceUnavailable',
  ]
  reasons.push('PointsElsewhere', 'NoRecords', 'NotCovered', 'Expired', 'Contended', 'AppNotFound')
  assert.deepEqual(new Set(cards.map((card) => card[2])), new Set(reasons))
})

test('every count is a link to what it counts', () => {
  for (const status of [sampleStatus(), thirteen(), healthy(), fleet(true, 30, 7)]) {
    const view = viewOf(status)
    for (const tone of TONES) {
      const { apps, hosts } = select(view, { ...EVERYTHING, tone })
      assert.deepEqual({ apps: apps.count, hosts: hosts.count }, view.counts[tone], tone)
    }
    for (const { reason, hits, hosts } of view.causes) {
      const found = select(view, { ...EVERYTHING, reason })
      assert.equal(found.hosts.count, hosts, reason)
      assert.equal(found.apps.count, hits.filter(({ part }) => part.app !== undefined).length, reason)
    }
  }
})

test('text: apps, plan, cure, mappings with conditions, aligned', () => {
  const text = statusText(sampleStatus(), plain)
  assert.match(text, /^▲ 2 of 5 apps ready, 1 plan to approve, 1 mapping not accepted\n/)
  assert.match(text, /domainpilot apply --approve 3f9a1c07be42/)
  assert.match(
    text,
    /wordpress\/neu +neu\.example\.org +◐ Reconciling +True +True +PointsElsewhere +AwaitingAvailability/,
  )
  const [head, ...rows] = text.split('\n\n')[1]?.split('\n') ?? []
  const column = head?.indexOf('STATE') ?? -1
  for (const row of rows) assert.match(row[column] ?? '', /[●◐▲○]/)
  assert.doesNotMatch(text, /\x1b/)
  assert.match(statusText(sampleStatus(), { colour: true, width: 120 }), /\x1b\[31m/)
})

test('property: no text from outside paints the terminal', () => {
  fc.assert(
    fc.property(fc.constantFrom('\x1b[2J', '\r', '\u202e', '\x9b31m', '\n$ rm'), (evil) => {
      const text = statusText(hostile(faulty(), evil), plain)
      assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/)
      assert.doesNotMatch(text, /^\$ rm/m)
    }),
  )
})

test('lifetimes-of-64-45-and-6-days: the page tells a renewal that is overdue, and no other', () => {
  const DAY = 86_400_000
  const shown = (life: number, left: number | undefined) => {
    const notAfter = NOW + (left ?? 1) * DAY
    const notBefore = left === undefined ? undefined : notAfter - life * DAY
    const certificate = { ...(notBefore === undefined ? {} : { notBefore }), notAfter, covered: [], uncovered: [] }
    const text = page(sampleStatus({ apps: [app('a/b', { certificate })] }))
    return /renewal \w+/.exec(text)?.[0]
  }
  assert.deepEqual(
    [shown(45, 20), shown(45, 11), shown(45, 4), shown(6.67, 6.67), shown(6.67, 1.5), shown(6.67, 0.5), shown(90, 30)],
    [undefined, 'renewal overdue', 'renewal urgent', undefined, 'renewal overdue', 'renewal urgent', undefined],
  )
  assert.equal(shown(45, undefined), undefined, 'of a status of before, which does not say when it began')
})

test('times that are no times do no harm', () => {
  const odd = app('a/b', {
    lastSuccess: Number.NaN,
    lastAttempt: NOW + 5_000,
    certificate: { notAfter: 9e15, covered: [], uncovered: [] },
  })
  assert.ok(page(sampleStatus({ apps: [odd] })))
  assert.ok(statusText(sampleStatus({ apps: [odd] }), plain))
})
