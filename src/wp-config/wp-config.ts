import { dirname } from 'node:path'
import { asText, isTruthy } from './compare.ts'
import { type DbHost, parseDbHost } from './db-host.ts'
import { type PhpNode, parsePhp } from './node.ts'
import { known, type Scope, type Value } from './scope.ts'
import { follow } from './statements.ts'

/** How the server's certificate is looked at where `MYSQL_CLIENT_FLAGS` ask for TLS. */
type Tls = 'VerifyIdentity' | 'Required'

/** What a wp-config.php says, as far as domainpilot needs it. Holds secrets: never logged. */
export interface WpConfig {
  database: { at: DbHost; user: string; password: string; name: string; tls?: Tls }
  tablePrefix: string
  /** Constants that the plugin's users have there. */
  serverpilot: { clientId?: string; apiKey?: string; appId?: string }
  multisite: boolean
}

/** A value that is needed and cannot be known from the file. Shows no value. */
interface WpConfigFault {
  line?: number
  /** Constant or variable. */
  name: string
  message: string
}

/** What reading depends on besides the text. */
interface WpConfigReading {
  /** Path of the file, for messages and for `__DIR__`. */
  path: string
  environment: Readonly<Record<string, string | undefined>>
  /** Content of a file that an environment variable names; throws when it cannot be read. */
  readFile(path: string): string
}

export type WpConfigRead = { ok: true; config: WpConfig } | { ok: false; faults: WpConfigFault[] }

/** Reads a wp-config.php without running it. Never throws; what cannot be known is named with its line. */
export function readWpConfig(text: string, reading: WpConfigReading): WpConfigRead {
  const parsed = parsePhp(text)
  if ('fault' in parsed)
    return { ok: false, faults: [{ line: parsed.fault.line, name: reading.path, message: parsed.fault.message }] }
  const scope = scopeOf(reading)
  const fault = followAll(parsed.statements, scope)
  if (fault !== undefined) return { ok: false, faults: [{ name: reading.path, message: fault }] }
  const faults: WpConfigFault[] = []

  const need = (name: string, value: Value | undefined): string => {
    const text = textOf(name, value, scope, faults)
    if (text === undefined && value === undefined) faults.push(missing(name, scope))
    return text ?? ''
  }
  const constant = (name: string): string => need(name, scope.constants.get(name))
  const may = (name: string): string | undefined => {
    const value = scope.constants.get(name)
    // What the environment gives need not be known from here as well.
    const given = isGiven(name, reading.environment)
    return (
      (given && (value?.known !== true || value.unset !== undefined)
        ? undefined
        : textOf(name, value, scope, faults)) || undefined
    )
  }
  const database = {
    at: hostOf(constant('DB_HOST'), scope, faults),
    user: constant('DB_USER'),
    password: constant('DB_PASSWORD'),
    name: constant('DB_NAME'),
    ...tlsOf(scope, faults),
  }
  const config: WpConfig = {
    database,
    tablePrefix: prefixOf(need('$table_prefix', scope.variables.get('table_prefix')), scope, faults),
    serverpilot: withoutUndefined({
      clientId: may('WU_SERVER_PILOT_CLIENT_ID'),
      apiKey: may('WU_SERVER_PILOT_API_KEY'),
      appId: may('WU_SERVER_PILOT_APP_ID'),
    }),
    multisite: isTrue(scope.constants.get('MULTISITE')),
  }
  return faults.length === 0 ? { ok: true, config } : { ok: false, faults }
}

