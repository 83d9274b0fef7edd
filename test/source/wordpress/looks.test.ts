import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { connect, LIMITS } from '../../../src/source/wordpress/connection.ts'
import { parseDatabaseUrl } from '../../../src/source/wordpress/database-url.ts'
import { type DatabaseRead, type Known, readDatabase } from '../../../src/source/wordpress/snapshot.ts'
import { systemClock } from '../../../src/time/clock.ts'
import { onEachServer, type TestDatabase } from './database-server.ts'
import { SMALL } from './network.ts'
import { until } from './until.ts'

await onEachServer((server) => {
  const MANY = `INSERT INTO wp_wu_domain_mappings (blog_id, domain) VALUES ${Array.from(
    { length: 2000 },
    (_, index) => `(2, 'n${index}.example.com')`,
  ).join()};`

  /** One reading, and how many rows the server read for it. */
  async function look(database: TestDatabase, known?: Known): Promise<{ found: DatabaseRead; examined: number }> {
    const connection = await connect(parseDatabaseUrl(database.url(), 'test'), {
      clock: systemClock,
      limits: LIMITS,
      signal: new AbortController().signal,
    })
    try {
      const found = await readDatabase(connection, { prefix: 'wp_', mappings: 'Auto', statementMs: 5000 }, known)
      const counts = await connection.rows("SHOW SESSION STATUS LIKE 'Handler_read%'")
      return { found, examined: counts.reduce((sum, [, count]) => sum + Number(count), 0) }
    } finally {
      await connection.close()
    }
  }

  /** Looks until one needs no rows. */
  async function idle(database: TestDatabase, first: Known): Promise<Known> {
    let known = first
    await until('a look that reads no rows', async () => {
      const { found, examined } = await look(database, known)
      assert.equal(found.kind, 'same')
      known = found.known
      return examined < 1000
    })
    return known
  }

  async function filled(): Promise<{ database: TestDatabase; known: Known }> {
    const database = await server.database()
    await database.sql(SMALL + MANY)
    return { database, known: (await look(database)).found.known }
  }

  describe('looks', () => {
    test('while nobody writes, no row is read; what does not matter is read once more, and is no change', async () => {
      const { database, known } = await filled()
      assert.ok((await look(database, known)).examined > 2000, 'the first look after a whole read sums up the rows')
      const settled = await idle(database, known)
      await database.sql("UPDATE wp_wu_domain_mappings SET date_modified = '2026-01-01' WHERE id = 1")
      const touched = await look(database, settled)
      assert.equal(touched.found.kind, 'same')
      assert.ok(touched.examined > 2000)
      await idle(database, touched.found.known)
    })

    test('a change in place is seen, and another one in the same second too', async () => {
      const { database, known } = await filled()
      let last = await idle(database, known)
      for (let round = 0; round < 10; round++) {
        await database.sql(`UPDATE wp_wu_domain_mappings SET active = ${round % 2} WHERE id = 1`)
        const { found } = await look(database, last)
        assert.equal(found.kind, 'read', `change ${round}`)
        // A look at rows right after the change must not take its second for the last one.
        const again = await look(database, found.known)
        assert.equal(again.found.kind, 'same')
        last = again.found.known
      }
    })

    test('a table that another one takes the place of is seen, and a candidate that comes', async () => {
      const { database, known } = await filled()
      const last = await idle(database, known)
      await database.sql(`CREATE TABLE other LIKE wp_wu_domain_mappings;
      INSERT INTO other (id, blog_id, domain) VALUES (1, 2, 'other.example.com');
      RENAME TABLE wp_wu_domain_mappings TO gone, other TO wp_wu_domain_mappings`)
      const { found } = await look(database, last)
      assert.equal(found.kind, 'read')
      const next = await idle(database, found.known)
      await database.sql(
        'CREATE TABLE wp_wu_1_domain_mappings LIKE wp_wu_domain_mappings; CREATE TABLE wp_domain_mapping_logins (id int)',
      )
      assert.equal((await look(database, next)).found.kind, 'read')
    })

    test('what the server cannot tell is read: after a restart, and in tables without transactions', async () => {
      const { database, known } = await filled()
      const last = await idle(database, known)
      await server.kill()
      await server.start()
      assert.ok((await look(database, last)).examined > 2000)
      await database.sql('UPDATE wp_wu_domain_mappings SET active = 0 WHERE id = 1')
      assert.equal((await look(database, last)).found.kind, 'read')
      await database.sql('ALTER TABLE wp_wu_domain_mappings ENGINE = MyISAM')
      const { found } = await look(database)
      for (let count = 0; count < 3; count++) {
        const again = await look(database, found.known)
        assert.equal(again.found.kind, 'same')
        assert.ok(again.examined > 2000)
      }
    })
  })
})
