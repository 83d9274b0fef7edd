import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Cancel, type Clock, every, systemClock } from '../time/clock.ts'
import { endpointOf } from '../wp-config/db-host.ts'
import { readWpConfig, type WpConfig, wpConfigFaultText } from '../wp-config/wp-config.ts'
import type { FileSettings } from './ambient.ts'
import type { Io } from './io.ts'
import { type Environment, readNamedFile, UsageError } from './option.ts'

/** What the file of `--wp-config` adds to the environment. Throws one `UsageError` with a line per fault; shows no value. */
export function readFileSettings(
  path: string,
  environment: Environment,
  readFile: (path: string) => string,
): FileSettings {
  const text = readNamedFile('--wp-config', path, readFile)
  const result = readWpConfig(text, { path: resolve(path), environment, readFile })
  if (!result.ok)
    throw new UsageError(`--wp-config:\n${result.faults.map((fault) => wpConfigFaultText(path, fault)).join('\n')}`)
  const { serverpilot, tablePrefix } = result.config
  const url = databaseUrl(result.config)
  return { path, ...serverpilot, database: { url, origin: path, tablePrefix, defined: definedIn(serverpilot) } }
}

/** Which credentials of the plugin the file defines. */
function definedIn({ clientId, apiKey, appId }: WpConfig['serverpilot']): string[] {
  const all = { CLIENT_ID: clientId, API_KEY: apiKey, APP_ID: appId }
  return Object.entries(all).flatMap(([name, value]) => (value ? [name] : []))
}

/** The database of a wp-config.php as one URL, as WORDPRESS_DATABASE_URL takes it. Holds the password. */
export function databaseUrl({ database }: WpConfig, exists: (path: string) => boolean = existsSync): string {
  const { host, port, socket } = endpointOf(database.at, exists)
  const options = new URLSearchParams()
  if (socket !== undefined) options.set('socket', socket)
  if (database.tls) options.set('ssl-mode', database.tls === 'Required' ? 'REQUIRED' : 'VERIFY_IDENTITY')
  const [user, password, name] = [database.user, database.password, database.name].map(encodeURIComponent)
  const address = `${host.includes(':') ? `[${host}]` : host}${port === undefined ? '' : `:${port}`}`
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
  path: string,
  { environment, readFile }: Pick<Io, 'environment' | 'readFile'>,
  { changed, broken }: { changed(): void; broken(error: UsageError): void },
  clock: Pick<Clock, 'after'> = systemClock,
): Cancel {
  const read = (): string => {
    try {
      return JSON.stringify(readFileSettings(path, environment, readFile))
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
