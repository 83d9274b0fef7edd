import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { serialize } from 'php-serialize'
import type { AppSpec } from '../../../src/api/objects.ts'
import { type DatabaseServer, databaseServer } from './database-server.ts'
import { given } from './given.ts'
import * as sql from './network.ts'
import { world } from './world.ts'

let skipped = ''
const ends: (() => Promise<void>)[] = []
const server = (await databaseServer({
  after: (end) => void ends.push(end),
  skip: (message) => {
    skipped = message
  },
})) as DatabaseServer
after(async () => {
  for (const end of ends) await end()
})

const BLOGS = sql.sites({ 1: 'network.example', 2: 'two.network.example' })
const NEVER = { spec: { www: 'Never' as const } }
const OLD = `INSERT INTO wp_domain_mapping (blog_id, domain, active) VALUES (2,'one.example.com',1), (2,'Two.example.com',0);`
const COPIED = `INSERT INTO wp_wu_domain_mappings (blog_id, domain) VALUES (2,'one.example.com'), (2,'two.example.com'), (2,'new.example.com');`
const NEW = ['new.example.com', 'one.example.com', 'two.example.com']
const both = (...more: string[]) =>
  [sql.coreTables(), BLOGS, sql.ultimateTable(), sql.PLAIN, sql.meta('mercator.db.version', '1'), ...more].join('')

