import { type DbHost, parseDbHost } from './db-host.ts'
import { nameOf, type PhpNode, parsePhp, walk } from './node.ts'
import { follow, type Included } from './statements.ts'
import { asText, type Scope, type Value } from './value.ts'

/** What a wp-config.php says, as far as domainpilot needs it. Holds secrets: never logged. */
export interface WpConfig {
  database: { at: DbHost; user: string; password: string; name: string; tls: boolean }
  tablePrefix: string
  /** Constants that the plugin's users have there. */
  serverpilot: { clientId?: string; apiKey?: string; appId?: string }
  multisite: boolean
}

/** A value that is needed and cannot be known from the file. Shows no value. */
export interface WpConfigFault {
  line?: number
  /** Constant or variable. */
  name: string
  message: string
}

/** What reading depends on besides the text. */
export interface WpConfigReading {
  /** Path of the file, for messages and for `__DIR__`. */
  path: string
  environment: Readonly<Record<string, string | undefined>>
  /** Content of a file that an environment variable names; throws when it cannot be read. */
  readFile(path: string): string
}

export type WpConfigRead = { ok: true; config: WpConfig } | { ok: false; faults: WpConfigFault[] }

/** Reads a wp-config.php without running it. Never throws; what cannot be known is named with its line. */
export function readWpConfig(text: string, { path, environment, readFile }: WpConfigReading): WpConfigRead {
  const parsed = parsePhp(text)
  if ('fault' in parsed)
    return { ok: false, faults: [{ line: parsed.fault.line, name: path, message: parsed.fault.message }] }
  const scope: Scope = { constants: new Map(), variables: new Map(), environment, path, readFile }
  const included = follow(parsed.statements, scope).filter(({ file }) => file !== 'wp-settings.php')
  const faults: WpConfigFault[] = []

  const need = (name: string, value: Value | undefined): string => {
    const text = textOf(name, value, faults)
    if (text === undefined && value === undefined) faults.push(missing(name, included))
    return text ?? ''
  }
  const may = (name: string): string | undefined => textOf(name, scope.constants.get(name), faults) || undefined
  const host = need('DB_HOST', scope.constants.get('DB_HOST'))
  const at = parseDbHost(host)
  if (at === undefined) faults.push({ name: 'DB_HOST', message: 'is no host, host:port or host:/path/of/a/socket' })
  const prefix = need('$table_prefix', scope.variables.get('table_prefix'))
  if (!/^\w*$/.test(prefix)) faults.push({ name: '$table_prefix', message: 'may have letters, digits and _ alone' })
  const config: WpConfig = {
    database: {
      at: at ?? { host: '' },
      user: need('DB_USER', scope.constants.get('DB_USER')),
      password: need('DB_PASSWORD', scope.constants.get('DB_PASSWORD')),
      name: need('DB_NAME', scope.constants.get('DB_NAME')),
      tls: wantsTls(parsed.statements),
    },
    tablePrefix: prefix,
    serverpilot: withoutUndefined({
      clientId: may('WU_SERVER_PILOT_CLIENT_ID'),
      apiKey: may('WU_SERVER_PILOT_API_KEY'),
      appId: may('WU_SERVER_PILOT_APP_ID'),
    }),
    multisite: isTrue(scope.constants.get('MULTISITE')),
  }
  return faults.length === 0 ? { ok: true, config } : { ok: false, faults }
}

/** The text of a value; undefined, with a fault where it is there and not known. */
function textOf(name: string, value: Value | undefined, faults: WpConfigFault[]): string | undefined {
  if (value === undefined) return undefined
  if (!value.known) {
    const cure = 'Write it as a literal, or give the settings in environment variables or a Secret instead.'
    faults.push({ line: value.line, name, message: `cannot be known without running PHP: ${value.why}. ${cure}` })
    return undefined
  }
  if (value.unset !== undefined && (value.value === null || value.value === false)) {
    const message = `comes from the environment variable ${value.unset}, which is not set here. Set it for domainpilot as well.`
    faults.push({ name, message })
    return undefined
  }
  return asText(value.value)
}

function missing(name: string, included: readonly Included[]): WpConfigFault {
  const [first] = included
  if (first === undefined) return { name, message: 'is not set in this file' }
  const file = first.file ?? 'a file'
  return {
    line: first.line,
    name,
    message: `is not set in this file; perhaps in ${file}, which line ${first.line} includes. Name that file instead.`,
  }
}

const isTrue = (value: Value | undefined): boolean =>
  value?.known === true && value.value !== false && value.value !== null && value.value !== 0 && value.value !== ''

/** `MYSQL_CLIENT_FLAGS` that ask for TLS: the constants of mysqli are PHP's own, so their names are looked for. */
function wantsTls(statements: readonly PhpNode[]): boolean {
  return statements.some((statement) => {
    const nodes = [...walk(statement)]
    const flags = nodes.some((each) => each.kind === 'string' && each.value === 'MYSQL_CLIENT_FLAGS')
    return flags && nodes.some((each) => each.kind === 'name' && /^MYSQLI_CLIENT_SSL/.test(nameOf(each) ?? ''))
  })
}

function withoutUndefined<T extends Record<string, string | undefined>>(values: T): { [K in keyof T]?: string } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: string
  }
}

/** A fault as one line: `/var/www/wp-config.php:12: DB_PASSWORD …`. */
export const wpConfigFaultText = (path: string, { line, name, message }: WpConfigFault): string =>
  `${path}${line === undefined ? '' : `:${line}`}: ${name === path ? 'the file' : name} ${message}`
