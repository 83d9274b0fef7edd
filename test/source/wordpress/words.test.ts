import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDatabaseUrl } from '../../../src/source/wordpress/database-url.ts'
import { accountOf, explain } from '../../../src/source/wordpress/words.ts'

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

test('what keeps a user out, in the words of MySQL: the option or statement that lets him in', () => {
  const table: [errno: number, text: string, cure: RegExp][] = [
    [
      3159,
      'Connections using insecure transport are prohibited while --require_secure_transport=ON.',
      /TLS alone: set ssl-mode=REQUIRED in its URL, or MYSQL_CLIENT_FLAGS/,
    ],
    [1045, "Access denied for user 'reader'@'10.0.0.7' (using password: YES)", /TLS alone needs ssl-mode=REQUIRED/],
    [1524, "Plugin 'mysql_native_password' is not loaded", /IDENTIFIED WITH caching_sha2_password/],
    [1251, 'Client does not support authentication protocol requested by server', /mysql_native_password/],
    [1862, 'Your password has expired.', /has expired: give it a new one/],
    [3118, "Access denied for user 'reader'@'%'. Account is locked.", /ACCOUNT UNLOCK/],
    [1698, "Access denied for user 'reader'@'localhost'", /take another user/],
  ]
  for (const [errno, text, cure] of table) assert.match(said(errno, text), cure)
  const withTls = parseDatabaseUrl('mysql://reader:geheim-1@db.example/wordpress?ssl-mode=REQUIRED', 'X')
  assert.doesNotMatch(explain({ errno: 1045, message: 'no' }, withTls, 'wp_').message, /ssl-mode/)
})

test('without an answer of the server: methods and certificates, each with its cure', () => {
  const table: [code: string, message: string, cure: RegExp][] = [
    [
      'HANDSHAKE_SSL_ERROR',
      'self-signed certificate',
      /check ssl-mode and ssl-ca; name the file.*or set ssl-mode=REQUIRED/,
    ],
    ['HANDSHAKE_SSL_ERROR', 'unable to verify the first certificate', /name the file of its authority as ssl-ca/],
    ['HANDSHAKE_SSL_ERROR', "Hostname/IP does not match certificate's altnames: x", /ssl-mode=VERIFY_CA/],
    ['HANDSHAKE_SSL_ERROR', 'certificate has expired', /renew the certificate/],
    ['HANDSHAKE_NO_SSL_SUPPORT', 'Server does not support secure connection', /ssl-mode=DISABLED/],
    [
      'AUTH_SWITCH_PLUGIN_ERROR',
      'Server requests authentication using unknown plugin parsec. See TODO',
      /not supported here.*unknown plugin parsec\)/,
    ],
    [
      'MYSQL_CLEAR_PASSWORD_NOT_ENABLED',
      'Server requested authentication using mysql_clear_password',
      /not supported here/,
    ],
  ]
  for (const [code, message, cure] of table) assert.match(explain({ code, message }, endpoint, 'wp_').message, cure)
})

test('the account of a GRANT is asked of the server where the error names an address', async () => {
  const database = (name: string) => ({ rows: async () => [[name]] }) as unknown as Parameters<typeof accountOf>[0]
  assert.equal(await accountOf(database('reader@%'), { errno: 1142 }), "'reader'@'%'")
  assert.equal(await accountOf(database("o'x@a@10.%"), { errno: 1142 }), "'o''x@a'@'10.%'")
  assert.equal(await accountOf(database('reader@%'), { errno: 1044 }), undefined)
  const gone = { rows: () => Promise.reject(new Error('gone')) } as unknown as Parameters<typeof accountOf>[0]
  assert.equal(await accountOf(gone, { errno: 1143 }), undefined)
  const error = { errno: 1142, sqlMessage: "SELECT command denied to user 'reader'@'10.0.0.7' for table 'wp_site'" }
  assert.match(explain(error, endpoint, 'wp_', "'reader'@'%'").message, /TO 'reader'@'%';/)
})
