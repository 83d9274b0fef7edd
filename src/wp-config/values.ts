export type Scalar = string | number | boolean | null

/** What an expression is worth when the file is read and not run. Numbers are whole ones. */
export type Value = Known | Unknown

export interface Known {
  known: true
  value: Scalar
  /** Where a constant or variable was given it. */
  line?: number | undefined
  /** Environment variable that went into it and is not set. */
  unset?: string | undefined
}

export interface Unknown {
  known: false
  why: string
  /** Where the reason stands; filled in by `evaluate`. */
  line?: number | undefined
  /** Nothing gives it a value. */
  absent?: true
  /** Whether it has a value depends on what is not known. */
  perhaps?: true
  /** It is an array with these. */
  entries?: ReadonlyMap<string, Value> | undefined
}

/** What a rule comes to: a value, a scalar that is known, or undefined where only PHP knows. */
export type Result = Value | Scalar | undefined

export const known = (value: Scalar): Value => ({ known: true, value })
export const unknown = (why: string, line?: number): Unknown => ({ known: false, why, line })
export const arrayOf = (entries?: ReadonlyMap<string, Value>): Unknown => ({ ...unknown('it is an array'), entries })

/** A result as a value; `why`: the reason where there is none. */
export function asValue(result: Result, why: string): Value {
  if (result === undefined) return unknown(why)
  return typeof result === 'object' && result !== null ? result : known(result)
}

/** What is made of a value that is known; one that is not stays as it is. */
export const whenKnown = (value: Value, make: (known: Known) => Result): Result => (value.known ? make(value) : value)

/** Whether `??` and `isset` of PHP take it for null. */
export const isNull = (value: Value): boolean => (value.known ? value.value === null : value.absent === true)

/** Whether PHP takes a value for true. */
export const isTruthy = (value: Scalar): boolean => Boolean(value) && value !== '0'

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
  if (operator === '==' || operator === '!=') return looselyEqual(a, b) === (operator === '==')
  if (operator === 'xor') return isTruthy(a) !== isTruthy(b)
  if (typeof a !== 'number' || typeof b !== 'number') return undefined
  if (operator === '|') return a | b
  return operator === '>' ? a > b : operator === '<' ? a < b : undefined
}
