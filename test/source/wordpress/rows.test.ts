import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { tableNames } from '../../../src/source/wordpress/families.ts'
import {
  compileRows,
  dateOf,
  type MappingRow,
  protectedNames,
  type Rows,
  type SiteRow,
} from '../../../src/source/wordpress/rows.ts'
import { app } from './world.ts'

function site(blogId: string, domain: string, more: Partial<SiteRow> = {}): SiteRow {
  return { blogId, siteId: '1', domain, registered: null, archived: '0', spam: '0', deleted: '0', ...more }
}

function row(id: string, domain: string | null, more: Partial<MappingRow> = {}): MappingRow {
  return { table: 'wp_wu_domain_mappings', id, blogId: '2', domain, active: '1', stage: 'done', created: null, ...more }
}

function rows(more: Partial<Rows>): Rows {
  return {
    family: 'UltimateMultisite',
    names: tableNames('wp_'),
    table: 'wp_wu_domain_mappings',
    networks: [{ id: '1', domain: 'network.example' }],
    sites: [site('1', 'network.example'), site('2', 'two.network.example')],
    mappings: [],
    ...more,
  }
}

const compile = (given: Rows, of = app()) => compileRows(of, given, () => undefined)
const domains = (given: Rows, of = app()) => compile(given, of).mappings.map(({ domain }) => domain)
const MAPPINGS = [row('1', 'a.example.com')]

