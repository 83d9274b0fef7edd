import { type PhpNode, walk } from './node.ts'
import { arrayOf, keyAt, known, nextIndex, type Place, type SourceFile, unknown, type Value } from './values.ts'

/** What reading a file depends on besides its text. */
export interface WpConfigReading {
  /** Path of the file, for messages and for `__DIR__`. */
  path: string
  environment: Readonly<Record<string, string | undefined>>
  /** Content of a file that this one includes or looks at; throws when it cannot be read, with the code `ENOENT` when it is not there. */
  readFile(path: string): string
}

/** What a run of PHP would change, by name; each way of a condition has its own. */
interface State {
  constants: Map<string, Value>
  /** Those of a function that is being followed have its frame before their name. */
  variables: Map<string, Value>
  /** By their whole name, in lower case. */
  functions: Map<string, Value>
  /** Files that were included, by path. */
  included: Map<string, Value>
  /** Where more may have been defined than was read, and where more may have been set: `in x.php, which line 3 includes`. */
  openConstants?: Elsewhere | undefined
  openVariables?: Elsewhere | undefined
  /** What loads more of the environment from a file that was not read. */
  environmentLoaded?: string | undefined
  /** Why what stands next is not reached, or perhaps not. */
  ended?: Ended | undefined
}

interface Elsewhere {
  at: Place
  where: string
  included?: true
}

/**
 * What ends a part of a file. `dead`: the request ends, so this way is none that WordPress takes; `settings`: WordPress begins, and
 * what stands behind comes too late for it.
 */
export interface Ended {
  by: 'return' | 'break' | 'continue' | 'dead' | 'settings'
  line: number
  /** False where it depends on what is not known. */
  certain: boolean
  /** Of a `return`. */
  value?: Value
  /** Of `break` and `continue`: how many loops. */
  depth?: number
}

/** What expressions look up and change. */
export interface Scope extends State, Pick<WpConfigReading, 'environment' | 'readFile'> {
  /** The path of the first file. */
  main: string
  file: SourceFile
  /** Variables of which nobody knows what they hold, and why. */
  unread: Map<string, string>
  /** Before the names of variables in the function that is followed; empty outside of any. */
  frame: string
  /** How many conditions that are not known it stands in. */
  forked: number
  /** Names within frames that mean the variable outside. */
  globals: Set<string>
  /** Names of functions that a file declares somewhere, and its classes. */
  declared: Set<string>
  classes: Map<string, PhpNode>
  /** Whether an autoloader may bring functions along, and whether paths may begin elsewhere by now. */
  seen: { autoloader: boolean; moved: boolean }
  /** How much was followed. */
  count: { steps: number; calls: number; depth: number }
  /** Functions and classes whose effects are being noted. */
  noting: Set<PhpNode>
  /** What an expression is worth; where that is not known, neither is what it would have set. */
  evaluate(expression: unknown, scope: Scope): Value
  /** Follows statements. */
  follow(statements: readonly PhpNode[], scope: Scope): void
  /** Notes that what is defined, set or included in there is not known. */
  undecided(node: PhpNode, scope: Scope, why: string): void
}

const TABLES = ['constants', 'variables', 'functions', 'included'] as const

/** The scope at the start of a file, with the constants that are there before it. */
export function createScope(
  { path, environment, readFile }: WpConfigReading,
  constants: Readonly<Record<string, Value>>,
  rules: Pick<Scope, 'evaluate' | 'follow' | 'undecided'>,
): Scope {
  return {
    ...{ environment, readFile, main: path, file: { path, namespace: '', imports: new Map() } },
    ...{ constants: new Map(Object.entries(constants)), variables: new Map(), functions: new Map() },
    ...{
      included: new Map([[path, known(true)]]),

      unread: new Map(),
      frame: '',
      forked: 0,
      globals: new Set(),
    },
    ...{ declared: new Set(), classes: new Map(), seen: { autoloader: false, moved: false } },
    ...{ count: { steps: 0, calls: 0, depth: 0 }, noting: new Set(), ...rules },
  }
}

/** A scope for one way of a condition: what is changed there is not changed in the other. */
export const fork = (scope: Scope): Scope => ({
  ...scope,
  forked: scope.forked + 1,
  ...Object.fromEntries(TABLES.map((table) => [table, new Map(scope[table])])),
})

/** Takes over what two ways of a condition agree on; the rest has the value `open`. A way on which the request ends is not taken. */
export function join(scope: Scope, [left, right]: readonly [Scope, Scope], open: (perhaps: boolean) => Value): void {
  const isDead = ({ ended }: Scope) => ended?.by === 'dead' && ended.certain
  if (isDead(left) || isDead(right)) {
    Object.assign(scope, isDead(left) ? right : left, { forked: scope.forked })
    return
  }
  const tables = TABLES.map((table) => [table, merged(left[table], right[table], open)])
  Object.assign(scope, right, left, Object.fromEntries(tables), {
    forked: scope.forked,
    openConstants: left.openConstants ?? right.openConstants,
    openVariables: left.openVariables ?? right.openVariables,
    environmentLoaded: left.environmentLoaded ?? right.environmentLoaded,
    ended: bothEnded(left.ended, right.ended),
  })
}

function bothEnded(left: Ended | undefined, right: Ended | undefined): Ended | undefined {
  if (left === undefined && right === undefined) return undefined
  const either = (left ?? right) as Ended
  const certain =
    left?.by === right?.by && left?.depth === right?.depth && left?.certain === true && right?.certain === true
  const [a, b] = [left?.value, right?.value]
  const isSame = a !== undefined && b !== undefined && same(a, b)
  return { ...either, certain, value: isSame ? a : unknown('it is returned on one of several ways') }
}

