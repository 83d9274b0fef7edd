import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { certificateLife, overdueWords, renewalOf } from '../../src/check/certificate.ts'

const MINUTE = 60_000
const DAY = 1_440 * MINUTE
const START = Date.UTC(2027, 1, 10)

/** One that lives so many days. */
const living = (days: number) => ({ notBefore: START, notAfter: START + days * DAY })

/**
 * How much of its life, in days, is left of a certificate when it is renewed at the latest where all is well: at the end of the time that
 * Let's Encrypt names for that (ARI, RFC 9773), a hundredth of the life after the best moment, by somebody who looks twice a day, and ten
 * times in the life of a shorter one.
 */
function renewedWith(days: number): number {
  const best = days < 10 ? days / 2 : days / 3
  return best - days / 100 - Math.min(0.5, days / 10)
}

describe('lifetimes-of-64-45-and-6-days', () => {
  for (const [days, age] of [
    [90, 30],
    [64, 40],
    [45, 25],
    [6.67, 0],
  ] as const) {
    test(`of ${days} days, ${age} days old: nothing`, () =>
      assert.equal(certificateLife(living(days), START + age * DAY), 'Good'))
  }

  for (const [days, overdue, urgent] of [
    [90, 21, 7],
    [64, 16, 6.4],
    [47, 11.75, 4.7],
    [45, 11.25, 4.5],
    [6.67, 1.6675, 0.667],
    [365, 21, 7],
  ] as const) {
    test(`of ${days} days: overdue with ${overdue} days left, urgent with ${urgent}`, () => {
      const life = living(days)
      const standing = (left: number, more = 0) => certificateLife(life, Math.round(life.notAfter - left * DAY) + more)
      assert.deepEqual(
        [standing(overdue, -1), standing(overdue, 1), standing(urgent, -1), standing(urgent, 1)],
        ['Good', 'Overdue', 'Overdue', 'Urgent'],
      )
      assert.deepEqual([standing(0, -1), standing(0)], ['Urgent', 'Expired'])
    })

    test(`of ${days} days: no minute of it is too late while all is well`, () => {
      const life = living(days)
      const renewed = life.notAfter - renewedWith(days) * DAY
      for (let at = life.notBefore; at <= renewed; at += MINUTE) {
        if (certificateLife(life, at) !== 'Good') assert.fail(`${(life.notAfter - at) / DAY} days before its end`)
      }
    })
  }

  test('of any length: nobody who renews in time is ever told, and everybody who does not is, before it is urgent', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.5, max: 1_000, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (days, share) => {
          const life = living(days)
          const renewed = life.notAfter - renewedWith(days) * DAY
          assert.equal(certificateLife(life, life.notBefore + share * (renewed - life.notBefore)), 'Good')
          const { overdueAt, urgentAt } = renewalOf(life)
          assert.ok(renewed < overdueAt && overdueAt < urgentAt && urgentAt < life.notAfter)
          const late = overdueAt + 1 + share * (life.notAfter - overdueAt - 2)
          assert.notEqual(certificateLife(life, late), 'Good')
        },
      ),
    )
  })

  test('what is said tells overdue from urgent', () => {
    const life = living(45)
    assert.equal(
      overdueWords(life, life.notAfter - 10 * DAY),
      'The certificate ends on 2027-03-27 and was not renewed yet',
    )
    assert.match(overdueWords(life, life.notAfter - 4 * DAY), /, which is urgent$/)
  })

  test('a certificate that ends before it begins has ended', () => {
    const life = { notBefore: START + DAY, notAfter: START }
    assert.deepEqual([certificateLife(life, START - 1), certificateLife(life, START)], ['Good', 'Expired'])
  })
})
