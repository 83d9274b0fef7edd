import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { databaseServer, KINDS, type Kind } from './database-server.ts'
import { SMALL } from './network.ts'
import { startProxy } from './proxy.ts'
import { world } from './world.ts'

/** More than what sockets hold, so that the server is in the middle of its answer while nobody takes it. */
const ROWS = 60_000

for (const kind of KINDS)
  test(`${kind}: a large answer that ends in its middle, by KILL QUERY, KILL or a cut, is a failure and no shorter list`, (t) =>
    run(t, kind))

async function run(t: TestContext, kind: Kind): Promise<void> {
  const server = await databaseServer(t, kind)
  if (server === undefined) return
  const database = await server.database()
  await database.sql(SMALL)
  await database.sql(
    `INSERT INTO wp_wu_domain_mappings (blog_id, domain)
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 245)
    SELECT 2, CONCAT(a.i, '.x', b.i, '.', REPEAT('a', 60), '.', REPEAT('b', 60), '.', REPEAT('c', 40), '.example.com') FROM n a, n b LIMIT ${ROWS}`,
  )
  const proxy = await startProxy(server.port)
  t.after(() => proxy.close())
  const limits = { connect: 10_000, statement: 20_000, whole: 60_000 }
  const seen = await world(t, () => database.url(proxy.port), { limits })
  assert.equal(seen.failure(), undefined)
  const { mappings } = seen.read()
  assert.equal(mappings.length, ROWS + 2)

  const find = `SELECT ID id FROM information_schema.PROCESSLIST WHERE USER = '${database.user}' AND STATE IN ('Writing to net', 'Sending to client')`
  for (const [how, says] of [
    ['KILL QUERY', /ended the statement/],
    ['KILL', /connection broke/],
    ['a cut', /connection broke/],
  ] as const) {
    // Something that matters has changed, so the short look leads to a whole one, of which the first part comes.
    proxy.holdAfter = how === 'a cut' ? undefined : 1_000_000
    proxy.cutAfter = how === 'a cut' ? 1_000_000 : undefined
    const { length } = seen.lines
    await database.sql('UPDATE wp_wu_domain_mappings SET active = 0 WHERE id % 2 = 1')
    if (how !== 'a cut') {
      await seen.until('the server waits in the middle of its answer', async () => {
        const [found] = await server.rows(find)
        if (found === undefined) return false
        await server.sql(`${how} ${found.id}`)
        return true
      })
      // The rest of this answer comes, and no other look gets through.
      proxy.cutAfter = 0
      proxy.holdAfter = undefined
    }
    await seen.until(how, () => seen.lines.slice(length).some((line) => says.test(line)))
    assert.ok(seen.read().mappings === mappings, how)
    await database.sql('UPDATE wp_wu_domain_mappings SET active = 1')
    proxy.cutAfter = undefined
    await seen.until('healed', () => seen.failure() === undefined)
    assert.ok(seen.read().mappings === mappings, how)
  }
}
