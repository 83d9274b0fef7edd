export type Scalar = string | number | boolean | null

/** What an expression is worth when the file is read and not run. Numbers are whole ones. */
export type Value = Known | Unknown

interface Known {
  known: true
  value: Scalar
  /** Where a constant or variable was given it. */
  line?: number
  /** Environment variable that went into it and is not set. */
  unset?: string
}

export interface Unknown {
  known: false
  why: string
  /** Where the reason stands; filled in by `evaluate`. */
  line?: number
  /** Nothing gives it a value. */
  absent?: true
  /** Whether it has a value depends on what is not known. */
  perhaps?: true
  /** It is an array with these. */
  entries?: ReadonlyMap<string, Value>
}

export const known = (value: Scalar): Value => ({ known: true, value })

export const unknown = (why: string, line?: number): Value =>
  line === undefined ? { known: false, why } : { known: false, why, line }

export const knownOr = (value: Scalar | undefined, why: string): Value =>
  value === undefined ? unknown(why) : known(value)

export const arrayOf = (entries?: ReadonlyMap<string, Value>): Value => ({
  known: false,
  why: 'it is an array',
  ...(entries === undefined ? {} : { entries }),
})

/** A value with the line at which something is given it. The line that says why one is not known stays. */
export function placed(value: Value, line: number): Value {
  return !value.known && value.line !== undefined ? value : { ...value, line }
}

/** Whether `??` and `isset` of PHP take it for null. */
export const isNull = (value: Value): boolean => (value.known ? value.value === null : value.absent === true)

/** Whether PHP takes a value for true. */
export const isTruthy = (value: Scalar): boolean =>
  value !== null && value !== false && value !== 0 && value !== '' && value !== '0'

/** A value as a string, as PHP converts it. */
export function asText(value: Scalar): string {
  return typeof value === 'boolean' ? (value ? '1' : '') : value === null ? '' : String(value)
}

const NUMERIC = /^[ \t\n\r\v\f]*[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?[ \t\n\r\v\f]*$/i

/** `==` of PHP 8: booleans by truth, null as an empty string, strings that are both numbers as numbers. */
export function looselyEqual(a: Scalar, b: Scalar): boolean {
  if (typeof a === 'boolean' || typeof b === 'boolean') return isTruthy(a) === isTruthy(b)
  if ((a === null && typeof b === 'number') || (b === null && typeof a === 'number')) return isTruthy(a) === isTruthy(b)
  const [left, right] = [asText(a), asText(b)]
  return left === right || (NUMERIC.test(left) && NUMERIC.test(right) && Number(left) === Number(right))
}
