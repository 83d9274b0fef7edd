import type { Scalar } from './scope.ts'

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
