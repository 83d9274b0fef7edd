import type { Database } from './connection.ts'
import { DatabaseError } from './database-error.ts'

/** No limit of the server's own: the largest value that there is. */
const ALL_ROWS = '18446744073709551615'

/** What not every version knows: how long a statement may take, and that MySQL gives no ids and times that are up to a day old. */
const NEWER: Readonly<Record<Database['server'], (statementMs: number) => string[]>> = {
  mariadb: (ms) => [`max_statement_time = ${ms / 1000}`],
  mysql: (ms) => [`max_execution_time = ${Math.ceil(ms)}`, 'information_schema_stats_expiry = 0'],
}

/** Text in the letters of Latin, of Greek and of none, and its bytes in UTF-8. */
const LETTERS = 'äα🌍'
const LETTERS_HEX = Buffer.from(LETTERS).toString('hex').toUpperCase()

/**
 * Sets what a server may have set otherwise, by its configuration or for this user, and what would cut, recode or delay an answer.
 * Rejects with the driver's error, or with a `DatabaseError` when text does not arrive as it is stored.
 */
export async function beginSession(database: Database, statementMs: number): Promise<void> {
  const wait = Math.max(1, Math.ceil(statementMs / 1000))
  const needed = `NAMES utf8mb4, sql_mode = '', sql_select_limit = ${ALL_ROWS}, sql_big_selects = 1, lock_wait_timeout = ${wait}, time_zone = '+00:00'`
  const newer = NEWER[database.server](statementMs)
  await database.rows(`SET ${[needed, ...newer].join(', ')}`).catch(async (error: unknown) => {
    if (!isUnknownVariable(error)) throw error
    // Older servers (MySQL before 8, MariaDB before 10.1) do without; the limit here counts all the same.
    await database.rows(`SET ${needed}`)
    for (const each of newer) await optional(database, `SET ${each}`)
  })
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
  await database.rows(sql).catch((error: unknown) => {
    if (!isUnknownVariable(error)) throw error
  })
}

const isUnknownVariable = (error: unknown): boolean => (error as { errno?: unknown } | undefined)?.errno === 1193
