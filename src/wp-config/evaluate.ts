import { dirname } from 'node:path'
import { callFunction, isDefine, noteCall, noteDefine } from './calls.ts'
import { closing, integer, nowdoc, outdent, quoted, textValue, unescaped } from './literal.ts'
import { lineOf, nameOf, nodeOf, nodesOf, type PhpNode, walk } from './node.ts'
import { assign, constant, environmentOf, include, type Scope, variable } from './scope.ts'
import {
  arrayOf,
  asText,
  asValue,
  isNull,
  isTruthy,
  known,
  operate,
  type Result,
  unknown,
  type Value,
  whenKnown,
} from './values.ts'

const BY_PHP = 'it is worked out by PHP'

/** Expressions that are worth what is inside them, also when that is an array or not set. */
const PASSES_ON: ReadonlySet<unknown> = new Set(['variable', 'offsetlookup', 'array', 'assign', 'silent', '??'])

/**
 * Works out an expression from literals, constants, variables and the environment, and notes what it defines and sets. What is not
 * worked out has an unknown value, never a guessed one. Runs nothing.
 */
export function evaluate(expression: unknown, scope: Scope): Value {
  const node = nodeOf(expression)
  if (node === undefined) return unknown(BY_PHP)
  const rule = RULES[node.kind]
  const value = asValue(rule?.(node, scope), rule ? BY_PHP : `${BY_PHP} (${node.kind})`)
  if (value.known) return value
  value.line ??= lineOf(node)
  // What is made of an array or of an unset variable is neither any more.
  return PASSES_ON.has(node.kind === 'bin' ? node.type : node.kind) ? value : unknown(value.why, value.line)
}

/** What nodes of one kind are worth. */
const RULES: Readonly<Record<string, (node: PhpNode, scope: Scope) => Result>> = {
  string: (node) => textValue(quoted(node)),
  nowdoc: ({ raw, label }) => textValue(nowdoc(String(raw), String(label))),
  encapsed,
  number: ({ value }) => asValue(integer(String(value)), 'it is not a whole number'),
  boolean: ({ value }) => value === true,
  nullkeyword: () => null,
  array: arrayLiteral,
  name: (node, scope) => constant(nameOf(node) ?? '', scope),
  identifier: (node, scope) => constant(nameOf(node) ?? '', scope),
  magic: ({ value }, { path }) =>
    value === '__DIR__' ? dirname(path) : value === '__FILE__' ? path : unknown(`it uses ${value}`),
  variable: ({ name }, scope) => variable(name, scope),
  offsetlookup: (node, scope) => entryOf(node.what, evaluate(node.offset, scope), scope),
  bin: binary,
  unary: ({ type, what }, scope) =>
    whenKnown(evaluate(what, scope), ({ value }) => {
      if (type === '!') return !isTruthy(value)
      if (typeof value !== 'number') return undefined
      return type === '-' ? 0 - value : type === '+' ? value : undefined
    }),
  cast: ({ type, expr }, scope) =>
    whenKnown(evaluate(expr, scope), (value) => {
      const text = asText(value.value)
      if (type === 'string') return { ...value, value: text }
      if (type === 'bool') return isTruthy(value.value)
      return type === 'int' && /^-?\d{1,15}$/.test(text) ? Number(text) : unknown(`it is cast to ${type}`)
    }),
  retif: ({ test, trueExpr, falseExpr }, scope) => {
    const tested = evaluate(test, scope)
    return whenKnown(tested, ({ value }) => {
      if (!isTruthy(value)) return evaluate(falseExpr, scope)
      return trueExpr === null ? tested : evaluate(trueExpr, scope)
    })
  },
  isset: ({ variables }, scope) => {
    for (const value of nodesOf(variables).map((each) => evaluate(each, scope))) {
      if (isNull(value)) return false
      if (!value.known && value.entries === undefined) return value
    }
    return true
  },
  empty: ({ expression }, scope) => {
    const value = evaluate(expression, scope)
    if (value.known) return !isTruthy(value.value)
    return value.absent || (value.entries ? value.entries.size === 0 : value)
  },
  call,
  assign: assignment,
  // An absent variable is null where its notice is silenced.
  silent: ({ expr }, scope) => {
    const value = evaluate(expr, scope)
    return isNull(value) ? null : value
  },
  include: (node, scope) => {
    const target = evaluate(node.target, scope)
    const strings = [...walk(node)].filter(({ kind }) => kind === 'string')
    include(scope, target.known ? asText(target.value) : String(strings.at(-1)?.value ?? ''), lineOf(node))
    return undefined
  },
  exit: () => null,
}

