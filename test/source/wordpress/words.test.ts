import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDatabaseUrl } from '../../../src/source/wordpress/database-url.ts'
import { explain } from '../../../src/source/wordpress/words.ts'

const endpoint = parseDatabaseUrl('mysql://reader:geheim-1@db.example/wordpress', 'WORDPRESS_DATABASE_URL')

/** What is said of an error of the server. */
function said(errno: number, sqlMessage = 'no'): string {
  return explain({ errno, code: 'ER', sqlMessage, message: sqlMessage }, endpoint, 'wp_').message
}

test('every message names the database and where its URL comes from', () => {
  for (const errno of [1044, 1045, 1049, 1142, 1146, 1317, 9999]) {
    assert.match(said(errno), /^database wordpress at db\.example \(WORDPRESS_DATABASE_URL\): ./)
  }
})

test('of an error no more is taken than its words, and the password is taken out of those', () => {
  const thrown = Object.assign(new Error('cannot use geheim-1'), { config: { password: 'geheim-1' } })
  const error = explain(thrown, endpoint, 'wp_')
  assert.match(error.message, /cannot use \[redacted\]/)
  assert.equal(error.cause, undefined)
  assert.ok(!JSON.stringify([error, error.stack, error.message]).includes('geheim-1'))
})

test('a server that is away, busy or ends is asked less and less often; one that refuses is there', () => {
  const away = (errno?: number) => explain({ code: 'X', message: 'x', errno }, endpoint, 'wp_').unreachable
  for (const errno of [undefined, -111, 1040, 1053, 1203, 1205, 1317, 1927, 1969, 3024]) assert.ok(away(errno))
  for (const errno of [1044, 1045, 1049, 1054, 1142, 1146]) assert.ok(!away(errno))
})

test('the GRANT is for the whole database, to the account that the server names, in the words of MySQL and of MariaDB', () => {
  const grant = (errno: number, text: string) => /GRANT [^;]*;/.exec(said(errno, text))?.[0]
  for (const [errno, text] of [
    [1142, "SELECT command denied to user 'reader'@'10.0.0.7' for table 'wp_blogs'"],
    [1142, "SELECT command denied to user 'reader'@'10.0.0.7' for table `wordpress`.`wp_blogs`"],
    [1044, "Access denied for user 'reader'@'10.0.0.7' to database 'wordpress'"],
  ] as const) {
    assert.equal(grant(errno, text), "GRANT SELECT ON `wordpress`.* TO 'reader'@'10.0.0.7';", text)
  }
})
