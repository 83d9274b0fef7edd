import { dirname } from 'node:path'
import { type DbHost, parseDbHost } from './db-host.ts'
import { isTooDeep, parsePhp } from './node.ts'
import { createScope, type Scope, type WpConfigReading } from './scope.ts'
import { follow } from './statements.ts'
import { asText, isTruthy } from './values.ts'

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
  multisite: boolean
}

/** A value that is needed and cannot be known from the file. Shows no value. */
interface WpConfigFault {
  line?: number | undefined
  /** Constant or variable. */
  name: string
  message: string
}

export type WpConfigRead = { ok: true; config: WpConfig } | { ok: false; faults: WpConfigFault[] }

/** Constants that PHP and WordPress bring along. */
const FLAG = { ssl: 2048, dontVerify: 64 }
const GIVEN = {
  PHP_EOL: '\n',
  DIRECTORY_SEPARATOR: '/',
  MYSQL_CLIENT_SSL: FLAG.ssl,
  MYSQLI_CLIENT_SSL: FLAG.ssl,
  MYSQLI_CLIENT_SSL_DONT_VERIFY_SERVER_CERT: FLAG.dontVerify,
  MYSQLI_CLIENT_SSL_VERIFY_SERVER_CERT: 1_073_741_824,
  MYSQLI_CLIENT_COMPRESS: 32,
  MYSQLI_CLIENT_FOUND_ROWS: 2,
  MYSQLI_CLIENT_IGNORE_SPACE: 256,
  MYSQLI_CLIENT_INTERACTIVE: 1024,
}

/** Reads a wp-config.php without running it. Never throws; what cannot be known is named with its line. */
export function readWpConfig(text: string, reading: WpConfigReading): WpConfigRead {
  // wp-load.php defines ABSPATH before it includes this file.
  const scope = createScope(reading, { ...GIVEN, ABSPATH: `${dirname(reading.path)}/` })
  try {
    const parsed = parsePhp(text)
    if ('fault' in parsed) return { ok: false, faults: [{ name: reading.path, ...parsed.fault }] }
    follow(parsed.statements, scope)
  } catch (error) {
    if (!isTooDeep(error)) throw error
    return { ok: false, faults: [{ name: reading.path, message: 'is nested too deeply to be read' }] }
  }
  const faults: WpConfigFault[] = []
  const config = configOf(scope, faults)
  return faults.length === 0 ? { ok: true, config } : { ok: false, faults }
}

function configOf({ constants, variables, elsewhere, environment }: Scope, faults: WpConfigFault[]): WpConfig {
  /** Of a constant, or of a variable whose name begins with `$`. */
  const lookUp = (name: string) => (name.startsWith('$') ? variables.get(name.slice(1)) : constants.get(name))
  const fault = (name: string, message: string, line = lookUp(name)?.line): undefined => {
    faults.push({ line, name, message })
  }
  /** The text of a value; undefined where it is not there, and with a fault where it is not known. */
  const optional = (name: string): string | undefined => {
    const value = lookUp(name)
    if (value === undefined) return undefined
    if (!value.known) {
      const cure = 'Write it as a literal, or give the settings in environment variables or a Secret instead.'
      return fault(name, `cannot be known without running PHP: ${value.why}. ${cure}`)
    }
    if (value.unset === undefined) return asText(value.value)
    const cure = 'Set it for domainpilot as well.'
    return fault(name, `comes from the environment variable ${value.unset}, which is not set here. ${cure}`)
  }
  const required = (name: string): string => {
    const seen = elsewhere?.included ? '' : 'seen to be '
    const cure = elsewhere?.included ? 'Name that file instead.' : 'Write it as a literal.'
    const more = elsewhere && `is not ${seen}set in this file; perhaps ${elsewhere.where}. ${cure}`
    if (lookUp(name) === undefined) fault(name, more ?? 'is not set in this file', elsewhere?.line)
    return optional(name) ?? ''
  }
  /** A constant of the plugin. What the environment gives need not be known from here as well. */
  const setting = (key: string, name: string): [string, string][] => {
    const value = lookUp(name)
    const isOpen = value?.known !== true || value.unset !== undefined
    // Under our name or that of the plugin.
    const own = name.replace(/^WU_SERVER_PILOT_/, 'SERVERPILOT_')
    const isGiven = [own, `${own}_FILE`, name, `${name}_FILE`].some((each) => environment[each]?.trim())
    const text = isOpen && isGiven ? '' : optional(name)
    return text ? [[key, text]] : []
  }
  const at = parseDbHost(required('DB_HOST'))
  if (at === undefined) fault('DB_HOST', 'is not a valid host, host:port or host:/path/of/a/socket')
  const [user, password, name] = [required('DB_USER'), required('DB_PASSWORD'), required('DB_NAME')]
  const flags = Number(optional('MYSQL_CLIENT_FLAGS') ?? 0)
  // PHP looks at the certificate unless the flags say otherwise.
  const tls = (flags & FLAG.dontVerify) === 0 ? 'VerifyIdentity' : 'Required'
  const tablePrefix = required('$table_prefix')
  if (!/^\w*$/.test(tablePrefix)) fault('$table_prefix', 'may have letters, digits and _ alone')
  const multisite = constants.get('MULTISITE')
  return {
    database: { at: at ?? { host: '' }, user, password, name, ...((flags & FLAG.ssl) === 0 ? {} : { tls }) },
    tablePrefix,
    serverpilot: Object.fromEntries([
      ...setting('clientId', 'WU_SERVER_PILOT_CLIENT_ID'),
      ...setting('apiKey', 'WU_SERVER_PILOT_API_KEY'),
      ...setting('appId', 'WU_SERVER_PILOT_APP_ID'),
    ]),
    multisite: multisite?.known === true && isTruthy(multisite.value),
  }
}

/** A fault as one line: `/var/www/wp-config.php:12: DB_PASSWORD …`. */
export const wpConfigFaultText = (path: string, { line, name, message }: WpConfigFault): string =>
  `${path}${line === undefined ? '' : `:${line}`}: ${name === path ? 'the file' : name} ${message}`
