import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { type DatabaseServer, onEachServer, type TestDatabase } from './database-server.ts'
import { coreTables, PLAIN, SMALL, sites } from './network.ts'
import { type FaultyProxy, startProxy } from './proxy.ts'
import { app, type World, world } from './world.ts'

interface Context {
  after(work: () => Promise<void>): void
}

interface Setting extends World {
  database: TestDatabase
  proxy: FaultyProxy
  /** Set to read with another URL. */
  url: string | undefined
}

/** The small network, read through a proxy. */
async function reading(
  server: DatabaseServer,
  t: Context,
  options: Parameters<typeof world>[2] = {},
): Promise<Setting> {
  const database = await server.database()
  await database.sql(SMALL)
  const proxy = await startProxy(server.port)
  t.after(() => proxy.close())
  const setting = { database, proxy, url: undefined as string | undefined }
  const seen = await world(t, () => setting.url ?? database.url(proxy.port), options)
  assert.equal(seen.failure(), undefined)
  assert.equal(seen.domains().length, 2)
  return Object.assign(setting, seen)
}

/** While a fault lasts: the failure says why, all that was good stays, no password is said; afterwards it heals by itself. */
async function holds(seen: Setting, says: RegExp, heal: () => void | Promise<void>): Promise<void> {
  const good = seen.read()
  await seen.until(`failure ${says}`, () => says.test(seen.failure() ?? ''))
  assert.equal(seen.read().mappings, good.mappings)
  assert.equal(seen.read().protectedHosts, good.protectedHosts)
  assert.ok(seen.changes.length > 0, 'the app is told')
  await heal()
  await seen.until('healed', () => seen.failure() === undefined)
  await seen.database.sql("INSERT INTO wp_wu_domain_mappings (blog_id, domain) VALUES (2, 'after.example.com')")
  await seen.until('reading goes on', () => seen.domains().includes('after.example.com'))
  const said = JSON.stringify([seen.lines, seen.read()])
  assert.ok(!said.includes(seen.database.password), 'the password is never said')
}

