import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { backOff } from '../../src/time/back-off.ts'

describe('back-off', () => {
  test('doubles from the first pause to the longest', () => {
    const pauses = [1, 2, 3, 4, 5, 6].map((failures) => backOff({ first: 1_000, longest: 10_000 }, failures))
    assert.deepEqual(pauses, [1_000, 2_000, 4_000, 8_000, 10_000, 10_000])
  })

  test('stays between what chance leaves of the first pause and the longest, however many failures', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(fc.integer({ min: -3, max: 2 ** 31 }), share, share, (failures, jitter, chance) => {
        const pause = backOff({ first: 250, longest: 60_000, jitter }, failures, () => chance)
        assert.ok(pause >= 250 * (1 - jitter) * (1 - 1e-9) && pause <= 60_000, String(pause))
      }),
    )
  })
})
