import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Host } from '../../src/domain/host.ts'
import { removalShare } from '../../src/ownership/budget.ts'
import { claimHosts, noteAbsent, recordRemovals, release } from '../../src/ownership/claims.ts'
import { anyHosts, anyRecord, anyRemoval } from './arbitraries.ts'
import { DAY, HOUR, hosts, NOW, recordOf } from './records.ts'

describe('removalShare', () => {
  test('thirty-percent-exactly', () => {
    // [hosts of ours, removals, share in percent to one decimal, over 30 %]
    const table: [number, number, number, boolean][] = [
      [10, 3, 30, false],
      [10, 4, 40, true],
      [261, 78, 29.9, false],
      [261, 79, 30.3, true],
      [100, 30, 30, false],
      [100, 31, 31, true],
      [300, 90, 30, false],
      [1, 1, 100, true],
      [10, 0, 0, false],
      [0, 0, 0, false],
    ]
    for (const [base, gone, percent, over] of table) {
      const share = removalShare(recordOf(hosts(base)), hosts(gone), NOW, DAY)
      assert.deepEqual([share.removed, share.base], [gone, base])
      assert.equal(Math.round(share.percent * 10) / 10, percent)
      assert.equal(share.percent > 30, over, `${gone} of ${base}`)
    }
  })

  test('slices-add-up-over-the-window', () => {
    let record = recordOf(hosts(10))
    const first = hosts(3)
    record = release(recordRemovals(record, first, NOW, false), first)
    assert.deepEqual(removalShare(record, [], NOW + HOUR, DAY), { removed: 3, base: 10, percent: 30 })
    assert.deepEqual(removalShare(record, hosts(1, 5), NOW + HOUR, DAY), { removed: 4, base: 10, percent: 40 })
    assert.equal(removalShare(record, hosts(1, 5), NOW + DAY - 1, DAY).removed, 4)
    assert.deepEqual(removalShare(record, hosts(1, 5), NOW + DAY, DAY), { removed: 1, base: 7, percent: 100 / 7 })
    assert.equal(removalShare(record, [], NOW + HOUR, HOUR).removed, 0, 'a shorter window')
    assert.equal(removalShare(record, [], NOW - HOUR, DAY).removed, 3, 'a clock set back forgets nothing')
  })

  test('a-removed-host-counts-while-its-claim-lingers', () => {
    const gone = hosts(3)
    const removed = recordRemovals(recordOf(hosts(10)), gone, NOW, false)
    // The read-back failed, or it succeeded and the claim waits for the second absence: it is gone either way.
    assert.equal(removalShare(removed, hosts(1, 5), NOW + 1000, DAY).removed, 4)
    assert.equal(removalShare(noteAbsent(removed, gone, NOW + 500), hosts(1, 5), NOW + 1000, DAY).removed, 4)
    // The same removals again, since the write failed: they count once.
    assert.deepEqual(removalShare(removed, gone, NOW + 1000, DAY), { removed: 3, base: 10, percent: 30 })
  })

  test('a-host-that-is-ours-again-is-not-gone', () => {
    const gone = hosts(3)
    let record = release(recordRemovals(recordOf(hosts(10)), gone, NOW, false), gone)
    record = claimHosts(
      record,
      gone.map((host) => ({ host, mapping: 'default/m', source: 'manifests' })),
      'Pending',
      NOW + HOUR,
    )
    assert.deepEqual(removalShare(record, hosts(3, 5), NOW + HOUR, DAY), { removed: 3, base: 10, percent: 30 })
  })

  test('approved-removals-are-neither-gone-nor-ever-ours', () => {
    const gone = hosts(10)
    const removed = recordRemovals(recordOf(hosts(20)), gone, NOW, true)
    const expected = { removed: 3, base: 10, percent: 30 }
    assert.deepEqual(removalShare(removed, hosts(3, 10), NOW + 1000, DAY), expected, 'while the claims linger')
    assert.deepEqual(removalShare(release(removed, gone), hosts(3, 10), NOW + 1000, DAY), expected)
  })

  test('pending-and-uncertain-claims-are-ours', () => {
    const claims = hosts(5).map((host) => ({ host, mapping: 'default/m', source: 'manifests' }))
    const record = claimHosts(claimHosts(recordOf([]), claims, 'Pending', NOW), claims.slice(0, 2), 'Uncertain', NOW)
    assert.equal(removalShare(record, [], NOW, DAY).base, 5)
  })

  test('the-share-is-a-share', () => {
    fc.assert(
      fc.property(anyRecord, anyHosts, fc.integer({ min: 0, max: 3 * DAY }), (record, removals, window) => {
        const { removed, base, percent } = removalShare(record, removals, NOW, window)
        assert.ok(removed >= new Set(removals).size && removed <= base)
        assert.ok(percent >= 0 && percent <= 100)
        assert.equal(percent === 0, removed === 0)
      }),
    )
  })

  test('what-is-approved-adds-nothing', () => {
    fc.assert(
      fc.property(anyRecord, anyHosts, anyHosts, (record, approved, removals) => {
        const before = removalShare(record, removals, NOW, DAY)
        const fresh = approved.filter((host) => !record.removals.some((each) => each.host === host))
        const after = removalShare(recordRemovals(record, fresh, NOW, true), removals, NOW, DAY)
        assert.equal(after.removed, before.removed)
        assert.ok(after.base <= before.base)
      }),
    )
  })

  test('more-removals-never-lower-it-and-neither-does-their-order', () => {
    fc.assert(
      fc.property(anyRecord, anyHosts, anyHosts, (record, some, more) => {
        const few = removalShare(record, some, NOW, DAY)
        const many = removalShare(record, [...some, ...more], NOW, DAY)
        assert.ok(many.removed >= few.removed && many.percent >= few.percent)
        assert.deepEqual(removalShare(record, [...more, ...some, ...some], NOW, DAY), many)
      }),
    )
  })

  test('unapproved-slices-are-worth-what-one-plan-is', () => {
    const slices = fc.array(fc.uniqueArray(fc.nat(29), { maxLength: 5 }), { maxLength: 6 })
    fc.assert(
      fc.property(slices, fc.boolean(), (plans, prompt) => {
        const all = hosts(30)
        let record = recordOf(all)
        let now = NOW
        const gone = new Set<Host>()
        for (const plan of plans) {
          const removals = plan.map((i) => all[i] as Host).filter((host) => !gone.has(host))
          for (const host of removals) gone.add(host)
          assert.equal(removalShare(record, removals, now, DAY).removed, gone.size)
          record = recordRemovals(record, removals, now, false)
          if (prompt) record = release(record, removals)
          now += HOUR
        }
        assert.deepEqual(removalShare(record, [], now, DAY), {
          removed: gone.size,
          base: 30,
          percent: (100 * gone.size) / 30,
        })
      }),
    )
  })

  test('removals-outside-the-window-are-as-if-they-had-not-been', () => {
    fc.assert(
      fc.property(anyRecord, fc.array(anyRemoval), (record, old) => {
        const aged = old.map((each) => ({ ...each, at: NOW - DAY - (each.at % DAY) }))
        const before = removalShare(record, [], NOW, DAY)
        assert.deepEqual(removalShare({ ...record, removals: [...aged, ...record.removals] }, [], NOW, DAY), before)
      }),
    )
  })

  test('a-hundred-thousand-hosts-take-no-time', () => {
    const record = recordRemovals(recordOf(hosts(100_000)), hosts(20_000), NOW, false)
    const start = performance.now()
    assert.equal(removalShare(record, hosts(20_000, 50_000), NOW, DAY).removed, 40_000)
    assert.ok(performance.now() - start < 1000)
  })
})
