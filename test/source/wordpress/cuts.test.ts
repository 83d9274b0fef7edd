import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { connect, LIMITS } from '../../../src/source/wordpress/connection.ts'
import { parseDatabaseUrl } from '../../../src/source/wordpress/database-url.ts'
import { type DatabaseRead, type Known, readDatabase } from '../../../src/source/wordpress/snapshot.ts'
import { advance, failed, type State, unread } from '../../../src/source/wordpress/state.ts'
import { explain } from '../../../src/source/wordpress/words.ts'
import { systemClock } from '../../../src/time/clock.ts'
import { databaseServer, KINDS, type Kind } from './database-server.ts'
import { SMALL } from './network.ts'
import { startProxy } from './proxy.ts'
import { app } from './world.ts'

/** Every so many bytes; every border between packets is tried besides, with the byte before and after. */
const STRIDE = Number(process.env.DOMAINPILOT_TEST_CUT_STRIDE ?? 3)

for (const kind of KINDS)
  test(`${kind}: an answer that is cut after any byte is a failure or the whole, never a shorter list`, (t) =>
    run(t, kind))

async function run(t: TestContext, kind: Kind): Promise<void> {
  const server = await databaseServer(t, kind)
  if (server === undefined) return
  const database = await server.database()
  await database.sql(SMALL)
  const proxy = await startProxy(server.port)
  t.after(() => proxy.close())
  const endpoint = parseDatabaseUrl(database.url(proxy.port), 'test')
  const of = app()

  async function read(known?: Known): Promise<DatabaseRead> {
    const connection = await connect(endpoint, {
      clock: systemClock,
      limits: LIMITS,
      signal: new AbortController().signal,
    })
    try {
      return await readDatabase(connection, { prefix: 'wp_', mappings: 'Auto', statementMs: 5000 }, known)
    } finally {
      await connection.close()
    }
  }
  const next = async (state: State, known?: Known): Promise<State> =>
    await read(known).then(
      (found) => advance(state, of, found, 0, 'test'),
      (error: unknown) => failed(state, explain(error, endpoint, 'wp_')),
    )

  // MySQL lets a user in by more messages the first time.
  await read()
  const good = await next(unread(of))
  assert.equal(good.served.mappings.length, 2)
  const whole = proxy.answered
  const borders = proxy.pieces
  await next(good, good.known)
  const short = proxy.answered
  assert.ok(short < whole, 'a short look is short')

  let broken = 0
  for (const [total, known] of [
    [whole, undefined],
    [short, good.known],
  ] as const) {
    const places = new Set(
      borders.flatMap((border) => [border - 1, border, border + 1]).filter((place) => place < total),
    )
    for (let place = 0; place < total; place += STRIDE) places.add(place)
    for (const place of places) {
      proxy.cutAfter = place
      proxy.reset = place % 2 === 1
      const state = await next(good, known)
      assert.equal(state.served.mappings, good.served.mappings, `cut after ${place} bytes`)
      assert.equal(state.served.protectedHosts, good.served.protectedHosts)
      if (state.served.failure !== undefined) {
        broken++
        assert.match(
          state.served.failure.message,
          /^database wp_\w+ at 127.0.0.1:\d+ \(test\): not reachable, or the connection broke: /,
        )
        assert.doesNotMatch(state.served.failure.message, new RegExp(database.password))
      } else assert.ok(place >= total - 64, `cut after ${place} bytes of ${total} and nobody noticed`)
    }
  }
  t.diagnostic(`${whole} bytes of a whole read and ${short} of a short one; ${broken} cuts noticed`)
  proxy.cutAfter = undefined
  assert.equal((await next(good)).served, good.served)
}
