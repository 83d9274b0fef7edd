import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { App, Mapping } from '../../src/api/objects.ts'
import { resolveConflicts } from '../../src/plan/conflicts.ts'
import { compileMapping } from '../../src/plan/desired.ts'
import { app, desired, mapping, plan, record } from './fixture.ts'

const settle = (apps: [App, Mapping[]][], holder?: string) =>
  resolveConflicts(
    apps.map(([of, wishes]) => ({
      app: of.key,
      compiled: wishes.map((each) => compileMapping(of, each, () => undefined)),
    })),
    () => holder,
  )

const holderOf = (apps: [App, Mapping[]][], host: string, holder?: string): string[] =>
  [...settle(apps, holder)].flatMap(([, { hosts }]) =>
    [...hosts].filter(([name]) => name === host).map(([, want]) => want.mapping.key),
  )

describe('one host, two mappings', () => {
  const old = mapping('old', 'shop.example.com', { created: 1 })
  const young = mapping('young', 'shop.example.com', { created: 2 })

  test('the recorded holder keeps it', () => {
    assert.deepEqual(holderOf([[app(), [old, young]]], 'shop.example.com', 'wordpress/young'), ['wordpress/young'])
  })
  test('else the older', () =>
    assert.deepEqual(holderOf([[app(), [young, old]]], 'shop.example.com'), ['wordpress/old']))
  test('a missing date is the oldest', () => {
    const dateless = mapping('zz', 'shop.example.com')
    assert.deepEqual(holderOf([[app(), [young, dateless]]], 'shop.example.com'), ['wordpress/zz'])
  })
  test('then source, namespace, name; numbers by value', () => {
    const rows = [mapping('10', 'shop.example.com'), mapping('9', 'shop.example.com')]
    assert.deepEqual(holderOf([[app(), rows]], 'shop.example.com'), ['wordpress/9'])
  })
  test('the loser is told who holds it and where', () => {
    const { rejected } = desired(app(), [old, young])
    assert.deepEqual(
      rejected.map((each) => [each.mapping.name, each.reason]),
      [['young', 'Conflict']],
    )
    assert.match(rejected[0]?.message ?? '', /held by wordpress\/old \(old\.yaml:1\)/)
  })
  test('across apps of one account', () => {
    const other = app({}, 'other')
    const theirs = mapping('theirs', 'shop.example.com', { app: other.key, created: 0 })
    const settled = settle([
      [app(), [old]],
      [other, [theirs]],
    ])
    assert.deepEqual(
      settled.get(app().key)?.rejected.map((each) => each.reason),
      ['Conflict'],
    )
    assert.match(settled.get(app().key)?.rejected[0]?.message ?? '', /of app wordpress\/other/)
  })
  test('every host has exactly one holder, whatever the order', () => {
    const wish = fc.record({
      name: fc.integer({ min: 1, max: 30 }),
      host: fc.integer({ min: 1, max: 5 }),
      created: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
      www: fc.constantFrom('Always', 'Never'),
    })
    fc.assert(
      fc.property(fc.uniqueArray(wish, { selector: (each) => each.name }), (wishes) => {
        const of = wishes.map(({ name, host, created, www }) =>
          mapping(String(name), `h${host}.example.com`, {
            www: www as 'Always',
            ...(created === undefined ? {} : { created }),
          }),
        )
        const holders = (list: Mapping[]) =>
          [...desired(app(), list).hosts].map(([host, want]) => `${host} ${want.mapping.key}`).sort()
        assert.deepEqual(holders(of.toReversed()), holders(of))
        assert.equal(
          new Set(of.map((each) => each.domain)).size,
          new Set(
            holders(of)
              .map((each) => each.split(' ')[0])
              .filter((each) => !each?.startsWith('www.')),
          ).size,
        )
      }),
    )
  })
})

describe('www', () => {
  test('a www that is mapped by itself goes to its own mapping, and removing the bare name keeps it', () => {
    const bare = mapping('bare', 'example.com', { www: 'Always', created: 1 })
    const www = mapping('www', 'www.example.com', { created: 2 })
    const both = desired(app(), [bare, www])
    assert.deepEqual(both.rejected, [])
    assert.equal([...both.hosts].find(([host]) => host === 'www.example.com')?.[1].mapping.name, 'www')
    const owned = record(['example.com', 'www.example.com', 'other.example.com'])
    const other = mapping('other.example.com', 'other.example.com')
    assert.deepEqual(plan([www, other], ['example.com', 'www.example.com', 'other.example.com'], owned).list, [
      'www.example.com',
      'other.example.com',
    ])
  })
})

describe('unicode-and-punycode-are-one-host', () => {
  test('as in the case', () => {
    const domains = [
      'bücher.example',
      'xn--bcher-kva.example',
      'bu\u0308cher.example',
      'faß.example',
      'fass.example',
      'xn--a.example',
    ]
    const wishes = domains.map((domain, index) => mapping(`m${index + 1}`, domain, { created: index }))
    const result = desired(app(), wishes)
    assert.deepEqual(
      result.rejected.map((each) => [each.mapping.name, each.reason]),
      [
        ['m2', 'Conflict'],
        ['m3', 'Conflict'],
        ['m6', 'InvalidDomain'],
      ],
    )
    assert.match(result.rejected[0]?.message ?? '', /xn--bcher-kva\.example.*bücher\.example.*wordpress\/m1/)
    assert.deepEqual(plan(wishes, ['bücher.example'], record([])).list, [
      'bücher.example',
      'fass.example',
      'xn--fa-hia.example',
    ])
  })
})

describe('tenancy', () => {
  const foreign = mapping('theirs', 'shop.example.com', { namespace: 'customers', key: 'customers/theirs' })
  const reasons = (of: App, wish: Mapping, labels?: Record<string, string>) =>
    compileMapping(of, wish, () => labels).rejected?.reason

  test('another namespace needs allowedNamespaces', () => {
    assert.equal(reasons(app(), foreign), 'NotAllowed')
    assert.equal(reasons(app({ allowedNamespaces: { from: 'All' } }), foreign), undefined)
    const select = app({ allowedNamespaces: { from: 'Selector', selector: { matchLabels: { team: 'shops' } } } })
    assert.equal(reasons(select, foreign, { team: 'shops' }), undefined)
    assert.equal(reasons(select, foreign, { team: 'blogs' }), 'NotAllowed')
    assert.equal(reasons(select, foreign), 'NotAllowed')
  })
  test('each host needs allowedDomains', () => {
    const of = app({ allowedDomains: ['*.example.com'] })
    assert.equal(reasons(of, mapping('a', 'a.b.example.com')), undefined)
    assert.equal(reasons(of, mapping('b', 'example.org')), 'NotAllowed')
  })
})
