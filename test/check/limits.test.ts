import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type Forecast,
  forecast,
  type History,
  issuanceOf,
  LIMITS,
  noteIssuance,
  prune,
} from '../../src/check/limits.ts'

const NOW = Date.UTC(2026, 0, 20)
const HOUR = 3_600_000
const DAY = 24 * HOUR
const EMPTY: History = { issuances: [], failures: [] }

/** So many certificates of ever other names of one domain; the last one so many hours ago, the others an hour apart before it. */
function issued(count: number, hoursAgo: number, domain = 'example.com'): History {
  const of = (index: number) => issuanceOf([`h${index}.${domain}`], NOW - (hoursAgo + count - 1 - index) * HOUR)
  return { issuances: Array.from({ length: count }, (_, index) => of(index)), failures: [] }
}

const next = (history: History, ...certificates: string[][]): Forecast => forecast(history, certificates, NOW)
const inHours = ({ at }: Forecast) => (at - NOW) / HOUR

test('50 certificates a week for a registrable domain', () => {
  for (const [count, hoursAgo, verdict, hours] of [
    [0, 0, 'Go', 0],
    [39, 0, 'Go', 0],
    // Near the limit what is left is spread: a week for 50, that is one in 3.36 hours.
    [40, 0, 'Batch', 3.36],
    [40, 3, 'Batch', 0.36],
    [40, 4, 'Go', 0],
    [49, 0, 'Batch', 3.36],
    // The oldest, of 49 hours before the last, has to pass first.
    [50, 0, 'Wait', 168 - 49],
    [52, 0, 'Wait', 168 - 49],
    [50, 169, 'Go', 0],
  ] as const) {
    const forecast = next(issued(count, hoursAgo), ['new.example.com'])
    assert.equal(forecast.verdict, verdict, `${count}: ${forecast.message}`)
    assert.ok(Math.abs(inHours(forecast) - hours) < 0.001, `${count}: ${inHours(forecast)}`)
  }
})

test('it is the registrable domain that counts, also of a private registry, and each one in a certificate', () => {
  const full = issued(50, 0, 'example.co.uk')
  assert.equal(next(full, ['a.b.example.co.uk']).verdict, 'Wait')
  assert.equal(next(full, ['other.co.uk']).verdict, 'Go')
  assert.equal(next(issued(50, 0, 'example.uk.com'), ['shop.uk.com']).verdict, 'Go')
  const both = next(full, ['a.other.co.uk', '*.example.co.uk'])
  assert.equal(both.verdict, 'Wait')
  assert.match(both.message, /50 certificates for example\.co\.uk within a week.*not before 2026-01-24T23:00:00\.000Z/)
})

test('5 for one and the same set, in any order; renewals are free of the other limit', () => {
  const set = ['a.example.com', 'b.example.com']
  const times = (count: number): History => ({
    issuances: Array.from({ length: count }, (_, index) => issuanceOf(set, NOW - (count - index) * HOUR)),
    failures: [],
  })
  assert.equal(next(times(4), set.toReversed()).verdict, 'Go')
  const sixth = next(times(5), set.toReversed())
  assert.equal(sixth.verdict, 'Wait')
  assert.equal(inHours(sixth), 168 - 5)
  assert.equal(next(times(5), [...set, 'c.example.com']).verdict, 'Go')
  const full = issued(50, 0)
  assert.equal(next(full, ['h7.example.com']).verdict, 'Go', 'a renewal')
  assert.equal(next({ ...full, issuances: [...full.issuances, ...times(4).issuances] }, set).verdict, 'Go')
  const most = next({ ...EMPTY, issuances: [...issued(46, 0).issuances, ...times(5).issuances] }, ['new.example.com'])
  assert.match(most.message, /^47 of 50 certificates a week for example\.com are used/)
})

test('5 failed validations an hour for a host', () => {
  const failed = (count: number, minutesAgo: number): History => ({
    issuances: [],
    failures: Array.from({ length: count }, (_, index) => ({
      host: 'shop.example.com',
      at: NOW - (minutesAgo + index) * 60_000,
    })),
  })
  assert.equal(next(failed(4, 1), ['shop.example.com']).verdict, 'Go')
  const wait = next(failed(5, 1), ['shop.example.com', 'b.example.com'])
  assert.equal(wait.verdict, 'Wait')
  assert.ok(Math.abs(inHours(wait) - 55 / 60) < 0.001)
  assert.match(wait.message, /shop\.example\.com failed 5 validations.*Correct its DNS/)
  assert.equal(next(failed(5, 1), ['b.example.com']).verdict, 'Go')
  assert.equal(next(failed(5, 61), ['shop.example.com']).verdict, 'Go')
})

test('more at once than the limit ever lets', () => {
  const many = Array.from({ length: 51 }, (_, index) => [`n${index}.example.com`])
  assert.equal(next(EMPTY, ...many.slice(0, 40)).verdict, 'Go')
  const wait = next(EMPTY, ...many)
  assert.equal(wait.verdict, 'Wait')
  assert.ok(Math.abs(inHours(wait) - 3.36) < 0.001, 'soon, in fewer certificates')
  assert.equal(next(EMPTY).message, 'No certificate is needed.')
})

test('the same certificate seen again is no new one, and what is over goes', () => {
  const one = issuanceOf(['a.example.com'], NOW)
  const history = noteIssuance(noteIssuance(EMPTY, one), issuanceOf(['a.example.com'], NOW))
  assert.deepEqual(history.issuances, [one])
  assert.deepEqual(prune(history, NOW + 7 * DAY), EMPTY)
  assert.deepEqual(prune(history, NOW + 7 * DAY - 1), history)
})

test('who obeys is never refused: no window of a week ever has more than 50', () => {
  const pauses = fc.array(fc.integer({ min: 1, max: 6 * 60 }), { minLength: 60, maxLength: 150 })
  fc.assert(
    fc.property(pauses, (minutes) => {
      let history = EMPTY
      let now = NOW
      const at: number[] = []
      for (const [index, pause] of minutes.entries()) {
        now += pause * 60_000
        const found = forecast(history, [[`n${index}.example.com`]], now)
        assert.ok(found.at >= now)
        now = found.at
        history = prune(noteIssuance(history, issuanceOf([`n${index}.example.com`], now)), now)
        at.push(now)
      }
      const { allowed, window } = LIMITS.CertificatesPerDomain
      for (const [index, first] of at.entries()) {
        const within = at.slice(index).filter((each) => each < first + window).length
        assert.ok(within <= allowed, `${within} within a week`)
      }
    }),
    { numRuns: 30 },
  )
})
