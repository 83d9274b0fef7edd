import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { WrongDns } from '../../src/ownership/record.ts'
import { followWrong, LONGEST_GAP, type Sight } from '../../src/ownership/wrong.ts'

const HOUR = 3_600_000
const NOW = Date.UTC(2026, 0, 15)
const wrong = (hours: number): Sight => ({ is: 'Wrong', at: NOW + hours * HOUR })
const right = (hours: number): Sight => ({ is: 'Right', at: NOW + hours * HOUR })

/** What is known after these looks, each at its time. */
const after = (...sights: (Sight | number)[]): WrongDns | undefined => {
  let known: WrongDns | undefined
  for (const each of sights) {
    known =
      typeof each === 'number' ? followWrong(known, undefined, NOW + each * HOUR) : followWrong(known, each, each.at)
  }
  return known
}

describe('since when DNS has been wrong', () => {
  test('from the first look on, whatever is wrong, until one finds it right', () => {
    assert.equal(after(wrong(0), wrong(5), wrong(10))?.since, NOW)
    assert.equal(after(wrong(0), right(1)), undefined)
    assert.equal(after(wrong(0), right(1), wrong(2))?.since, NOW + 2 * HOUR)
    assert.equal(after(right(0), 1), undefined)
  })

  test('what is not known neither counts nor starts it over, unless it lasts', () => {
    assert.equal(after(wrong(0), 3, wrong(5))?.since, NOW)
    assert.equal(after(wrong(0), 3, wrong(7))?.since, NOW + 7 * HOUR)
    assert.equal(after(wrong(0), 7), undefined)
  })

  test('it is noted once an hour, so that the record is not saved at each look', () => {
    const first = after(wrong(0))
    assert.equal(followWrong(first, wrong(0.5), NOW + HOUR / 2), first)
    assert.equal(after(wrong(0), wrong(1))?.seen, NOW + HOUR)
  })

  test('a clock that was set back starts it over', () => {
    assert.equal(followWrong({ since: NOW + HOUR, seen: NOW + HOUR }, undefined, NOW), undefined)
    assert.deepEqual(followWrong({ since: NOW + HOUR, seen: NOW + 2 * HOUR }, wrong(0), NOW), { since: NOW, seen: NOW })
    const off = followWrong({ since: NOW, seen: NOW, quarantined: NOW + HOUR }, right(0.5), NOW + HOUR / 2)
    assert.equal(off?.quarantined, NOW + HOUR / 2)
  })

  test('one that is off stays so until a look after that finds it right', () => {
    const off = { since: NOW, seen: NOW, quarantined: NOW + HOUR }
    assert.equal(followWrong(off, right(0.5), NOW + 2 * HOUR), off)
    assert.equal(followWrong(off, undefined, NOW + 999 * HOUR), off)
    assert.equal(followWrong(off, wrong(50), NOW + 50 * HOUR), off)
    assert.equal(followWrong(off, right(2), NOW + 2 * HOUR), undefined)
  })

  test('whatever comes: so long as it says, it was never seen right, and never out of sight for too long', () => {
    const step = fc.record({
      /** Minutes; also backwards, as clocks are set. */
      passes: fc.oneof(fc.integer({ min: 0, max: 600 }), fc.integer({ min: -300, max: 6000 })),
      sight: fc.constantFrom('Wrong', 'Wrong', 'Wrong', 'Right', undefined),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let known: WrongDns | undefined
        let now = NOW
        let looks: Sight[] = []
        for (const { passes, sight } of steps) {
          now += passes * 60_000
          // What lies ahead of a clock that was set back is no evidence.
          looks = looks.filter(({ at }) => at <= now)
          const seen: Sight | undefined = sight && { is: sight as Sight['is'], at: now }
          if (seen !== undefined) looks.push(seen)
          known = followWrong(known, seen, now)
          if (known === undefined) continue
          const since = looks.filter(({ at }) => at >= known!.since)
          assert.ok(since.length > 0 && since.every(({ is }) => is === 'Wrong'), 'it was seen wrong, and never right')
          assert.equal(since[0]?.at, known.since)
          for (const [index, { at }] of since.entries()) {
            const next = since[index + 1]?.at ?? now
            assert.ok(next - at <= LONGEST_GAP + HOUR, 'nobody knew for too long')
          }
        }
      }),
    )
  })
})
