import { nodeOf, type PhpNode, walk } from './node.ts'

export type Scalar = string | number | boolean | null

/** What an expression is worth when the file is read and not run. Numbers are whole ones. */
export type Value =
  | { known: true; value: Scalar /** Environment variable that went into it and is not set. */; unset?: string }
  | {
      known: false
      line: number
      why: string
      /** Nothing gives it a value. */
      absent?: true
      /** Whether it has a value depends on what is not known. */
      perhaps?: true
      /** It is an array with these. */
      entries?: ReadonlyMap<string, Value>
    }

/** A file that the read one includes. */
interface Included {
  line: number
  /** Last part of its path; undefined when that is worked out by PHP. */
  file: string | undefined
}

/** What expressions look up and change. */
export interface Scope {
  constants: Map<string, Value>
  variables: Map<string, Value>
  /** Variables that share a value with another name: what is set by the one is not seen by the other. */
  aliased: Set<string>
  /** Where each constant, and each variable with its `$`, got its value. */
  lines: Map<string, number>
  environment: Readonly<Record<string, string | undefined>>
  /** Path of the file, for `__DIR__`. */
  path: string
  /** Content of a file that an environment variable names (`…_FILE`); throws when it cannot be read. */
  readFile(path: string): string
  included: Included[]
  /** Where more may have been defined and set than this file shows: `in x.php, which line 3 includes`. */
  elsewhere: { line: number; where: string } | undefined
  /** Line that loads more of the environment from a file. */
  environmentLoaded: number | undefined
  /** Line of a `return` that was, or may have been, reached. */
  ended: number | undefined
}

export const known = (value: Scalar): Value => ({ known: true, value })
export const unknown = (line: number, why: string): Value => ({ known: false, line, why })

const REQUEST = /^(GET|POST|COOKIE|REQUEST|FILES|SESSION)$/
const REQUEST_FIELD =
  /^(HTTP_|SERVER_|REQUEST_|REMOTE_|SCRIPT_|PATH_|DOCUMENT_|CONTENT_|CONTEXT_|REDIRECT_|ORIG_|SSL_|PHP_|AUTH_TYPE$|GATEWAY_|QUERY_STRING$|HTTPS$|USER$|HOME$|arg[cv]$)/

/** What a variable holds; `absent` when nothing has set it. */
export function variable(name: unknown, line: number, { variables, elsewhere }: Scope): Value {
  if (typeof name !== 'string') return unknown(line, 'it is a variable whose name is worked out')
  if (REQUEST.test(name.replace(/^_/, '')) && name.startsWith('_')) return unknown(line, 'it depends on the request')
  const value = variables.get(name)
  if (value !== undefined) return value
  if (elsewhere !== undefined) return unknown(line, `$${name} may be set ${elsewhere.where}`)
  return { known: false, line, why: `$${name} is not set in this file`, absent: true }
}

/** What a constant is worth. Its name is not shown: it may be a password that lacks its quotes. */
export function constant(name: string, line: number, { constants, elsewhere }: Scope): Value {
  const why = elsewhere === undefined ? 'is not defined in this file' : `may be defined ${elsewhere.where}`
  return constants.get(name) ?? unknown(line, `it names a constant that ${why}`)
}

/** Whether a constant is defined by now. */
export function isDefined(name: string, line: number, { constants, elsewhere }: Scope): Value {
  const value = constants.get(name)
  if (value?.known === false && value.perhaps) return unknown(line, `it depends on whether ${name} is defined`)
  if (value === undefined && elsewhere !== undefined) return unknown(line, `${name} may be defined ${elsewhere.where}`)
  return known(value !== undefined)
}

/** The first definition counts, as in PHP. */
export function define(scope: Scope, name: string, value: Value, line: number): void {
  if (scope.constants.has(name)) return
  scope.constants.set(name, value)
  scope.lines.set(name, line)
}

