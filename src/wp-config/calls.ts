import { lineOf, nameOf, nodeOf, nodesOf, type PhpNode } from './node.ts'
import { define, environmentOf, forgetAll, forgetVariables, isDefined, type Scope, setEntry } from './scope.ts'
import { asText, asValue, known, type Result, unknown, type Value, WORDS, whenKnown } from './values.ts'

/** The name of the function that is called, `Config::define` of Bedrock for one; undefined for methods and what is worked out. */
export function functionName({ what }: PhpNode): string | undefined {
  const node = nodeOf(what)
  if (node?.kind === 'name') return nameOf(node)?.toLowerCase()
  const isConfig = node?.kind === 'staticlookup' && nameOf(node.what) === 'Config' && nameOf(node.offset) === 'define'
  return isConfig ? 'Config::define' : undefined
}

/** Whether a node is a call of `define`, or of `Config::define`. */
export const isDefine = (node: PhpNode): boolean =>
  node.kind === 'call' && /^(Config::)?define$/.test(functionName(node) ?? '')

/** Notes what a `define` defines. Of `Config::define` the last one counts. */
export function noteDefine(node: PhpNode, name: Value | undefined, value: Value, scope: Scope): void {
  const [line, { constants }] = [lineOf(node), scope]
  if (!name?.known) {
    scope.elsewhere ??= { line, where: `by the define() in line ${line}` }
    return
  }
  const text = asText(name.value)
  // Of two that are not known, the first says better why.
  if (functionName(node) !== 'define' && (value.known || constants.get(text)?.known)) constants.delete(text)
  define(scope, text, value, line)
}

/** Functions that change variables that are handed to them. */
const CHANGES_ARGUMENTS =
  /^(preg_match(_all)?|parse_str|settype|sscanf|array_(push|pop|shift|unshift|splice|walk)|\w*sort|shuffle)$/

/** Notes what a call may change besides what it is worth: variables, and the environment. */
export function noteCall(node: PhpNode, scope: Scope): void {
  const [what, line, name] = [nodeOf(node.what), lineOf(node), functionName(node) ?? '']
  const method = what?.kind.endsWith('propertylookup') ? nameOf(what.offset) : undefined
  // `$dotenv->load()` and its kin: variables of a file become part of the environment.
  if (/^(load|safeLoad|overload|loadEnv|bootEnv)$/.test(method ?? '')) scope.environmentLoaded ??= line
  const changed = unknown(`${name}() may change it`, line)
  const args = nodesOf(node.arguments)
  if (CHANGES_ARGUMENTS.test(name)) for (const each of args) forgetVariables(each, changed, scope)
  if (name === 'extract' || (name === 'parse_str' && args.length === 1)) forgetAll(changed, scope)
}

/** What a call is worth of a function that stands in configurations: of PHP, of the WordPress image of Docker, of Bedrock. */
export function callFunction(node: PhpNode, [first, ...others]: readonly Value[], scope: Scope): Value {
  const name = functionName(node) ?? 'a function'
  const rule = FUNCTIONS.get(name)
  if (rule === undefined || first === undefined) return unknown(`it calls ${name}()`)
  if (!first.known) return first
  const value = asValue(rule(asText(first.value), others, scope, lineOf(node)), `it calls ${name}() with options`)
  // What was made of a variable that is not set still lacks it.
  return value.known && /^(.?trim|str(val|tolower|toupper))$/.test(name) ? { ...value, unset: first.unset } : value
}

/** What a function makes of its first argument, as text, and of the others; undefined for options that are not known here. */
type Rule = (text: string, others: readonly Value[], scope: Scope, line: number) => Result

const ofText =
  (make: (text: string) => string): Rule =>
  (text, others) =>
    others.length === 0 ? make(text) : undefined

const FUNCTIONS: ReadonlyMap<string, Rule> = new Map(
  Object.entries<Rule>({
    getenv: (name, _, scope) => environmentOf(scope, 'getenv()', name, false),
    env: bedrockEnvironment,
    getenv_docker: dockerEnvironment,
    putenv: (text, _, scope, line) => {
      const [, name = text, value] = /^([^=]*)=([\s\S]*)$/.exec(text) ?? []
      const entry: Value = value === undefined ? { known: true, value: false, unset: name } : known(value)
      setEntry(scope, 'getenv()', name, entry, line)
      return true
    },
    defined: (name, _, scope) => isDefined(name, scope),
    constant: (name, _, { constants }) => constants.get(name) ?? unknown(`${name} is not defined in this file`),
    dirname: (text, [levels = known(1)]) => {
      if (!levels.known || typeof levels.value !== 'number') return undefined
      let path = text
      for (let level = levels.value; level > 0; level--) path = dirname(path)
      return path
    },
    basename: ofText((text) => /([^/]*)\/*$/.exec(text)?.[1] ?? ''),
    trim: ofText((text) => text.replace(/^[ \t\n\r\0\v]+|[ \t\n\r\0\v]+$/g, '')),
    rtrim: ofText((text) => text.replace(/[ \t\n\r\0\v]+$/, '')),
    ltrim: ofText((text) => text.replace(/^[ \t\n\r\0\v]+/, '')),
    strtolower: ofText((text) => text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())),
    strtoupper: ofText((text) => text.replaceAll(/[a-z]/g, (letter) => letter.toUpperCase())),
    strval: ofText((text) => text),
  }),
)

/** As PHP does it: Node's keeps doubled slashes, and makes a dot of nothing. */
function dirname(path: string): string {
  const clean = path.replace(/\/+$/, '')
  if (clean === '') return path === '' ? '' : '/'
  const slash = clean.lastIndexOf('/')
  return slash < 0 ? '.' : clean.slice(0, slash).replace(/\/+$/, '') || '/'
}

/** `Env\env()` takes words and whole numbers for what they say, and quotes off. */
function bedrockEnvironment(name: string, [otherwise]: readonly Value[], scope: Scope): Result {
  const found = environmentOf(scope, 'getenv()', name, null)
  return whenKnown(found, ({ value }) => {
    if (typeof value !== 'string') return otherwise ?? found
    const word = WORDS.get(value.toLowerCase())
    if (word !== undefined) return word
    if (!/^\d+$/.test(value)) return /^(["'])([\s\S]*)\1$/.exec(value)?.[2] ?? value
    return Number.isSafeInteger(Number(value)) ? Number(value) : unknown(`${name} is a number too large`)
  })
}

/** A file that `NAME_FILE` names, else `NAME`, else the second argument. */
function dockerEnvironment(name: string, [otherwise]: readonly Value[], scope: Scope): Result {
  return whenKnown(environmentOf(scope, 'getenv()', `${name}_FILE`, false), ({ value: file }) => {
    if (typeof file === 'string' && file !== '') {
      try {
        return scope.readFile(file).replace(/[\r\n]+$/, '')
      } catch {
        return unknown(`the file that ${name}_FILE names cannot be read`)
      }
    }
    const found = environmentOf(scope, 'getenv()', name, null)
    return found.known && typeof found.value !== 'string' ? (otherwise ?? null) : found
  })
}
