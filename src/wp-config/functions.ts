import { lineOf, type PhpNode } from './node.ts'
import { environmentOf, isDefined, type Scope, setEntry } from './scope.ts'
import { asText, known, knownOr, unknown, type Value } from './values.ts'

/** What a function makes of its first argument, as text, and of the others; undefined for options that are not known here. */
type Rule = (text: string, others: readonly Value[], scope: Scope, node: PhpNode) => Value | undefined

/** Works out the functions that stand in configurations: those of PHP, of the WordPress image of Docker, and of Bedrock. */
export function callFunction(name: string, args: readonly Value[], scope: Scope, node: PhpNode): Value {
  const [first, ...others] = args
  const rule = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined
  if (rule === undefined || first === undefined) return unknown(`it calls ${name}()`)
  if (!first.known) return first
  const value = rule(asText(first.value), others, scope, node)
  if (value === undefined) return unknown(`it calls ${name}() with options`)
  // What was made of a variable that is not set still lacks it.
  return first.unset !== undefined && value.known && KEEPS.has(name) ? { ...value, unset: first.unset } : value
}

const KEEPS = new Set(['trim', 'rtrim', 'ltrim', 'strval', 'strtolower', 'strtoupper'])

const textRule =
  (make: (text: string) => string): Rule =>
  (text, others) =>
    others.length === 0 ? known(make(text)) : undefined

const FUNCTIONS: Readonly<Record<string, Rule>> = {
  getenv: (name, _, scope) => environmentOf('getenv()', name, false, scope),
  env: bedrockEnvironment,
  getenv_docker: dockerEnvironment,
  putenv: putEnvironment,
  defined: (name, _, scope) => isDefined(name, scope),
  constant: (name, _, { constants }) => constants.get(name) ?? unknown(`${name} is not defined in this file`),
  dirname: parentOf,
  basename: textRule((text) => /([^/]*)\/*$/.exec(text)?.[1] ?? ''),
  trim: textRule((text) => text.replace(/^[ \t\n\r\0\v]+|[ \t\n\r\0\v]+$/g, '')),
  rtrim: textRule((text) => text.replace(/[ \t\n\r\0\v]+$/, '')),
  ltrim: textRule((text) => text.replace(/^[ \t\n\r\0\v]+/, '')),
  strtolower: textRule((text) => text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())),
  strtoupper: textRule((text) => text.replaceAll(/[a-z]/g, (letter) => letter.toUpperCase())),
  strval: textRule((text) => text),
}

function parentOf(text: string, [levels = known(1)]: readonly Value[]): Value | undefined {
  if (!levels.known || typeof levels.value !== 'number') return undefined
  let path = text
  for (let level = levels.value; level > 0; level--) path = dirname(path)
  return known(path)
}

/** As PHP does it: Node's keeps doubled slashes, and makes a dot of nothing. */
function dirname(path: string): string {
  const clean = path.replace(/\/+$/, '')
  if (clean === '') return path === '' ? '' : '/'
  const slash = clean.lastIndexOf('/')
  return slash < 0 ? '.' : clean.slice(0, slash).replace(/\/+$/, '') || '/'
}

function putEnvironment(text: string, _: readonly Value[], scope: Scope, node: PhpNode): Value {
  const [, name = text, given] = /^([^=]*)=([\s\S]*)$/.exec(text) ?? []
  const value: Value = given === undefined ? { known: true, value: false, unset: name } : known(given)
  setEntry(scope, 'getenv()', name, value, lineOf(node))
  return known(true)
}

const WORDS = new Map<string, boolean | null>([
  ['true', true],
  ['false', false],
  ['null', null],
])

/** `Env\env()` takes words and whole numbers for what they say, and quotes off. */
function bedrockEnvironment(name: string, [otherwise]: readonly Value[], scope: Scope): Value {
  const found = environmentOf('getenv()', name, null, scope)
  if (!found.known) return found
  if (typeof found.value !== 'string') return otherwise ?? found
  const word = WORDS.get(found.value.toLowerCase())
  if (word !== undefined) return known(word)
  if (/^\d+$/.test(found.value)) {
    const number = Number(found.value)
    return knownOr(Number.isSafeInteger(number) ? number : undefined, `${name} is a number too large`)
  }
  return known(/^(["'])([\s\S]*)\1$/.exec(found.value)?.[2] ?? found.value)
}

/** A file that `NAME_FILE` names, else `NAME`, else the second argument. */
function dockerEnvironment(name: string, [otherwise]: readonly Value[], scope: Scope): Value {
  const file = environmentOf('getenv()', `${name}_FILE`, false, scope)
  if (!file.known) return file
  if (typeof file.value === 'string' && file.value !== '') {
    try {
      return known(scope.readFile(file.value).replace(/[\r\n]+$/, ''))
    } catch {
      return unknown(`the file that ${name}_FILE names cannot be read`)
    }
  }
  const value = environmentOf('getenv()', name, null, scope)
  return value.known && typeof value.value !== 'string' ? (otherwise ?? known(null)) : value
}
