import { dirname } from 'node:path'
import { defineKind, functionName, noteCall, noteDefine } from './calls.ts'
import { callFunction } from './functions.ts'
import { indentOf, integer, nowdoc, outdent, quoted, unescaped } from './literal.ts'
import { lineOf, nameOf, nodeOf, nodesOf, type PhpNode, walk } from './node.ts'
import { assign, constant, environmentOf, include, type Scope, variable } from './scope.ts'
import {
  arrayOf,
  asText,
  isNull,
  isTruthy,
  known,
  knownOr,
  looselyEqual,
  type Scalar,
  unknown,
  type Value,
} from './values.ts'

/**
 * Works out an expression from literals, constants, variables and the environment, and notes what it defines and sets. What is not
 * worked out has an unknown value, never a guessed one. Runs nothing.
 */
export function evaluate(expression: unknown, scope: Scope): Value {
  const node = nodeOf(expression)
  if (node === undefined) return BY_PHP
  const rule = Object.hasOwn(RULES, node.kind) ? RULES[node.kind] : undefined
  const value = rule === undefined ? unknown(`it is worked out by PHP (${node.kind})`) : (rule(node, scope) ?? BY_PHP)
  if (value.known) return value
  const line = value.line ?? lineOf(node)
  if (!PASSES_ON.has(node.kind) && !(node.kind === 'bin' && node.type === '??')) {
    // What is made of an array or of an unset variable is neither any more.
    return unknown(value.why, line)
  }
  return value.line === undefined ? { ...value, line } : value
}

const BY_PHP = unknown('it is worked out by PHP')

/** Expressions that are worth what is inside them, also when that is an array or not set. */
const PASSES_ON = new Set(['variable', 'offsetlookup', 'array', 'assign', 'silent'])

/** What nodes of one kind are worth; undefined where only PHP knows. */
const RULES: Readonly<Record<string, (node: PhpNode, scope: Scope) => Value | undefined>> = {
  string: ({ raw }) => textValue(quoted(String(raw))),
  nowdoc: ({ raw, label }) => textValue(nowdoc(String(raw), String(label))),
  number: ({ value }) => knownOr(integer(String(value)), 'it is not a whole number'),
  boolean: ({ value }) => known(value === true),
  nullkeyword: () => known(null),
  encapsed,
  array: arrayLiteral,
  name: constantOf,
  identifier: constantOf,
  magic: ({ value }, { path }) =>
    knownOr(value === '__DIR__' ? dirname(path) : value === '__FILE__' ? path : undefined, `it uses ${String(value)}`),
  variable: ({ name }, scope) => variable(name, scope),
  bin: binary,
  unary: ({ type, what }, scope) => {
    const value = evaluate(what, scope)
    if (!value.known) return value
    if (type === '!') return known(!isTruthy(value.value))
    if (typeof value.value !== 'number' || (type !== '-' && type !== '+')) return undefined
    return known(type === '-' && value.value !== 0 ? -value.value : value.value)
  },
  cast: ({ type, expr }, scope) => {
    const value = evaluate(expr, scope)
    if (!value.known) return value
    const text = asText(value.value)
    if (type === 'string') return { ...value, value: text }
    if (type === 'bool' || type === 'boolean') return known(isTruthy(value.value))
    const isWhole = (type === 'int' || type === 'integer') && /^-?\d{1,15}$/.test(text)
    return knownOr(isWhole ? Number(text) : undefined, `it is cast to ${String(type)}`)
  },
  retif: ({ test, trueExpr, falseExpr }, scope) => {
    const tested = evaluate(test, scope)
    if (!tested.known) return tested
    if (!isTruthy(tested.value)) return evaluate(falseExpr, scope)
    return trueExpr === null ? tested : evaluate(trueExpr, scope)
  },
  offsetlookup: (node, scope) => entryOf(node.what, evaluate(node.offset, scope), scope),
  isset: ({ variables }, scope) => {
    for (const value of nodesOf(variables).map((each) => evaluate(each, scope))) {
      if (isNull(value)) return known(false)
      if (!value.known && value.entries === undefined) return value
    }
    return known(true)
  },
  empty: ({ expression }, scope) => {
    const value = evaluate(expression, scope)
    if (value.known) return known(!isTruthy(value.value))
    return value.absent ? known(true) : value.entries ? known(value.entries.size === 0) : value
  },
  call,
  assign: assignment,
  // An absent variable is null where its notice is silenced.
  silent: ({ expr }, scope) => {
    const value = evaluate(expr, scope)
    return isNull(value) ? known(null) : value
  },
  include: (node, scope) => {
    const target = evaluate(node.target, scope)
    const strings = [...walk(node)].filter(({ kind }) => kind === 'string')
    const path = target.known ? asText(target.value) : String(strings.at(-1)?.value ?? '')
    include(scope, path.slice(path.lastIndexOf('/') + 1), lineOf(node))
    return undefined
  },
  exit: () => known(null),
}

/** A literal; one with bytes that are not text is not passed on as another one. */
const textValue = (text: string | undefined): Value =>
  knownOr(text?.includes('\uFFFD') ? undefined : text, 'it holds bytes that are not UTF-8')

