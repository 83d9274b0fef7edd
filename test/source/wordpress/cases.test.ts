import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { serialize } from 'php-serialize'
import type { App } from '../../../src/api/objects.ts'
import { resolveConflicts } from '../../../src/plan/conflicts.ts'
import { compileMapping } from '../../../src/plan/desired.ts'
import type { MappingRead } from '../../../src/source/source.ts'
import { type DatabaseServer, databaseServer } from './database-server.ts'
import * as sql from './network.ts'
import { app, type WordpressSpec, type World, world } from './world.ts'

/** The hosts that a plan makes of what was read. */
function hosts(read: MappingRead, of: App): string[] {
  const compiled = read.mappings.map((mapping) => compileMapping(of, mapping, () => undefined))
  return [
    ...(resolveConflicts([{ app: of.key, compiled }], () => undefined)
      .get(of.key)
      ?.hosts.keys() ?? []),
  ].sort()
}

let skipped = ''
const ends: (() => Promise<void>)[] = []
const server: DatabaseServer | undefined = await databaseServer({
  after: (end) => void ends.push(end),
  skip: (message) => {
    skipped = message
  },
})
after(async () => {
  for (const end of ends) await end()
})

interface Setting {
  wordpress?: Partial<WordpressSpec>
  spec?: Partial<App['spec']>
}

/** A database with these tables and rows, read. */
async function given(t: { after(work: () => Promise<void>): void }, tables: string, { wordpress, spec }: Setting = {}) {
  const database = await (server as DatabaseServer).database()
  await database.sql(tables)
  const of = app(wordpress, spec)
  const seen = await world(t, () => database.url(), { given: of })
  return { database, of, ...seen, hosts: () => hosts(seen.read(), of) }
}

/** Every whole read sees the same, and nobody is told of a change. */
async function isQuiet(seen: World): Promise<void> {
  const { mappings } = seen.read()
  const told = seen.changes.length
  await seen.looked()
  assert.equal(seen.read().mappings, mappings)
  assert.equal(seen.changes.length, told)
}

const NEVER = { spec: { www: 'Never' as const } }
const BLOGS = sql.sites({ 1: 'network.example', 2: 'two.network.example' })
const ROWS = `INSERT INTO wp_domain_mapping (blog_id, domain, active) VALUES (2,'example.com',1), (2,'example.net',0), (2,'example.org',0);`

