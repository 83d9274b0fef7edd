import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { onEachServer } from './database-server.ts'
import { SMALL } from './network.ts'
import { startProxy } from './proxy.ts'
import { world } from './world.ts'

await onEachServer((server) => {
  /** Rows 10 to 49, on site 2. */
  const FORTY = `INSERT INTO wp_wu_domain_mappings (id, blog_id, domain, stage) VALUES ${Array.from(
    { length: 40 },
    (_, index) => `(${index + 10}, 2, 'c${index + 10}.example.com', 'done')`,
  ).join()};`

  const insert = (domain: string): string =>
    `INSERT INTO wp_wu_domain_mappings (blog_id, domain, stage) VALUES (2, '${domain}', 'done')`

  /** A source behind a proxy. */
  async function behindProxy(t: { after(work: () => Promise<void>): void }, tables: string) {
    const database = await server.database()
    await database.sql(tables)
    const proxy = await startProxy(server.port)
    t.after(() => proxy.close())
    const seen = await world(t, () => database.url(proxy.port))
    return { database, proxy, seen }
  }

  /** Sets something for every new session of a server while `work` runs. */
  async function globally(name: string, value: string, work: () => Promise<void>): Promise<void> {
    const admin = server
    const [before] = await admin.rows(`SELECT CONCAT(@@GLOBAL.${name}) AS old`)
    await admin.sql(`SET GLOBAL ${name} = ${value}`)
    try {
      await work()
    } finally {
      const old = String(before?.old)
      await admin.sql(`SET GLOBAL ${name} = ${!/^\d+$/.test(old) ? `'${old}'` : old}`)
    }
  }

  describe('a whole answer or a failure', () => {
    test('a-result-that-the-server-cut: all rows come, and a row that is new', async (t) => {
      const { database, seen } = await behindProxy(t, SMALL + FORTY)
      assert.equal(seen.domains().length, 42)
      await globally('sql_select_limit', '1', async () => {
        await database.sql(insert('new.example.com'))
        await seen.until('the new row is in', () => seen.domains().includes('new.example.com'))
        assert.equal(seen.domains().length, 43)
        assert.equal(seen.failure(), undefined)
      })
    })

    test('a-database-that-speaks-latin1: names arrive as they are stored', async (t) => {
      await globally('init_connect', "'SET NAMES latin1'", async () => {
        const names = ['bücher.example', 'αθήνα.example', 'shop.example.com']
        // Written by the administrator, for whom init_connect does not count.
        const { seen } = await behindProxy(
          t,
          SMALL +
            names
              .slice(0, 2)
              .map((name) => `${insert(name)};`)
              .join(''),
        )
        assert.equal(seen.failure(), undefined)
        for (const name of names) assert.ok(seen.domains().includes(name), name)
      })
    })

    test('a-counter-that-went-back: no removal, the new row in, and the message says both', async (t) => {
      const { database, seen } = await behindProxy(t, SMALL)
      await database.sql([3, 4, 5].map((id) => insert(`r${id}.example.com`)).join(';'))
      await seen.until('the rows are in', () => seen.domains().length === 5)
      await database.sql('DELETE FROM wp_wu_domain_mappings WHERE id > 2')
      await seen.until('the rows are out', () => seen.domains().length === 2)
      await database.sql(
        `DELETE FROM wp_wu_domain_mappings WHERE id = 1; ALTER TABLE wp_wu_domain_mappings AUTO_INCREMENT = 3; ${insert('new.example.com')}`,
      )
      await seen.until('the new row is in', () => seen.domains().includes('new.example.com'))
      assert.ok(seen.domains().includes('blog.example.org'))
      assert.match(
        seen.failure() ?? '',
        /would give id 4 .* id 5 was seen .*nothing is removed or changed by it; names that are new are added/,
      )
      await database.sql([5, 6].map((id) => insert(`s${id}.example.com`)).join(';'))
      await seen.until('it has caught up', () => seen.failure() === undefined)
      assert.deepEqual(seen.domains(), ['blog.example.org', 'new.example.com', 's5.example.com', 's6.example.com'])
    })

    for (const table of ['wp_wu_domain_mappings', 'wp_blogs', 'wp_site', 'wp_sitemeta'])
      test(`a proxy that cuts the rows of ${table}: a failed source, no shorter list`, async (t) => {
        const { database, proxy, seen } = await behindProxy(t, SMALL + FORTY)
        // A second network and a second setting, so that there is something to cut.
        await database.sql(
          "INSERT INTO wp_site (domain, path) VALUES ('second.example', '/'); INSERT INTO wp_sitemeta (site_id, meta_key, meta_value) VALUES (2, 'dm_hash', 'x')",
        )
        await seen.looked()
        const { mappings } = seen.read()
        const cut = new RegExp(`^SELECT .* FROM .${table}. .*ORDER BY`)
        proxy.rewrite = (statement) => (cut.test(statement) ? `${statement} LIMIT 1` : statement)
        await database.sql(insert('new.example.com'))
        await seen.until('it is noticed', () => seen.failure() !== undefined)
        assert.match(
          seen.failure() ?? '',
          new RegExp(`1 rows of table ${table} came, and it has \\d+: .* cuts answers`),
        )
        assert.equal(seen.read().mappings, mappings)
        proxy.rewrite = undefined
        await seen.until('it heals', () => seen.failure() === undefined)
        assert.ok(seen.domains().includes('new.example.com'))
      })

    test('a proxy that recodes: a failed source, no other names', async (t) => {
      const { database, proxy, seen } = await behindProxy(t, `${SMALL}${insert('bücher.example')}`)
      const { mappings } = seen.read()
      proxy.rewrite = (statement) => statement.replace('SET NAMES utf8mb4', 'SET NAMES latin1')
      await database.sql(insert('αθήνα.example'))
      await seen.until('it is noticed', () => seen.failure() !== undefined)
      assert.match(seen.failure() ?? '', /text does not arrive as the server has it.*set utf8mb4 there/)
      assert.equal(seen.read().mappings, mappings)
      proxy.rewrite = undefined
      await seen.until('it heals', () => seen.domains().includes('αθήνα.example'))
    })

    test('a proxy that caches statements by their text is asked nothing twice', async (t) => {
      const { database, proxy, seen } = await behindProxy(t, SMALL)
      proxy.cacheKey = (statement) => (statement.startsWith('SELECT') ? statement : undefined)
      await seen.looked()
      await database.sql(
        `${insert('new.example.com')}; UPDATE wp_wu_domain_mappings SET domain = 'other.example.com' WHERE id = 1`,
      )
      await seen.until('the change is in', () => seen.domains().includes('new.example.com'))
      assert.deepEqual(seen.domains(), ['other.example.com', 'blog.example.org', 'new.example.com'])
    })

    test('a proxy that caches statements that look alike: a failed source, no older list', async (t) => {
      const { database, proxy, seen } = await behindProxy(t, SMALL)
      const { mappings } = seen.read()
      proxy.cacheKey = (statement) =>
        statement.startsWith('SELECT') ? statement.replace(/\bm[0-9a-f]{16}\b/g, '?') : undefined
      await database.sql('DELETE FROM wp_wu_domain_mappings WHERE id = 1')
      await seen.until('it is noticed', () => /caches/.test(seen.failure() ?? ''))
      assert.ok(proxy.cached > 0)
      assert.ok(seen.read().mappings.length >= 1 && mappings.length === 2)
      const held = seen.read().mappings
      await database.sql("UPDATE wp_wu_domain_mappings SET domain = 'late.example.com' WHERE id = 2")
      await seen.looked()
      assert.equal(seen.read().mappings, held)
      proxy.cacheKey = undefined
      await seen.until('it heals', () => seen.failure() === undefined && seen.domains().join() === 'late.example.com')
    })
  })
})
