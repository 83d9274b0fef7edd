import { messageOf } from '../../log/message-of.ts'
import { createTextRedactor } from '../../log/redact.ts'
import { quote } from './connection.ts'
import { DatabaseError } from './database-error.ts'
import type { Endpoint } from './database-url.ts'

/** Answers of a server that is not there to be asked now: too many connections, shutting down, out of resources. */
const BUSY = new Set([1040, 1053, 1077, 1129, 1203, 1226, 1317, 1205, 1213, 1412, 1927, 1969, 3024, 3168])

/**
 * What went wrong, on which database, and what to do. Without `endpoint` it is the Secret or variable, whose message may be shown.
 * `prefix`: of the tables, for what the setting may have to do with it.
 */
export function explain(thrown: unknown, endpoint: Endpoint | undefined, prefix: string): DatabaseError {
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
  const words = errno === undefined ? lost(code, said) : (BY_NUMBER.get(errno)?.({ said, endpoint, prefix }) ?? said)
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
}

/** By the server's error numbers. */
const SAID: readonly (readonly [errors: readonly number[], words: (explained: Explained) => string])[] = [
  [
    [1044],
    ({ said, endpoint }) => `user "${endpoint.user}" has no right to the database: ${grant(said, endpoint)} (${said})`,
  ],
  [
    [1045, 1698],
    ({ said, endpoint }) =>
      `the server refuses user "${endpoint.user}": check user and password, and from where this user may connect (${said})`,
  ],
  [[1049], ({ said }) => `there is no such database on this server: check its name (${said})`],
  [
    [1142, 1143, 1227],
    ({ said, endpoint }) =>
      `user "${endpoint.user}" may not read all that is needed: ${grant(said, endpoint)} (${said})`,
  ],
  [
    [1146],
    ({ said, prefix }) =>
      `${said}: check spec.wordpress.tablePrefix, now "${prefix}", and whether the table was renamed or dropped`,
  ],
  [[1205], ({ said }) => `a table is locked; it is read again (${said})`],
  [[1317, 1927], ({ said }) => `somebody ended the statement on the server; it is asked again (${said})`],
  [[1412], ({ said }) => `a table was changed while it was read; it is read again (${said})`],
  [[1969, 3024], ({ said }) => `a statement took longer than it may; see what keeps the server busy (${said})`],
]
const BY_NUMBER = new Map(SAID.flatMap(([errors, words]) => errors.map((error) => [error, words])))

/** Without an answer of the server: by the driver's code. */
function lost(code: string, said: string): string {
  if (code === 'HANDSHAKE_NO_SSL_SUPPORT') return 'the server has no TLS: set ssl-mode=DISABLED, or set TLS up there'
  if (code === 'HANDSHAKE_SSL_ERROR') return `no TLS connection: check ssl-mode and ssl-ca (${said})`
  return `not reachable, or the connection broke: ${said}`
}

/**
 * The statement that gives the right, for the account as the server itself names it. To the whole database: a right to a table
 * cannot be given before the table is there, and whether it is there is what has to be found out.
 */
function grant(said: string, { database }: Endpoint): string {
  const account = /'[^']*'@'[^']*'/.exec(said)?.[0] ?? "'USER'@'HOST'"
  return `GRANT SELECT ON ${quote(database)}.* TO ${account};`
}
