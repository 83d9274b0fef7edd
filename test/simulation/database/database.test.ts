import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Database, LIMITS } from '../../../src/source/wordpress/connection.ts'
import { parseDatabaseUrl } from '../../../src/source/wordpress/database-url.ts'
import { interpret } from '../../../src/source/wordpress/interpret.ts'
import { readDatabase } from '../../../src/source/wordpress/snapshot.ts'
import { app } from '../../source/wordpress/world.ts'
import { createLife } from '../life.ts'
import { createRandom } from '../random.ts'
import { createVirtualTime } from '../world-time.ts'
import type { Way } from './network.ts'
import { createDatabases, type DatabaseServer } from './server.ts'

const WAYS: readonly Way[] = ['row-gone', 'inactive', 'archived', 'spam', 'deleted', 'site-gone']
const SETTINGS = { prefix: 'wp_', mappings: 'Auto', statementMs: 30_000 } as const

/** A database and a process on virtual time, which passes only under `during`. */
function worldOf(seed: string) {
  const random = createRandom(seed)
  const time = createVirtualTime(random.fork('time'))
  const databases = createDatabases(['app1'], () => Date.UTC(2026, 0, 1) + time.now(), time, random)
  const life = createLife('a', { time, epoch: 0, offset: 0 }, random.fork('life'))
  const server = databases.servers.get('app1')!
  const during = async <T>(work: Promise<T>): Promise<T> => {
    let over = false
    const result = work.finally(() => {
      over = true
    })
    result.catch(() => undefined)
    await time.runUntil(time.now() + 600_000, () => over)
    return await result
  }
  const ports = { clock: life.clock, limits: LIMITS, signal: new AbortController().signal }
  const connect = (): Promise<Database> => during(databases.connect(life)(parseDatabaseUrl(server.url, 'test'), ports))
  return { server, during, connect }
}

/** What the source makes of the rows. */
async function domainsOf({ during, connect }: ReturnType<typeof worldOf>): Promise<string[]> {
  const read = await during(readDatabase(await connect(), SETTINGS))
  assert.equal(read.kind, 'read')
  const { mappings } = interpret(
    app({}, { www: 'Never' }),
    (read as Extract<typeof read, { kind: 'read' }>).snapshot,
    undefined,
  )
  return mappings.map(({ domain }) => domain).sort()
}

const liveOf = ({ network }: DatabaseServer): string[] => [...network.live()].sort()

describe('the model of databases', () => {
  test('what counts to the users is what the source reads, whichever plugin it is and in whichever way rows go', async () => {
    const plugins = new Set<string>()
    const names = WAYS.map((_, number) => `u${number}.example.com`)
    for (let seed = 1; seed <= 12; seed++) {
      const world = worldOf(String(seed))
      const { network } = world.server
      plugins.add(network.plugin)
      for (const name of names) network.put(name)
      for (const [number, way] of WAYS.entries()) {
        network.remove(names[number]!, way)
        assert.deepEqual(await domainsOf(world), liveOf(world.server), `${network.plugin}: ${way}`)
      }
      for (const name of names) network.put(name)
      assert.deepEqual(await domainsOf(world), liveOf(world.server))
      assert.equal(network.live().size, WAYS.length)
    }
    assert.equal(plugins.size, 4)
  })

  test('a short reading sees each change', async () => {
    const world = worldOf('1')
    const { server, during, connect } = world
    server.network.put('u1.example.com')
    const first = await during(readDatabase(await connect(), SETTINGS))
    assert.ok(first.kind === 'read')
    assert.equal((await during(readDatabase(await connect(), SETTINGS, first.known))).kind, 'same')
    server.network.remove('u1.example.com')
    assert.equal((await during(readDatabase(await connect(), SETTINGS, first.known))).kind, 'read')
  })

  test('a reading sees one moment, and a table that is made anew meanwhile ends it', async () => {
    const { server, during, connect } = worldOf('1')
    const { network } = server
    network.put('u1.example.com')
    const database = await connect()
    await during(database.rows('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY'))
    network.put('u2.example.com')
    const sql = `SELECT domain FROM ${network.table} ORDER BY 1`
    const seen = await during(database.rows(sql))
    assert.ok(seen.flat().includes('u1.example.com') && !seen.flat().includes('u2.example.com'))
    network.replace(new Map([...network.tables].map(([name, table]) => [name, { ...table, made: {} }])))
    await assert.rejects(during(database.rows(sql)), { errno: 1412 })
  })

  test('a statement that is not known is an error', async () => {
    const { during, connect } = worldOf('1')
    const database = await connect()
    for (const sql of ['DELETE FROM wp_blogs', 'SELECT SLEEP(1)', 'SELECT id FROM wp_site GROUP BY id', 'SELECT id >'])
      await assert.rejects(during(database.rows(sql)), /does not know/, sql)
    await assert.rejects(during(database.rows('SELECT nothing FROM wp_site')), { errno: 1054 })
    await assert.rejects(during(database.rows('SELECT id FROM wp_nothing')), { errno: 1146 })
  })
})
