import { messageOf } from '../../log/message-of.ts'
import { createTextRedactor } from '../../log/redact.ts'
import { type Database, quote } from './connection.ts'
import { DatabaseError } from './database-error.ts'
import type { Endpoint } from './database-url.ts'
import { settingName } from './setting-names.ts'

/** Answers of a server that is not there to be asked now: too many connections, shutting down, out of resources. */
const BUSY = new Set([1040, 1053, 1077, 1129, 1203, 1226, 1317, 1205, 1213, 1412, 1927, 1969, 3024, 3168])

/**
 * What went wrong, on which database, and what to do. Without `endpoint` it is the Secret or variable, whose message may be shown.
 * `prefix`: of the tables, for what the setting may have to do with it. `account`: the user as the server knows it.
 */
export function explain(
  thrown: unknown,
  endpoint: Endpoint | undefined,
  prefix: string,
  account?: string,
): DatabaseError {
  if (thrown instanceof DatabaseError) {
    if (endpoint === undefined || thrown.message.startsWith(endpoint.origin)) return thrown
    return new DatabaseError(`${place(endpoint)}: ${thrown.message}`, thrown.unreachable)
  }
  if (endpoint === undefined) return new DatabaseError(messageOf(thrown))
  // The rest of a driver's error stays behind: it may carry the connection.
  const error = (thrown ?? {}) as Partial<Record<'code' | 'errno' | 'sqlMessage' | 'message', unknown>>
  const errno = typeof error.errno === 'number' && error.errno > 0 ? error.errno : undefined
  const code = typeof error.code === 'string' ? error.code : 'unknown error'
  const said = createTextRedactor([endpoint.password])(String(error.sqlMessage ?? error.message ?? code))
  const words =
    errno === undefined
      ? lost(code, said, endpoint)
      : (BY_NUMBER.get(errno)?.({ said, endpoint, prefix, account }) ?? said)
  return new DatabaseError(`${place(endpoint)}: ${words}`, errno === undefined || BUSY.has(errno))
}

/** `database wordpress at db.example (Secret wordpress/wp-db key url)`. */
export function place({ database, host, port, socket, origin }: Endpoint): string {
  const where = socket ?? (port === 3306 ? host : `${host}:${port}`)
  return `database ${database} at ${where} (${origin})`
}

/** What the words for an error are made of. */
interface Explained {
  said: string
  endpoint: Endpoint
  prefix: string
  account: string | undefined
}

/** Rights that are missing, on a database or on what is in it. */
const NO_RIGHT: ReadonlySet<unknown> = new Set([1142, 1143, 1227])

/**
 * The account that an open connection belongs to, for a GRANT, where rights were missing: the error itself names the address that the
 * user came from, which is no account.
 */
export async function accountOf(database: Database, thrown: unknown): Promise<string | undefined> {
  if (!NO_RIGHT.has((thrown as { errno?: unknown } | undefined)?.errno)) return undefined
  const [[name] = []] = await database.rows('SELECT CURRENT_USER()').catch(() => [])
  const at = name?.lastIndexOf('@') ?? -1
  return name && at >= 0 ? `${literal(name.slice(0, at))}@${literal(name.slice(at + 1))}` : undefined
}

