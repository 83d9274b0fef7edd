import type { Database } from './connection.ts'
import { DatabaseError } from './database-error.ts'

/** No limit of the server's own: the largest value that there is. */
const ALL_ROWS = '18446744073709551615'

/** Text in the letters of Latin, of Greek and of none, and its bytes in UTF-8. */
const LETTERS = 'äα🌍'
const LETTERS_HEX = Buffer.from(LETTERS).toString('hex').toUpperCase()

/**
 * Sets what a server may have set otherwise, by its configuration or for this user, and what would cut, recode or delay an answer.
 * Rejects with the driver's error, or with a `DatabaseError` when text does not arrive as it is stored.
 */
export async function beginSession(database: Database, statementMs: number): Promise<void> {
  const limit =
    database.server === 'mariadb'
      ? `SET SESSION max_statement_time = ${statementMs / 1000}`
      : `SET SESSION max_execution_time = ${Math.ceil(statementMs)}`
  // Servers older than these limits (MySQL 5.6, MariaDB 10.0) do without; the limit here counts all the same.
  await optional(database, limit)
  // MySQL 8 gives ids and times that are up to a day old otherwise.
  if (database.server === 'mysql') await optional(database, 'SET SESSION information_schema_stats_expiry = 0')
  await database.rows('SET NAMES utf8mb4')
  const wait = Math.max(1, Math.ceil(statementMs / 1000))
  await database.rows(
    `SET SESSION sql_mode = '', sql_select_limit = ${ALL_ROWS}, sql_big_selects = 1, lock_wait_timeout = ${wait}, time_zone = '+00:00'`,
  )
  const [[letters] = []] = await database.rows(`SELECT CONVERT(X'${LETTERS_HEX}' USING utf8mb4) AS ${database.mark}`)
  if (letters === LETTERS) return
  throw new DatabaseError(
    'text does not arrive as the server has it: something between here and the server recodes it; connect to the server itself, or set utf8mb4 there',
  )
}

/** From here on every statement sees the same moment of all InnoDB tables. */
export async function startSnapshot(database: Database): Promise<void> {
  await database.rows('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ')
  await database.rows('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY')
}

async function optional(database: Database, sql: string): Promise<void> {
  await database.rows(sql).catch((error: { errno?: unknown }) => {
    if (error.errno !== 1193) throw error
  })
}