/** Gives a value to a variable, to an entry of an array, or to several at once. */
export function assign(left: PhpNode, key: Value | undefined, value: Value, line: number, scope: Scope): void {
  const base = nodeOf(left.what)
  const entry = key?.known === true ? String(key.value) : undefined
  if (left.kind === 'variable' && typeof left.name === 'string') set(left.name, value, line, scope)
  else if (base?.kind === 'variable' && base.name === 'GLOBALS' && entry !== undefined) set(entry, value, line, scope)
  else if (base?.kind === 'variable' && typeof base.name === 'string' && entry !== undefined)
    setEntry(base.name, entry, value, line, scope)
  else forgetVariables(left, unknown(line, 'it is assigned in parts'), scope)
}

function set(name: string, value: Value, line: number, { variables, aliased, lines }: Scope): void {
  variables.set(name, aliased.has(name) ? unknown(line, `$${name} has another name, by reference`) : value)
  lines.set(`$${name}`, line)
}

/** An entry of an array; with the name of an environment, what hides a variable of it. */
export function setEntry(name: string, entry: string, value: Value, line: number, scope: Scope): void {
  const before = scope.variables.get(name)
  const entries = before === undefined ? new Map<string, Value>() : before.known ? undefined : before.entries
  const whole = unknown(line, 'it is an array')
  set(
    name,
    entries === undefined || whole.known ? whole : { ...whole, entries: new Map(entries).set(entry, value) },
    line,
    scope,
  )
}

/** Every variable that is named in there is worth `value` from now on. */
export function forgetVariables(node: PhpNode, value: Value, scope: Scope): void {
  for (const each of walk(node)) {
    if (each.kind === 'variable' && typeof each.name === 'string') scope.variables.set(each.name, value)
    if (each.kind === 'variable' && typeof each.name !== 'string') forgetAll(value, scope)
    const base = nodeOf(each.what)
    if (each.kind !== 'offsetlookup' || base?.kind !== 'variable' || base.name !== 'GLOBALS') continue
    const key = nodeOf(each.offset)
    if (key?.kind === 'string') scope.variables.set(String(key.value), value)
    else forgetAll(value, scope)
  }
}

/** Every variable may have been changed, and others set. */
export function forgetAll(value: Value, scope: Scope): void {
  for (const each of scope.variables.keys()) scope.variables.set(each, value)
  if (!value.known) scope.elsewhere ??= { line: value.line, where: `by line ${value.line}` }
}

/** The environments that PHP has: they are filled from one, and changed each by itself. */
type EnvironmentName = '_ENV' | '_SERVER' | 'getenv()'

/** A variable of the environment; where it is not set, `otherwise`, which remembers its name. */
export function environmentOf(
  from: EnvironmentName,
  name: string,
  otherwise: false | null,
  line: number,
  { environment, environmentLoaded, variables }: Scope,
): Value {
  const changed = variables.get(from)
  if (changed?.known === false) {
    const value = changed.entries === undefined ? changed : changed.entries.get(name)
    if (value !== undefined) return value
  }
  if (from === '_SERVER' && REQUEST_FIELD.test(name)) return unknown(line, 'it depends on the request')
  const value = environment[name]
  if (value !== undefined) return known(value)
  if (environmentLoaded === undefined) return { known: true, value: otherwise, unset: name }
  const where = `may stand in a file that line ${environmentLoaded} loads`
  return unknown(line, `the variable ${name} ${where}: set it for domainpilot, and empty where it has no value`)
}

/** Files that define nothing that is looked for. */
const HARMLESS = new Set(['wp-settings.php', 'autoload.php'])

/** Notes that a file is included; what it may define is not known from then on. */
export function include(scope: Scope, { line, file }: Included): void {
  if (file !== undefined && HARMLESS.has(file)) return
  if (!scope.included.some((each) => each.line === line && each.file === file)) scope.included.push({ line, file })
  scope.elsewhere ??= { line, where: `in ${file ?? 'a file'}, which line ${line} includes` }
}
