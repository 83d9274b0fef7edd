import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Connection, ConnectionOptions, FieldPacket, TypeCastField } from 'mysql2'
import type { Clock } from '../../time/clock.ts'
import { within } from '../../time/within.ts'
import { DatabaseError } from './database-error.ts'
import type { Endpoint } from './database-url.ts'

/** How long things may take, in milliseconds. */
export const LIMITS = {
  /** Until the server has accepted the account. */
  connect: 10_000,
  /** One statement; said to the server, and watched here. */
  statement: 30_000,
  /** Everything from the connection to its end. */
  whole: 120_000,
}
export type Limits = typeof LIMITS

/** What a connection stands on. */
export interface ConnectPorts {
  clock: Pick<Clock, 'after'>
  limits: Limits
  /** Ends it, whatever it is at. */
  signal: AbortSignal
}

/** Beyond its own limit of a statement, the server is given this long to say so. */
const GRACE_MS = 2000
const CLOSE_MS = 1000

/** A value as the server writes it: no number, date or buffer is made of it. */
export type Cell = string | null

/** An open connection. Every statement rejects with the driver's error, or with one of ours when time is up. */
export interface Database {
  server: 'mariadb' | 'mysql'
  /** A name that no other connection has. A statement calls its first column so, and gets no answer that was given before. */
  mark: string
  /** Rejects with a `DatabaseError` when the statement has the mark and the answer has not. */
  rows(sql: string): Promise<Cell[][]>
  /** Column names of a table, or undefined when there is no such table. A table that may not be read is an error. */
  columns(table: string): Promise<string[] | undefined>
  /** Never rejects; ends the connection by force when the server does not answer. */
  close(): Promise<void>
}

/** Opens a connection. */
export type Connect = (endpoint: Endpoint, ports: ConnectPorts) => Promise<Database>

/**
 * Connects. Rejects with the driver's error, with one like it when time is up, or with a `DatabaseError` when `signal` says so.
 * Nothing but reading can come of this connection: no statement is made from data, and the server may ask for no file.
 */
export async function connect(endpoint: Endpoint, ports: ConnectPorts): Promise<Database> {
  const { clock, limits, signal } = ports
  const options = await optionsOf(endpoint)
  // Loaded only when there is a database: it costs memory and time at the start.
  const { createConnection } = (await import('mysql2')).default
  signal.throwIfAborted()
  const connection = createConnection(options)
  const driver = connection.promise()
  const lost = lossOf(connection, ports)
  /** The first of the work and the loss of the connection; an error when time is up. */
  const inTime = <T>(ms: number, what: string, work: Promise<T>): Promise<T> =>
    within(clock, ms, Promise.race([work, lost.promise]), () => Promise.reject(timeUp(what, ms)))
  // A whole answer of one statement: either all of it comes, or this rejects. After a KILL only the connection says so, after
  // KILL QUERY the driver's answer does. A statement without a result gives a packet; of those the result does not matter.
  const ask = (sql: string) =>
    inTime(
      limits.statement + GRACE_MS,
      'a statement',
      driver.query(sql) as unknown as Promise<[Cell[][], FieldPacket[]]>,
    )
  const mark = `m${randomBytes(8).toString('hex')}`
  try {
    await inTime(limits.connect, 'connecting', driver.connect())
    const [[version] = []] = (await ask('SELECT VERSION()'))[0]
    return {
      server: /mariadb/i.test(version ?? '') ? 'mariadb' : 'mysql',
      mark,
      async rows(sql) {
        const [rows, fields] = await ask(sql)
        if (sql.includes(mark) && fields[0]?.name !== mark) throw new DatabaseError(CACHED)
        return rows
      },
      async columns(table) {
        try {
          return (await ask(`SELECT * FROM ${quote(table)} LIMIT 0`))[1].map((field) => field.name)
        } catch (error) {
          if ((error as { errno?: unknown } | undefined)?.errno === 1146) return undefined
          throw error
        }
      },
      async close() {
        lost.forget()
        await inTime(CLOSE_MS, 'closing', driver.end()).catch(() => {})
        connection.destroy()
      },
    }
  } catch (error) {
    lost.forget()
    connection.destroy()
    throw error
  }
}

const CACHED =
  'the answer to a statement was one to another statement: something between here and the server caches; connect to the server itself, or switch the cache off for this user'

/** A name of a table or column for a statement. */
export const quote = (name: string): string => `\`${name.replaceAll('`', '``')}\``

async function optionsOf(endpoint: Endpoint): Promise<ConnectionOptions> {
  const { host, port, socket, user, password, database } = endpoint
  return {
    ...(socket === undefined ? { host, port } : { socketPath: socket }),
    user,
    password,
    database,
    ...(await tlsOf(endpoint)),
    // Watched here, so that it is said in one way.
    connectTimeout: 0,
    charset: 'UTF8MB4_GENERAL_CI',
    rowsAsArray: true,
    // Text as it is: ids beyond 2^53, dates that are not valid and flags of any type arrive as they are stored.
    typeCast: (field: TypeCastField): Cell => field.buffer()?.toString('utf8') ?? null,
    flags: ['-LOCAL_FILES'],
  }
}

async function tlsOf({ tls, origin }: Endpoint): Promise<Pick<ConnectionOptions, 'ssl'>> {
  if (tls === undefined) return {}
  const { mode, ca } = tls
  const pem = ca === undefined || ca.startsWith('-----BEGIN') ? ca : await readFile(ca, 'utf8').catch(() => undefined)
  if (ca !== undefined && pem === undefined) throw new DatabaseError(`${origin}: the file of ssl-ca cannot be read`)
  const checks = { rejectUnauthorized: mode !== 'Required', verifyIdentity: mode === 'VerifyIdentity' }
  return { ssl: { ...checks, ...(pem === undefined ? {} : { ca: pem }) } }
}

/** `promise` rejects when the connection is lost, time is up, or we are to stop; `forget` when that does not matter any more. */
function lossOf(connection: Connection, { clock, limits: { whole }, signal }: ConnectPorts) {
  let cancel = (): void => {}
  let stop = (): void => {}
  const promise = new Promise<never>((_, reject) => {
    const end = (error: unknown): void => {
      reject(error)
      connection.destroy()
    }
    stop = () => end(new DatabaseError('reading was stopped', true))
    cancel = clock.after(whole, () => end(timeUp('reading', whole)))
    signal.addEventListener('abort', stop, { once: true })
    connection.on('error', end)
    connection.on('end', () => end({ message: 'the server closed the connection' }))
  })
  promise.catch(() => {})
  return {
    promise,
    forget(): void {
      // An error without a listener would end the process.
      connection.on('error', () => {})
      cancel()
      signal.removeEventListener('abort', stop)
    },
  }
}

/** As the driver's own errors look, so that the database is named in the same place. */
const timeUp = (what: string, ms: number): { code: string; message: string } => ({
  code: 'TIME_UP',
  message: `${what} took longer than ${ms / 1000} s`,
})
