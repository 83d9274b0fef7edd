import { environmentOf, putenv } from './environment.ts'
import { lookAt, pathOf } from './include.ts'
import { isDefined, type Scope } from './scope.ts'
import { ARRAYS, TEXTS } from './text-functions.ts'
import { asText, type Result, type Scalar, truth, unknown, type Value, WORDS, whenKnown } from './values.ts'

/** What a function makes of its arguments; undefined for options that are not known here. */
type Rule = (args: readonly Value[], scope: Scope, line: number) => Result

/** Of a first argument that is a text; one that is not known is what comes out. */
const ofText =
  (make: (text: string, scope: Scope, line: number) => Result): Rule =>
  ([first, ...others], scope, line) =>
    first && whenKnown(first, ({ value }) => (others.length === 0 ? make(asText(value), scope, line) : undefined))

/** Of arguments that are scalars all. */
const ofScalars =
  (make: (...values: Scalar[]) => Result): Rule =>
  (args) => {
    const open = args.find((each) => !each.known)
    return open === undefined
      ? make(...args.flatMap((each) => (each.known ? [each.value] : [])))
      : unknown(plain(open), open.at)
  }

const plain = (value: Value): string => (value.known ? '' : value.why)

/** Of a path: what is there. */
const ofPath = (make: (found: NonNullable<ReturnType<typeof lookAt>>) => Result): Rule =>
  ofText((text, scope) => {
    const path = pathOf(text, scope)
    const found = text === '' ? 'none' : path === undefined ? undefined : lookAt(scope, path)
    return found === undefined ? unknown('it depends on a file that cannot be seen') : make(found)
  })

const isOf =
  (test: (value: Scalar) => boolean, ofArray = false): Rule =>
  ([value]) => {
    if (value?.known) return test(value.value)
    return value?.entries && !value.isObject ? ofArray : value
  }

/** Functions that stand in configurations: of PHP, and `env` of Bedrock. By whole name, in lower case. */
export const FUNCTIONS: ReadonlyMap<string, Rule> = new Map(
  Object.entries<Rule>({
    ...Object.fromEntries(Object.entries(TEXTS).map(([name, make]) => [name, ofScalars(make)])),
    ...ARRAYS,
    getenv: ([name], scope) =>
      name && whenKnown(name, ({ value }) => environmentOf(scope, 'getenv()', asText(value), false)),
    env: bedrockEnvironment,
    'env\\env': bedrockEnvironment,
    putenv: ofText((text, scope, line) => {
      putenv(scope, text, line)
      return true
    }),
    defined: ofText((name, scope) => isDefined(name, scope)),
    constant: ofText((name, { constants }) => constants.get(name) ?? unknown(`${name} is not defined in this file`)),
    function_exists: ofText((text, { functions, declared, openConstants, seen }) => {
      const name = text.replace(/^\\/, '').toLowerCase()
      const own = functions.get(name)
      if (own !== undefined) return own.known || own.code === undefined ? unknown(`${name}() may be there`) : true
      // What a file declares itself where it is missing is none of PHP's own.
      const isMissing = declared.has(name) && openConstants === undefined && !seen.autoloader
      return isMissing ? false : DEFINED_BY_PHP.test(name) || unknown(`${name}() may be there`)
    }),
    file_exists: ofPath((found) => found !== 'none'),
    is_readable: ofPath((found) => found !== 'none'),
    is_file: ofPath((found) => typeof found === 'object'),
    is_dir: ofPath((found) => found === 'folder'),
    file_get_contents: ofPath((found) =>
      typeof found === 'object' && !found.text.includes('\uFFFD') ? found.text : undefined,
    ),
    is_string: isOf((value) => typeof value === 'string'),
    is_int: isOf((value) => typeof value === 'number'),
    is_bool: isOf((value) => typeof value === 'boolean'),
    is_null: isOf((value) => value === null),
    is_array: isOf(() => false, true),
    is_scalar: isOf((value) => value !== null),
    boolval: ([value]) => value && (truth(value) ?? unknown(plain(value), value.at)),
    filter_var: ([value, filter, ...others], { constants }) => {
      const wanted = constants.get('FILTER_VALIDATE_BOOL')
      const isBool = filter?.known && wanted?.known && filter.value === wanted.value && others.length === 0
      return value?.known && isBool ? /^\s*(1|true|on|yes)\s*$/i.test(asText(value.value)) : undefined
    },
  }),
)

const DEFINED_BY_PHP = /^(define|defined|getenv|putenv|dirname|file_exists|json_decode|mysqli_connect)$/

/** `Env\env()` takes words and whole numbers for what they say, and quotes off. */
function bedrockEnvironment([variable, ...others]: readonly Value[], scope: Scope): Result {
  if (variable === undefined || others.length > 0) return undefined
  return whenKnown(variable, ({ value: name }) => {
    const found = environmentOf(scope, 'getenv()', asText(name), null)
    return whenKnown(found, ({ value }) => (typeof value === 'string' ? converted(value) : { ...found, value: null }))
  })
}

function converted(text: string): Result {
  const word = WORDS.get(text.toLowerCase())
  if (word !== undefined) return word
  if (!/^\d+$/.test(text)) return /^(["'])([\s\S]*)\1$/.exec(text)?.[2] ?? text
  return Number.isSafeInteger(Number(text)) ? Number(text) : unknown('it is a number too large')
}
