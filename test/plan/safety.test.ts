import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Host } from '../../src/domain/host.ts'
import { emptyRecord, LATE_WRITE_MS } from '../../src/ownership/record.ts'
import { writes } from '../../src/plan/plan.ts'
import { type RemovalWatch, watchRemovals } from '../../src/plan/settle.ts'
import { APP_ID, app, hosts, mappings, NOW, plan, record, WRITER } from './fixture.ts'

describe('thirty-percent-exactly', () => {
  // hosts, mappings gone, mappings new → list length, refused
  const rows: [number, number, number, number, boolean][] = [
    [10, 3, 0, 7, false],
    [10, 4, 1, 11, true],
    [9, 8, 0, 1, false],
    [9, 9, 0, 9, true],
    [1, 1, 0, 1, true],
    [1, 1, 1, 1, false],
    [261, 78, 0, 183, false],
    [261, 79, 0, 261, true],
    [261, 104, 0, 261, true],
    [261, 261, 261, 300, true],
  ]
  for (const [count, gone, fresh, length, refused] of rows) {
    test(`${count} hosts, ${gone} gone, ${fresh} new: ${refused ? 'refused' : 'goes through'}, ${length} in the list`, () => {
      const owned = hosts(count)
      const wanted = [...owned.slice(gone), ...hosts(fresh, 'new')]
      const result = plan(mappings(wanted), owned, record(owned))
      assert.equal(result.refused !== undefined, refused, result.refused?.message)
      assert.equal(result.list.length, length)
      assert.ok(result.hash.length > 0)
      if (refused) assert.equal(result.waiting.length, gone)
    })
  }

  test('the message has the figures', () => {
    const owned = hosts(261)
    const result = plan(mappings(owned.slice(104)), owned, record(owned))
    assert.match(result.refused?.message ?? '', /39\.8 %.*104 of 261.*30 %/)
    assert.match(result.refused?.message ?? '', new RegExp(result.hash))
  })

  test('foreign hosts do not count', () => {
    const owned = hosts(10)
    const result = plan(mappings(owned.slice(4)), [...owned, ...hosts(100, 'foreign')], record(owned))
    assert.notEqual(result.refused, undefined)
  })

  test('removals of the last 24 hours count together; approved ones and older ones do not', () => {
    const left = hosts(10).slice(0, 7)
    const earlier = (at: number, approved: boolean) =>
      hosts(10)
        .slice(7)
        .map((host) => ({ host: host as Host, at, ...(approved ? { approved: true as const } : {}) }))
    const next = mappings(left.slice(1))
    assert.notEqual(plan(next, left, record(left, { removals: earlier(NOW - 3_600_000, false) })).refused, undefined)
    assert.equal(plan(next, left, record(left, { removals: earlier(NOW - 25 * 3_600_000, false) })).refused, undefined)
    assert.equal(plan(next, left, record(left, { removals: earlier(NOW - 3_600_000, true) })).refused, undefined)
  })
})

test('additions of the same plan count as ours already, so that a refusal does not lift itself in the next one', () => {
  const owned = hosts(10)
  const few = plan(mappings([...owned.slice(4), ...hosts(1, 'new')]), owned, record(owned))
  assert.match(few.refused?.message ?? '', /4 of 11/)
  const many = plan(mappings([...owned.slice(4), ...hosts(4, 'new')]), owned, record(owned))
  assert.equal(many.refused, undefined, '28.5 % of 14')
})

test('while removals wait, claims on hosts that are gone already still count, and are not released', () => {
  const owned = hosts(10)
  const absentSince = NOW - 10 * LATE_WRITE_MS
  const base = record(owned)
  const claims = Object.entries(base.hosts).map(([host, claim], index) => [
    host,
    index >= 5 ? { ...claim, absentSince } : claim,
  ])
  const result = plan(mappings(owned.slice(0, 1)), owned.slice(0, 5), { ...base, hosts: Object.fromEntries(claims) })
  assert.match(result.refused?.message ?? '', /4 of 10/)
  assert.deepEqual(result.releases, [])
})

