import type { App } from '../api/objects.ts'
import { appDefaults } from '../api/schema.ts'
import { messageOf } from '../log/message-of.ts'
import { REDACTED } from '../log/redact.ts'
import type { Credentials } from '../serverpilot/serverpilot.ts'
import { type Environment, readNamedFile, UsageError } from './option.ts'

/** What environment and files say of the account: all of it optional, since objects may bring Secrets of their own. */
export interface Ambient {
  credentials?: Credentials | undefined
  appId?: string | undefined
  /** The WordPress database of the app that these settings make. */
  database?: AmbientDatabase | undefined
}

/** A WordPress database that no Secret names. */
export interface AmbientDatabase {
  /** Holds the password. */
  url: string
  /** Where it comes from, for messages: `WORDPRESS_DATABASE_URL`, the path of a wp-config.php. */
  origin: string
  tablePrefix: string
  /** What is to be known of the connection, for `check`. */
  note?: string
}

/** What flags say of the app that settings make. */
export interface AppOptions {
  wordpressTablePrefix?: string | undefined
  wordpressMappings?: string | undefined
  wordpressIncludeSites?: boolean | undefined
  wordpressNetwork?: string | undefined
  wordpressWww?: string | undefined
}

/** What a wp-config.php adds to the environment. */
export interface FileSettings {
  /** Path of the file. */
  path: string
  clientId?: string
  apiKey?: string
  appId?: string
  /** Missing where the environment gives another one. */
  database?: AmbientDatabase
  tablePrefix?: string
}

/** The variables of ServerPilot: our name, and that of the WordPress plugin. */
const CLIENT_ID = ['SERVERPILOT_CLIENT_ID', 'WU_SERVER_PILOT_CLIENT_ID'] as const
const API_KEY = ['SERVERPILOT_API_KEY', 'WU_SERVER_PILOT_API_KEY'] as const
const APP_ID = ['SERVERPILOT_APP_ID', 'WU_SERVER_PILOT_APP_ID'] as const

/** As `mysql://user:password@host/database`. */
const DATABASE = 'WORDPRESS_DATABASE_URL'

/** Whether the environment names a database, which then goes before that of a wp-config.php. */
export const namesDatabase = (environment: Environment): boolean =>
  [DATABASE, `${DATABASE}_FILE`].some((name) => environment[name]?.trim())

/**
 * Reads credentials from the environment, from the files that `…_FILE` variables name, and, value by value, what these do not give from
 * a wp-config.php. Never from flags. Throws one `UsageError` with a line per fault; names variables, never shows a value.
 */
export function readAmbient(
  environment: Environment,
  readFile: (path: string) => string,
  file?: FileSettings,
): Ambient {
  const faults: string[] = []

  function read(variable: string): { variable: string; value: string }[] {
    try {
      const value = readVariable(variable, environment, readFile)
      return value === undefined ? [] : [{ variable, value }]
    } catch (error) {
      faults.push(messageOf(error))
      return []
    }
  }

  function field(names: readonly string[], inFile?: string): string | undefined {
    const found = names.flatMap((name) => [...read(name), ...read(`${name}_FILE`)])
    const [first] = found
    const other = found.find((each) => each.value !== first?.value)
    if (first !== undefined && other !== undefined) {
      faults.push(`${first.variable} and ${other.variable} differ: set one of them, or both to the same value.`)
    }
    return first === undefined ? inFile : first.value
  }

  const clientId = field(CLIENT_ID, file?.clientId)
  const apiKey = field(API_KEY, file?.apiKey)
  const appId = field(APP_ID, file?.appId)
  const url = field([DATABASE])
  if (faults.length === 0 && (clientId === undefined) !== (apiKey === undefined)) {
    const [missing] = clientId === undefined ? CLIENT_ID : API_KEY
    faults.push(`${missing} is not set: the API needs client id and API key together.`)
  }
  if (appId !== undefined && appId === apiKey) {
    faults.push('SERVERPILOT_APP_ID is the API key. Set it to the id of the app, as in AAAAAAAAAAAAAAAA.')
  }
  if (faults.length > 0) throw new UsageError(faults.join('\n'))
  return {
    credentials: clientId === undefined || apiKey === undefined ? undefined : { clientId, apiKey },
    appId,
    database: url === undefined ? file?.database : { url, origin: DATABASE, tablePrefix: file?.tablePrefix ?? 'wp_' },
  }
}

