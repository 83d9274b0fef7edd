import { dirname } from 'node:path'
import { type DbHost, parseDbHost } from './db-host.ts'
import { lookAt } from './include.ts'
import { isTooDeep } from './node.ts'
import { parsePhp } from './parse.ts'
import { getVariable, type Scope, type WpConfigReading } from './scope.ts'
import { readStatements } from './statements.ts'
import { asText, known, type Place, unknown, type Value } from './values.ts'

/** What a wp-config.php says, as far as domainpilot needs it. Holds secrets: never logged. */
export interface WpConfig {
  database: {
    at: DbHost
    user: string
    password: string
    name: string
    /** How the server's certificate is looked at where `MYSQL_CLIENT_FLAGS` ask for TLS. */
    tls?: 'VerifyIdentity' | 'Required'
  }
  tablePrefix: string
  /** Constants that the plugin's users have there. */
  serverpilot: { clientId?: string; apiKey?: string; appId?: string }
}

/** What is given in another way, and need not be known from the file. */
export interface Given {
  database?: boolean
  tablePrefix?: boolean
}

/** A value that is needed and cannot be known from the file. Shows no value. */
interface WpConfigFault {
  line?: number | undefined
  /** The file, where it is another one that was included. */
  path?: string | undefined
  /** Constant or variable. */
  name: string
  message: string
}

export type WpConfigRead = { ok: true; config: WpConfig } | { ok: false; faults: WpConfigFault[] }

/** Constants that PHP and WordPress bring along. */
const FLAG = { ssl: 2048, verify: 1_073_741_824 }
const GIVEN: Readonly<Record<string, string | number>> = {
  PHP_EOL: '\n',
  DIRECTORY_SEPARATOR: '/',
  MYSQL_CLIENT_SSL: FLAG.ssl,
  MYSQL_CLIENT_COMPRESS: 32,
  MYSQLI_CLIENT_SSL: FLAG.ssl,
  MYSQLI_CLIENT_SSL_DONT_VERIFY_SERVER_CERT: 64,
  MYSQLI_CLIENT_SSL_VERIFY_SERVER_CERT: FLAG.verify,
  MYSQLI_CLIENT_COMPRESS: 32,
  MYSQLI_CLIENT_FOUND_ROWS: 2,
  MYSQLI_CLIENT_IGNORE_SPACE: 256,
  MYSQLI_CLIENT_INTERACTIVE: 1024,
  FILTER_VALIDATE_BOOL: 258,
  FILTER_VALIDATE_BOOLEAN: 258,
  ...{ PHP_URL_SCHEME: 0, PHP_URL_HOST: 1, PHP_URL_PORT: 2, PHP_URL_USER: 3, PHP_URL_PASS: 4, PHP_URL_PATH: 5 },
  ...{ PHP_URL_QUERY: 6, PHP_URL_FRAGMENT: 7 },
}

/** The constants that are there when WordPress includes the file. wp-load.php defines ABSPATH, its own folder. */
function constantsFor({ path, readFile }: WpConfigReading): Record<string, Value> {
  const folder = `${dirname(path)}/`
  const isThere = typeof lookAt({ readFile }, `${folder}wp-settings.php`) === 'object'
  const values = Object.fromEntries(Object.entries(GIVEN).map(([name, value]) => [name, known(value)]))
  return { ...values, ABSPATH: isThere ? known(folder) : unknown('the folder of WordPress is not known here') }
}

/**
 * Reads a wp-config.php, with the files that it includes, without running it. Never throws; what cannot be known is named with its
 * line, unless it is given otherwise.
 */
export function readWpConfig(text: string, reading: WpConfigReading, given: Given = {}): WpConfigRead {
  const { path } = reading
  try {
    const parsed = parsePhp(text)
    if ('fault' in parsed) return { ok: false, faults: [{ name: path, ...parsed.fault }] }
    const scope = readStatements(parsed, reading, constantsFor(reading))
    const faults: WpConfigFault[] = []
    const config = configOf(scope, given, faults)
    return faults.length === 0 ? { ok: true, config } : { ok: false, faults }
  } catch (error) {
    if (!isTooDeep(error)) throw error
    return { ok: false, faults: [{ name: path, message: 'is nested too deeply to be read, or does not end' }] }
  }
}

