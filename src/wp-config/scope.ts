import { quoted } from './literal.ts'
import { lineOf, nodeOf, type PhpNode, walk } from './node.ts'
import { arrayOf, asText, known, unknown, type Value, WORDS } from './values.ts'

/** What reading a file depends on besides its text. */
export interface WpConfigReading {
  /** Path of the file, for messages and for `__DIR__`. */
  path: string
  environment: Readonly<Record<string, string | undefined>>
  /** Content of a file that an environment variable names (`…_FILE`); throws when it cannot be read. */
  readFile(path: string): string
}

/** What expressions look up and change. */
export interface Scope extends WpConfigReading {
  constants: Map<string, Value>
  variables: Map<string, Value>
  /** Variables that share a value with another name: what is set by the one is not seen by the other. */
  aliased: Set<string>
  /** Where more may have been defined and set than this file shows: `in x.php, which line 3 includes`. */
  elsewhere?: { line: number; where: string; included?: true }
  /** Line that loads more of the environment from a file. */
  environmentLoaded?: number
  /** Line of a `return` that was, or may have been, reached. */
  ended?: number
}

/** The scope at the start of a file, with the constants that are there before it. */
export function createScope(reading: WpConfigReading, constants: Readonly<Record<string, string | number>>): Scope {
  const entries = Object.entries(constants).map(([name, value]) => [name, known(value)] as const)
  return { ...reading, constants: new Map(entries), variables: new Map(), aliased: new Set() }
}

const REQUEST = /^_(GET|POST|COOKIE|REQUEST|FILES|SESSION)$/
const REQUEST_FIELD =
  /^(HTTP_|SERVER_|REQUEST_|REMOTE_|SCRIPT_|PATH_|DOCUMENT_|CONTENT_|CONTEXT_|REDIRECT_|ORIG_|SSL_|PHP_|AUTH_TYPE$|GATEWAY_|QUERY_STRING$|HTTPS$|USER$|HOME$|arg[cv]$)/

/** What a variable holds; `absent` when nothing has set it. */
export function variable(name: unknown, { variables, elsewhere }: Scope): Value {
  if (typeof name !== 'string') return unknown('it is a variable whose name is worked out')
  if (REQUEST.test(name)) return unknown('it depends on the request')
  const value = variables.get(name)
  if (value !== undefined) return value
  if (elsewhere !== undefined) return unknown(`$${name} may be set ${elsewhere.where}`)
  return { ...unknown(`$${name} is not set in this file`), absent: true }
}

/** What a constant is worth. Its name is not shown: it may be a password that lacks its quotes. */
export function constant(name: string, { constants, elsewhere }: Scope): Value {
  const word = WORDS.get(name.toLowerCase())
  if (word !== undefined) return known(word)
  const why = elsewhere === undefined ? 'is not defined in this file' : `may be defined ${elsewhere.where}`
  return constants.get(name) ?? unknown(`it names a constant that ${why}`)
}

/** Whether a constant is defined by now. */
export function isDefined(name: string, { constants, elsewhere }: Scope): Value {
  const value = constants.get(name)
  if (value?.known === false && value.perhaps) return unknown(`it depends on whether ${name} is defined`)
  if (value === undefined && elsewhere !== undefined) return unknown(`${name} may be defined ${elsewhere.where}`)
  return known(value !== undefined)
}

/** The first definition counts, as in PHP. */
export function define({ constants }: Scope, name: string, value: Value, line: number): void {
  if (!constants.has(name)) constants.set(name, placed(value, line))
}

/** A value with the line at which something is given it. The line that says why one is not known stays. */
const placed = (value: Value, line: number): Value =>
  value.known || value.line === undefined ? { ...value, line } : value

/** Gives a value to a variable, to an entry of an array (`key`), or to several at once. */
export function assign(left: PhpNode, key: Value | undefined, value: Value, scope: Scope): void {
  const [line, name, array] = [lineOf(left), variableName(left), variableName(nodeOf(left.what))]
  if (typeof name === 'string') set(scope, name, value, line)
  else if (name === undefined && typeof array === 'string' && key?.known)
    setEntry(scope, array, asText(key.value), value, line)
  else forgetVariables(left, unknown('it is assigned in parts', line), scope)
}

function set({ variables, aliased }: Scope, name: string, value: Value, line: number): void {
  variables.set(name, placed(aliased.has(name) ? unknown(`$${name} has another name, by reference`) : value, line))
}

/** An entry of an array; with the name of an environment, what hides a variable of it. */
export function setEntry(scope: Scope, array: string, entry: string, value: Value, line: number): void {
  const before = scope.variables.get(array) ?? arrayOf(new Map())
  const entries = before.known ? undefined : before.entries
  set(scope, array, arrayOf(entries && new Map(entries).set(entry, value)), line)
}

/** The name of the variable that a node is, also as `$GLOBALS['name']`; null when it is worked out; undefined for other nodes. */
function variableName(node: PhpNode | undefined): string | null | undefined {
  if (node?.kind === 'variable') return typeof node.name === 'string' ? node.name : null
  const [base, key] = [nodeOf(node?.what), nodeOf(node?.offset)]
  if (node?.kind !== 'offsetlookup' || base?.kind !== 'variable' || base.name !== 'GLOBALS') return undefined
  return key?.kind === 'string' ? quoted(key) : null
}

/** Every variable that is named in there is worth `value` from now on. */
export function forgetVariables(node: PhpNode, value: Value, scope: Scope): void {
  for (const name of [...walk(node)].map(variableName)) {
    if (typeof name === 'string') scope.variables.set(name, value)
    else if (name === null) forgetAll(value, scope)
  }
}

/** Every variable may have been changed, and others set. */
export function forgetAll(value: Value, scope: Scope): void {
  for (const each of scope.variables.keys()) scope.variables.set(each, value)
  const line = value.line ?? 1
  scope.elsewhere ??= { line, where: `by line ${line}` }
}

/** The environments that PHP has: they are filled from one, and changed each by itself. */
type Environment = '_ENV' | '_SERVER' | 'getenv()'

/** A variable of the environment; where it is not set, `otherwise`, which remembers its name. */
export function environmentOf(scope: Scope, from: Environment, name: string, otherwise: false | null): Value {
  const { variables, environment, environmentLoaded } = scope
  const changed = variables.get(from)
  if (changed?.known === false) {
    const value = changed.entries === undefined ? changed : changed.entries.get(name)
    if (value !== undefined) return value
  }
  if (from === '_SERVER' && REQUEST_FIELD.test(name)) return unknown('it depends on the request')
  const value = environment[name]
  if (value !== undefined) return known(value)
  if (environmentLoaded === undefined) return { known: true, value: otherwise, unset: name }
  const where = `may stand in a file that line ${environmentLoaded} loads`
  return unknown(`the variable ${name} ${where}: set it for domainpilot, and empty where it has no value`)
}

/** Notes that a file is included; what it may define is not known from then on. `path`: its end is enough; empty when PHP works it out. */
export function include(scope: Scope, path: string, line: number): void {
  const file = path.slice(path.lastIndexOf('/') + 1)
  // These define nothing that is looked for.
  if (file === 'wp-settings.php' || file === 'autoload.php' || scope.elsewhere?.included) return
  scope.elsewhere = { line, where: `in ${file || 'a file'}, which line ${line} includes`, included: true }
}
