import { dirname } from 'node:path'
import { defineKind, functionName, noteCall } from './calls.ts'
import { asText, isTruthy, looselyEqual } from './compare.ts'
import { callFunction } from './functions.ts'
import { indentOf, integer, nowdoc, outdent, quoted, unescaped } from './literal.ts'
import { lineOf, nameOf, nodeOf, nodesOf, type PhpNode, walk } from './node.ts'
import {
  assign,
  constant,
  define,
  environmentOf,
  include,
  known,
  type Scalar,
  type Scope,
  unknown,
  type Value,
  variable,
} from './scope.ts'

/**
 * Works out an expression from literals, constants, variables and the environment, and notes what it defines and sets. What is not
 * worked out has an unknown value, never a guessed one. Runs nothing.
 */
export function evaluate(node: PhpNode, scope: Scope): Value {
  const rule = Object.hasOwn(RULES, node.kind) ? RULES[node.kind] : undefined
  if (rule === undefined) return unknown(lineOf(node), `it is worked out by PHP (${node.kind})`)
  const value = rule(node, scope)
  if (value.known || PASSES_ON.has(node.kind) || (node.kind === 'bin' && node.type === '??')) return value
  // What is made of an array or of an unset variable is neither any more.
  return unknown(value.line, value.why)
}

/** Expressions that are worth what is inside them, also when that is an array or not set. */
const PASSES_ON = new Set(['variable', 'offsetlookup', 'array', 'assign', 'silent'])

type Rule = (node: PhpNode, scope: Scope) => Value

const RULES: Readonly<Record<string, Rule>> = {
  string: (node) => text(quoted(String(node.raw)), node),
  nowdoc: (node) => text(nowdoc(String(node.raw), String(node.label)), node),
  number: (node) => {
    const value = integer(String(node.value))
    return value === undefined ? unknown(lineOf(node), 'it is not a whole number') : known(value)
  },
  boolean: (node) => known(node.value === true),
  nullkeyword: () => known(null),
  encapsed,
  array: arrayOf,
  name: constantOf,
  identifier: constantOf,
  magic: (node, { path }) =>
    node.value === '__DIR__'
      ? known(dirname(path))
      : node.value === '__FILE__'
        ? known(path)
        : unknown(lineOf(node), `it uses ${String(node.value)}`),
  variable: (node, scope) => variable(node.name, lineOf(node), scope),
  bin: binary,
  unary: (node, scope) => {
    const value = part(node.what, node, scope)
    if (!value.known) return value
    if (node.type === '!') return known(!isTruthy(value.value))
    const number = typeof value.value === 'number' ? value.value : undefined
    if (number === undefined || (node.type !== '-' && node.type !== '+')) return byPhp(node)
    return known(node.type === '-' && number !== 0 ? -number : number)
  },
  cast: (node, scope) => {
    const value = part(node.expr, node, scope)
    if (!value.known) return value
    const type = String(node.type)
    if (type === 'string') return { ...value, value: asText(value.value) }
    if (type === 'bool' || type === 'boolean') return known(isTruthy(value.value))
    const whole = /^(int|integer)$/.test(type) && /^-?\d{1,15}$/.test(asText(value.value))
    return whole ? known(Number(asText(value.value))) : unknown(lineOf(node), `it is cast to ${type}`)
  },
  retif: (node, scope) => {
    const test = part(node.test, node, scope)
    if (!test.known) return test
    if (!isTruthy(test.value)) return part(node.falseExpr, node, scope)
    return node.trueExpr === null ? test : part(node.trueExpr, node, scope)
  },
  offsetlookup: entryOf,
  isset: (node, scope) => {
    for (const value of nodesOf(node.variables).map((each) => evaluate(each, scope))) {
      if (value.known ? value.value === null : value.absent) return known(false)
      if (!value.known && value.entries === undefined) return value
    }
    return known(true)
  },
  empty: (node, scope) => {
    const value = part(node.expression, node, scope)
    if (value.known) return known(!isTruthy(value.value))
    return value.absent ? known(true) : value.entries ? known(value.entries.size === 0) : value
  },
  call,
  assign: assignment,
  // An absent variable is null where its notice is silenced.
  silent: (node, scope) => {
    const value = part(node.expr, node, scope)
    return !value.known && value.absent ? known(null) : value
  },
  include: (node, scope) => {
    const target = part(node.target, node, scope)
    const parts = [...walk(node)].flatMap((each) => (each.kind === 'string' ? [String(each.value)] : []))
    const path = target.known ? asText(target.value) : (parts.at(-1) ?? '')
    include(scope, { line: lineOf(node), file: path.slice(path.lastIndexOf('/') + 1) || undefined })
    return byPhp(node)
  },
  exit: () => known(null),
}

