import { dirname } from 'node:path'
import { lookUp, put } from './assign.ts'
import { call } from './calls.ts'
import { include, runText } from './include.ts'
import { closing, integer, nowdoc, outdent, quoted, textValue, unescaped } from './literal.ts'
import { className, constantName } from './names.ts'
import { lineOf, nameOf, nodeOf, nodesOf, type PhpNode } from './node.ts'
import { getVariable, placeOf, type Scope } from './scope.ts'
import {
  arrayOf,
  asText,
  asValue,
  isNull,
  keyAt,
  known,
  nextIndex,
  objectOf,
  operate,
  type Result,
  truth,
  unknown,
  type Value,
  WORDS,
  whenKnown,
} from './values.ts'

const BY_PHP = 'it is worked out by PHP'

/** Expressions that make another value of what is inside them: what was an array or not set there is neither any more. */
const MAKES_ANOTHER: ReadonlySet<unknown> = new Set(['bin', 'unary', 'isset', 'empty', 'encapsed'])

/**
 * Works out an expression from literals, constants, variables, the environment and the functions of the file, and notes what it defines
 * and sets. What is not worked out has an unknown value, never a guessed one. Runs nothing.
 */
export function evaluate(expression: unknown, scope: Scope): Value {
  const node = nodeOf(expression)
  if (node === undefined) return unknown(BY_PHP)
  const value = asValue((RULES[node.kind] ?? byPhp)(node, scope), BY_PHP)
  if (value.known) return value
  value.at ??= placeOf(scope, lineOf(node))
  return MAKES_ANOTHER.has(node.kind) && node.type !== '??' ? unknown(value.why, value.at) : value
}

/** What only PHP can work out may do everything that stands in it. */
function byPhp(node: PhpNode, scope: Scope): Value {
  const why = `${BY_PHP} (${node.kind})`
  scope.undecided(node, scope, why)
  return unknown(why)
}

/** A part that is perhaps not reached, as `value` is not known, which is what comes out. */
function perhaps(value: Value, parts: unknown, scope: Scope): Value {
  const why = value.known ? BY_PHP : value.why
  for (const part of nodesOf([parts].flat())) scope.undecided(part, scope, why)
  return unknown(why, value.at)
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
  name: constant,
  magic: ({ value }, { file: { path } }) =>
    value === '__DIR__' ? dirname(path) : value === '__FILE__' ? path : unknown(`it uses ${value}`),
  variable: (node, scope) => lookUp(node, scope),
  offsetlookup: (node, scope) => lookUp(node, scope),
  propertylookup: (node, scope) => lookUp(node, scope),
  nullsafepropertylookup: (node, scope) => lookUp(node, scope),
  staticlookup: ({ what, offset }, scope) => (nameOf(offset) === 'class' ? className(what, scope) : undefined),
  bin: binary,
  unary: ({ type, what }, scope) => {
    const value = evaluate(what, scope)
    const truthy = truth(value)
    if (type === '!') return truthy === undefined ? value : !truthy
    return whenKnown(value, ({ value: number }) =>
      typeof number === 'number' ? operate(String(type), 0, number) : undefined,
    )
  },
  cast,
  retif: ({ test, trueExpr, falseExpr }, scope) => {
    const tested = evaluate(test, scope)
    const truthy = truth(tested)
    if (truthy === undefined) return perhaps(tested, [trueExpr, falseExpr], scope)
    if (!truthy) return evaluate(falseExpr, scope)
    return trueExpr === null ? tested : evaluate(trueExpr, scope)
  },
  match: matching,
  isset: ({ variables }, scope) => {
    for (const value of nodesOf(variables).map((each) => evaluate(each, scope))) {
      if (isNull(value)) return false
      if (truth(value) === undefined) return perhaps(value, variables, scope)
    }
    return true
  },
  empty: ({ expression }, scope) => {
    const value = evaluate(expression, scope)
    const truthy = truth(value)
    return truthy === undefined ? value : !truthy
  },
  call: (node, scope) => call(node, argumentsOf(node, scope), scope),
  new: (node, scope) => call(node, argumentsOf(node, scope), scope),
  closure: functionValue,
  arrowfunc: functionValue,
  assign: assignment,
  pre: (node, scope) => step(node, scope)?.after,
  post: (node, scope) => step(node, scope)?.before,
  // An absent variable is null where its notice is silenced.
  silent: ({ expr }, scope) => {
    const inner = nodeOf(expr)
    const value = evaluate(inner?.kind === 'include' ? { ...inner, optional: true } : inner, scope)
    return isNull(value) ? null : value
  },
  include: (node, scope) => include(node, evaluate(node.target, scope), scope),
  eval: (node, scope) => runText(node, evaluate(node.source, scope), scope),
  exit: ends,
  throw: ends,
}

