import { asText } from './compare.ts'
import { environmentOf, isDefined, known, type Scope, setEntry, unknown, type Value } from './scope.ts'

/** What one call is about: its arguments are worked out already, and the first one is known. */
interface Call {
  text: string
  second: Value | undefined
  count: number
  line: number
  scope: Scope
}

/** Works out the functions that stand in configurations: those of PHP, of the WordPress image of Docker, and of Bedrock. */
export function callFunction(name: string, args: readonly Value[], line: number, scope: Scope): Value {
  const [first, second] = args
  const rule = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined
  if (rule === undefined || first === undefined) return unknown(line, `it calls ${name}()`)
  if (!first.known) return first
  const value = rule({ text: asText(first.value), second, count: args.length, line, scope })
  if (value === undefined) return unknown(line, `it calls ${name}() with options`)
  // What was made of a variable that is not set still lacks it.
  return first.unset !== undefined && value.known && KEEPS.has(name) ? { ...value, unset: first.unset } : value
}

const KEEPS = new Set(['trim', 'rtrim', 'ltrim', 'strval', 'strtolower', 'strtoupper'])
const one = (make: (text: string) => string) => (call: Call) => (call.count === 1 ? known(make(call.text)) : undefined)

const FUNCTIONS: Readonly<Record<string, (call: Call) => Value | undefined>> = {
  getenv: ({ text, line, scope }) => environmentOf('getenv()', text, false, line, scope),
  env: bedrockEnvironment,
  getenv_docker: dockerEnvironment,
  putenv: putEnvironment,
  defined: ({ text, line, scope }) => isDefined(text, line, scope),
  constant: ({ text, line, scope }) =>
    scope.constants.get(text) ?? unknown(line, `${text} is not defined in this file`),
  dirname: parentOf,
  basename: one((text) => /([^/]*)\/*$/.exec(text)?.[1] ?? ''),
  trim: one((text) => text.replace(/^[ \t\n\r\0\v]+|[ \t\n\r\0\v]+$/g, '')),
  rtrim: one((text) => text.replace(/[ \t\n\r\0\v]+$/, '')),
  ltrim: one((text) => text.replace(/^[ \t\n\r\0\v]+/, '')),
  strtolower: one((text) => text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())),
  strtoupper: one((text) => text.replaceAll(/[a-z]/g, (letter) => letter.toUpperCase())),
  strval: one((text) => text),
}

function parentOf({ text, second, count }: Call): Value | undefined {
  if (count > 1 && (second?.known !== true || typeof second.value !== 'number')) return undefined
  let path = text
  for (let level = count > 1 && second?.known ? Number(second.value) : 1; level > 0; level--) path = dirname(path)
  return known(path)
}

/** As PHP does it: Node's keeps doubled slashes, and makes a dot of nothing. */
function dirname(path: string): string {
  const clean = path.replace(/\/+$/, '')
  if (clean === '') return path === '' ? '' : '/'
  const slash = clean.lastIndexOf('/')
  return slash < 0 ? '.' : clean.slice(0, slash).replace(/\/+$/, '') || '/'
}

function putEnvironment({ text, line, scope }: Call): Value {
  const equals = text.indexOf('=')
  const name = equals < 0 ? text : text.slice(0, equals)
  const value: Value = equals < 0 ? { known: true, value: false, unset: name } : known(text.slice(equals + 1))
  setEntry('getenv()', name, value, line, scope)
  return known(true)
}

/** `Env\env()` takes words and whole numbers for what they say, and quotes off. */
function bedrockEnvironment({ text, second, line, scope }: Call): Value {
  const found = environmentOf('getenv()', text, null, line, scope)
  if (!found.known || typeof found.value !== 'string') return found.known && second !== undefined ? second : found
  const word = { true: true, false: false, null: null }[found.value.toLowerCase()]
  if (word !== undefined) return known(word)
  if (/^\d+$/.test(found.value)) {
    const number = Number(found.value)
    return Number.isSafeInteger(number) ? known(number) : unknown(line, `${text} is a number too large`)
  }
  return known(/^(["'])([\s\S]*)\1$/.exec(found.value)?.[2] ?? found.value)
}

/** A file that `NAME_FILE` names, else `NAME`, else the second argument. */
function dockerEnvironment({ text, second, line, scope }: Call): Value {
  const file = environmentOf('getenv()', `${text}_FILE`, false, line, scope)
  if (!file.known) return file
  if (typeof file.value === 'string' && file.value !== '') {
    try {
      return known(scope.readFile(file.value).replace(/[\r\n]+$/, ''))
    } catch {
      return unknown(line, `the file that ${text}_FILE names cannot be read`)
    }
  }
  const value = environmentOf('getenv()', text, null, line, scope)
  return value.known && typeof value.value !== 'string' ? (second ?? known(null)) : value
}