const byPhp = (node: PhpNode): Value => unknown(lineOf(node), 'it is worked out by PHP')

/** A literal; one with bytes that are not text is not passed on as another one. */
const text = (value: string | undefined, node: PhpNode): Value =>
  value === undefined || value.includes('\uFFFD')
    ? unknown(lineOf(node), 'it holds bytes that are not UTF-8')
    : known(value)

/** A field that should be an expression. */
function part(value: unknown, node: PhpNode, scope: Scope): Value {
  const inner = nodeOf(value)
  return inner === undefined ? byPhp(node) : evaluate(inner, scope)
}

function encapsed(node: PhpNode, scope: Scope): Value {
  if (node.type === 'shell') return unknown(lineOf(node), 'it runs a command')
  const indent = node.type === 'heredoc' ? indentOf(String(node.raw), String(node.label)) : 0
  const pieces = nodesOf(node.value)
  let all: Value = known('')
  pieces.forEach((piece, index) => {
    const inner = nodeOf(piece.expression)
    if (inner === undefined) return
    const place = { first: index === 0, last: index === pieces.length - 1 }
    const raw = node.type === 'heredoc' ? outdent(String(inner.raw), indent, place) : String(inner.raw)
    const value =
      inner.kind === 'string' ? text(unescaped(raw, node.type !== 'heredoc'), inner) : interpolated(piece, inner, scope)
    all = concatenated(all, value)
  })
  return all
}

/** In `"$db[host]"` the key has no quotes; in `"{$db[HOST]}"` it is a constant. */
function interpolated(piece: PhpNode, inner: PhpNode, scope: Scope): Value {
  const key = nodeOf(inner.offset)
  const bare = piece.syntax === 'simple' && inner.kind === 'offsetlookup' && key?.kind === 'identifier'
  const value = bare ? entryOf(inner, scope, known(nameOf(key) ?? '')) : evaluate(inner, scope)
  // In `"pass$word"` the name may be a part of the password: it is not shown.
  return value.known ? value : unknown(value.line, 'a "$" in its double quotes names a variable that is not known')
}

function concatenated(left: Value, right: Value): Value {
  if (!left.known) return left
  if (!right.known) return right
  const unset = left.unset ?? right.unset
  return { known: true, value: asText(left.value) + asText(right.value), ...(unset === undefined ? {} : { unset }) }
}

function arrayOf(node: PhpNode, scope: Scope): Value {
  const entries = new Map<string, Value>()
  let next = 0
  for (const item of nodesOf(node.items)) {
    const key = item.key === null ? known(next) : part(item.key, item, scope)
    const value = part(item.value, item, scope)
    if (item.kind !== 'entry' || item.unpack === true || item.byRef === true || !key.known) return byPhp(node)
    if (/^(0|[1-9]\d{0,14})$/.test(asText(key.value))) next = Math.max(next, Number(asText(key.value)) + 1)
    entries.set(asText(key.value), value)
  }
  return { known: false, line: lineOf(node), why: 'it is an array', entries }
}

