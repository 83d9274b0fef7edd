import type { Cell, ConnectPorts, Database } from '../../../src/source/wordpress/connection.ts'
import { unlessAborted } from '../../../src/time/within.ts'
import type { Life } from '../life.ts'
import { driverError, serverError } from './errors.ts'
import type { DatabaseServer } from './server.ts'
import { MOMENT, queryOf, SCHEMA } from './sql.ts'
import type { Row, Table, Tables } from './tables.ts'

/** Beyond its own limit of a statement, the server is given this long to say so. */
const GRACE_MS = 2000
const STATEMENT = 'a statement'
/** Settings that servers older than these do not know. */
const NEWER = /max_statement_time|max_execution_time|information_schema_stats_expiry/

/** Resolves with a connection, or rejects as the driver does. */
export async function openSession(
  server: DatabaseServer,
  life: Life,
  ports: Pick<ConnectPorts, 'limits' | 'signal'>,
  password: string,
): Promise<Database> {
  const { limits } = ports
  const { trouble, time, knowledge } = server
  const end = time.now() + limits.whole
  let snapshot: Tables | undefined
  /** What was seen without a snapshot: of the tables, not of their rows. */
  let looked: Tables | undefined
  /** Whether the last statement came through: after one that does not, a reading goes on only where it can do without. */
  let whole = false
  let statements = 0

  /** Newer servers end a statement themselves; of others it is noticed here, and of those that say nothing. */
  function tooLong(what: string, ms: number): Error {
    if (what !== STATEMENT || server.isOld || trouble.silent)
      return driverError('TIME_UP', `${what} took longer than ${ms / 1000} s`)
    const errno = server.kind === 'mariadb' ? 1969 : 3024
    return serverError(errno, 'Query execution was interrupted, maximum statement execution time exceeded')
  }

  /** What comes of something on the server, in the time that it takes there. */
  async function ask<T>(limit: number, what: string, answer: () => T): Promise<T> {
    const left = Math.min(limit, end - time.now())
    const takes = trouble.silent ? Number.POSITIVE_INFINITY : server.random.next() * trouble.slowMs
    const work = async (): Promise<T> => {
      await time.wait(Math.max(0, Math.min(takes, left)))
      if (takes > left) throw tooLong(what, left)
      return answer()
    }
    return await unlessAborted(ports.signal, () => life.ask(work))
  }

  function answer(sql: string): Cell[][] {
    if (/^SET /.test(sql)) return set(sql)
    if (/^START TRANSACTION/.test(sql)) {
      snapshot = tablesNow()
      knowledge.begun(life, snapshot)
      return []
    }
    if (/^(COMMIT|ROLLBACK)$/.test(sql)) return []
    if (sql.startsWith('SELECT CONVERT('))
      return [[Buffer.from(/X'(\w+)'/.exec(sql)?.[1] ?? '', 'hex').toString('utf8')]]
    if (sql === 'SELECT VERSION()') return [[server.kind === 'mariadb' ? '11.4.2-MariaDB' : '8.0.39']]
    const letters = /^SELECT CONVERT\(X'([0-9a-f]+)' USING utf8mb4\)$/.exec(sql)?.[1]
    if (letters !== undefined) return [[Buffer.from(letters, 'hex').toString()]]
    const like = /^SHOW TABLES LIKE '%(\w+)'$/.exec(sql)?.[1]
    if (like !== undefined) return [...tablesNow().keys()].filter((name) => name.endsWith(like)).map((name) => [name])
    return queryOf(sql)(tableOf)
  }

  function breakOff(): void {
    if (trouble.away)
      throw driverError('PROTOCOL_CONNECTION_LOST', 'Connection lost: The server closed the connection.')
    const { breaks } = trouble
    if (breaks === undefined || ++statements < breaks.after) return
    trouble.breaks = undefined
    throw breaks.error
  }

  function set(sql: string): Cell[][] {
    if (server.isOld && NEWER.test(sql)) throw serverError(1193, 'Unknown system variable')
    return []
  }

  function tableOf(name: string): Table {
    const now = tablesNow()
    if (name === MOMENT) return momentOf(server.now())
    if (name.toLowerCase() === 'information_schema.tables') {
      if (snapshot === undefined && looked === undefined) {
        looked = now
        knowledge.begun(life, now)
      }
      return schemaOf(now, server)
    }
    const table = now.get(name)
    if (table === undefined) throw serverError(1146, `Table '${SCHEMA}.${name}' doesn't exist`)
    const seen = snapshot === undefined ? table : snapshot.get(name)
    if (seen?.made !== table.made) throw serverError(1412, 'Table definition has changed, please retry transaction')
    return seen
  }

  async function statement<T>(work: () => T): Promise<T> {
    whole = false
    const result = await ask(server.isOld ? limits.statement + GRACE_MS : limits.statement, STATEMENT, () => {
      breakOff()
      return work()
    })
    whole = true
    return result
  }

  /** A connection stays with the server that it was made to. */
  const tablesNow = await ask(limits.connect, 'connecting', () => admit(server, password)).catch((error: unknown) => {
    knowledge.ended(life, undefined)
    throw error
  })
  return {
    server: server.kind,
    mark: 'mark',
    rows: (sql) => statement(() => answer(sql)),
    columns: (table) => statement(() => tablesNow().get(table)?.columns.slice()),
    async close() {
      knowledge.ended(life, whole ? (snapshot ?? looked) : undefined)
    },
  }
}

/** Gives what a connection of that account reads. */
function admit({ network, trouble, user, password }: DatabaseServer, given: string): () => Tables {
  if (trouble.away) throw driverError('ECONNREFUSED', 'connect ECONNREFUSED 192.0.2.7:3306')
  if (trouble.refuses !== undefined || given !== password)
    throw serverError(trouble.refuses ?? 1045, `Access denied for user '${user}'@'192.0.2.1' (using password: YES)`)
  const { lags } = trouble
  return () => lags ?? network.tables
}

const schemas = new WeakMap<Tables, Table>()
const SCHEMA_COLUMNS = ['TABLE_SCHEMA', 'TABLE_NAME', 'ENGINE', 'CREATE_TIME', 'UPDATE_TIME', 'AUTO_INCREMENT']

/** `information_schema.TABLES`, which knows no snapshots. */
function schemaOf(tables: Tables, { network }: DatabaseServer): Table {
  const rows = (): Row[] =>
    [...tables].map(([name, table]) => {
      const changed = network.changedAt(table)
      return {
        TABLE_SCHEMA: SCHEMA,
        TABLE_NAME: name,
        ENGINE: 'InnoDB',
        CREATE_TIME: '2024-01-01 00:00:00',
        UPDATE_TIME: changed === undefined ? null : dateText(changed),
        AUTO_INCREMENT: String(table.next),
      }
    })
  const table = schemas.get(tables) ?? { columns: SCHEMA_COLUMNS, rows: rows(), next: 1, made: SCHEMA_COLUMNS }
  schemas.set(tables, table)
  return table
}

const momentOf = (now: number): Table => ({
  columns: ['now'],
  rows: [{ now: dateText(now) }],
  next: 1,
  made: SCHEMA_COLUMNS,
})

/** As servers write a moment: whole seconds. */
const dateText = (at: number): string => new Date(at).toISOString().slice(0, 19).replace('T', ' ')
