import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Host } from '../../src/domain/host.ts'
import {
  approveExclusive,
  type ClaimOf,
  claimHosts,
  clearAbsent,
  markHeld,
  markImplied,
  markUncertain,
  noteAbsent,
  recordRemovals,
  release,
  useApproval,
} from '../../src/ownership/claims.ts'
import { decodeRecord, encodeRecord } from '../../src/ownership/decode.ts'
import { LATE_WRITE_MS, type OwnershipRecord } from '../../src/ownership/record.ts'
import { anyHosts, anyRecord } from './arbitraries.ts'
import { DAY, HOUR, hosts, NOW, recordOf } from './records.ts'

const [a, b, c] = hosts(3) as [Host, Host, Host]
const claimOf = (host: Host, mapping = 'default/m'): ClaimOf => ({ host, mapping, source: 'manifests' })

describe('claims', () => {
  test('the-life-of-a-claim', () => {
    let record = claimHosts(recordOf([]), [claimOf(a)], 'Pending', NOW)
    assert.deepEqual(record.hosts[a], { mapping: 'default/m', source: 'manifests', state: 'Pending', since: NOW })
    record = markUncertain(record, [a, b])
    assert.equal(record.hosts[a]?.state, 'Uncertain')
    assert.equal(record.hosts[b], undefined, 'nothing is claimed by the way')
    record = markHeld(record, [a, b], NOW + 5)
    assert.deepEqual(record.hosts[a], { mapping: 'default/m', source: 'manifests', state: 'Held', since: NOW + 5 })
    assert.equal(markHeld(record, [a], NOW + 9), record, 'held since the first time')
    record = noteAbsent(record, [a, b], NOW + 10)
    record = noteAbsent(record, [a], NOW + 20)
    assert.equal(record.hosts[a]?.absentSince, NOW + 10)
    assert.equal('absentSince' in (clearAbsent(record, [a]).hosts[a] ?? {}), false)
    assert.equal('absentSince' in (markHeld(record, [a], NOW).hosts[a] ?? {}), false)
    record = release(record, [a, b])
    assert.deepEqual(record.hosts, {})
  })

  test('a-new-claim-renews-mapping-and-state', () => {
    const old = noteAbsent(markImplied(recordOf([a]), [claimOf(b, 'default/x')], NOW), [a, b], NOW)
    const held = claimHosts(old, [claimOf(a, 'default/new')], 'Held', NOW + 5)
    assert.deepEqual(held.hosts[a], {
      mapping: 'default/new',
      source: 'manifests',
      state: 'Held',
      since: NOW - 2 * DAY,
    })
    const pending = claimHosts(held, [claimOf(a), claimOf(b)], 'Pending', NOW + 5)
    assert.deepEqual(pending.hosts[a], { mapping: 'default/m', source: 'manifests', state: 'Pending', since: NOW + 5 })
    assert.equal(pending.hosts[b]?.implied, undefined, 'wanted for itself now')
    const again = claimHosts(pending, [claimOf(a)], 'Pending', NOW + 9)
    assert.equal(again.hosts[a]?.since, NOW + 9, 'the new write may land as late as that')
  })

  test('implied-claims-yield-to-real-ones', () => {
    const record = markImplied(recordOf([a]), [claimOf(a), claimOf(b)], NOW)
    assert.equal(record.hosts[a]?.implied, undefined)
    assert.deepEqual(record.hosts[b], {
      mapping: 'default/m',
      source: 'manifests',
      state: 'Held',
      since: NOW,
      implied: true,
    })
  })

  test('an-absence-noted-by-a-clock-set-back-starts-again', () => {
    const record = noteAbsent(noteAbsent(recordOf([a]), [a], NOW + DAY), [a], NOW)
    assert.equal(record.hosts[a]?.absentSince, NOW)
  })

  test('removals-once-per-host-for-24-hours', () => {
    let record = recordRemovals(recordOf([a, b]), [a, b, a], NOW, false)
    assert.deepEqual(record.removals, [
      { host: a, at: NOW },
      { host: b, at: NOW },
    ])
    record = recordRemovals(record, [a], NOW + HOUR, true)
    assert.deepEqual(record.removals, [
      { host: b, at: NOW },
      { host: a, at: NOW + HOUR, approved: true },
    ])
    assert.ok(record.hosts[a] !== undefined, 'the claim stays until the host is proven gone')
    assert.equal(recordRemovals(record, [], NOW + DAY - 1, false).removals.length, 2)
    assert.deepEqual(
      recordRemovals(record, [], NOW + DAY, false).removals.map((each) => each.host),
      [a],
    )
    assert.equal(recordRemovals(record, [], NOW + DAY, false, 2 * DAY).removals.length, 2, 'a longer window')
  })

  test('a-removal-that-did-not-take-place-leaves-the-budget-once-it-cannot-land-any-more', () => {
    const record = recordRemovals(recordOf([a, b]), [a, b, c], NOW, false)
    assert.equal(markHeld(record, [a], NOW + LATE_WRITE_MS - 1).removals.length, 3)
    assert.deepEqual(
      markHeld(record, [a, c], NOW + LATE_WRITE_MS).removals.map((each) => each.host),
      [b, c],
      'c is there, and not ours',
    )
  })

  test('an-approval-serves-once', () => {
    const record = useApproval(recordOf([a]), 'cafe')
    assert.deepEqual([record.approvalsUsed, record.lastApproval], [1, 'cafe'])
    assert.equal(approveExclusive(record).exclusiveApproved, true)
  })

  test('every-transition-leaves-its-input-alone-and-gives-a-record-that-can-be-stored', () => {
    const transitions: Record<string, (record: OwnershipRecord, some: Host[]) => OwnershipRecord> = {
      pending: (record, some) =>
        claimHosts(
          record,
          some.map((host) => claimOf(host)),
          'Pending',
          NOW,
        ),
      held: (record, some) =>
        claimHosts(
          record,
          some.map((host) => claimOf(host)),
          'Held',
          NOW,
        ),
      markUncertain,
      markHeld: (record, some) => markHeld(record, some, NOW),
      release,
      removals: (record, some) => recordRemovals(record, some, NOW, false),
      approved: (record, some) => recordRemovals(record, some, NOW, true),
      useApproval: (record) => useApproval(record, 'cafe'),
      approveExclusive,
      noteAbsent: (record, some) => noteAbsent(record, some, NOW),
      clearAbsent,
      markImplied: (record, some) =>
        markImplied(
          record,
          some.map((host) => claimOf(host)),
          NOW,
        ),
    }
    fc.assert(
      fc.property(anyRecord, anyHosts, fc.constantFrom(...Object.keys(transitions)), (record, some, name) => {
        const copy = structuredClone(record)
        const transition = transitions[name]
        assert.ok(transition)
        const after = transition(record, some)
        assert.deepEqual(record, copy, `${name} changed its input`)
        const twice = transition(after, some)
        if (name !== 'useApproval') assert.deepEqual(twice, after, `${name} twice is not once`)
        assert.deepEqual(decodeRecord(encodeRecord(after), 'x'), after)
        for (const [host, claim] of Object.entries(record.hosts)) {
          if (!some.includes(host as Host)) assert.equal(after.hosts[host as Host], claim, `${name} touched ${host}`)
        }
      }),
      { numRuns: 600 },
    )
  })
})