function encapsed({ type, raw, label, value }: PhpNode, scope: Scope): Value {
  if (type === 'shell') return unknown('it runs a command')
  const isHeredoc = type === 'heredoc'
  const indent = isHeredoc ? indentOf(String(raw), String(label)) : 0
  const pieces = nodesOf(value)
  const values = pieces.map((piece, index) => {
    const inner = nodeOf(piece.expression)
    if (inner?.kind !== 'string') return interpolated(piece, scope)
    const place = { first: index === 0, last: index === pieces.length - 1 }
    const text = isHeredoc ? outdent(String(inner.raw), indent, place) : String(inner.raw)
    return textValue(unescaped(text, !isHeredoc))
  })
  return values.reduce(concatenated, known(''))
}

/** In `"$db[host]"` the key has no quotes; in `"{$db[HOST]}"` it is a constant. */
function interpolated({ syntax, expression }: PhpNode, scope: Scope): Value {
  const inner = nodeOf(expression)
  const key = nodeOf(inner?.offset)
  const isUnquoted = syntax === 'simple' && inner?.kind === 'offsetlookup' && key?.kind === 'identifier'
  const value = isUnquoted ? entryOf(inner?.what, known(nameOf(key) ?? ''), scope) : evaluate(inner, scope)
  // In `"pass$word"` the name may be a part of the password: it is not shown.
  return value.known ? value : unknown('a "$" in its double quotes names a variable that is not known', value.line)
}

function concatenated(left: Value, right: Value): Value {
  if (!left.known) return left
  if (!right.known) return right
  const unset = left.unset ?? right.unset
  return { known: true, value: asText(left.value) + asText(right.value), ...(unset === undefined ? {} : { unset }) }
}

function arrayLiteral({ items }: PhpNode, scope: Scope): Value | undefined {
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
  const name = asText(key.value)
  if (base?.kind === 'variable' && base.name === 'GLOBALS') return variable(name, scope)
  if (base?.kind === 'variable' && (base.name === '_ENV' || base.name === '_SERVER'))
    return environmentOf(base.name, name, null, scope)
  const whole = evaluate(base, scope)
  if (whole.known) return unknown('it looks into an array')
  if (whole.entries === undefined) return whole
  return whole.entries.get(name) ?? { known: false, why: 'the array has no such entry', absent: true }
}

const WORDS = new Map<string, boolean | null>([
  ['true', true],
  ['false', false],
  ['null', null],
])

function constantOf(node: PhpNode, scope: Scope): Value {
  const name = nameOf(node) ?? ''
  const word = WORDS.get(name.toLowerCase())
  return word === undefined ? constant(name, scope) : known(word)
}

const ofNumbers =
  (operate: (left: number, right: number) => Scalar) =>
  (left: Scalar, right: Scalar): Scalar | undefined =>
    typeof left === 'number' && typeof right === 'number' ? operate(left, right) : undefined

/** Operators that need both sides. */
const OPERATORS: Readonly<Record<string, (left: Scalar, right: Scalar) => Scalar | undefined>> = {
  '===': (left, right) => left === right,
  '!==': (left, right) => left !== right,
  '==': looselyEqual,
  '!=': (left, right) => !looselyEqual(left, right),
  xor: (left, right) => isTruthy(left) !== isTruthy(right),
  '|': ofNumbers((left, right) => left | right),
  '>': ofNumbers((left, right) => left > right),
  '<': ofNumbers((left, right) => left < right),
}

function binary({ type, left, right }: PhpNode, scope: Scope): Value {
  const operator = String(type)
  const first = evaluate(left, scope)
  if (operator === '??') return isNull(first) ? evaluate(right, scope) : first
  if (!first.known) return first
  const isOr = operator === '||' || operator === 'or'
  const isLogical = isOr || operator === '&&' || operator === 'and'
  // PHP does not look at the right side once the left one decides.
  if (isLogical && isTruthy(first.value) === isOr) return known(isOr)
  const second = evaluate(right, scope)
  if (operator === '.') return concatenated(first, second)
  if (!second.known) return second
  if (isLogical) return known(isTruthy(second.value))
  return knownOr(OPERATORS[operator]?.(first.value, second.value), `it uses ${operator}`)
}

function assignment({ operator, left, right }: PhpNode, scope: Scope): Value | undefined {
  const target = nodeOf(left)
  if (target === undefined) return undefined
  let value = unknown('it is assigned in parts')
  if (operator === '=') value = evaluate(right, scope)
  if (operator === '.=') value = concatenated(evaluate(target, scope), evaluate(right, scope))
  if (operator === '??=') {
    const before = evaluate(target, scope)
    value = isNull(before) ? evaluate(right, scope) : before
  }
  if (!value.known && value.absent) value = unknown(value.why, value.line)
  assign(target, target.kind === 'offsetlookup' ? evaluate(target.offset, scope) : undefined, value, scope)
  return value
}

function call(node: PhpNode, scope: Scope): Value {
  const args = nodesOf(node.arguments).map((each) => evaluate(each, scope))
  if (defineKind(node) !== undefined) {
    const [name, value = BY_PHP] = args
    noteDefine(node, name, value, scope)
    // Where the value is not known, neither is what working it out would have set.
    return value.known ? known(true) : value
  }
  noteCall(node, scope)
  return callFunction(functionName(node) ?? 'a function', args, scope, node)
}