/** A request that ends is none that WordPress answers. */
function ends(node: PhpNode, scope: Scope): null {
  scope.ended ??= { by: 'dead', line: lineOf(node), certain: true }
  return null
}

/** What a constant is worth. Its name is not shown: it may be a password that lacks its quotes. */
function constant(node: PhpNode, scope: Scope): Value {
  const name = constantName(node, scope)
  const word = WORDS.get(name.toLowerCase())
  if (word !== undefined) return known(word)
  const { constants, openConstants } = scope
  const why = openConstants === undefined ? 'is not defined in this file' : `may be defined ${openConstants.where}`
  return constants.get(name) ?? unknown(`it names a constant that ${why}`)
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
  const value = inner !== undefined && word !== undefined ? lookUp(inner, scope, known(word)) : evaluate(inner, scope)
  // In `"pass$word"` the name may be a part of the password: it is not shown.
  return value.known ? value : unknown('a "$" in its double quotes names a variable that is not known', value.at)
}

function concatenated(left: Value, right: Value): Value {
  if (!left.known) return left
  if (!right.known) return right
  return { known: true, value: asText(left.value) + asText(right.value), unset: left.unset ?? right.unset }
}

function arrayLiteral({ items }: PhpNode, scope: Scope): Result {
  const entries = new Map<string, Value>()
  for (const item of nodesOf(items)) {
    const value = evaluate(item.value, scope)
    const key = item.key === null ? asValue(nextIndex(entries), BY_PHP) : evaluate(item.key, scope)
    const name = keyAt(key)
    if (item.kind !== 'entry' || item.unpack === true || item.byRef === true || name === undefined)
      return perhaps(key.known ? unknown('it is an array that is put together') : key, items, scope)
    entries.set(name, value)
  }
  return arrayOf(entries)
}

function binary({ type, left, right }: PhpNode, scope: Scope): Result {
  const operator = String(type)
  if (operator === '??') return coalesce(left, right, scope)
  const first = evaluate(left, scope)
  const isOr = operator === '||' || operator === 'or'
  if (isOr || operator === '&&' || operator === 'and') {
    const truthy = truth(first)
    // PHP does not look at the right side once the left one decides.
    if (truthy === undefined) return perhaps(first, right, scope)
    if (truthy === isOr) return isOr
    const second = evaluate(right, scope)
    return truth(second) ?? second
  }
  // What stands behind `|>` binds otherwise than the parser has it.
  if (operator === '|>') return perhaps(unknown('it uses |>'), [left, right], scope)
  const second = evaluate(right, scope)
  if (operator === '.') return concatenated(first, second)
  return (
    identity(operator, first, second) ??
    whenKnown(first, ({ value: a }) =>
      whenKnown(second, ({ value: b }) => asValue(operate(operator, a, b), `it uses ${operator}`)),
    )
  )
}

