import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { createConnection } from 'mysql2/promise'
import { type DatabaseServer, databaseServer } from './database-server.ts'
import { SMALL } from './network.ts'
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

/** How the server is told to treat the account `USER`, and what is said then. */
const LOGINS: [what: string, statements: string, says: RegExp][] = [
  [
    'a password of a kind that the driver does not know: ed25519',
    "INSTALL SONAME 'auth_ed25519'; ALTER USER USER IDENTIFIED VIA ed25519 USING PASSWORD('PASSWORD')",
    /user "\w+" logs in by a method that is not supported here: give the user a password of a usual kind.*mysql_native_password.*client_ed25519/,
  ],
  [
    'the user of the system',
    'ALTER USER USER IDENTIFIED VIA unix_socket',
    /user "\w+" has no password, but is known by the user of the system: take another user/,
  ],
  ['TLS alone, of one user', 'ALTER USER USER REQUIRE SSL', /may connect with TLS alone needs ssl-mode=REQUIRED/],
  ['an expired password', 'ALTER USER USER PASSWORD EXPIRE', /password of user "\w+" has expired: give it a new one/],
  ['a locked account', 'ALTER USER USER ACCOUNT LOCK', /user "\w+" is locked: ALTER USER/],
]

describe('logins that the server refuses', { skip: server === undefined && skipped }, () => {
  for (const [what, statements, says] of LOGINS) {
    test(what, async (t) => {
      const database = await server.database()
      await database.sql(SMALL)
      const account = `'${database.user}'@'%'`
      const filled = statements.replace('USER USER', `USER ${account}`).replace("PASSWORD')", `${database.password}')`)
      await server.sql(filled)
      const seen = await world(t, () => database.url())
      assert.match(seen.failure() ?? '', says)
      assert.ok(!JSON.stringify([seen.lines, seen.read()]).includes(database.password))
    })
  }

  test('require_secure_transport: MariaDB has the same words for it as for a wrong password', async (t) => {
    if (server.own === undefined) return t.skip('needs a server of its own: nobody else would get in')
    const database = await server.database()
    await database.sql(SMALL)
    const { host, port } = server
    const admin = await createConnection({ host, port, user: 'root' })
    t.after(async () => admin.destroy())
    await admin.query('SET GLOBAL require_secure_transport = ON')
    const seen = await world(t, () => database.url())
    assert.match(
      seen.failure() ?? '',
      /may connect with TLS alone needs ssl-mode=REQUIRED in its URL, or MYSQL_CLIENT_FLAGS/,
    )
    await admin.query('SET GLOBAL require_secure_transport = OFF')
    await seen.until('it is let in', () => seen.failure() === undefined)
  })
})
