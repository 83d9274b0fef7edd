import type { Credentials } from '../serverpilot/serverpilot.ts'
import { type Environment, UsageError } from './option.ts'

/** What environment and files say of the account: all of it optional, since objects may bring Secrets of their own. */
export interface Ambient {
  credentials?: Credentials
  appId?: string
  /** The WordPress database of the app that these settings make. */
  database?: AmbientDatabase
}

/** A WordPress database that no Secret names. */
export interface AmbientDatabase {
  /** Holds the password. */
  url: string
  /** Where it comes from, for messages: `WORDPRESS_DATABASE_URL`, the path of a wp-config.php. */
  origin: string
  tablePrefix: string
}

/** What a wp-config.php adds to the environment. */
export interface FileSettings {
  /** Path of the file. */
  path: string
  clientId?: string
  apiKey?: string
  appId?: string
  database: AmbientDatabase
}

/** The variables of ServerPilot: our name, and that of the WordPress plugin. */
const FIELDS = {
  clientId: { name: 'SERVERPILOT_CLIENT_ID', old: 'WU_SERVER_PILOT_CLIENT_ID' },
  apiKey: { name: 'SERVERPILOT_API_KEY', old: 'WU_SERVER_PILOT_API_KEY' },
  appId: { name: 'SERVERPILOT_APP_ID', old: 'WU_SERVER_PILOT_APP_ID' },
} as const

/** As `mysql://user:password@host/database`. */
const DATABASE = 'WORDPRESS_DATABASE_URL'

/**
 * Reads credentials from the environment, from the files that `…_FILE` variables name, and from a wp-config.php. Never from flags.
 * Throws one `UsageError` with a line per fault; names variables, never shows a value.
 */
export function readAmbient(
  environment: Environment,
  readFile: (path: string) => string,
  file?: FileSettings,
): Ambient {
  const faults: string[] = []
  const field = (name: keyof typeof FIELDS): string | undefined =>
    readField(FIELDS[name], environment, readFile, faults, file && { path: file.path, value: file[name] })
  const clientId = field('clientId')
  const apiKey = field('apiKey')
  const appId = field('appId')
  const database = readDatabase(environment, readFile, faults, file?.database.tablePrefix) ?? file?.database
  if (faults.length === 0 && clientId !== undefined && apiKey === undefined) faults.push(missing('SERVERPILOT_API_KEY'))
  if (faults.length === 0 && apiKey !== undefined && clientId === undefined)
    faults.push(missing('SERVERPILOT_CLIENT_ID'))
  if (faults.length > 0) throw new UsageError(faults.join('\n'))
  return {
    ...(clientId === undefined || apiKey === undefined ? {} : { credentials: { clientId, apiKey } }),
    ...(appId === undefined ? {} : { appId }),
    ...(database === undefined ? {} : { database }),
  }
}

function readDatabase(
  environment: Environment,
  readFile: (path: string) => string,
  faults: string[],
  tablePrefix = 'wp_',
): AmbientDatabase | undefined {
  const url = readField({ name: DATABASE, old: DATABASE }, environment, readFile, faults)
  return url === undefined ? undefined : { url, origin: DATABASE, tablePrefix }
}

const missing = (name: string): string => `${name} is not set: the API needs client id and API key together.`

function readField(
  { name, old }: { name: string; old: string },
  environment: Environment,
  readFile: (path: string) => string,
  faults: string[],
  file?: { path: string; value: string | undefined },
): string | undefined {
  const found = [name, `${name}_FILE`, old, `${old}_FILE`].flatMap((variable) => {
    const value = readVariable(variable, environment, readFile, faults)
    return value === undefined ? [] : [{ variable, value }]
  })
  if (file?.value !== undefined) found.push({ variable: `${old} in ${file.path}`, value: file.value })
  const [first] = found
  const other = found.find((each) => each.value !== first?.value)
  if (first !== undefined && other !== undefined) {
    faults.push(`${first.variable} and ${other.variable} differ: set one of them, or both to the same value.`)
  }
  return first?.value
}

function readVariable(
  variable: string,
  environment: Environment,
  readFile: (path: string) => string,
  faults: string[],
): string | undefined {
  const raw = environment[variable]?.trim()
  if (raw === undefined || raw === '') return undefined
  if (isQuoted(raw)) {
    faults.push(
      `${variable} is wrapped in quotes: env files of Docker keep them as part of the value. Remove the quotes.`,
    )
    return undefined
  }
  if (!variable.endsWith('_FILE')) return raw
  try {
    const value = readFile(raw).trim()
    if (value !== '') return value
    faults.push(`${variable}: the file ${raw} is empty.`)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    faults.push(`${variable}: the file ${raw} cannot be read (${code}).`)
  }
  return undefined
}

const isQuoted = (value: string): boolean => value.length >= 2 && /^(["']).*\1$/s.test(value)
