import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type DatabaseServer, onEachServer } from './database-server.ts'
import { given } from './given.ts'
import * as sql from './network.ts'
import { startRewriting } from './rewriting-proxy.ts'
import { world } from './world.ts'

const NEVER = { spec: { www: 'Never' as const } }
const BASE = sql.coreTables() + sql.sites({ 1: 'network.example', 2: 'two.network.example' }) + sql.ultimateTable()

const row = (id: number, domain: string): string =>
  `INSERT INTO wp_wu_domain_mappings (id, blog_id, domain, active, stage) VALUES (${id}, 2, '${domain}', 1, 'done');`
const rows = (domains: readonly string[]): string => domains.map((domain, index) => row(index + 1, domain)).join('')
const FORTY = Array.from({ length: 40 }, (_, n) => `c${n + 10}.example.com`)

/** Tells the server something for all sessions to come, and takes it back after the test. */
async function setGlobal(
  t: { after(end: () => Promise<void>): void },
  server: DatabaseServer,
  set: string,
  reset: string,
) {
  t.after(() => server.sql(`SET GLOBAL ${reset}`))
  await server.sql(`SET GLOBAL ${set}`)
}

await onEachServer((server) => {
  test('a-result-that-the-server-cut: no limit of the server makes the list shorter', async (t) => {
    const seen = await given(t, server, BASE + rows(FORTY), NEVER)
    assert.equal(seen.hosts().length, 40)
    await setGlobal(t, server, 'sql_select_limit = 30', 'sql_select_limit = DEFAULT')
    await seen.database.sql(row(41, 'new.example.com'))
    await seen.until('the new row', () => seen.hosts().includes('new.example.com'))
    assert.equal(seen.hosts().length, 41)
    assert.equal(seen.failure(), undefined)
  })

  test('a-database-that-speaks-latin1: what a session is told at its beginning does not recode', async (t) => {
    await setGlobal(t, server, "init_connect = 'SET NAMES latin1'", "init_connect = ''")
    const domains = ['shop.example.com', 'bücher.example', 'αθήνα.example']
    const seen = await given(t, server, BASE + rows(domains), NEVER)
    assert.equal(seen.failure(), undefined)
    assert.deepEqual(seen.hosts(), ['shop.example.com', 'xn--bcher-kva.example', 'xn--jxafb0a0a.example'].sort())
  })

  test('a-counter-that-went-back: nothing goes, what is new comes, and both are said', async (t) => {
    const seen = await given(
      t,
      server,
      BASE + rows(FORTY) + [41, 42, 43].map((id) => row(id, `d${id}.example.com`)).join(''),
      NEVER,
    )
    assert.equal(seen.hosts().length, 43)
    await seen.database.sql('DELETE FROM wp_wu_domain_mappings WHERE id > 40')
    await seen.until('they go', () => seen.hosts().length === 40)
    await seen.database.sql(`ALTER TABLE wp_wu_domain_mappings AUTO_INCREMENT = 41; ${row(41, 'customer.example.com')}`)
    await seen.until('the new one', () => seen.hosts().includes('customer.example.com'))
    await seen.database.sql("DELETE FROM wp_wu_domain_mappings WHERE domain = 'c10.example.com'")
    await seen.looked()
    assert.ok(seen.hosts().includes('c10.example.com'))
    assert.match(seen.failure() ?? '', /id 42.*id 43 was seen.*What is new in it is added, and nothing is removed/)
  })

  describe('a proxy on the way', () => {
    const ORDERED = / ORDER BY 1$/
    for (const [what, rewrite, says] of [
      [
        'that caps the rows of an answer',
        (text) => (ORDERED.test(text) ? `${text} LIMIT 30` : text),
        /table wp_wu_domain_mappings gave 30 of its 41 row\(s\): a proxy/,
      ],
      [
        'that answers from memory',
        (text) => (ORDERED.test(text) ? text.replace('`wp_wu_domain_mappings`', '`remembered`') : text),
        /table wp_wu_domain_mappings gave 40 of its 41 row\(s\)/,
      ],
      ['that recodes', (text) => text.replace('SET NAMES utf8mb4', 'SET NAMES latin1'), /a proxy .* recodes them/],
    ] as const satisfies readonly (readonly [string, (text: string) => string, RegExp])[]) {
      test(`${what}: a failed source, and no shorter list`, async (t) => {
        const database = await server.database()
        await database.sql(`${BASE}${rows(FORTY)} CREATE TABLE remembered AS SELECT * FROM wp_wu_domain_mappings;`)
        const proxy = await startRewriting(t, server.port)
        const seen = await world(t, () => database.url(proxy.port))
        await seen.until('forty', () => seen.domains().length === 40)
        proxy.rewrite = rewrite
        await database.sql(row(41, 'bücher.example'))
        await seen.until('a failure', () => seen.failure() !== undefined)
        assert.match(seen.failure() ?? '', says)
        assert.equal(seen.domains().length, 40)
        proxy.rewrite = (text) => text
        await seen.until('healed', () => seen.failure() === undefined && seen.domains().length === 41)
      })
    }
  })
})