describe('WordPress databases', { skip: server === undefined && skipped }, () => {
  describe('one-table-name-many-meanings', () => {
    const all = ['example.com', 'example.net', 'example.org']
    test('A: WordPress MU Domain Mapping serves every row', async (t) => {
      const seen = await given(
        t,
        sql.coreTables() + BLOGS + sql.PLAIN + sql.MU_LOGINS + sql.meta('dm_hash', 'abc') + ROWS,
        NEVER,
      )
      assert.deepEqual(seen.hosts(), all)
      assert.equal(seen.failure(), undefined)
      await isQuiet(seen)
    })
    test('B: Mercator, and WP Ultimo 1.x with it, serves active rows', async (t) => {
      const seen = await given(
        t,
        sql.coreTables() + BLOGS + sql.PLAIN + sql.meta('mercator.db.version', '1') + ROWS,
        NEVER,
      )
      assert.deepEqual(seen.hosts(), ['example.com'])
    })
    test('C: neither mark is no answer, and heals with the setting or the mark', async (t) => {
      const seen = await given(t, sql.coreTables() + BLOGS + sql.PLAIN + ROWS, NEVER)
      assert.deepEqual(seen.hosts(), [])
      assert.match(seen.failure() ?? '', /spec\.wordpress\.mappings to DomainMapping/)
      seen.follow(app({ mappings: 'DomainMapping' }, NEVER.spec))
      await seen.until('every row', () => seen.failure() === undefined && seen.domains().length === 3)
      seen.follow(app({}, NEVER.spec))
      await seen.until('undecided again', () => seen.failure() !== undefined)
      assert.equal(seen.domains().length, 3, 'what was good stays')
      await seen.database.sql(sql.meta('mercator.db.version', '1'))
      await seen.until('the mark', () => seen.failure() === undefined)
      assert.deepEqual(seen.hosts(), ['example.com'])
    })
    test('C: both marks are no answer', async (t) => {
      const marks = sql.meta('mercator.db.version', '1') + sql.meta('dm_hash', 'x')
      const seen = await given(t, sql.coreTables() + BLOGS + sql.PLAIN + marks + ROWS)
      assert.match(seen.failure() ?? '', /says Mercator.*spec\.wordpress\.mappings/)
    })
    test('D: WPMU DEV serves active rows, primary or not', async (t) => {
      const rows = `INSERT INTO wp_domain_mapping (blog_id, is_primary, domain, active) VALUES (2,1,'example.com',1), (2,0,'example.net',1), (2,0,'example.org',0);`
      const seen = await given(t, sql.coreTables() + BLOGS + sql.WPMU_DEV + rows, NEVER)
      assert.deepEqual(seen.hosts(), ['example.com', 'example.net'])
    })
    test('E: Dark Matter has no column scheme', async (t) => {
      const seen = await given(t, sql.coreTables() + BLOGS + sql.DARK_MATTER + ROWS, NEVER)
      assert.deepEqual(seen.hosts(), ['example.com'])
      assert.equal(seen.failure(), undefined)
    })
    test('two families are no answer, each value of the setting is one', async (t) => {
      const both =
        sql.coreTables() + BLOGS + sql.ultimateTable() + sql.PLAIN + sql.meta('mercator.db.version', '1') + ROWS
      const seen = await given(t, both, NEVER)
      assert.match(seen.failure() ?? '', /both wp_wu_domain_mappings and wp_domain_mapping/)
      for (const [mappings, count] of [
        ['DomainMapping', 1],
        ['UltimateMultisite', 0],
        ['Core', 0],
      ] as const) {
        seen.follow(app({ mappings }, NEVER.spec))
        await seen.until(mappings, () => seen.failure() === undefined && seen.domains().length === count)
      }
    })
  })

  test('rows-with-holes: what is whole counts, each hole is told once, nobody flaps', async (t) => {
    const seen = await given(
      t,
      `${sql.coreTables()}${sql.sites({ 1: 'network.example', 2: 'two.network.example', 3: 'three.network.example' })}${sql.ultimateTable()}
      INSERT INTO wp_wu_domain_mappings (id,blog_id,domain,active,stage,date_created) VALUES
        (11,2,'shop.example.com',1,'done','0000-00-00 00:00:00'), (12,7,'ghost.example.com',1,'done','2024-01-01 00:00:00'),
        (13,2,'mapped.example:8080',1,'done',NULL), (14,2,'',1,'done',NULL), (15,2,'null.example.com',NULL,'done',NULL),
        (16,3,'twice.example.com',1,'done',NULL), (17,2,'twice.example.com',1,'done','0000-00-00 00:00:00');`,
      NEVER,
    )
    assert.deepEqual(seen.hosts(), ['shop.example.com', 'twice.example.com'])
    assert.equal(seen.read().mappings[1]?.place, 'wp_wu_domain_mappings id 16')
    assert.equal(seen.failure(), undefined)
    await isQuiet(seen)
    for (const id of [12, 13, 14]) {
      const place = `wp_wu_domain_mappings id ${id}`
      assert.equal(seen.read().faults?.filter((fault) => fault.place === place).length, 1)
      assert.equal(seen.lines.filter((line) => line.includes(place)).length, 1)
    }
    assert.equal(seen.read().faults?.length, 3)
  })

  test('network-name-as-a-mapping: the names of all networks are protected, mapped or not', async (t) => {
    const seen = await given(
      t,
      `${sql.coreTables()}${sql.sites({ 1: 'network.example', 5: 'network.example' })}${sql.ultimateTable()}
      INSERT INTO wp_site (id, domain, path) VALUES (2, 'second.example', '/');
      INSERT INTO wp_wu_domain_mappings (id, blog_id, domain, stage) VALUES (1,5,'network.example','done'), (2,5,'shop.example.com','done');`,
      NEVER,
    )
    assert.deepEqual(seen.hosts(), ['network.example', 'shop.example.com'])
    await seen.database.sql('DELETE FROM wp_blogs WHERE blog_id = 5; DELETE FROM wp_wu_domain_mappings')
    await seen.until('the site is gone', () => seen.domains().length === 0)
    assert.equal(seen.failure(), undefined)
    const names = ['network.example', 'www.network.example', 'second.example', 'www.second.example']
    assert.deepEqual(seen.read().protectedHosts, names)
  })

  test('mapping-without-a-plugin: a name outside the network is a mapping, one below only when asked for', async (t) => {
    const rows = sql.sites({ 1: 'network.example', 2: 'two.network.example', 3: 'customer.example.org' })
    const seen = await given(t, sql.coreTables() + rows, NEVER)
    assert.deepEqual(seen.hosts(), ['customer.example.org'])
    assert.equal(seen.failure(), undefined)
    seen.follow(app({ includeSites: true }))
    await seen.until('the sites', () => seen.domains().includes('two.network.example'))
    assert.ok(!seen.domains().includes('network.example'))
  })

  test('mapping-without-a-plugin: Mercator makes a name primary in three statements, a look may fall between any two', async (t) => {
    const seen = await given(
      t,
      `${sql.coreTables()}${BLOGS}${sql.PLAIN}${sql.meta('mercator.db.version', '1')}INSERT INTO wp_domain_mapping (id, blog_id, domain) VALUES (1, 2, 'example.com');`,
    )
    for (const statement of [
      "INSERT INTO wp_domain_mapping (id, blog_id, domain) VALUES (2, 2, 'two.network.example')",
      "UPDATE wp_blogs SET domain = 'example.com' WHERE blog_id = 2",
      'DELETE FROM wp_domain_mapping WHERE id = 1',
    ]) {
      await seen.database.sql(statement)
      await seen.looked()
      assert.ok(seen.hosts().includes('example.com'), statement)
      assert.equal(seen.failure(), undefined)
    }
    assert.equal(seen.read().mappings.find(({ domain }) => domain === 'example.com')?.place, 'wp_blogs blog_id 2')
  })

  test('serialised-settings-broken: never stays never, an error says where; at the first read no www is added', async (t) => {
    const good = 'a:2:{s:8:"site_url";s:23:"https://new.example.org";s:25:"auto_create_www_subdomain";s:5:"never";}'
    const rows = "INSERT INTO wp_wu_domain_mappings (blog_id, domain) VALUES (2, 'example.com');"
    const tables = sql.coreTables() + BLOGS + sql.ultimateTable() + rows
    const seen = await given(t, tables + sql.meta('wp-ultimo_v2_settings', good))
    assert.deepEqual(seen.hosts(), ['example.com'])
    const replace = (from: string, to: string) =>
      seen.database.sql(`UPDATE wp_sitemeta SET meta_value = REPLACE(meta_value, '${from}', '${to}')`)
    await replace('s:23', 's:20')
    await seen.until('it is said', () => /wp_sitemeta, "wp-ultimo_v2_settings"/.test(seen.failure() ?? ''))
    assert.deepEqual(seen.hosts(), ['example.com'])
    await replace('s:20', 's:23')
    await seen.until('it is whole again', () => seen.failure() === undefined)
    assert.deepEqual(seen.hosts(), ['example.com'])

    const first = await given(t, tables + sql.meta('wp-ultimo_v2_settings', good.replace('s:23', 's:20')))
    assert.deepEqual(first.hosts(), ['example.com'])
    assert.match(first.failure() ?? '', /wp_sitemeta, "wp-ultimo_v2_settings"/)

    const without = await given(t, tables + sql.meta('wp-ultimo_v2_settings', 'a:1:{s:1:"a";s:7:"bücher";}'))
    assert.deepEqual(without.hosts(), ['example.com', 'www.example.com'])
  })

  test('source-that-is-not-there-yet (e): no table at the start, and in the middle; in sync again without a restart', async (t) => {
    const seen = await given(t, '', NEVER)
    assert.deepEqual(seen.domains(), [])
    assert.match(seen.failure() ?? '', /no table wp_site.*spec\.wordpress\.tablePrefix/)
    await seen.database.sql(sql.SMALL)
    await seen.until('it is there', () => seen.failure() === undefined && seen.domains().length === 2)
    for (const table of ['wp_wu_domain_mappings', 'wp_blogs', 'wp_site', 'wp_sitemeta']) {
      await seen.database.sql(`RENAME TABLE ${table} TO away`)
      await seen.until(`no ${table}`, () => (seen.failure() ?? '').includes(table))
      assert.equal(seen.domains().length, 2)
      await seen.database.sql(`RENAME TABLE away TO ${table}`)
      await seen.until(`${table} is back`, () => seen.failure() === undefined)
      assert.equal(seen.domains().length, 2)
    }
  })

  test('source-that-is-not-there-yet (e): a plugin that was set up and has no table is not "no domains"', async (t) => {
    const seen = await given(t, sql.coreTables() + BLOGS + sql.meta('wu_setup_finished', '1'))
    assert.match(seen.failure() ?? '', /no table wp_wu_domain_mappings/)
  })

  test('the prefix of another network is named', async (t) => {
    const tables =
      sql.coreTables({ prefix: 'wp7_' }) + sql.sites({ 1: 'network.example', 2: 'example.org' }, { prefix: 'wp7_' })
    const seen = await given(t, tables)
    assert.match(seen.failure() ?? '', /the prefix "wp7_"/)
    seen.follow(app({ tablePrefix: 'wp7_' }))
    await seen.until('read', () => seen.failure() === undefined)
    assert.deepEqual(seen.domains(), ['example.org'])
  })

  test('archived as an ENUM, stages that an older table stores as nothing, two networks with rules of their own, the first of two rows', async (t) => {
    const seen = await given(
      t,
      `${sql.coreTables({ enumArchived: true })}${sql.sites({ 1: 'network.example', 2: 'two.network.example', 3: 'x.network.example' })}
      INSERT INTO wp_site (id, domain, path) VALUES (2, 'second.example', '/');
      INSERT INTO wp_blogs (blog_id, site_id, domain, path) VALUES (4, 2, 'second.example', '/');
      UPDATE wp_blogs SET archived = '1' WHERE blog_id = 3;
      ${sql.ultimateTable({ old: true })}${sql.wwwSettings('never')}${sql.wwwSettings('always')}${sql.meta('wp-ultimo_v2_settings', serialize({ auto_create_www_subdomain: 'always' }), 2)}
      INSERT INTO wp_wu_domain_mappings (blog_id, domain, stage) VALUES (2,'a.example.com','ssl-failed'), (3,'b.example.com','done'), (4,'c.example.com','done');`,
    )
    assert.deepEqual(seen.hosts(), ['a.example.com', 'c.example.com', 'www.c.example.com'])
  })

  test('a latin1 table with umlauts; names that its collation holds for one', async (t) => {
    const latin = 'ENGINE=MyISAM DEFAULT CHARSET=latin1 COLLATE=latin1_german2_ci'
    const seen = await given(
      t,
      `${sql.coreTables({ options: latin })}${BLOGS}${sql.ultimateTable({ options: latin })}${sql.wwwSettings('never')}
      INSERT INTO wp_wu_domain_mappings (blog_id, domain) VALUES (2,'bücher.example'), (2,'buecher.example'), (2,'straße.example'), (2,'strasse.example');`,
    )
    assert.equal(seen.failure(), undefined)
    assert.deepEqual(seen.hosts(), [
      'buecher.example',
      'strasse.example',
      'xn--bcher-kva.example',
      'xn--strae-oqa.example',
    ])
  })

  test('the plugin that writes to ServerPilot itself is told, with the cure, and forgotten when it is off', async (t) => {
    const seen = await given(t, sql.SMALL + sql.meta('wu_host_integrations_enabled', serialize({ serverpilot: true })))
    assert.match(seen.read().secondWriter ?? '', /wu_host_integrations_enabled in wp_sitemeta.*Disable/)
    await seen.database.sql("DELETE FROM wp_sitemeta WHERE meta_key = 'wu_host_integrations_enabled'")
    await seen.until('off', () => seen.read().secondWriter === undefined)
    assert.equal(seen.domains().length, 2)
  })

  test('every change that matters is seen by a short look, none that does not', async (t) => {
    const seen = await given(t, sql.SMALL)
    const count = (n: number) => () => seen.domains().length === n
    const steps: [string, () => boolean][] = [
      [
        "INSERT INTO wp_wu_domain_mappings (id, blog_id, domain) VALUES (9007199254740993, 2, 'new.example.com')",
        count(3),
      ],
      [
        "UPDATE wp_wu_domain_mappings SET domain = 'newer.example.com' WHERE domain = 'new.example.com'",
        () => seen.domains().includes('newer.example.com'),
      ],
      ["UPDATE wp_wu_domain_mappings SET active = 0 WHERE domain = 'newer.example.com'", count(2)],
      ["UPDATE wp_wu_domain_mappings SET active = 1, blog_id = 3 WHERE domain = 'newer.example.com'", count(3)],
      ["UPDATE wp_blogs SET archived = '1' WHERE blog_id = 3", count(1)],
      ["UPDATE wp_blogs SET archived = '0' WHERE blog_id = 3", count(3)],
      ["UPDATE wp_blogs SET domain = 'outside.example.org' WHERE blog_id = 2", count(4)],
      ["UPDATE wp_site SET domain = 'example.org' WHERE id = 1", () => !seen.domains().includes('outside.example.org')],
      [
        `UPDATE wp_sitemeta SET meta_value = REPLACE(meta_value, 's:5:"never"', 's:6:"always"')`,
        () => seen.read().mappings[0]?.www === 'Always',
      ],
      [
        "DELETE FROM wp_wu_domain_mappings WHERE domain = 'newer.example.com'",
        () => !seen.domains().includes('newer.example.com'),
      ],
    ]
    for (const [statement, holds] of steps) {
      await seen.database.sql(statement)
      await seen.until(statement, holds)
      assert.equal(seen.failure(), undefined)
    }
    await seen.database.sql(
      "UPDATE wp_blogs SET last_updated = NOW(); INSERT INTO wp_sitemeta (site_id, meta_key) VALUES (1, 'other')",
    )
    await isQuiet(seen)
  })

  test('apps come, go and change while it runs', async (t) => {
    const seen = await given(t, sql.SMALL)
    const other: App = { ...app(), key: 'wordpress/other', name: 'other' }
    seen.source.follow([app(), other])
    assert.match(seen.source.mappingsOf(other).failure?.message ?? '', /not read yet/)
    await seen.until('the other', () => seen.changes.includes(other.key))
    assert.equal(seen.source.mappingsOf(other).mappings[0]?.key, 'wordpress/other/wp_wu_domain_mappings/1')
    const { wordpress: _database, ...without } = app().spec
    const plain = { ...app(), spec: without }
    seen.source.follow([plain])
    assert.deepEqual(seen.source.mappingsOf(plain), { source: 'wordpress', mappings: [] })
    assert.match(seen.source.mappingsOf(other).failure?.message ?? '', /not read yet/)
  })
})
