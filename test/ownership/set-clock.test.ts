import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Host } from '../../src/domain/host.ts'
import { removalShare } from '../../src/ownership/budget.ts'
import { claimHosts, markUncertain, noteAbsent } from '../../src/ownership/claims.ts'
import { decodeRecord, encodeRecord } from '../../src/ownership/decode.ts'
import type { OwnershipRecord } from '../../src/ownership/record.ts'
import { goneAlong, notAhead, wasSet } from '../../src/ownership/set-clock.ts'
import { anyRecord } from './arbitraries.ts'
import { DAY, HOUR, hosts, NOW, recordOf } from './records.ts'

const [a, b, c] = hosts(3) as [Host, Host, Host]
const claimOf = (host: Host) => ({ host, mapping: 'default/m', source: 'manifests' })

test('the-clock-is-set-back: no time of a record lies ahead, and what is not ahead stays', () => {
  const ahead = NOW + DAY
  const words = 'may not be used'
  const before: OwnershipRecord = {
    ...markUncertain(noteAbsent(claimHosts(recordOf([a]), [claimOf(b)], 'Pending', ahead), [a], ahead), [b]),
    removals: [
      { host: a, at: NOW - HOUR },
      { host: c, at: ahead, approved: true },
    ],
    unsureSince: ahead,
    rejected: {
      [b]: { words, at: NOW - HOUR, retryAt: ahead, attempts: 5, generation: 1 },
      [c]: { words, at: ahead, retryAt: ahead + HOUR, attempts: 2, generation: 1 },
    },
  }
  const after = notAhead(before, NOW)
  assert.deepEqual(after.hosts[b], { mapping: 'default/m', source: 'manifests', state: 'Uncertain', since: NOW })
  assert.deepEqual(after.hosts[a], { ...before.hosts[a], absentSince: NOW })
  assert.deepEqual(after.removals, [before.removals[0], { host: c, at: NOW, approved: true }])
  assert.equal(after.unsureSince, NOW)
  assert.deepEqual(after.rejected, { ...before.rejected, [c]: { ...before.rejected[c], at: NOW, retryAt: NOW } })
  assert.equal(notAhead(after, NOW), after)
  assert.equal(notAhead(before, ahead), before)
})

test('the-clock-is-set-forward: every time of a record goes along, but for what certificates say and what never was', () => {
  const month = 30 * DAY
  const words = 'may not be used'
  const before: OwnershipRecord = {
    ...noteAbsent(recordOf([a, b]), [a], NOW - HOUR),
    removals: [{ host: c, at: NOW - HOUR, approved: true }],
    unsureSince: NOW - 5,
    rejected: { [b]: { words, at: NOW, retryAt: NOW + HOUR, attempts: 2, generation: 1 } },
    ssl: { hosts: 'x', attempts: 1, lastAt: NOW - HOUR, force: { attempts: 0, lastAt: 0 } },
    issued: [{ at: NOW - DAY, domains: ['example'], set: 's' }],
  }
  const after = goneAlong(before, month)
  assert.deepEqual(after.hosts[a], {
    ...before.hosts[a],
    since: NOW - 2 * DAY + month,
    absentSince: NOW - HOUR + month,
  })
  assert.deepEqual(after.removals, [{ host: c, at: NOW - HOUR + month, approved: true }])
  assert.equal(after.unsureSince, NOW - 5 + month)
  assert.deepEqual(after.rejected[b], { ...before.rejected[b], at: NOW + month, retryAt: NOW + HOUR + month })
  assert.deepEqual(after.ssl, { ...before.ssl, lastAt: NOW - HOUR + month })
  assert.deepEqual(after.issued, before.issued)
  assert.ok(wasSet(90_000) && wasSet(-90_000) && !wasSet(1_000))
})

test('a record that goes along with the clock stays one that can be read, and its budget stays what it was', () => {
  fc.assert(
    fc.property(anyRecord, fc.integer({ min: -100 * DAY, max: 100 * DAY }), (record, by) => {
      const after = goneAlong(record, by)
      assert.deepEqual(decodeRecord(Buffer.from(encodeRecord(after)), 'x'), after)
      const [was, is] = [removalShare(record, [], NOW, DAY), removalShare(after, [], NOW + by, DAY)]
      assert.deepEqual(is, was)
    }),
  )
})
