import { lineIn, type Scope, setVariable, withEntry } from './scope.ts'
import { known, unknown, type Value } from './values.ts'

/** The environments that PHP has: they are filled from one, and changed each by itself. */
type Environment = '_ENV' | '_SERVER' | 'getenv()'

export const isEnvironment = (name: unknown): name is Environment =>
  name === '_ENV' || name === '_SERVER' || name === 'getenv()'

const REQUEST_FIELD =
  /^(HTTP_|SERVER_|REQUEST_|REMOTE_|SCRIPT_|PATH_|DOCUMENT_|CONTENT_|CONTEXT_|REDIRECT_|ORIG_|SSL_|PHP_|AUTH_TYPE$|GATEWAY_|QUERY_STRING$|HTTPS$|USER$|HOME$|arg[cv]$)/

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
  return unknown(
    `the variable ${name} may stand in a file that ${environmentLoaded} loads: set it for domainpilot, and empty where it has no value`,
  )
}

/** Sets a variable of one of the environments, or what hides it. */
export function setEnvironment(scope: Scope, array: Environment, name: string, value: Value, line: number): void {
  const after = withEntry(scope.variables.get(array), known(name), value)
  setVariable(scope, array, after ?? unknown('it is assigned in parts'), line)
}

/** `putenv('NAME=value')`; without a value it unsets. */
export function putenv(scope: Scope, text: string, line: number): void {
  const [, name = text, value] = /^([^=]*)=([\s\S]*)$/.exec(text) ?? []
  const entry: Value = value === undefined ? { known: true, value: false, unset: name } : known(value)
  setEnvironment(scope, 'getenv()', name, entry, line)
}

/** A line of a `.env`, as all versions of phpdotenv take it; anything else is not read here. */
const ASSIGNMENT =
  /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.]*)\s*=\s*(?:'([^'\\]*)'|"([^"\\$]*)"|([^\s"'#$\\`]*))[ \t]*(?:[ \t]#.*)?$/

/**
 * Takes up `.env` files as phpdotenv does, the later over the earlier: what the environment has goes before them, unless they overwrite
 * it. Of a line that is not plain, what it sets is not known, nor what the file does not name.
 */
export function loadEnvFiles(
  scope: Scope,
  texts: readonly string[],
  { into, overwrites, line }: { into: readonly Environment[]; overwrites: boolean; line: number },
): void {
  const values = new Map<string, Value>()
  for (const each of texts.join('\n').split(/\r?\n/)) {
    if (/^\s*(#.*)?$/.test(each)) continue
    const [whole, name = '', single, double, plain] = ASSIGNMENT.exec(each) ?? []
    const [, begun] = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.]*)\s*=/.exec(each) ?? []
    if (whole !== undefined) values.set(name, known(single ?? double ?? plain ?? ''))
    // A value over several lines, or with others inside: the whole of what follows is not certain.
    else scope.environmentLoaded ??= lineIn(scope, line)
    if (whole === undefined && begun)
      values.set(
        begun,
        unknown(`the value of ${begun} in the file that ${lineIn(scope, line)} loads is not plain text`),
      )
  }
  for (const [name, value] of values) {
    if (scope.environment[name] !== undefined && !overwrites) continue
    for (const array of into) setEnvironment(scope, array, name, value, line)
  }
}
