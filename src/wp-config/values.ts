import type { PhpNode } from './node.ts'

export type Scalar = string | number | boolean | null

/** A line of a file. */
export interface Place {
  path: string
  line: number
}

/** What an expression is worth when the file is read and not run. Numbers are whole ones. */
export type Value = Known | Unknown

export interface Known {
  known: true
  value: Scalar
  /** Where a constant or variable was given it. */
  at?: Place | undefined
  /** Environment variable that went into it and is not set. */
  unset?: string | undefined
}

/** What is not known as a scalar. Arrays, objects and functions are of this kind: only what knows them looks inside. */
export interface Unknown {
  known: false
  why: string
  /** Where the reason stands; filled in by `evaluate`. */
  at?: Place | undefined
  /** Nothing gives it a value. */
  absent?: true
  /** Whether it has a value depends on what is not known. */
  perhaps?: true
  /** It is an array with these; or an object, with these properties. */
  entries?: ReadonlyMap<string, Value> | undefined
  isObject?: true
  code?: Code
  /** What made it: `dotenv\dotenv::create`, with these arguments. */
  made?: { by: string; args: readonly Value[] }
}

/** A function of the file's own, with what its names mean where it stands. */
export interface Code {
  node: PhpNode
  file: SourceFile
  /** Variables that a closure brings along. */
  captured?: ReadonlyMap<string, Value>
}

/** The file that is being read, with what its names mean there. */
export interface SourceFile {
  path: string
  /** In lower case; empty outside of any. */
  namespace: string
  /** Whole names by kind and short name: `function env`. */
  imports: ReadonlyMap<string, string>
}

/** What a rule comes to: a value, a scalar that is known, or undefined where only PHP knows. */
export type Result = Value | Scalar | undefined

export const known = (value: Scalar): Value => ({ known: true, value })
export const unknown = (why: string, at?: Place): Unknown => ({ known: false, why, at })
export const arrayOf = (entries?: ReadonlyMap<string, Value>): Unknown => ({ ...unknown('it is an array'), entries })
export const objectOf = (entries: ReadonlyMap<string, Value>): Unknown => ({
  ...unknown('it is an object'),
  ...{ entries, isObject: true as const },
})

/** The array of these values, one after the other. */
export const listOf = (values: readonly Value[]): Unknown =>
  arrayOf(new Map(values.map((value, index) => [String(index), value])))

/** A result as a value; `why`: the reason where there is none. */
export function asValue(result: Result, why: string): Value {
  if (result === undefined) return unknown(why)
  return typeof result === 'object' && result !== null ? result : known(result)
}

/** What is made of a value that is known; one that is not stays as it is. */
export const whenKnown = (value: Value, make: (known: Known) => Result): Result => (value.known ? make(value) : value)

/** The entries of an array; undefined for anything else. */
export const entriesOf = (value: Value | undefined): ReadonlyMap<string, Value> | undefined =>
  value === undefined || value.known || value.isObject ? undefined : value.entries

/** Whether a key of an array is a number to PHP. */
export const isIndex = (key: string): boolean => /^(0|-?[1-9]\d{0,14})$/.test(key)

/** A key of an array as the text that it is kept by; undefined where it is not known. */
export const keyAt = (key: Value): string | undefined =>
  key.known ? (typeof key.value === 'boolean' ? String(Number(key.value)) : asText(key.value)) : undefined

/** A key of an array as PHP hands it out. */
export const keyOf = (key: string): Value => known(isIndex(key) ? Number(key) : key)

/** The number that the next entry of an array gets; undefined behind numbers below zero, where versions of PHP differ. */
export function nextIndex(entries: ReadonlyMap<string, Value>): number | undefined {
  const numbers = [...entries.keys()].filter(isIndex).map(Number)
  return numbers.some((each) => each < 0) ? undefined : Math.max(-1, ...numbers) + 1
}

/** Whether `??` and `isset` of PHP take it for null. */
export const isNull = (value: Value): boolean => (value.known ? value.value === null : value.absent === true)

/** Whether PHP takes a value for true. */
export const isTruthy = (value: Scalar): boolean => Boolean(value) && value !== '0'

/** The same of any value; undefined where it is not known. */
export function truth(value: Value): boolean | undefined {
  if (value.known) return isTruthy(value.value)
  if (value.code !== undefined || value.isObject) return true
  return value.absent ? false : value.entries && value.entries.size > 0
}

/** A value as a string, as PHP converts it. */
export const asText = (value: Scalar): string => (value === true ? '1' : value === false ? '' : String(value ?? ''))

/** Words that PHP and the environment of Bedrock take for what they say. */
export const WORDS: ReadonlyMap<string, boolean | null> = new Map(
  Object.entries({ true: true, false: false, null: null }),
)

const NUMERIC = /^[ \t\n\r\v\f]*[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?[ \t\n\r\v\f]*$/i

/** `==` of PHP 8: booleans by truth, null as an empty string, strings that are both numbers as numbers. */
function looselyEqual(a: Scalar, b: Scalar): boolean {
  const types = [typeof a, typeof b]
  if (types.includes('boolean') || (types.includes('object') && types.includes('number')))
    return isTruthy(a) === isTruthy(b)
  const [left, right] = [asText(a), asText(b)]
  return left === right || (NUMERIC.test(left) && NUMERIC.test(right) && Number(left) === Number(right))
}

/** What an operator makes of two values; undefined where only PHP knows. */
export function operate(operator: string, a: Scalar, b: Scalar): Scalar | undefined {
  if (operator === '===' || operator === '!==') return (a === b) === (operator === '===')
  if (operator === '==' || operator === '!=' || operator === '<>') return looselyEqual(a, b) === (operator === '==')
  if (operator === 'xor') return isTruthy(a) !== isTruthy(b)
  if (typeof a !== 'number' || typeof b !== 'number') return undefined
  const made = NUMBERS[operator]?.(a, b)
  return typeof made === 'number' && (!Number.isSafeInteger(made) || Object.is(made, -0)) ? undefined : made
}

const isSmall = (...numbers: number[]): boolean => numbers.every((each) => each >= 0 && each < 2 ** 31)

const NUMBERS: Readonly<Record<string, (a: number, b: number) => number | boolean | undefined>> = {
  '<': (a, b) => a < b,
  '>': (a, b) => a > b,
  '<=': (a, b) => a <= b,
  '>=': (a, b) => a >= b,
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  // Node's are of 32 bits.
  '|': (a, b) => (isSmall(a, b) ? a | b : undefined),
  '&': (a, b) => (isSmall(a, b) ? a & b : undefined),
}