function entryOf(node: PhpNode, scope: Scope, given?: Value): Value {
  const [base, line] = [nodeOf(node.what), lineOf(node)]
  const key = given ?? part(node.offset, node, scope)
  if (base === undefined || !key.known) return unknown(line, 'it looks into an array')
  const name = asText(key.value)
  if (base.kind === 'variable' && base.name === 'GLOBALS') return variable(name, line, scope)
  if (base.kind === 'variable' && (base.name === '_ENV' || base.name === '_SERVER'))
    return environmentOf(base.name, name, null, line, scope)
  const whole = evaluate(base, scope)
  if (whole.known) return unknown(line, 'it looks into an array')
  if (whole.entries === undefined) return whole
  return whole.entries.get(name) ?? { known: false, line, why: 'the array has no such entry', absent: true }
}

function constantOf(node: PhpNode, scope: Scope): Value {
  const name = nameOf(node) ?? ''
  const literal = { true: true, false: false, null: null }[name.toLowerCase()]
  return literal === undefined ? constant(name, lineOf(node), scope) : known(literal)
}

/** Operators that need both sides. */
const OPERATORS: Readonly<Record<string, (left: Scalar, right: Scalar) => Scalar | undefined>> = {
  '===': (left, right) => left === right,
  '!==': (left, right) => left !== right,
  '==': looselyEqual,
  '!=': (left, right) => !looselyEqual(left, right),
  xor: (left, right) => isTruthy(left) !== isTruthy(right),
  '|': (left, right) => (typeof left === 'number' && typeof right === 'number' ? left | right : undefined),
  '>': (left, right) => (typeof left === 'number' && typeof right === 'number' ? left > right : undefined),
  '<': (left, right) => (typeof left === 'number' && typeof right === 'number' ? left < right : undefined),
}

function binary(node: PhpNode, scope: Scope): Value {
  const type = String(node.type)
  const left = part(node.left, node, scope)
  if (type === '??') {
    const missing = left.known ? left.value === null : left.absent
    return missing ? part(node.right, node, scope) : left
  }
  if (!left.known) return left
  // PHP does not look at the right side once the left one decides.
  if (['||', 'or'].includes(type) && isTruthy(left.value)) return known(true)
  if (['&&', 'and'].includes(type) && !isTruthy(left.value)) return known(false)
  const right = part(node.right, node, scope)
  if (type === '.') return concatenated(left, right)
  if (!right.known) return right
  if (['||', 'or', '&&', 'and'].includes(type)) return known(isTruthy(right.value))
  const value = Object.hasOwn(OPERATORS, type) ? OPERATORS[type]?.(left.value, right.value) : undefined
  return value === undefined ? unknown(lineOf(node), `it uses ${type}`) : known(value)
}

function assignment(node: PhpNode, scope: Scope): Value {
  const [left, line] = [nodeOf(node.left), lineOf(node)]
  if (left === undefined) return byPhp(node)
  const before = (): Value => evaluate(left, scope)
  const absent = (value: Value): boolean => (value.known ? value.value === null : value.absent === true)
  let value: Value
  if (node.operator === '=') value = part(node.right, node, scope)
  else if (node.operator === '.=') value = concatenated(before(), part(node.right, node, scope))
  else if (node.operator === '??=') {
    const old = before()
    value = absent(old) ? part(node.right, node, scope) : old
  } else value = unknown(line, 'it is assigned in parts')
  if (!value.known && value.absent) value = unknown(value.line, value.why)
  const key = left.kind === 'offsetlookup' ? part(left.offset, left, scope) : undefined
  assign(left, key, value, line, scope)
  return value
}

function call(node: PhpNode, scope: Scope): Value {
  const [nodes, line, defines] = [nodesOf(node.arguments), lineOf(node), defineKind(node)]
  const args = nodes.map((each) => evaluate(each, scope))
  if (defines !== undefined) {
    const [name, value = byPhp(node)] = args
    if (name?.known !== true) scope.elsewhere ??= { line, where: `by the define() in line ${line}` }
    else {
      if (defines === 'Config') scope.constants.delete(asText(name.value))
      define(scope, asText(name.value), value, line)
    }
    // Where the value is not known, neither is what working it out would have set.
    return value.known ? known(true) : unknown(value.line, value.why)
  }
  noteCall(node, scope)
  return callFunction(functionName(node) ?? 'a function', args, line, scope)
}