describe('compileRows', () => {
  test('a row as a mapping: key, place, date, rule; another domain is another generation', () => {
    const mapping = (domain: string) =>
      compileRows(app(), rows({ mappings: [row('12', domain, { created: '2024-01-01 00:00:00' })] }), () => 'Never')
        .mappings[0]
    const { generation, ...rest } = mapping('a.example.com') ?? assert.fail()
    assert.deepEqual(rest, {
      key: 'wordpress/network/wp_wu_domain_mappings/12',
      namespace: 'wordpress',
      name: 'network/wp_wu_domain_mappings/12',
      place: 'wp_wu_domain_mappings id 12',
      labels: {},
      annotations: {},
      source: 'wordpress',
      domain: 'a.example.com',
      app: 'wordpress/network',
      created: Date.UTC(2024, 0, 1),
      www: 'Never',
    })
    assert.equal(mapping('a.example.com')?.generation, generation)
    assert.notEqual(mapping('b.example.com')?.generation, generation)
    assert.ok(Number.isSafeInteger(generation) && generation > 0)
  })

  test('flags as text: an ENUM, a number, a NULL; only a site that is to be reached counts', () => {
    for (const flag of ['archived', 'spam', 'deleted'] as const) {
      for (const [value, count] of [
        ['0', 1],
        ['', 1],
        [null, 1],
        ['1', 0],
        ['2', 0],
      ] as const) {
        const given = rows({
          sites: [site('1', 'network.example'), site('2', 'x.network.example', { [flag]: value })],
          mappings: MAPPINGS,
        })
        assert.equal(domains(given).length, count, `${flag} ${value}`)
        assert.deepEqual(compile(given).faults, [])
      }
    }
  })

  test('every row of WordPress MU Domain Mapping counts, elsewhere the active ones', () => {
    const mappings = [
      row('1', 'a.example.com'),
      row('2', 'b.example.com', { active: '0' }),
      row('3', 'c.example.com', { active: null }),
    ]
    const count = (family: Rows['family']) => domains(rows({ family, mappings })).length
    assert.equal(count('MuDomainMapping'), 3)
    for (const family of ['UltimateMultisite', 'Mercator', 'WpmuDev', 'DarkMatter'] as const)
      assert.equal(count(family), 1)
  })

  test('no stage makes a host unwanted; one that is not known is told', () => {
    const stages = [
      'checking-dns',
      'checking-ssl-cert',
      'done',
      'failed',
      'done-without-ssl',
      'ssl-failed',
      '',
      null,
      'new-one',
    ]
    const mappings = stages.map((stage, index) => row(String(index + 1), `${index}.example.com`, { stage }))
    const compiled = compile(rows({ mappings }))
    assert.equal(compiled.mappings.length, stages.length)
    assert.deepEqual(compiled.unknownStages, ['new-one'])
  })

  test("a site's own name outside the networks' domains is a mapping; names below only when asked for", () => {
    const given = rows({
      networks: [
        { id: '1', domain: 'www.network.example' },
        { id: '2', domain: 'Second.Example' },
      ],
      sites: [
        site('1', 'www.network.example'),
        site('2', 'two.network.example'),
        site('3', 'customer.example.org'),
        site('4', 'deep.shop.second.example'),
        site('5', 'second.example'),
        site('6', 'notnetwork.example'),
        site('7', 'gone.example.org', { deleted: '1' }),
        site('8', ''),
        site('9', 'localhost:8080'),
      ],
    })
    assert.deepEqual(domains(given), ['customer.example.org', 'notnetwork.example'])
    const all = compile(given, app({ includeSites: true })).mappings
    assert.deepEqual(
      all.map(({ domain, www }) => [domain, www]),
      [
        ['two.network.example', 'Never'],
        ['customer.example.org', undefined],
        ['deep.shop.second.example', 'Never'],
        ['notnetwork.example', undefined],
      ],
    )
    assert.equal(all[1]?.place, 'wp_blogs blog_id 3')
    const said = compile(given, app({ includeSites: true }, { www: 'Always' })).mappings[0]
    assert.equal(said?.www, undefined, 'what the app says counts')
  })

  test('one network of several: what belongs to another does not count, is no fault, and has its reason', () => {
    const given = rows({
      networks: [
        { id: '1', domain: 'network.example' },
        { id: '3', domain: 'third.example' },
      ],
      sites: [site('2', 'two.network.example'), site('9', 'own.example.org', { siteId: '3' })],
      mappings: [
        row('1', 'a.example.com'),
        row('2', 'b.example.com', { blogId: '9' }),
        row('3', 'c.example.com:8080', { blogId: '9' }),
        row('4', 'ghost.example.com', { blogId: '7', table: 'wp_wu_3_domain_mappings' }),
        row('5', 'gone.example.com', { blogId: '7' }),
      ],
    })
    const { mappings, faults, uncounted } = compile(given, app({ network: '1' }))
    assert.deepEqual(
      mappings.map(({ domain }) => domain),
      ['a.example.com'],
    )
    assert.deepEqual(
      faults.map(({ place }) => place),
      ['wp_wu_domain_mappings id 5'],
    )
    const why = 'it belongs to network 3, and --wordpress-network or, in an object, spec.wordpress.network is 1'
    assert.deepEqual(
      uncounted.map((each) => [each.domain, each.why]),
      [
        ['b.example.com', why],
        ['c.example.com:8080', why],
        ['ghost.example.com', why],
        ['gone.example.com', 'its site 7 does not exist'],
        ['own.example.org', why],
      ],
    )
    assert.deepEqual(domains(given, app({ network: '3' })), ['b.example.com', 'own.example.org'])
  })

  test('one host is one mapping: a row before a site, no date before a date, the older, the lower id', () => {
    const winner = (...mappings: MappingRow[]) => {
      const found = compile(
        rows({ mappings, sites: [site('1', 'network.example'), site('2', 'TWICE.example.com')] }),
      ).mappings
      assert.equal(found.length, 1)
      return found[0]?.place
    }
    assert.equal(winner(), 'wp_blogs blog_id 2')
    assert.equal(
      winner(row('9', 'twice.example.com', { created: '2024-01-01 00:00:00' })),
      'wp_wu_domain_mappings id 9',
    )
    const dated = row('1', 'twice.example.com', { created: '2024-01-01 00:00:00' })
    assert.equal(winner(dated, row('9', 'Twice.Example.com.')), 'wp_wu_domain_mappings id 9')
    assert.equal(
      winner(row('9', 'twice.example.com', { created: '2023-01-01 00:00:00' }), dated),
      'wp_wu_domain_mappings id 9',
    )
    assert.equal(winner(row('10', 'twice.example.com'), row('9', 'twice.example.com')), 'wp_wu_domain_mappings id 9')
  })

  test('names that a collation would call the same are not', () => {
    const mappings = [
      row('1', 'strasse.example'),
      row('2', 'straße.example'),
      row('3', 'bucher.example'),
      row('4', 'bücher.example'),
    ]
    assert.equal(domains(rows({ mappings })).length, 4)
  })

  test('ids beyond 2^53 stay what they are', () => {
    const [mapping] = compile(rows({ mappings: [row('9007199254740993', 'a.example.com')] })).mappings
    assert.equal(mapping?.name, 'network/wp_wu_domain_mappings/9007199254740993')
  })
})

test('protectedNames: every network, each with its www', () => {
  const names = protectedNames([
    { id: '1', domain: 'Network.example' },
    { id: '2', domain: 'www.second.example:8080' },
    { id: '3', domain: '' },
  ])
  assert.deepEqual(names, ['network.example', 'www.network.example', 'second.example', 'www.second.example'])
})

test('dateOf: what is no date is none', () => {
  for (const text of [null, '', '0000-00-00 00:00:00', '2024-13-01 00:00:00', '2024-01-01', 'x'])
    assert.equal(dateOf(text), undefined)
  assert.equal(dateOf('2024-01-01 00:00:00'), 1704067200000)
})