/** In which other way a value may be given. */
function otherWay(name: string): string {
  if (name === '$table_prefix') return 'give it with --wordpress-table-prefix'
  const own = /^WU_SERVER_PILOT_(.*)/.exec(name)?.[1]
  return own === undefined ? 'give the database in WORDPRESS_DATABASE_URL' : `set SERVERPILOT_${own}`
}

function configOf(scope: Scope, given: Given, faults: WpConfigFault[]): WpConfig {
  const { constants, openConstants, openVariables, environment, main } = scope
  /** Of a constant, or of a variable whose name begins with `$`. */
  const lookUp = (name: string) => (name.startsWith('$') ? getVariable(name.slice(1), scope) : constants.get(name))
  const fault = (name: string, message: string, at: Place | undefined = lookUp(name)?.at): undefined => {
    faults.push({ line: at?.line, ...(at === undefined || at.path === main ? {} : { path: at.path }), name, message })
  }
  /** The text of a value; undefined where it is not there, and with a fault where it is not known. */
  const optional = (name: string): string | undefined => {
    const value = lookUp(name)
    if (value === undefined) return undefined
    if (!value.known) {
      return fault(
        name,
        `cannot be known without running PHP: ${value.why}. Write it as a literal, or ${otherWay(name)}.`,
      )
    }
    if (value.unset === undefined) return asText(value.value)
    const cure = `Set it for domainpilot as well, or ${otherWay(name)}.`
    return fault(name, `comes from the environment variable ${value.unset}, which is not set here. ${cure}`)
  }
  /** Where else it may stand. */
  const elsewhere = (name: string) => (name.startsWith('$') ? openVariables : openConstants)
  const notSet = (name: string): void => {
    const open = elsewhere(name)
    const seen = open?.included ? '' : 'seen to be '
    const cure = open?.included ? 'Name that file instead' : 'Write it as a literal'
    const more = open && `is not ${seen}set in this file; perhaps ${open.where}. ${cure}, or ${otherWay(name)}.`
    fault(name, more ?? `is not set in this file. Set it there, or ${otherWay(name)}.`, open?.at)
  }
  const required = (name: string): string => {
    if (lookUp(name) === undefined) notSet(name)
    return optional(name) ?? ''
  }
  /** A constant of the plugin. What the environment gives need not be known from here as well. */
  const setting = (key: string, name: string): [string, string][] => {
    // Under our name or that of the plugin.
    const own = name.replace(/^WU_SERVER_PILOT_/, 'SERVERPILOT_')
    const isGiven = [own, `${own}_FILE`, name, `${name}_FILE`].some((each) => environment[each]?.trim())
    const text = isGiven ? '' : optional(name)
    return text ? [[key, text]] : []
  }
  return {
    database: given.database ? NO_DATABASE : database(),
    tablePrefix: given.tablePrefix ? '' : prefix(),
    serverpilot: Object.fromEntries([
      ...setting('clientId', 'WU_SERVER_PILOT_CLIENT_ID'),
      ...setting('apiKey', 'WU_SERVER_PILOT_API_KEY'),
      ...setting('appId', 'WU_SERVER_PILOT_APP_ID'),
    ]),
  }

  function database(): WpConfig['database'] {
    const host = required('DB_HOST')
    const at = parseDbHost(host)
    if (at === undefined) fault('DB_HOST', 'is not a valid host, host:port or host:/path/of/a/socket')
    const [user, password, name] = [required('DB_USER'), required('DB_PASSWORD'), required('DB_NAME')]
    if (lookUp('MYSQL_CLIENT_FLAGS') === undefined && openConstants) notSet('MYSQL_CLIENT_FLAGS')
    const flags = Number(optional('MYSQL_CLIENT_FLAGS') ?? 0)
    const tls = (flags & FLAG.verify) === 0 ? 'Required' : 'VerifyIdentity'
    return { at: at ?? { host: '' }, user, password, name, ...((flags & FLAG.ssl) === 0 ? {} : { tls }) }
  }

  function prefix(): string {
    const text = required('$table_prefix')
    if (!/^\w*$/.test(text)) fault('$table_prefix', 'may have letters, digits and _ alone')
    return text
  }
}

const NO_DATABASE: WpConfig['database'] = { at: { host: '' }, user: '', password: '', name: '' }

/** A fault as one line: `/var/www/wp-config.php:12: DB_PASSWORD …`. */
export const wpConfigFaultText = (main: string, { line, path = main, name, message }: WpConfigFault): string =>
  `${path}${line === undefined ? '' : `:${line}`}: ${name === main ? 'the file' : name} ${message}`