/** A text with variables in it, between double quotes or in a heredoc. */
function encapsed({ type, raw, label, value }: PhpNode, scope: Scope): Value {
  if (type === 'shell') return unknown('it runs a command')
  const isHeredoc = type === 'heredoc'
  const indent = isHeredoc ? closing(String(raw), String(label)).indent : 0
  const pieces = nodesOf(value).map((piece, index, { length }) => {
    const inner = nodeOf(piece.expression)
    if (inner?.kind !== 'string') return interpolated(piece, scope)
    const place = { first: index === 0, last: index === length - 1 }
    const text = isHeredoc ? outdent(String(inner.raw), indent, place) : String(inner.raw)
    return textValue(unescaped(text, !isHeredoc))
  })
  return pieces.reduce(concatenated, known(''))
}

/** In `"$db[host]"` the key has no quotes; in `"{$db[HOST]}"` it is a constant. */
function interpolated({ syntax, expression }: PhpNode, scope: Scope): Value {
  const inner = nodeOf(expression)
  const key = syntax === 'simple' && inner?.kind === 'offsetlookup' ? nodeOf(inner.offset) : undefined
  const word = key?.kind === 'identifier' ? nameOf(key) : undefined
  const value = word === undefined ? evaluate(inner, scope) : entryOf(inner?.what, known(word), scope)
  // In `"pass$word"` the name may be a part of the password: it is not shown.
  return value.known ? value : unknown('a "$" in its double quotes names a variable that is not known', value.line)
}

function concatenated(left: Value, right: Value): Value {
  if (!left.known) return left
  if (!right.known) return right
  return { known: true, value: asText(left.value) + asText(right.value), unset: left.unset ?? right.unset }
}

function arrayLiteral({ items }: PhpNode, scope: Scope): Result {
  const entries = new Map<string, Value>()
  let next = 0
  for (const item of nodesOf(items)) {
    const key = item.key === null ? known(next) : evaluate(item.key, scope)
    const value = evaluate(item.value, scope)
    if (item.kind !== 'entry' || item.unpack === true || item.byRef === true || !key.known) return undefined
    const name = asText(key.value)
    if (/^(0|[1-9]\d{0,14})$/.test(name)) next = Math.max(next, Number(name) + 1)
    entries.set(name, value)
  }
  return arrayOf(entries)
}

function entryOf(array: unknown, key: Value, scope: Scope): Value {
  const base = nodeOf(array)
  if (!key.known) return unknown('it looks into an array')
  const [name, of] = [asText(key.value), base?.kind === 'variable' ? base.name : undefined]
  if (of === 'GLOBALS') return variable(name, scope)
  if (of === '_ENV' || of === '_SERVER') return environmentOf(scope, of, name, null)
  const whole = evaluate(base, scope)
  if (whole.known) return unknown('it looks into an array')
  if (whole.entries === undefined) return whole
  return whole.entries.get(name) ?? { ...unknown('the array has no such entry'), absent: true }
}

function binary({ type, left, right }: PhpNode, scope: Scope): Result {
  const operator = String(type)
  if (operator === '??') return coalesce(left, right, scope)
  const first = evaluate(left, scope)
  const isOr = operator === '||' || operator === 'or'
  const isLogical = isOr || operator === '&&' || operator === 'and'
  return whenKnown(first, ({ value: a }) => {
    // PHP does not look at the right side once the left one decides.
    if (isLogical && isTruthy(a) === isOr) return isOr
    const second = evaluate(right, scope)
    if (operator === '.') return concatenated(first, second)
    return whenKnown(second, ({ value: b }) =>
      isLogical ? isTruthy(b) : asValue(operate(operator, a, b), `it uses ${operator}`),
    )
  })
}

/** `??`: the left side unless it is null or not set. */
function coalesce(left: unknown, right: unknown, scope: Scope): Value {
  const first = evaluate(left, scope)
  return isNull(first) ? evaluate(right, scope) : first
}

function assignment({ operator, left, right }: PhpNode, scope: Scope): Result {
  const target = nodeOf(left)
  if (target === undefined) return undefined
  let value: Value = unknown('it is assigned in parts')
  if (operator === '=') value = evaluate(right, scope)
  if (operator === '.=') value = concatenated(evaluate(target, scope), evaluate(right, scope))
  if (operator === '??=') value = coalesce(target, right, scope)
  if (!value.known && value.absent) value = unknown(value.why, value.line)
  assign(target, target.kind === 'offsetlookup' ? evaluate(target.offset, scope) : undefined, value, scope)
  return value
}

function call(node: PhpNode, scope: Scope): Result {
  const args = nodesOf(node.arguments).map((each) => evaluate(each, scope))
  const [name, value = unknown(BY_PHP)] = args
  if (!isDefine(node)) {
    noteCall(node, scope)
    return callFunction(node, args, scope)
  }
  noteDefine(node, name, value, scope)
  // Where the value is not known, neither is what working it out would have set.
  return whenKnown(value, () => true)
}