const literal = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`

/** How the connection is told to use TLS. */
const WITH_TLS = 'ssl-mode=REQUIRED in its URL, or MYSQL_CLIENT_FLAGS with MYSQLI_CLIENT_SSL in wp-config.php'

/** The password of the account as most clients can use it. */
const OTHER_PLUGIN =
  "give the user a password of a usual kind: with MariaDB ALTER USER … IDENTIFIED VIA mysql_native_password USING PASSWORD('…'), with MySQL ALTER USER … IDENTIFIED WITH caching_sha2_password BY '…'"

/** By the server's error numbers. */
const SAID: readonly (readonly [errors: readonly number[], words: (explained: Explained) => string])[] = [
  [
    [1044],
    ({ said, endpoint }) => `user "${endpoint.user}" has no right to the database: ${grant(said, endpoint)} (${said})`,
  ],
  [
    [1045],
    ({ said, endpoint }) =>
      `the server refuses user "${endpoint.user}": check user and password, and from where this user may connect${endpoint.tls === undefined ? `; a user who may connect with TLS alone needs ${WITH_TLS}` : ''} (${said})`,
  ],
  [
    [1698],
    ({ said, endpoint }) =>
      `user "${endpoint.user}" has no password, but is known by the user of the system: take another user, or ${OTHER_PLUGIN} (${said})`,
  ],
  [[3159], ({ said }) => `the server takes connections with TLS alone: set ${WITH_TLS} (${said})`],
  [[1251, 1524], ({ said, endpoint }) => `${unknownPlugin(endpoint)} (${said})`],
  [
    [1820, 1862],
    ({ said, endpoint }) => `the password of user "${endpoint.user}" has expired: give it a new one (${said})`,
  ],
  [[3118, 4151], ({ said, endpoint }) => `user "${endpoint.user}" is locked: ALTER USER … ACCOUNT UNLOCK (${said})`],
  [[1049], ({ said }) => `there is no such database on this server: check its name (${said})`],
  [
    [1142, 1143, 1227],
    ({ said, endpoint, account }) =>
      `user "${endpoint.user}" may not read all that is needed: ${grant(said, endpoint, account)} (${said})`,
  ],
  [
    [1146],
    ({ said, prefix }) =>
      `${said}: check ${settingName('tablePrefix')}, now "${prefix}", and whether the table was renamed or dropped`,
  ],
  [[1205], ({ said }) => `a table is locked; it is read again (${said})`],
  [[1317, 1927], ({ said }) => `somebody ended the statement on the server; it is asked again (${said})`],
  [[1412], ({ said }) => `a table was changed while it was read; it is read again (${said})`],
  [[1969, 3024], ({ said }) => `a statement took longer than it may; see what keeps the server busy (${said})`],
]
const BY_NUMBER = new Map(SAID.flatMap(([errors, words]) => errors.map((error) => [error, words])))

/** Without an answer of the server: by the driver's code. */
function lost(code: string, said: string, endpoint: Endpoint): string {
  if (code === 'HANDSHAKE_NO_SSL_SUPPORT') return 'the server has no TLS: set ssl-mode=DISABLED, or set TLS up there'
  if (code === 'HANDSHAKE_SSL_ERROR') return `no TLS connection: check ssl-mode and ssl-ca${tlsCure(said)} (${said})`
  if (/^(AUTH_SWITCH_PLUGIN_ERROR|MYSQL_CLEAR_PASSWORD_NOT_ENABLED)$/.test(code) || /unknown plugin/.test(said))
    return `${unknownPlugin(endpoint)} (${said.replace(/\. See .*/, '')})`
  return `not reachable, or the connection broke: ${said}`
}

const unknownPlugin = ({ user }: Endpoint): string =>
  `user "${user}" logs in by a method that is not supported here: ${OTHER_PLUGIN}`

/** What to set when a certificate is refused, by what OpenSSL and Node say of it. */
function tlsCure(said: string): string {
  if (/self[- ]signed|unable to (verify|get)/i.test(said))
    return '; name the file of its authority as ssl-ca, or set ssl-mode=REQUIRED to take any certificate'
  if (/altname|does not match/i.test(said))
    return '; write the name that the certificate is for as the host, or set ssl-mode=VERIFY_CA to take any name'
  return /expired|not yet valid/i.test(said) ? '; renew the certificate of the server' : ''
}

/**
 * The statement that gives the right, for the account as the server itself names it. To the whole database: a right to a table
 * cannot be given before the table is there, and whether it is there is what has to be found out.
 */
function grant(said: string, { database }: Endpoint, known?: string): string {
  const account = known ?? /'[^']*'@'[^']*'/.exec(said)?.[0] ?? "'USER'@'HOST'"
  return `GRANT SELECT ON ${quote(database)}.* TO ${account};`
}