describe('approved-plan-went-stale', () => {
  const owned = hosts(20, 'a')
  const gone8 = mappings(owned.slice(8))

  test('(a) the world moved on: nothing goes, and the message says that the approval no longer fits', () => {
    const first = plan(gone8, owned, record(owned))
    const moved = plan(mappings(owned.slice(9)), owned, record(owned), { approvals: [first.hash] })
    assert.equal(writes(moved), false)
    assert.notEqual(moved.hash, first.hash)
    assert.match(moved.refused?.message ?? '', new RegExp(`${first.hash} no longer fits`))
  })

  test('(b) an approval serves once', () => {
    const first = plan(gone8, owned, record(owned))
    const used = record(owned, { approvalsUsed: 1, lastApproval: first.hash })
    const again = plan(gone8, owned, used, { approvals: [first.hash] })
    assert.equal(writes(again), false)
    assert.match(again.refused?.message ?? '', /used already/)
  })

  test('(c) a foreign host that came meanwhile changes nothing and stays', () => {
    const first = plan(gone8, owned, record(owned))
    const result = plan(gone8, [...owned, 'by-hand.example.org'], record(owned), { approvals: [first.hash] })
    assert.equal(result.approved, true)
    assert.equal(result.list.length, 13)
    assert.ok(result.list.includes('by-hand.example.org'))
  })
})

describe('first plans', () => {
  const fresh = emptyRecord('cid', APP_ID, 'wordpress/network', WRITER)

  test('the first plan of an app removes nothing', () => {
    const result = plan(mappings(['a.example.com']), ['a.example.com', 'b.example.com'], fresh)
    assert.equal(writes(result), false)
    assert.deepEqual(result.foreign, ['b.example.com'])
  })

  test('Exclusive needs one approval, and none after that', () => {
    const of = app({ policy: 'Exclusive' })
    const observed = ['a.example.com', 'b.example.com']
    const first = plan(mappings(['a.example.com']), observed, fresh, { app: of })
    assert.match(first.refused?.message ?? '', /Exclusive/)
    const approved = plan(mappings(['a.example.com']), observed, fresh, { app: of, approvals: [first.hash] })
    assert.deepEqual(approved.list, ['a.example.com'])
    const later = plan(mappings(['a.example.com']), observed, { ...fresh, exclusiveApproved: true }, { app: of })
    assert.deepEqual(later.list, ['a.example.com'])
  })
})

describe('failed sources', () => {
  test('one-broken-file-of-forty: nothing is removed, what could be read is added', () => {
    const owned = hosts(40)
    const wanted = owned.filter((_, index) => index !== 2 && index !== 16)
    const result = plan(mappings([...wanted, 'h41.example.com']), owned, record(owned), {
      frozen: new Map([['manifests', '17.yaml:5']]),
    })
    assert.equal(result.list.length, 41)
    assert.deepEqual(result.removals, [])
    assert.match(result.held.get('h003.example.com' as Host)?.message ?? '', /17\.yaml:5/)
  })

  test('a failed source does not hold back what another source claimed', () => {
    const owned = record(hosts(3))
    const result = plan(mappings(hosts(2)), hosts(3), owned, { frozen: new Map([['wordpress', 'down']]) })
    assert.deepEqual(result.removals, ['h003.example.com'])
  })
})

