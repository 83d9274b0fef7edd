import { asText, isTruthy, type Scalar } from './values.ts'

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
