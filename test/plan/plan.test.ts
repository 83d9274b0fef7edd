import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Host } from '../../src/domain/host.ts'
import { LATE_WRITE_MS } from '../../src/ownership/record.ts'
import { writes } from '../../src/plan/plan.ts'
import { app, hosts, mapping, mappings, NOW, plan, record } from './fixture.ts'

describe('the list that is written', () => {
  test('keeps what is there in its order and spelling, and puts additions behind it, sorted', () => {
    const result = plan(
      mappings(['z.example.com', 'a.example.com']),
      ['Foreign.Example.org', 'b.example.com'],
      record([]),
    )
    assert.deepEqual(result.list, ['Foreign.Example.org', 'b.example.com', 'a.example.com', 'z.example.com'])
  })

  test('many-spellings-one-host: the observed spelling stays and is no drift', () => {
    const wishes = [
      'Shop.Example.com',
      'shop.example.com.',
      ' shop.example.com\t',
      'pro\u00adlan\u00adder.example',
    ].map((domain, index) => mapping(`m${index}`, domain))
    const first = plan(wishes, ['SHOP.example.com'], record([]))
    assert.deepEqual(first.list, ['SHOP.example.com', 'prolander.example'])
    const again = plan(wishes, first.list, record(['shop.example.com', 'prolander.example']))
    assert.equal(writes(again), false)
  })

  test('one-underscore-must-not-stop-the-others: a bad name is never sent', () => {
    const result = plan(
      [mapping('smart', 'smart_panel.example.com'), mapping('shop', 'shop.example.com')],
      [],
      record([]),
    )
    assert.deepEqual(result.list, ['shop.example.com'])
  })

  test('a mapping that names no valid host any more takes nothing off the app', () => {
    const owned = record(['shop.example.com', 'other.example.com'])
    const result = plan(
      [mapping('shop.example.com', 'shop_x.example.com'), mapping('o', 'other.example.com')],
      ['shop.example.com', 'other.example.com'],
      owned,
    )
    assert.equal(writes(result), false)
    const { reason, message } = result.held.get('shop.example.com' as Host) ?? {}
    assert.equal(reason, 'SourceUnavailable')
    assert.match(message ?? '', /^its mapping \S+ names no valid host now$/)
  })

  test('a host named like a property of Object.prototype is foreign', () => {
    assert.deepEqual(plan([], ['constructor', '__proto__'], record([])).foreign, ['__proto__', 'constructor'])
  })
})

describe('protected domains', () => {
  test('are never removed, owned or not, also under Exclusive, and neither is their www', () => {
    const of = app({
      policy: 'Exclusive',
      protectedDomains: ['network.example'],
      safety: { ...app().spec.safety, allowEmpty: true },
    })
    const owned = record(['network.example', 'gone.example.com'], { exclusiveApproved: true })
    const observed = ['network.example', 'www.network.example', 'gone.example.com', 'other.example.com']
    assert.deepEqual(plan([], observed, owned, { app: of }).list, ['network.example', 'www.network.example'])
  })
})

describe('www that came by itself', () => {
  test('www-that-came-by-itself: an unasked www of a wanted host is no drift', () => {
    const wishes = mappings(['hm.example.com', 'keep.example.com'])
    const owned = record(['hm.example.com', 'keep.example.com'])
    const observed = ['hm.example.com', 'www.hm.example.com', 'keep.example.com']
    assert.equal(writes(plan(wishes, observed, owned)), false)
    assert.equal(writes(plan(wishes, observed, owned, { app: app({ policy: 'Exclusive' }) })), false)
  })

  test('www-that-came-by-itself: one that came with our write goes with its name, one that was there stays', () => {
    const owned = record(['hm.example.com', 'keep.example.com'])
    const observed = ['hm.example.com', 'www.hm.example.com', 'keep.example.com']
    const foreign = plan(mappings(['keep.example.com']), observed, owned)
    assert.deepEqual(foreign.list, ['www.hm.example.com', 'keep.example.com'])
    const claim = { mapping: 'wordpress/hm', source: 'manifests', state: 'Held', since: NOW, implied: true } as const
    const implied = { ...owned, hosts: { ...owned.hosts, ['www.hm.example.com' as Host]: claim } }
    assert.equal(writes(plan(mappings(['hm.example.com', 'keep.example.com']), observed, implied)), false)
    assert.deepEqual(plan(mappings(['keep.example.com']), observed, implied).list, ['keep.example.com'])
  })
})

describe('capacity', () => {
  test('250 mappings with www give 250 domains and 50 www names', () => {
    const wishes = Array.from({ length: 250 }, (_, index) =>
      mapping(`m${index}`, `shop${index}.example`, { www: 'Always', created: index }),
    )
    const result = plan(wishes, [], record([]))
    assert.equal(result.list.length, 300)
    assert.equal(result.list.filter((host) => !host.startsWith('www.')).length, 250)
    assert.equal([...result.held.values()].filter((held) => held.reason === 'AppFull').length, 200)
    assert.ok(result.list.includes('www.shop0.example'), 'the older mapping gets its www first')
  })

  test('an app with more than 300 only gets shorter', () => {
    const observed = hosts(400)
    const result = plan(mappings([...observed.slice(0, 399), 'new.example.com']), observed, record(observed))
    assert.equal(result.list.length, 399)
    assert.equal(result.held.get('new.example.com' as Host)?.reason, 'AppFull')
  })
})

describe('release', () => {
  test('a claim that is neither wanted nor observed goes after two absences, far enough apart', () => {
    const owned = record(['gone.example.com'])
    const first = plan([], ['x.example.org'], owned)
    assert.deepEqual(first.changes, [])
    assert.deepEqual(first.absent, ['gone.example.com'])
    const claim = { ...owned.hosts['gone.example.com' as Host], absentSince: NOW } as (typeof owned.hosts)[Host]
    const noted = { ...owned, hosts: { ['gone.example.com' as Host]: claim } as typeof owned.hosts }
    assert.deepEqual(plan([], ['x.example.org'], noted, { now: NOW + LATE_WRITE_MS - 1 }).changes, [])
    assert.deepEqual(plan([], ['x.example.org'], noted, { now: NOW + LATE_WRITE_MS }).changes, [
      { action: 'release', host: 'gone.example.com' },
    ])
  })
})