describe('rows as the plugins mean them', { skip: server === undefined && skipped }, () => {
  describe('migrated-from-wp-ultimo', () => {
    const ultimate = sql.activePlugins('ultimate-multisite/ultimate-multisite.php', 'akismet/akismet.php')
    test('the plugin that is on decides, whatever the older table holds', async (t) => {
      const rest = "INSERT INTO wp_domain_mapping (blog_id, domain) VALUES (2, 'gone.example.com');"
      const seen = await given(t, server, both(OLD, rest, COPIED, ultimate), NEVER)
      assert.equal(seen.failure(), undefined)
      assert.deepEqual(seen.hosts(), NEW)
      await seen.database.sql("UPDATE wp_sitemeta SET meta_value = 'a:0:{}' WHERE meta_key = 'active_sitewide_plugins'")
      await seen.until('nothing says which', () => /both wp_wu_domain_mappings and/.test(seen.failure() ?? ''))
      assert.deepEqual(seen.hosts(), NEW, 'what was good stays')
    })
    test('the older plugin, where that is the one which is on', async (t) => {
      const older = sql.activePlugins('dark-matter/dark-matter.php')
      const tables = both(COPIED, older).replace(sql.PLAIN, sql.DARK_MATTER)
      const seen = await given(t, server, tables + OLD, NEVER)
      assert.deepEqual(seen.hosts(), ['one.example.com'])
    })
    test('2.x under its older file name, set up', async (t) => {
      const on = sql.activePlugins('wp-ultimo/wp-ultimo.php') + sql.meta('wu_setup_finished', '1')
      const seen = await given(
        t,
        server,
        both(OLD, COPIED, "INSERT INTO wp_domain_mapping (blog_id, domain) VALUES (2, 'x.example.com');", on),
        NEVER,
      )
      assert.deepEqual(seen.hosts(), NEW)
    })
    test('every older row stands in the newer table: it decides, until one does not', async (t) => {
      const orphan = "INSERT INTO wp_domain_mapping (blog_id, domain) VALUES (7, 'ghost.example.com');"
      const seen = await given(t, server, both(OLD, orphan, COPIED), NEVER)
      assert.equal(seen.failure(), undefined)
      assert.deepEqual(seen.hosts(), NEW)
      await seen.database.sql("INSERT INTO wp_domain_mapping (blog_id, domain) VALUES (2, 'late.example.com')")
      await seen.until('not copied', () => seen.failure() !== undefined)
      assert.match(
        seen.failure() ?? '',
        /set --wordpress-mappings or, in an object, spec\.wordpress\.mappings to Ultimate/,
      )
      assert.deepEqual(seen.hosts(), NEW)
      await seen.database.sql("INSERT INTO wp_wu_domain_mappings (blog_id, domain) VALUES (2, 'late.example.com')")
      await seen.until('copied', () => seen.failure() === undefined)
      assert.ok(seen.hosts().includes('late.example.com'))
    })
    test('of two plugins with one table, that which is on', async (t) => {
      const tables = sql.coreTables() + BLOGS + sql.PLAIN + OLD
      const seen = await given(
        t,
        server,
        tables + sql.activePlugins('wordpress-mu-domain-mapping/domain_mapping.php'),
        NEVER,
      )
      assert.deepEqual(seen.hosts(), ['one.example.com', 'two.example.com'])
    })
  })

  describe('a-table-per-network', () => {
    const NETWORKS = `INSERT INTO wp_site (id, domain, path) VALUES (3, 'third.example', '/');
      INSERT INTO wp_blogs (blog_id, site_id, domain, path) VALUES (8, 3, 'third.example', '/'), (9, 3, 'nine.third.example', '/');`
    const OWN = `${sql.ultimateTable({ network: 3 })}INSERT INTO wp_wu_3_domain_mappings (id, blog_id, domain, stage) VALUES (1, 9, 'cust.example.org', 'done');`
    test('its rows count, with the settings of their network', async (t) => {
      const seen = await given(t, server, sql.SMALL + NETWORKS + OWN + sql.wwwSettings('always', 3))
      assert.equal(seen.failure(), undefined)
      const all = ['blog.example.org', 'cust.example.org', 'shop.example.com', 'www.cust.example.org']
      assert.deepEqual(seen.hosts(), all)
      assert.match(seen.read().summary ?? '', /3 row\(s\) in wp_wu_domain_mappings, wp_wu_3_domain_mappings/)
      await seen.database.sql("INSERT INTO wp_wu_3_domain_mappings (blog_id, domain) VALUES (9, 'late.example.org')")
      await seen.until('a short look sees it', () => seen.hosts().includes('late.example.org'))
    })
    test('a network without settings has the default of the plugin, not those of another network', async (t) => {
      const seen = await given(t, server, sql.SMALL + NETWORKS + OWN)
      assert.ok(seen.hosts().includes('www.cust.example.org'))
      assert.ok(!seen.hosts().includes('www.shop.example.com'))
    })
    test('a table that comes later is seen; one that goes is an error, and no shorter list', async (t) => {
      const seen = await given(t, server, sql.SMALL + NETWORKS)
      await seen.database.sql(OWN)
      await seen.until('it is seen', () => seen.hosts().includes('cust.example.org'))
      const before = seen.hosts()
      await seen.database.sql('RENAME TABLE wp_wu_3_domain_mappings TO away')
      await seen.until('it is gone', () => /wp_wu_3_domain_mappings was read, and is gone/.test(seen.failure() ?? ''))
      assert.deepEqual(seen.hosts(), before)
      await seen.database.sql('RENAME TABLE away TO wp_wu_3_domain_mappings')
      await seen.until('it is back', () => seen.failure() === undefined)
      await seen.database.sql(
        'DROP TABLE wp_wu_3_domain_mappings; DELETE FROM wp_blogs WHERE site_id = 3; DELETE FROM wp_site WHERE id = 3',
      )
      await seen.until('with its network it may go', () => !seen.hosts().includes('cust.example.org'))
      assert.equal(seen.failure(), undefined)
    })
    test('the plugin was set up on that network alone', async (t) => {
      const seen = await given(
        t,
        server,
        sql.coreTables() + BLOGS + NETWORKS + OWN + sql.meta('wu_setup_finished', '1', 3),
        NEVER,
      )
      assert.deepEqual(seen.hosts(), ['cust.example.org'])
      await seen.database.sql(sql.meta('wu_setup_finished', '1', 1))
      await seen.until('the main one has no table', () => /no table wp_wu_domain_mappings/.test(seen.failure() ?? ''))
    })
  })

  test('sites-of-the-network-get-no-www', async (t) => {
    const rows = `INSERT INTO wp_wu_domain_mappings (blog_id, domain, primary_domain) VALUES
      (2, 'zeta.network.example', 1), (2, 'cust.example', 0), (2, 'sub.cust.example', 0);`
    const tables = sql.coreTables() + BLOGS + sql.ultimateTable() + sql.wwwSettings('always') + rows
    const seen = await given(t, server, tables)
    const customer = ['cust.example', 'sub.cust.example', 'www.cust.example', 'www.sub.cust.example']
    assert.deepEqual(seen.hosts(), [...customer, 'zeta.network.example'])
    const said = await given(t, server, tables, { spec: { www: 'Always' } })
    assert.ok(said.hosts().includes('www.zeta.network.example'), 'what the app says counts')
  })

  describe('www-row-of-others', () => {
    const ROW = "INSERT INTO wp_domain_mapping (blog_id, domain) VALUES (2, 'www.cust.example');"
    const mercator = sql.PLAIN + sql.meta('mercator.db.version', '1')
    const table: [what: string, plugin: string, spec: Partial<AppSpec>, hosts: string[]][] = [
      ['WPMU DEV serves both', sql.WPMU_DEV, {}, ['cust.example', 'www.cust.example']],
      ['Mercator serves both', mercator, {}, ['cust.example', 'www.cust.example']],
      ['where the www rule allows', mercator, NEVER.spec, ['www.cust.example']],
      ['WordPress MU Domain Mapping: alone', sql.PLAIN + sql.meta('dm_hash', 'x'), {}, ['www.cust.example']],
      ['Dark Matter: alone', sql.DARK_MATTER, {}, ['www.cust.example']],
    ]
    for (const [what, plugin, spec, hosts] of table) {
      test(what, async (t) => {
        const seen = await given(t, server, sql.coreTables() + BLOGS + plugin + ROW, { spec })
        assert.deepEqual(seen.hosts(), hosts)
        assert.deepEqual(seen.domains(), ['www.cust.example'], 'it is named as it stands there')
      })
    }
    test('below a registered domain only with Always; beside a row for the bare name each has its own', async (t) => {
      const rows =
        "INSERT INTO wp_domain_mapping (blog_id, domain) VALUES (2, 'www.shop.cust.example'), (2, 'cust.example');"
      const seen = await given(t, server, sql.coreTables() + BLOGS + mercator + ROW + rows)
      assert.deepEqual(seen.hosts(), ['cust.example', 'www.cust.example', 'www.shop.cust.example'])
      const always = await given(t, server, sql.coreTables() + BLOGS + mercator + ROW + rows, {
        spec: { www: 'Always' },
      })
      assert.ok(always.hosts().includes('shop.cust.example'))
    })
    test('core: alone', async (t) => {
      const tables = sql.coreTables() + sql.sites({ 1: 'network.example', 2: 'www.cust.example' })
      assert.deepEqual((await given(t, server, tables)).hosts(), ['www.cust.example'])
    })
  })

  describe('second-writer-that-does-not-write', () => {
    const ON = sql.meta('wu_host_integrations_enabled', serialize({ serverpilot: true }))
    const ACTIVE = sql.activePlugins('ultimate-multisite/ultimate-multisite.php')
    const STORED = ['CLIENT_ID', 'API_KEY', 'APP_ID']
      .map((name) => sql.meta(`wu_hosting_credential_WU_SERVER_PILOT_${name}`, '$wu_enc$c2VjcmV0'))
      .join('')
    const table: [what: string, rows: string, defined: string[] | undefined, writes: RegExp | undefined][] = [
      ['on, active, and what wp-config.php says is not known', ON + ACTIVE, undefined, /switched on \(wu_host/],
      ['the plugin is deactivated', ON + sql.activePlugins('akismet/akismet.php'), undefined, undefined],
      ['no plugin at all is on', ON + sql.activePlugins(), undefined, undefined],
      ['wp-config.php has no credentials, and the database none', ON + ACTIVE, [], undefined],
      ['wp-config.php has them', ON + ACTIVE, ['CLIENT_ID', 'API_KEY', 'APP_ID'], /switched on/],
      ['one is missing', ON + ACTIVE, ['CLIENT_ID', 'API_KEY'], undefined],
      ['the database has them, encrypted', ON + ACTIVE + STORED, [], /stand encrypted in wp_sitemeta/],
      ['the integration is off', ACTIVE + STORED, undefined, undefined],
    ]
    for (const [what, rows, defined, writes] of table) {
      test(what, async (t) => {
        const seen = await given(t, server, sql.SMALL + rows, defined === undefined ? {} : { defined })
        assert.equal(seen.failure(), undefined)
        if (writes === undefined) assert.equal(seen.read().secondWriter, undefined)
        else assert.match(seen.read().secondWriter ?? '', writes)
        assert.ok(!JSON.stringify([seen.read(), seen.lines]).includes('c2VjcmV0'))
      })
    }
    test('active on another network than the one where it is switched on', async (t) => {
      const other =
        sql.activePlugins() + sql.activePlugins('ultimate-multisite/ultimate-multisite.php').replace('(1,', '(3,')
      assert.equal((await given(t, server, sql.SMALL + ON + other)).read().secondWriter, undefined)
    })
  })

  test('rows-without-a-site: one line with the count, and each is known to whoever asks', async (t) => {
    const rows = Array.from({ length: 300 }, (_, index) => `(${1000 + index}, 'ghost${index}.example.com')`)
    const seen = await given(
      t,
      server,
      `${sql.SMALL}INSERT INTO wp_wu_domain_mappings (blog_id, domain) VALUES ${rows.join(', ')};`,
    )
    const { faults = [], uncounted = [], summary } = seen.read()
    assert.equal(faults.length, 1)
    assert.equal(faults[0]?.place, 'wp_wu_domain_mappings')
    assert.match(
      faults[0]?.message ?? '',
      /^300 rows are mapped to sites that do not exist.*id 3 \(ghost0\.example\.com\).* and 297 more/,
    )
    assert.match(summary ?? '', /300 row\(s\) that mean nothing/)
    assert.equal(seen.lines.filter((line) => line.includes('does not count')).length, 1)
    assert.equal(uncounted.length, 300)
    assert.deepEqual(uncounted[7], {
      place: 'wp_wu_domain_mappings id 10',
      domain: 'ghost7.example.com',
      why: 'its site 1007 does not exist',
    })
    await seen.database.sql(
      "UPDATE wp_blogs SET archived = '1' WHERE blog_id = 2; UPDATE wp_wu_domain_mappings SET active = 0 WHERE id = 2",
    )
    await seen.until('other reasons', () => seen.domains().length === 0)
    const why = (domain: string) => seen.read().uncounted?.find((row) => row.domain === domain)?.why
    assert.equal(why('shop.example.com'), 'its site 2 is archived')
    assert.equal(why('blog.example.org'), 'it is not active')
  })

  test('a-grant-that-can-be-run', async (t) => {
    const database = await server.database()
    await database.sql(sql.SMALL)
    const odd = { ...database, user: `d'p@${database.user}` }
    await server.sql(`CREATE USER 'd\\'p@${database.user}'@'%' IDENTIFIED BY '${database.password}';
      GRANT SELECT ON ${database.name}.wp_site TO 'd\\'p@${database.user}'@'%'`)
    for (const { user } of [database, odd]) {
      if (user === database.user) {
        await server.sql(
          `REVOKE SELECT ON ${database.name}.* FROM '${user}'@'%'; GRANT SELECT ON ${database.name}.wp_site TO '${user}'@'%'`,
        )
      }
      const url = database.url().replace(database.user, encodeURIComponent(user))
      const seen = await world(t, () => url)
      const statement = /GRANT SELECT [^;]*;/.exec(seen.failure() ?? '')?.[0]
      assert.match(statement ?? '', /@'%';$/, seen.failure())
      await server.sql(statement ?? '')
      await seen.until('it does', () => seen.failure() === undefined)
    }
  })
})
