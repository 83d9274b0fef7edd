import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Policy } from '../../src/api/policy.ts'
import type { Host } from '../../src/domain/host.ts'
import type { OwnershipRecord } from '../../src/ownership/record.ts'
import type { Plan } from '../../src/plan/plan.ts'
import { app, mapping, mappings, NOW, plan, record } from './fixture.ts'

const HOST = 'shop.example.com'
/** Always there, wanted and ours, so that no plan leaves the app empty. */
const REST = 'rest.example.com'

interface Where {
  desired?: boolean
  observed?: boolean
  owned?: boolean
}

/** What a plan does with one host: everything that it says about it. */
function fate(policy: Policy, { desired = false, observed = false, owned = false }: Where): string {
  const names = (has: boolean): string[] => (has ? [REST, HOST] : [REST])
  const ours = record(names(owned), { exclusiveApproved: true })
  const made = plan(mappings(names(desired)), names(observed), ours, { app: app({ policy }) })
  return fateIn(made)
}

function fateIn(made: Plan): string {
  const has = (hosts: readonly unknown[]): boolean =>
    hosts.some((each) => each === HOST || (each as { host?: string }).host === HOST)
  return [
    has(made.list) ? 'listed' : 'not listed',
    has(made.additions) ? 'added' : '',
    has(made.removals) ? 'removed' : '',
    has(made.adoptions) ? 'adopted' : '',
    has(made.transfers) ? 'transferred' : '',
    has(made.foreign) ? 'foreign' : '',
    has(made.absent) ? 'absent' : '',
    made.kept === 2 ? 'kept' : '',
  ]
    .filter((word) => word !== '')
    .join(', ')
}

describe('what becomes of a host', () => {
  for (const policy of ['Sync', 'UpsertOnly', 'Exclusive', 'Observe'] as const) {
    const removes = policy !== 'UpsertOnly'
    const rows: [string, Where, string][] = [
      ['wanted, there, ours', { desired: true, observed: true, owned: true }, 'listed, kept'],
      ['wanted and there', { desired: true, observed: true }, 'listed, adopted'],
      ['wanted and ours, not there', { desired: true, owned: true }, 'listed, added'],
      ['wanted alone', { desired: true }, 'listed, added'],
      ['ours and there, not wanted', { observed: true, owned: true }, removes ? 'not listed, removed' : 'listed, kept'],
      ['there alone', { observed: true }, policy === 'Exclusive' ? 'not listed, removed' : 'listed, foreign'],
      ['ours alone', { owned: true }, 'not listed, absent'],
    ]
    for (const [name, where, expected] of rows)
      test(`${policy}: ${name}: ${expected}`, () => assert.equal(fate(policy, where), expected))
  }
})

describe('a claim follows the mapping that wants its host', () => {
  const owned = record([REST, HOST])
  const kept = [mapping(REST, REST)]
  test('another mapping', () => {
    assert.equal(fateIn(plan([...kept, mapping('other', HOST)], [REST, HOST], owned)), 'listed, transferred, kept')
  })
  test('the same name in another source', () => {
    const moved = mapping(HOST, HOST, { source: 'kubernetes' })
    assert.equal(fateIn(plan([...kept, moved], [REST, HOST], owned)), 'listed, transferred, kept')
  })
  test('not while nobody wants it', () => {
    assert.equal(fateIn(plan(kept, [REST, HOST], owned, { app: app({ policy: 'UpsertOnly' }) })), 'listed, kept')
  })
})

describe('a www that nobody asked for', () => {
  const www = `www.${HOST}`
  const exclusive = { app: app({ policy: 'Exclusive' }) }
  test('goes under Exclusive when its domain is not wanted, and stays foreign when it is', () => {
    const approved = record([REST, HOST], { exclusiveApproved: true })
    assert.deepEqual(plan(mappings([REST]), [REST, HOST, www], approved, exclusive).list, [REST])
    const wanted = plan(mappings([REST, HOST]), [REST, HOST, www], approved, exclusive)
    assert.deepEqual([wanted.list, wanted.foreign], [[REST, HOST, www], [www]])
  })
  test('goes when it was asked for before and is not now', () => {
    assert.deepEqual(plan(mappings([REST, HOST]), [REST, HOST, www], record([REST, HOST, www])).list, [REST, HOST])
  })
  test('a claim that came with its domain goes with it, beside other wanted hosts', () => {
    const claim = { mapping: 'wordpress/shop', source: 'manifests', state: 'Held', since: NOW, implied: true } as const
    const base = record([REST])
    const implied: OwnershipRecord = { ...base, hosts: { ...base.hosts, [www as Host]: claim } }
    assert.deepEqual(plan(mappings([REST]), [REST, www], implied).removals, [www])
    const wanted = plan(mappings([REST, HOST]), [REST, HOST, www], implied)
    assert.deepEqual([wanted.removals, wanted.kept], [[], 2])
  })
})

describe('a host that another writer keeps undoing', () => {
  const contended = new Map([
    [HOST as Host, { reason: 'Contended', message: 'undone 3 times', until: NOW + 1 } as const],
  ])
  test('is not added, and all else is', () => {
    const made = plan(mappings([REST, HOST]), [], record([]), { contended })
    assert.deepEqual(made.list, [REST])
    assert.deepEqual(made.held.get(HOST as Host), { ...contended.get(HOST as Host), of: 'addition' })
    assert.equal(made.next, NOW + 1)
  })
  test('is not removed, whatever is approved, and all else is', () => {
    const gone = 'gone.example.com'
    const input = [mappings([REST]), [REST, HOST, gone], record([REST, HOST, gone])] as const
    const made = plan(...input, { contended })
    assert.deepEqual([made.list, made.removals], [[REST, HOST], [gone]])
    assert.deepEqual(made.held.get(HOST as Host), { ...contended.get(HOST as Host), of: 'removal' })
    const free = plan(...input)
    assert.deepEqual(plan(...input, { contended, approvals: [free.hash] }).list, [REST, HOST])
  })
  test('that is wanted and there is adopted and kept as ever', () => {
    const made = plan(mappings([REST, HOST]), [REST, HOST], record([REST]), { contended })
    assert.equal(fateIn(made), 'listed, adopted')
    assert.equal(made.held.size, 0)
  })
})