/** Constants that PHP and WordPress bring along. */
const FLAG = { ssl: 2048, dontVerify: 64 }
const GIVEN: Readonly<Record<string, string | number>> = {
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

function scopeOf(reading: WpConfigReading): Scope {
  const constants = new Map(Object.entries(GIVEN).map(([name, value]) => [name, known(value)]))
  // wp-load.php defines it before it includes this file.
  constants.set('ABSPATH', known(`${dirname(reading.path)}/`))
  return {
    ...reading,
    constants,
    variables: new Map(),
    aliased: new Set(),
    lines: new Map(),
    included: [],
    elsewhere: undefined,
    environmentLoaded: undefined,
    ended: undefined,
  }
}

/** Undefined, or what is wrong with the file as a whole. */
function followAll(statements: readonly PhpNode[], scope: Scope): string | undefined {
  try {
    follow(statements, scope)
    return undefined
  } catch (error) {
    if (error instanceof RangeError) return 'is nested too deeply to be read'
    throw error
  }
}

function hostOf(text: string, { lines }: Scope, faults: WpConfigFault[]): DbHost {
  const at = parseDbHost(text)
  if (at === undefined) {
    faults.push({
      ...lineOf('DB_HOST', lines),
      name: 'DB_HOST',
      message: 'is not a valid host, host:port or host:/path/of/a/socket',
    })
  }
  return at ?? { host: '' }
}

function prefixOf(text: string, { lines }: Scope, faults: WpConfigFault[]): string {
  const name = '$table_prefix'
  if (!/^\w*$/.test(text))
    faults.push({ ...lineOf(name, lines), name, message: 'may have letters, digits and _ alone' })
  return text
}

/** `MYSQL_CLIENT_FLAGS`, where they ask for TLS; PHP looks at the certificate unless they say otherwise. */
function tlsOf(scope: Scope, faults: WpConfigFault[]): { tls?: Tls } {
  const flags = Number(textOf('MYSQL_CLIENT_FLAGS', scope.constants.get('MYSQL_CLIENT_FLAGS'), scope, faults) ?? 0)
  if ((flags & FLAG.ssl) === 0) return {}
  return { tls: (flags & FLAG.dontVerify) === 0 ? 'VerifyIdentity' : 'Required' }
}

/** Whether a setting of the account stands in the environment too, under our name or that of the plugin. */
function isGiven(name: string, environment: WpConfigReading['environment']): boolean {
  const own = name.replace(/^WU_SERVER_PILOT_/, 'SERVERPILOT_')
  return [own, `${own}_FILE`, name, `${name}_FILE`].some((each) => (environment[each] ?? '').trim() !== '')
}

const lineOf = (name: string, lines: Scope['lines']): { line?: number } => {
  const line = lines.get(name)
  return line === undefined ? {} : { line }
}

/** The text of a value; undefined, with a fault where it is there and not known. */
function textOf(name: string, value: Value | undefined, { lines }: Scope, faults: WpConfigFault[]): string | undefined {
  if (value === undefined) return undefined
  if (!value.known) {
    const cure = 'Write it as a literal, or give the settings in environment variables or a Secret instead.'
    faults.push({ line: value.line, name, message: `cannot be known without running PHP: ${value.why}. ${cure}` })
    return undefined
  }
  if (value.unset !== undefined) {
    const message = `comes from the environment variable ${value.unset}, which is not set here. Set it for domainpilot as well.`
    faults.push({ ...lineOf(name, lines), name, message })
    return undefined
  }
  return asText(value.value)
}

function missing(name: string, { included, elsewhere }: Scope): WpConfigFault {
  const [first] = included
  if (first !== undefined) {
    const file = first.file ?? 'a file'
    const where = `perhaps in ${file}, which line ${first.line} includes. Name that file instead.`
    return { line: first.line, name, message: `is not set in this file; ${where}` }
  }
  if (elsewhere === undefined) return { name, message: 'is not set in this file' }
  const message = `is not seen to be set in this file; perhaps ${elsewhere.where}. Write it as a literal.`
  return { line: elsewhere.line, name, message }
}

const isTrue = (value: Value | undefined): boolean => value?.known === true && isTruthy(value.value)

function withoutUndefined<T extends Record<string, string | undefined>>(values: T): { [K in keyof T]?: string } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: string
  }
}

/** A fault as one line: `/var/www/wp-config.php:12: DB_PASSWORD …`. */
export const wpConfigFaultText = (path: string, { line, name, message }: WpConfigFault): string =>
  `${path}${line === undefined ? '' : `:${line}`}: ${name === path ? 'the file' : name} ${message}`