function readVariable(
  variable: string,
  environment: Environment,
  readFile: (path: string) => string,
): string | undefined {
  const raw = environment[variable]?.trim()
  if (raw === undefined || raw === '') return undefined
  if (/^(["']).*\1$/s.test(raw))
    throw new UsageError(
      `${variable} is wrapped in quotes: env files of Docker keep them as part of the value. Remove the quotes.`,
    )
  if (!variable.endsWith('_FILE')) return raw
  const value = readNamedFile(variable, raw, readFile, shownPath(raw)).trim()
  if (value === '') throw new UsageError(`${variable}: the file ${raw} is empty.`)
  return value
}

/** A path, for messages. What does not begin as one may be the secret itself, and is not shown. */
const shownPath = (path: string): string =>
  /^(\.{0,2}|[A-Za-z]:)[/\\]/.test(path) ? path : `${REDACTED} (perhaps the secret itself; a path begins with / or ./)`

const KEY = 'default/default'

/**
 * The app that variables or a wp-config.php make when no object declares one, with what flags say of it; undefined when they name none.
 * Throws `UsageError` for an id or an option that is not valid, and for a database without an app.
 */
export function defaultApp({ appId, database }: Ambient, options: AppOptions = {}): App | undefined {
  if (appId === undefined) {
    if (database === undefined) return undefined
    throw new UsageError(
      `${database.origin} names a database, and nothing says which app its domains belong to: set SERVERPILOT_APP_ID, or WU_SERVER_PILOT_APP_ID in the wp-config.php.`,
    )
  }
  const spec = appDefaults(appId, moreOf(database, options))
  if (spec === undefined && appDefaults(appId) !== undefined) {
    throw new UsageError(
      '--wordpress-table-prefix consists of letters, digits, "_" and "$", and --wordpress-network of digits: one of them is not valid.',
    )
  }
  if (spec === undefined) {
    throw new UsageError(
      'SERVERPILOT_APP_ID is not a valid app id: one consists of letters and digits, as in AAAAAAAAAAAAAAAA.',
    )
  }
  return {
    key: KEY,
    namespace: 'default',
    name: 'default',
    generation: 1,
    place: 'SERVERPILOT_APP_ID',
    labels: {},
    annotations: {},
    spec,
  }
}

/** The parts of the spec that come from a database and from flags. */
function moreOf(database: AmbientDatabase | undefined, options: AppOptions): { wordpress?: object; www?: string } {
  const { wordpressTablePrefix, wordpressMappings, wordpressIncludeSites, wordpressNetwork, wordpressWww } = options
  const wordpress = database && {
    // Of the default app the Secret is not looked at: its database stands in the settings.
    connectionSecretRef: { name: 'settings' },
    tablePrefix: wordpressTablePrefix ?? database.tablePrefix,
    ...(wordpressMappings === undefined ? {} : { mappings: wordpressMappings }),
    ...(wordpressIncludeSites === undefined ? {} : { includeSites: wordpressIncludeSites }),
    ...(wordpressNetwork === undefined ? {} : { network: wordpressNetwork }),
  }
  return { ...(wordpress && { wordpress }), ...(wordpressWww === undefined ? {} : { www: wordpressWww }) }
}

/** Whether an app is the one that settings made, not one that an object declares. */
export const isDefaultApp = (app: App): boolean => app.key === KEY && app.place === 'SERVERPILOT_APP_ID'
