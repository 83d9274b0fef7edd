import { existsSync } from 'node:fs'
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { type Cancel, type Clock, every, systemClock } from '../time/clock.ts'
import { endpointOf } from '../wp-config/db-host.ts'
import { readWpConfig, type WpConfig, wpConfigFaultText } from '../wp-config/wp-config.ts'
import { type FileSettings, namesDatabase } from './ambient.ts'
import type { Io } from './io.ts'
import { type Environment, readNamedFile, UsageError } from './option.ts'

/** What flags say that bears on the file. */
interface FileOptions {
  /** Goes before that of the file. */
  wordpressTablePrefix?: string | undefined
  /** Path of the authority that the database's certificate is held against. */
  wordpressCa?: string | undefined
}

/**
 * What the file of `--wp-config` adds to environment and flags. What these give need not be known from the file. Throws one
 * `UsageError` with a line per fault; shows no value.
 */
export function readFileSettings(
  path: string,
  environment: Environment,
  readFile: (path: string) => string,
  { wordpressTablePrefix, wordpressCa }: FileOptions = {},
): FileSettings {
  const text = readNamedFile('--wp-config', path, readFile)
  const given = { database: namesDatabase(environment), tablePrefix: wordpressTablePrefix !== undefined }
  const result = readWpConfig(text, { path: resolve(path), environment, readFile }, given)
  if (!result.ok) {
    const lines = result.faults.map((fault) =>
      wpConfigFaultText(fault.name === resolve(path) ? resolve(path) : path, fault),
    )
    throw new UsageError(`--wp-config:\n${lines.join('\n')}`)
  }
  const { serverpilot, database } = result.config
  const tablePrefix = wordpressTablePrefix ?? result.config.tablePrefix
  if (given.database) return { path, ...serverpilot, tablePrefix }
  const url = databaseUrl(result.config, { ca: wordpressCa })
  const isOpen = database.tls === 'Required' && wordpressCa === undefined
  return {
    path,
    ...serverpilot,
    tablePrefix,
    database: { url, origin: path, tablePrefix, ...(isOpen ? { note: UNVERIFIED } : {}) },
  }
}

const UNVERIFIED =
  'the connection to the database is encrypted as MYSQL_CLIENT_FLAGS ask for, and as in WordPress nobody looks at the certificate of the server: name its authority in --wordpress-ca to have it looked at'

/**
 * The database of a wp-config.php as one URL, as WORDPRESS_DATABASE_URL takes it. Holds the password. `ca`: path of the authority that
 * the certificate is held against, where the file asks for TLS.
 */
export function databaseUrl(
  { database }: WpConfig,
  { exists = existsSync, ca }: { exists?(path: string): boolean; ca?: string | undefined } = {},
): string {
  const { host, port, socket } = endpointOf(database.at, exists)
  const options = new URLSearchParams()
  if (socket !== undefined) options.set('socket', socket)
  if (database.tls) {
    const isStrict = database.tls === 'VerifyIdentity' || ca !== undefined
    // A certificate cannot be compared with an address by name.
    options.set('ssl-mode', isStrict ? (isIP(host) === 0 ? 'VERIFY_IDENTITY' : 'VERIFY_CA') : 'REQUIRED')
    if (ca !== undefined) options.set('ssl-ca', resolve(ca))
  }
  const [user, password, name] = [database.user, database.password, database.name].map(encodeURIComponent)
  const address = `${host.includes(':') ? `[${host}]` : encodeURIComponent(host)}${port === undefined ? '' : `:${port}`}`
  const query = options.size === 0 ? '' : `?${options}`
  return `mysql://${user}:${password}@${address}/${name}${query}`
}

/** How often the file is looked at; ms. */
const LOOK_EVERY = 1_000

/**
 * Looks at the file now and then. `changed`: it says something else, and can be read; called once. `broken`: it cannot be read;
 * called once for each version of it. Gives a function that ends it.
 */
export function watchWpConfig(
  { path, ...options }: FileOptions & { path: string },
  { environment, readFile }: Pick<Io, 'environment' | 'readFile'>,
  { changed, broken }: { changed(): void; broken(error: UsageError): void },
  clock: Pick<Clock, 'after'> = systemClock,
): Cancel {
  const read = (): string => {
    try {
      return JSON.stringify(readFileSettings(path, environment, readFile, options))
    } catch (error) {
      if (error instanceof UsageError) return `! ${error.message}`
      throw error
    }
  }
  const first = read()
  let last = first
  const end = every(clock, LOOK_EVERY, () => {
    const now = read()
    if (now === last) return
    last = now
    if (now.startsWith('! ')) broken(new UsageError(now.slice(2)))
    else if (now !== first) {
      end()
      changed()
    }
  })
  return end
}
