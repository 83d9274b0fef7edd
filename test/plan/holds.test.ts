import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Host } from '../../src/domain/host.ts'
import { watchRemovals } from '../../src/plan/settle.ts'
import { app, hosts, mapping, mappings, NOW, plan, record } from './fixture.ts'

const FOREIGN = 'by-hand.example.org'

describe('while the object of an app is deleted', () => {
  const owned = hosts(12)
  const watch = watchRemovals(undefined, {
    basis: '',
    wanted: new Map(),
    owned: owned as Host[],
    frozen: () => false,
    distrusted: true,
    now: NOW,
  })

  test('what is ours goes under any policy, without settling and without a budget; what is not stays', () => {
    for (const policy of ['Sync', 'UpsertOnly', 'Exclusive'] as const) {
      const made = plan([], [...owned, FOREIGN], record(owned), { app: app({ policy }), finalizing: true, watch })
      assert.deepEqual(made.list, [FOREIGN], policy)
      assert.equal(made.refused, undefined)
    }
  })

  test('the last host of the app stays all the same', () => {
    const made = plan([], owned, record(owned), { finalizing: true })
    assert.deepEqual(made.removals, [])
    assert.match(made.refused?.message ?? '', /without a single host/)
  })
})

describe('what the guards count', () => {
  const exclusive = { app: app({ policy: 'Exclusive' }) }

  test('hosts of others that Exclusive removes are not in the budget', () => {
    const owned = hosts(20)
    const observed = [...owned, ...hosts(15, 'foreign')]
    const made = plan(mappings(owned), observed, record(owned, { exclusiveApproved: true }), exclusive)
    assert.deepEqual(made.list, owned)
  })

  test('hosts that are adopted are', () => {
    const owned = hosts(10)
    const of = (adopted: number) => {
      const more = hosts(adopted, 'new')
      return plan(mappings([...owned.slice(4), ...more]), [...owned, ...more], record(owned))
    }
    assert.match(of(3).refused?.message ?? '', /4 of 13/)
    assert.equal(of(4).refused, undefined)
  })

  test('additions that find no place beside what is there are not', () => {
    const owned = hosts(300)
    const made = plan(mappings([...owned.slice(100), ...hosts(200, 'new')]), owned, record(owned))
    assert.match(made.refused?.message ?? '', /100 of 300/)
    assert.equal(made.held.get('h001.example.com' as Host)?.reason, 'RemovalRefused')
  })

  test('an addition that is blocked does not keep the app from being empty', () => {
    const blocked = new Map([['new.example.com' as Host, { reason: 'AwaitingDNS', message: 'not yet' } as const]])
    const made = plan(mappings(['new.example.com']), ['old.example.com'], record(['old.example.com']), { blocked })
    assert.deepEqual(made.list, ['old.example.com'])
    assert.match(made.refused?.message ?? '', /without a single host/)
    assert.deepEqual(made.held.get('new.example.com' as Host), {
      reason: 'AwaitingDNS',
      message: 'not yet',
      of: 'addition',
    })
  })

  test('the last mapping takes nothing along, also where others have hosts', () => {
    const made = plan([], ['a.example.com', FOREIGN], record(['a.example.com']))
    assert.deepEqual(made.removals, [])
    assert.match(made.refused?.message ?? '', /no mapping is left at all/)
    assert.deepEqual(made.held.get('a.example.com' as Host)?.of, 'removal')
  })
})

describe('what holds a removal back', () => {
  const there = ['a.example.com', 'b.example.com']

  test('a host that moves leaves once the other app serves it', () => {
    const moving = new Map([['b.example.com' as Host, 'wordpress/other']])
    const made = plan(mappings(['a.example.com']), there, record(there), { moving })
    assert.deepEqual(made.list, there)
    assert.deepEqual(made.held.get('b.example.com' as Host), {
      reason: 'Progressing',
      message: 'leaves once app wordpress/other serves it',
      of: 'removal',
    })
  })

  test('a mapping of which nobody can tell whether it is allowed', () => {
    const of = app({ allowedNamespaces: { from: 'Selector', selector: {} } })
    const undecided = mapping('b.example.com', 'b.example.com', { namespace: 'shops' })
    const made = plan([...mappings(['a.example.com']), undecided], there, record(there), { app: of })
    assert.deepEqual(made.list, there)
    assert.deepEqual(made.held.get('b.example.com' as Host), {
      reason: 'SourceUnavailable',
      message: `its mapping ${undecided.key} may be allowed: the labels of its namespace are not known`,
      of: 'removal',
    })
  })

  test('under another version only what nobody saw go', () => {
    const look = (watch: ReturnType<typeof watchRemovals> | undefined, wanted: readonly string[], now: number) =>
      watchRemovals(watch, {
        basis: '',
        wanted: new Map(wanted.map((host) => [host as Host, true])),
        owned: there as Host[],
        frozen: () => false,
        distrusted: true,
        now,
      })
    const watch = look(look(undefined, there, NOW), ['a.example.com'], NOW + 1)
    const made = plan(mappings(['a.example.com']), there, record(there), { watch, now: NOW + 600_000 })
    assert.deepEqual(made.removals, ['b.example.com'])
  })
})
