import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { escapeHtml } from '../../src/report/html.ts'
import { renderPage } from '../../src/report/page.ts'
import { statusText } from '../../src/report/status-text.ts'
import type { Status } from '../../src/status/status.ts'
import { app, largeStatus, NOW, sampleStatus } from '../status/sample-status.ts'

const all = { search: '' }
const plain = { colour: false, width: 120 }

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

const faulty = (): Status =>
  sampleStatus({ source: { name: 's', synced: true, failure: 'f', faults: [{ place: 'p', message: 'm' }] } })

test('property: no text from outside becomes markup', () => {
  const tags = (page: string) => page.match(/<[^>]*>/g)?.map((tag) => tag.match(/^<\/?[a-z!]+/)?.[0])
  const expected = tags(renderPage(hostile(faulty(), 'x'), all))
  const evil = fc.array(
    fc.constantFrom('<script>alert(1)</script>', '"', "'", '<', '>', '&', ' onload=x', '\0', '-->', '</style>', 'ü'),
    { minLength: 1, maxLength: 6 },
  )
  fc.assert(
    fc.property(evil, (parts) => {
      const page = renderPage(hostile(faulty(), parts.join('')), { search: '' })
      assert.deepEqual(tags(page), expected)
      assert.ok(!page.includes('<script>alert'))
    }),
    { numRuns: 60 },
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
  const page = renderPage(sampleStatus(), { search: '"><script>alert(1)</script>' })
  assert.ok(!page.includes('<script>alert'))
  assert.match(page, /Nothing here matches/)
  const found = renderPage(sampleStatus(), { search: 'KUNDE-25.' })
  assert.match(found, /1 host found/)
  assert.doesNotMatch(found, /kunde-26\.example/)
})

test('the plan: reason, figures, hash and the exact command', () => {
  const page = renderPage(sampleStatus(), all)
  assert.match(page, /14 removals wait for you/)
  assert.match(page, /34 % is over the budget of 30 %/)
  assert.match(page, /domainpilot apply --approve 3f9a1c07be42/)
  assert.doesNotMatch(page, /kubectl annotate/)
  const cluster = sampleStatus({ source: { name: 'kubernetes', synced: true, faults: [] } })
  assert.match(
    renderPage(cluster, all),
    /kubectl annotate spapp --overwrite -n wordpress network domainpilot\.dev\/approve-plan=3f9a1c07be42/,
  )
})

test('banners and the empty state', () => {
  assert.match(renderPage(sampleStatus({ dryRun: true }), all), /<strong>Dry run\.<\/strong>/)
  assert.match(renderPage(sampleStatus({ leader: false }), all), /<strong>Standby\.<\/strong>/)
  assert.match(renderPage(faulty(), all), /<strong>Source s failed\.<\/strong>/)
  assert.match(renderPage(sampleStatus({ apps: [], mappings: [] }), all), /domainpilot import &gt; domains/)
})

test('100 apps of 300 hosts stay light; one app by itself is whole', () => {
  const status = largeStatus()
  const start = performance.now()
  const page = renderPage(status, all)
  assert.ok(performance.now() - start < 1_000)
  assert.ok(Buffer.byteLength(page) < 1_500_000, `${Buffer.byteLength(page)} bytes`)
  const one = renderPage(status, { search: '', app: 'fleet/app-7' })
  assert.equal(one.match(/h\d+\.app-7\.example<\/td>/g)?.length, 300)
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
    const page = renderPage(sampleStatus({ apps: [app('a/b', { certificate })] }), all)
    return /renewal \w+/.exec(page)?.[0]
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
  assert.ok(renderPage(sampleStatus({ apps: [odd] }), all))
  assert.ok(statusText(sampleStatus({ apps: [odd] }), plain))
})