await onEachServer((server) => {
  test('cut before the first byte, in the handshake, and between two statements', async (t) => {
    const seen = await reading(server, t)
    for (const break_ of [
      () => {
        seen.proxy.cutAfter = 0
      },
      () => {
        seen.proxy.cutAfter = 30
      },
      () => {
        seen.proxy.cutBefore = 'START TRANSACTION'
      },
      () => {
        seen.proxy.reset = true
        seen.proxy.cutBefore = 'CRC32'
      },
    ]) {
      break_()
      await seen.until('a failure', () => /not reachable, or the connection broke/.test(seen.failure() ?? ''))
      assert.equal(seen.domains().length, 2)
      seen.proxy.cutAfter = seen.proxy.cutBefore = undefined
      await seen.until('healed', () => seen.failure() === undefined)
    }
    seen.proxy.cutAfter = 600
    await holds(seen, /the connection broke/, () => {
      seen.proxy.cutAfter = undefined
    })
  })

  test('a server that answers nothing: time is up', async (t) => {
    const seen = await reading(server, t, { limits: { connect: 150, statement: 150, whole: 3000 } })
    seen.proxy.silent = true
    await holds(seen, /took longer than 0.15 s/, () => {
      seen.proxy.silent = false
    })
  })

  test('the server is stopped, and goes on', async (t) => {
    const seen = await reading(server, t, { limits: { connect: 200, statement: 500, whole: 1000 } })
    t.after(async () => server.thaw())
    server.freeze()
    await holds(seen, /took longer than/, () => server.thaw())
  })

  test('the server is gone for a while', async (t) => {
    const seen = await reading(server, t)
    await server.kill()
    seen.url = seen.database.url()
    await holds(seen, /ECONNREFUSED/, async () => await server.start())
  })

  test('KILL and KILL QUERY in the middle of a look', async (t) => {
    for (const [how, says] of [
      ['QUERY', /ended the statement|QUERY_INTERRUPTED/],
      ['CONNECTION', /connection broke|ended the statement/],
    ] as const) {
      const seen = await reading(server, t, { limits: { statement: 10_000, whole: 20_000 } })
      // A lock on the table keeps the statement waiting for as long as it takes to find it.
      const locked = await lock(server, seen.database, 'wp_wu_domain_mappings')
      const find = `SELECT ID id FROM information_schema.PROCESSLIST WHERE USER = '${seen.database.user}' AND COMMAND = 'Query'`
      await seen.until('the statement waits', async () => {
        const [found] = await server.rows(find)
        if (found === undefined) return false
        await server.sql(`KILL ${how} ${found.id}`)
        return true
      })
      await holds(seen, says, locked.release)
    }
  })

  test('a statement that takes too long is ended by the server', async (t) => {
    const seen = await reading(server, t, { limits: { connect: 2000, statement: 200, whole: 10_000 } })
    const locked = await lock(server, seen.database, 'wp_blogs')
    await holds(seen, /took longer than it may|locked|took longer than/, locked.release)
  })

  test('wrong password: the cure, and the new one is taken up', async (t) => {
    const seen = await reading(server, t)
    seen.url = seen.database.url().replace(seen.database.password, 'falsch-geheim')
    await holds(
      seen,
      /refuses user "reader_\w+": check user and password.*Secret wordpress\/wp-db key url|key url.*refuses user/,
      () => {
        seen.url = undefined
      },
    )
    assert.doesNotMatch(JSON.stringify(seen.lines), /falsch-geheim/)
  })

  test('a URL that is none, a Secret that is not there', async (t) => {
    const seen = await reading(server, t)
    seen.url = seen.database.url().replace('geheim', 'ge#heim')
    await holds(seen, /^Secret wordpress\/wp-db key url: has a "#".*%23/, () => {
      seen.url = undefined
    })
  })

  test('no such database', async (t) => {
    const seen = await reading(server, t)
    const { user } = seen.database
    await server.sql(`GRANT SELECT ON \`nowhere\`.* TO '${user}'@'%'`)
    seen.url = seen.database.url().replace(seen.database.name, 'nowhere')
    await holds(seen, /no such database/, () => {
      seen.url = undefined
    })
  })

  test('a right that is missing: the GRANT that gives it, which then does', async (t) => {
    const seen = await reading(server, t)
    const { name, user } = seen.database
    await server.sql(`REVOKE SELECT ON ${name}.* FROM '${user}'@'%'; GRANT SELECT ON ${name}.wp_blogs TO '${user}'@'%'`)
    const denied = /may not read all that is needed: (GRANT SELECT ON `\w+`\.\* TO '\w+'@'[^']+';)/
    await holds(seen, denied, () => server.sql(denied.exec(seen.failure() ?? '')?.[1] ?? ''))
  })

  test('a table without rights is not a table that does not exist', async (t) => {
    const database = await server.database()
    await database.sql(`${coreTables()}${sites({ 1: 'network.example', 2: 'x.network.example' })}${PLAIN}`)
    await server.sql(`REVOKE SELECT ON ${database.name}.* FROM '${database.user}'@'%'`)
    for (const table of ['wp_site', 'wp_sitemeta', 'wp_blogs'])
      await server.sql(`GRANT SELECT ON ${database.name}.${table} TO '${database.user}'@'%'`)
    const seen = await world(t, () => database.url())
    assert.match(seen.failure() ?? '', /may not read all that is needed: GRANT SELECT ON/)
    seen.follow(app({ mappings: 'Core' }))
    await seen.until('Core needs no more', () => seen.failure() === undefined)
  })

  const BACK = 'CREATE TABLE IF NOT EXISTS keep AS SELECT * FROM wp_wu_domain_mappings;'
  const tables: [what: string, fault: string, says: RegExp, heal: string][] = [
    ['dropped', `${BACK} DROP TABLE wp_wu_domain_mappings`, /no table wp_wu_domain_mappings/, ''],
    [
      'renamed',
      'RENAME TABLE wp_wu_domain_mappings TO away',
      /no table wp_wu_domain_mappings/,
      'RENAME TABLE away TO wp_wu_domain_mappings',
    ],
    [
      'half migrated: another mapping table beside it, with a row of its own',
      `${PLAIN} INSERT INTO wp_domain_mapping (blog_id, domain) VALUES (2, 'own.example.com')`,
      /both wp_wu_domain_mappings and wp_domain_mapping/,
      'DROP TABLE wp_domain_mapping',
    ],
    [
      'half migrated: a column is missing',
      'ALTER TABLE wp_wu_domain_mappings CHANGE active active2 tinyint default 1',
      /no column active/,
      'ALTER TABLE wp_wu_domain_mappings CHANGE active2 active tinyint default 1',
    ],
    [
      'TRUNCATE',
      `${BACK} TRUNCATE wp_wu_domain_mappings`,
      /TRUNCATE/,
      'INSERT INTO wp_wu_domain_mappings SELECT * FROM keep',
    ],
    [
      'TRUNCATE of the sites',
      'CREATE TABLE keep2 AS SELECT * FROM wp_blogs; TRUNCATE wp_blogs',
      /wp_blogs is empty/,
      'INSERT INTO wp_blogs SELECT * FROM keep2',
    ],
    [
      'a restored copy',
      `${BACK} CREATE TABLE copy LIKE wp_wu_domain_mappings; INSERT INTO copy SELECT * FROM keep WHERE id = 1;
      ALTER TABLE copy AUTO_INCREMENT = 2; RENAME TABLE wp_wu_domain_mappings TO old, copy TO wp_wu_domain_mappings`,
      /id 2 was seen already.*restored or lagging/,
      'INSERT INTO wp_wu_domain_mappings SELECT * FROM keep WHERE id = 2',
    ],
  ]
  for (const [what, fault, says, heal] of tables) {
    test(`table: ${what}`, async (t) => {
      // Also where the setting says it: Auto finds a mark or remembers.
      const seen = await reading(server, t)
      await seen.database.sql(fault)
      const back = heal !== '' ? heal : `${coreless()} INSERT INTO wp_wu_domain_mappings SELECT * FROM keep`
      await holds(seen, says, () => seen.database.sql(back))
    })
  }

  test('one look sees one moment, whatever happens between its statements', async (t) => {
    const seen = await reading(server, t)
    let moved = false
    seen.proxy.beforeStatement = async (statement) => {
      // The sites were read; the rows come next. Meanwhile a site goes with its row, and another one comes.
      if (moved || !/SELECT `id` AS \w+, `blog_id`/.test(statement)) return
      moved = true
      await seen.database.sql(`START TRANSACTION; DELETE FROM wp_blogs WHERE blog_id = 2; DELETE FROM wp_wu_domain_mappings WHERE blog_id = 2;
        INSERT INTO wp_blogs (blog_id, site_id, domain) VALUES (9, 1, 'nine.network.example');
        INSERT INTO wp_wu_domain_mappings (blog_id, domain) VALUES (9, 'nine.example.com'); COMMIT`)
    }
    await seen.database.sql("UPDATE wp_wu_domain_mappings SET stage = 'failed'")
    await seen.until('the new row', () => seen.domains().includes('nine.example.com'))
    assert.ok(moved)
    assert.deepEqual(seen.domains(), ['blog.example.org', 'nine.example.com'])
    assert.deepEqual(
      seen.lines.filter((line) => line.includes('does not count')),
      [],
      'no row was without its site',
    )
  })

  test('rows that went are taken out when nothing is wrong, also all of them', async (t) => {
    const seen = await reading(server, t)
    await seen.database.sql('DELETE FROM wp_wu_domain_mappings')
    await seen.until('they are out', () => seen.domains().length === 0)
    assert.equal(seen.failure(), undefined)
  })

  test('looks leave no connection behind, and a stop in the middle of one waits for nothing', async (t) => {
    const seen = await reading(server, t, { limits: { connect: 60_000, statement: 60_000, whole: 60_000 } })
    const locked = await lock(server, seen.database, 'wp_blogs')
    await seen.until('a look waits', async () => (await connections(server, seen.database)) === 1)
    const from = performance.now()
    await seen.source.stop()
    assert.ok(performance.now() - from < 5000)
    await locked.release()
    await seen.until('no connection', async () => (await connections(server, seen.database)) === 0)
    assert.equal(seen.failure(), undefined, 'a stop is no failure, and what was read stays')
    assert.equal(seen.domains().length, 2)
    assert.ok(!seen.lines.some((line) => line.startsWith('error')), 'nor does the log call it one')
  })

  test('a failing database holds up no other, nor the start for longer than its limit', async (t) => {
    const listener = createServer(() => {}).listen(0, '127.0.0.1')
    await once(listener, 'listening')
    const silent = (listener.address() as { port: number }).port
    const seen = await world(t, () => `mysql://u:p@127.0.0.1:${silent}/wp`, { limits: { connect: 100 } })
    t.after(async () => void listener.close())
    assert.match(seen.failure() ?? '', /database wp at 127\.0\.0\.1:\d+ .*took longer than 0\.1 s/)
    assert.deepEqual(seen.domains(), [])
  })
})

function coreless(): string {
  const start = SMALL.indexOf('CREATE TABLE wp_wu_domain_mappings')
  return SMALL.slice(start, SMALL.indexOf(';', start) + 1)
}

async function connections(server: DatabaseServer, { user }: TestDatabase): Promise<number> {
  return (await server.rows(`SELECT ID FROM information_schema.PROCESSLIST WHERE USER = '${user}'`)).length
}

/** Holds a table locked from another connection, so that statements on it wait. */
async function lock(
  server: DatabaseServer,
  database: TestDatabase,
  table: string,
): Promise<{ release(): Promise<void> }> {
  const { createConnection } = await import('mysql2/promise')
  const connection = await createConnection({
    host: server.host,
    port: server.port,
    user: 'root',
    database: database.name,
  })
  await connection.query(`LOCK TABLES ${table} WRITE`)
  return {
    async release() {
      await connection.query('UNLOCK TABLES')
      connection.destroy()
    },
  }
}