/** An array or an object is never the same as a scalar. */
function identity(operator: string, a: Value, b: Value): boolean | undefined {
  if (operator !== '===' && operator !== '!==') return undefined
  const [whole, other] = a.known ? [b, a] : [a, b]
  return other.known && !whole.known && whole.entries !== undefined ? operator === '!==' : undefined
}

/** `??`: the left side unless it is null or not set. */
function coalesce(left: unknown, right: unknown, scope: Scope): Value {
  const first = evaluate(left, scope)
  if (isNull(first)) return evaluate(right, scope)
  return truth(first) === undefined ? perhaps(first, right, scope) : first
}

function cast({ type, expr }: PhpNode, scope: Scope): Result {
  const value = evaluate(expr, scope)
  const entries = value.known ? undefined : value.entries
  if (type === 'bool') return truth(value) ?? value
  if (type === 'object' && entries) return objectOf(entries)
  if (type === 'array' && entries) return arrayOf(entries)
  return whenKnown(value, (scalar) => {
    const text = asText(scalar.value)
    if (type === 'string') return { ...scalar, value: text }
    return type === 'int' && /^-?\d{1,15}$/.test(text) ? Number(text) : unknown(`it is cast to ${type}`)
  })
}

/** The first arm whose condition is the same as what is matched. */
function matching({ cond, arms }: PhpNode, scope: Scope): Result {
  const subject = evaluate(cond, scope)
  const all = nodesOf(arms)
  if (!subject.known) return perhaps(subject, arms, scope)
  for (const { conds, body } of all)
    for (const each of nodesOf(conds)) {
      const value = evaluate(each, scope)
      if (!value.known) return perhaps(value, arms, scope)
      if (value.value === subject.value) return evaluate(body, scope)
    }
  const otherwise = all.find(({ conds }) => conds === null)
  return otherwise && evaluate(otherwise.body, scope)
}

function argumentsOf({ arguments: all }: PhpNode, scope: Scope): Value[] {
  return nodesOf(all).map((each) => evaluate(each, scope))
}

/** A closure, with the variables that it brings along. */
function functionValue(node: PhpNode, scope: Scope): Value {
  const uses = nodesOf(node.uses)
  const names = node.kind === 'closure' ? uses.map(nameOf) : variablesIn(scope)
  const captured = new Map(
    names.flatMap((name) => {
      const value = name === undefined ? undefined : getVariable(name, scope)
      return name === undefined || value === undefined ? [] : [[name, value] as const]
    }),
  )
  return { ...unknown('it is a function'), code: { node, file: scope.file, captured } }
}

/** Names of the variables where an expression stands. */
const variablesIn = ({ variables, frame }: Scope): string[] =>
  [...variables.keys()].filter((key) => key.startsWith(frame)).map((key) => key.slice(frame.length))

function assignment({ operator, left, right }: PhpNode, scope: Scope): Result {
  const target = nodeOf(left)
  if (target === undefined) return undefined
  let value: Value = evaluate(operator === '=' || operator === '??=' ? undefined : target, scope)
  if (operator === '=') value = evaluate(right, scope)
  else if (operator === '??=') value = coalesce(target, right, scope)
  else if (operator === '.=') value = concatenated(value, evaluate(right, scope))
  else value = asValue(combined(value, evaluate(right, scope), String(operator).slice(0, -1)), `it uses ${operator}`)
  if (!value.known && value.absent) value = unknown(value.why, value.at)
  put(target, value, scope)
  return value
}

const combined = (a: Value, b: Value, operator: string): Result =>
  a.known && b.known ? operate(operator, a.value, b.value) : undefined

/** `++` and `--` of a number. */
function step({ type, what }: PhpNode, scope: Scope): { before: Value; after: Value } | undefined {
  const target = nodeOf(what)
  const before = evaluate(target, scope)
  const after = combined(before, known(1), String(type))
  const value = typeof after === 'number' ? known(after) : unknown('it is counted by PHP')
  if (target !== undefined) put(target, value, scope)
  return value.known ? { before, after: value } : undefined
}