const same = (a: Value, b: Value): boolean =>
  a === b || (a.known && b.known && a.value === b.value && a.unset === b.unset)

function merged(left: Map<string, Value>, right: Map<string, Value>, open: (perhaps: boolean) => Value) {
  const isOpen = (value: Value | undefined) => value === undefined || (!value.known && value.perhaps === true)
  const result = new Map<string, Value>()
  for (const name of new Set([...left.keys(), ...right.keys()])) {
    const [a, b] = [left.get(name), right.get(name)]
    result.set(name, a !== undefined && b !== undefined && same(a, b) ? a : open(isOpen(a) || isOpen(b)))
  }
  return result
}

/** A line of the file that is being read. */
export const placeOf = ({ file }: Scope, line: number): Place => ({ path: file.path, line })

/** The same for messages: `line 3`, and of an included file `line 3 of local.php`. */
export const inLine = (main: string, { path, line }: Place): string =>
  path === main ? `line ${line}` : `line ${line} of ${nameOfFile(path)}`

/** A line of the file that is being read, for messages. */
export const lineIn = (scope: Scope, line: number): string => inLine(scope.main, placeOf(scope, line))

export const nameOfFile = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

/** The first definition counts, as in PHP. */
export function define(scope: Scope, name: string, value: Value, line: number): void {
  const { constants, openConstants } = scope
  if (constants.has(name)) return
  const isOpen = value.known && openConstants !== undefined
  const counts = isOpen ? unknown(`it may be defined before, ${openConstants.where}`) : value
  constants.set(name, placed(counts, placeOf(scope, line)))
}

/** Whether a constant is defined by now. */
export function isDefined(name: string, { constants, openConstants }: Scope): Value {
  const value = constants.get(name)
  if (value?.known === false && value.perhaps) return unknown(`it depends on whether ${name} is defined`)
  if (value === undefined && openConstants) return unknown(`${name} may be defined ${openConstants.where}`)
  return known(value !== undefined)
}

/** A value with the place at which something is given it. The place that says why one is not known stays. */
const placed = (value: Value, at: Place): Value => (value.known || value.at === undefined ? { ...value, at } : value)

const EVERYWHERE = /^(_(SERVER|ENV|GET|POST|COOKIE|REQUEST|FILES|SESSION)|getenv\(\))$/

/** Where a variable is kept. */
function keyOfVariable(name: string, { frame, globals }: Scope): string {
  return EVERYWHERE.test(name) || globals.has(frame + name) ? name : frame + name
}

/** Gives a value to a variable. */
export function setVariable(scope: Scope, name: string, value: Value, line: number): void {
  scope.variables.set(keyOfVariable(name, scope), placed(value, placeOf(scope, line)))
}

/** What a variable was given; undefined when nothing is known to. */
export function getVariable(name: string, scope: Scope): Value | undefined {
  const [value, why] = [scope.variables.get(keyOfVariable(name, scope)), scope.unread.get(name)]
  return why === undefined ? value : unknown(why, value?.at)
}

/** The variable is there no more. Of one outside of a function only the name in there is taken away. */
export function unsetVariable(scope: Scope, name: string): void {
  if (scope.globals.has(scope.frame + name)) scope.unread.set(name, PERHAPS_OUTSIDE)
  scope.variables.delete(keyOfVariable(name, scope))
}

const PERHAPS_OUTSIDE = 'it is perhaps the variable outside of the function'

/** The name means the variable outside from now on. */
export function makeGlobal(scope: Scope, name: string): void {
  if (scope.forked > 0) scope.unread.set(name, PERHAPS_OUTSIDE)
  scope.globals.add(scope.frame + name)
}

/** An array with one entry more or another one; `key` undefined: at its end. Undefined when that array is not known. */
export function withEntry(before: Value | undefined, key: Value | undefined, value: Value): Value | undefined {
  const isFresh = before === undefined || (!before.known && before.absent === true)
  const whole = isFresh ? arrayOf(new Map()) : before
  if (whole.known || whole.isObject || whole.entries === undefined || key?.known === false) return undefined
  const name = key === undefined ? nextIndex(whole.entries)?.toString() : keyAt(key)
  return name === undefined ? undefined : arrayOf(new Map(whole.entries).set(name, value))
}

/** Every variable that is named in there is worth `value` from now on. */
export function forgetVariables(node: PhpNode, value: Value, scope: Scope): void {
  for (const each of walk(node)) {
    if (each.kind !== 'variable') continue
    if (typeof each.name !== 'string' || each.name === 'GLOBALS') forgetAll(value, scope)
    else scope.variables.set(keyOfVariable(each.name, scope), value)
  }
}

/** Every variable may have been changed, and others set. */
export function forgetAll(value: Value, scope: Scope): void {
  const at = value.at ?? placeOf(scope, 1)
  for (const each of scope.variables.keys()) scope.variables.set(each, value)
  scope.openVariables ??= { at, where: `by ${inLine(scope.main, at)}` }
}

/** More may be defined and set in a file that was not read, or by what was not followed. */
export function openEverything(
  scope: Scope,
  { line, where, included }: { line: number; where: string; included?: true },
): void {
  const at = placeOf(scope, line)
  for (const each of ['_ENV', '_SERVER', 'getenv()', ...scope.variables.keys()])
    scope.variables.set(each, unknown(`it may be changed ${where}`, at))
  const found = { at, where, ...(included ? { included } : {}) }
  if (!scope.openConstants?.included) scope.openConstants = found
  if (!scope.openVariables?.included) scope.openVariables = found
}
