import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createConnection } from 'mysql2/promise'
import { type Kind, onEachServer } from './database-server.ts'
import { SMALL } from './network.ts'
import { world } from './world.ts'

/** How a server is told to treat the account `USER`, and what is said then. */
type Login = [what: string, statements: string, says: RegExp]

const NEITHER = /user "\w+" has no password, but is known by the user of the system: take another user/

const OF_KIND: Record<Kind, readonly Login[]> = {
  mariadb: [
    [
      'a password of a kind that the driver does not know: ed25519',
      "INSTALL SONAME 'auth_ed25519'; ALTER USER USER IDENTIFIED VIA ed25519 USING PASSWORD('PASSWORD')",
      /user "\w+" logs in by a method that is not supported here: give the user a password of a usual kind.*mysql_native_password.*client_ed25519/,
    ],
    ['the user of the system', 'ALTER USER USER IDENTIFIED VIA unix_socket', NEITHER],
  ],
  mysql: [
    [
      'the user of the system',
      "INSTALL PLUGIN auth_socket SONAME 'auth_socket.so'; ALTER USER USER IDENTIFIED WITH auth_socket",
      /user "\w+"/,
    ],
  ],
}

const LOGINS: readonly Login[] = [
  ['TLS alone, of one user', 'ALTER USER USER REQUIRE SSL', /may connect with TLS alone needs ssl-mode=REQUIRED/],
  ['an expired password', 'ALTER USER USER PASSWORD EXPIRE', /password of user "\w+" has expired: give it a new one/],
  ['a locked account', 'ALTER USER USER ACCOUNT LOCK', /user "\w+" is locked: ALTER USER/],
]

/** MariaDB has the same words for it as for a wrong password. */
const TLS_ALONE: Record<Kind, RegExp> = {
  mariadb: /may connect with TLS alone needs ssl-mode=REQUIRED in its URL, or MYSQL_CLIENT_FLAGS/,
  mysql: /takes connections with TLS alone: set ssl-mode=REQUIRED in its URL, or MYSQL_CLIENT_FLAGS/,
}

await onEachServer((server) => {
  for (const [what, statements, says] of [...OF_KIND[server.kind], ...LOGINS]) {
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

  test('require_secure_transport', async (t) => {
    const database = await server.database()
    await database.sql(SMALL)
    const { host, port } = server
    const admin = await createConnection({ host, port, user: 'root' })
    t.after(async () => admin.destroy())
    await admin.query('SET GLOBAL require_secure_transport = ON')
    const seen = await world(t, () => database.url())
    assert.match(seen.failure() ?? '', TLS_ALONE[server.kind])
    await admin.query('SET GLOBAL require_secure_transport = OFF')
    await seen.until('it is let in', () => seen.failure() === undefined)
  })
})