describe('settling', () => {
  const owned = hosts(12)
  const of = app()
  const look = (
    watch: RemovalWatch | undefined,
    wanted: readonly string[],
    at: number,
    complete = true,
  ): RemovalWatch =>
    watchRemovals(watch, {
      basis: 'Sync',
      wanted: new Map(wanted.map((host) => [host as Host, true])),
      owned: owned as Host[],
      frozen: () => !complete,
      distrusted: false,
      now: at,
    })
  const planned = (watch: RemovalWatch, wanted: readonly string[], now: number) =>
    plan(mappings(wanted), owned, record(owned), { app: of, watch, now })

  test('a removal that was seen waits for settle, counted from the last loss', () => {
    let watch = look(undefined, owned, NOW)
    watch = look(watch, owned.slice(1), NOW + 1_000)
    watch = look(watch, owned.slice(2), NOW + 20_000)
    const early = planned(watch, owned.slice(2), NOW + 49_000)
    assert.deepEqual(early.removals, [])
    assert.equal(early.held.get('h001.example.com' as Host)?.reason, 'RemovalSettling')
    assert.equal(early.next, NOW + 50_000)
    assert.deepEqual(planned(watch, owned.slice(2), NOW + 50_000).removals, owned.slice(0, 2))
  })

  test('a removal that is only inferred waits for settleInferred', () => {
    const watch = look(undefined, owned.slice(1), NOW)
    assert.deepEqual(planned(watch, owned.slice(1), NOW + 299_000).removals, [])
    assert.deepEqual(planned(watch, owned.slice(1), NOW + 300_000).removals, ['h001.example.com'])
  })

  test('a mapping that comes back stops its removal', () => {
    let watch = look(look(undefined, owned, NOW), owned.slice(1), NOW + 1)
    watch = look(watch, owned, NOW + 2)
    assert.equal(writes(planned(watch, owned, NOW + 100_000)), false)
    assert.equal(watch.missing.size, 0)
  })

  test('what a failed source left out is not lost, and is not inferred afterwards', () => {
    let watch = look(undefined, owned, NOW)
    watch = look(watch, [], NOW + 1, false)
    assert.equal(watch.missing.size, 0)
    watch = look(watch, owned.slice(1), NOW + 2)
    assert.equal(watch.missing.get('h001.example.com' as Host)?.seen, true)
  })

  test('a-watch-from-the-future: what is gone when a source has read everything anew is inferred', () => {
    const pass = { basis: 'Sync', owned: owned as Host[], frozen: () => false, distrusted: false }
    const wanted = (from: number) => new Map(owned.slice(from).map((host) => [host as Host, true]))
    let watch = watchRemovals(undefined, { ...pass, wanted: wanted(0), rereads: 0, now: NOW })
    watch = watchRemovals(watch, { ...pass, wanted: wanted(1), rereads: 0, now: NOW + 1 })
    watch = watchRemovals(watch, { ...pass, wanted: wanted(2), rereads: 1, now: NOW + 2 })
    watch = watchRemovals(watch, { ...pass, wanted: wanted(3), rereads: 1, now: NOW + 3 })
    assert.deepEqual(
      owned.slice(0, 3).map((host) => watch.missing.get(host as Host)?.seen),
      [true, false, true],
      'what was seen before, and what is seen after, stays seen',
    )
  })

  test('a change of policy makes everything inferred', () => {
    const upsert = watchRemovals(undefined, {
      basis: 'UpsertOnly',
      wanted: new Map(),
      owned: owned as Host[],
      frozen: () => false,
      distrusted: false,
      now: NOW,
    })
    const sync = look(upsert, owned.slice(1), NOW + 1_000_000)
    assert.deepEqual(sync.missing.get('h001.example.com' as Host), { since: NOW + 1_000_000, seen: false })
  })

  test('a removal that waited when its source failed is inferred, and waits anew once it can be read again', () => {
    let watch = look(look(undefined, owned, NOW), owned.slice(1), NOW + 1_000)
    watch = look(watch, owned.slice(1), NOW + 2_000, false)
    watch = look(watch, owned.slice(1), NOW + 1_000_000)
    assert.deepEqual(watch.missing.get('h001.example.com' as Host), { since: NOW + 1_000_000, seen: false })
    assert.deepEqual(planned(watch, owned.slice(1), NOW + 1_299_000).removals, [])
    assert.deepEqual(planned(watch, owned.slice(1), NOW + 1_300_000).removals, ['h001.example.com'])
  })

  test('an inferred removal under another version needs approval', () => {
    const watch = { ...look(undefined, owned.slice(1), NOW), distrusted: true }
    const result = planned(watch, owned.slice(1), NOW + 1_000_000)
    assert.deepEqual(result.removals, [])
    assert.match(result.refused?.message ?? '', /another version/)
    const approved = plan(mappings(owned.slice(1)), owned, record(owned), {
      app: of,
      watch,
      now: NOW,
      approvals: [result.hash],
    })
    assert.deepEqual(approved.removals, ['h001.example.com'])
  })
})
