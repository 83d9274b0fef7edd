import { dirname } from 'node:path'
import { lineOf, nameOf, nodeOf, nodesOf, type PhpNode } from './node.ts'

/** What an expression is worth when the file is read and not run. */
export type Value =
  | {
      known: true
      value: string | number | boolean | null /** Environment variable that was not set. */
      unset?: string
    }
  | { known: false; line: number; why: string }

/** What expressions look up. */
export interface Scope {
  constants: Map<string, Value>
  variables: Map<string, Value>
  environment: Readonly<Record<string, string | undefined>>
  /** Path of the file, for `__DIR__`. */
  path: string
  /** Content of a file that an environment variable names (`…_FILE`); throws when it cannot be read. */
  readFile(path: string): string
}

const known = (value: string | number | boolean | null): Value => ({ known: true, value })
const unknown = (node: PhpNode, why: string): Value => ({ known: false, line: lineOf(node), why })

/** Whether PHP takes a value for true. */
export const isTruthy = (value: string | number | boolean | null): boolean =>
  value !== null && value !== false && value !== 0 && value !== '' && value !== '0'

/** A value as a string, as PHP converts it. */
export function asText(value: string | number | boolean | null): string {
  return typeof value === 'boolean' ? (value ? '1' : '') : value === null ? '' : String(value)
}

/** Works out an expression from literals, constants, variables and the environment. Never runs anything; never throws. */
export function evaluate(node: PhpNode, scope: Scope): Value {
  const rule = RULES[node.kind]
  return rule === undefined ? unknown(node, `it is worked out by PHP (${node.kind})`) : rule(node, scope)
}

type Rule = (node: PhpNode, scope: Scope) => Value

const RULES: Readonly<Record<string, Rule>> = {
  string: (node) => known(String(node.value)),
  nowdoc: (node) => known(String(node.value)),
  number: (node) => known(Number(node.value)),
  boolean: (node) => known(node.value === true),
  nullkeyword: () => known(null),
  encapsed: (node, scope) =>
    joined(
      nodesOf(node.value).flatMap((part) => nodeOf(part.expression) ?? []),
      scope,
    ),
  name: constant,
  identifier: constant,
  magic: (node, { path }) =>
    node.value === '__DIR__'
      ? known(dirname(path))
      : node.value === '__FILE__'
        ? known(path)
        : unknown(node, `it uses ${String(node.value)}`),
  variable: (node, { variables }) =>
    variables.get(String(node.name)) ?? unknown(node, `$${String(node.name)} is not set in this file`),
  bin: binary,
  unary: (node, scope) => {
    const value = part(node.what, node, scope)
    if (!value.known || node.type !== '!') return value.known ? unknown(node, 'it is worked out by PHP') : value
    return known(!isTruthy(value.value))
  },
  cast: (node, scope) => {
    const value = part(node.expr, node, scope)
    if (!value.known) return value
    if (node.type === 'string') return known(asText(value.value))
    if (node.type === 'bool' || node.type === 'boolean') return known(isTruthy(value.value))
    return unknown(node, `it is cast to ${String(node.type)}`)
  },
  retif: (node, scope) => {
    const test = part(node.test, node, scope)
    if (!test.known) return test
    if (!isTruthy(test.value)) return part(node.falseExpr, node, scope)
    return node.trueExpr === null ? test : part(node.trueExpr, node, scope)
  },
  offsetlookup: (node, scope) => {
    const from = nodeOf(node.what)
    const key = part(node.offset, node, scope)
    if (from?.kind !== 'variable' || !['_ENV', '_SERVER'].includes(String(from.name)) || !key.known)
      return unknown(node, 'it looks into an array')
    return environmentOf(asText(key.value), scope, null)
  },
  isset: (node, scope) => {
    const values = nodesOf(node.variables).map((each) => evaluate(each, scope))
    const open = values.find((value) => !value.known && !/is not set in this file/.test(value.why))
    return open ?? known(values.every((value) => value.known && value.value !== null))
  },
  empty: (node, scope) => {
    const value = part(node.expression, node, scope)
    return value.known ? known(!isTruthy(value.value)) : value
  },
  call,
  assign: (node, scope) => part(node.right, node, scope),
  silent: (node, scope) => part(node.expr, node, scope),
}

/** A field that should be an expression. */
function part(value: unknown, node: PhpNode, scope: Scope): Value {
  const inner = nodeOf(value)
  return inner === undefined ? unknown(node, 'it is worked out by PHP') : evaluate(inner, scope)
}

function joined(parts: readonly PhpNode[], scope: Scope): Value {
  let text = ''
  for (const each of parts) {
    const value = evaluate(each, scope)
    if (!value.known) return value
    text += asText(value.value)
  }
  return known(text)
}

function constant(node: PhpNode, { constants }: Scope): Value {
  const name = nameOf(node) ?? ''
  const literal = { true: true, false: false, null: null }[name.toLowerCase()]
  if (literal !== undefined) return known(literal)
  return constants.get(name) ?? unknown(node, `the constant ${name} is not defined in this file`)
}

function binary(node: PhpNode, scope: Scope): Value {
  const left = part(node.left, node, scope)
  if (node.type === '??') {
    const missing = left.known ? left.value === null : /is not set in this file/.test(left.why)
    return missing ? part(node.right, node, scope) : left
  }
  if (!left.known) return left
  // PHP does not look at the right side once the left one decides.
  if (['||', 'or'].includes(String(node.type)) && isTruthy(left.value)) return known(true)
  if (['&&', 'and'].includes(String(node.type)) && !isTruthy(left.value)) return known(false)
  const right = part(node.right, node, scope)
  if (!right.known) return right
  switch (node.type) {
    case '.':
      return known(asText(left.value) + asText(right.value))
    case '||':
    case 'or':
    case '&&':
    case 'and':
      return known(isTruthy(right.value))
    case '===':
    case '==':
      return known(left.value === right.value)
    case '!==':
    case '!=':
      return known(left.value !== right.value)
    default:
      return unknown(node, `it uses ${String(node.type)}`)
  }
}

function environmentOf(name: string, { environment }: Scope, otherwise: false | null): Value {
  const value = environment[name]
  return value === undefined ? { known: true, value: otherwise, unset: name } : known(value)
}

function call(node: PhpNode, scope: Scope): Value {
  const name = nameOf(node.what)?.toLowerCase() ?? ''
  const [first, second] = nodesOf(node.arguments)
  const argument = first === undefined ? undefined : evaluate(first, scope)
  if (argument === undefined || !argument.known) return argument ?? unknown(node, `it calls ${name}()`)
  const text = asText(argument.value)
  switch (name) {
    case 'getenv':
      return environmentOf(text, scope, false)
    case 'env':
      return environmentOf(text, scope, null)
    case 'getenv_docker':
      return dockerEnvironment(node, text, second, scope)
    case 'defined':
      return known(scope.constants.has(text))
    case 'constant':
      return scope.constants.get(text) ?? unknown(node, `the constant ${text} is not defined in this file`)
    case 'dirname':
      return second === undefined ? known(dirname(text)) : unknown(node, 'it calls dirname() with levels')
    case 'trim':
      return known(text.trim())
    case 'strval':
      return known(text)
    default:
      return unknown(node, `it calls ${name}()`)
  }
}

/** The function of the WordPress image of Docker: a file that `NAME_FILE` names, else `NAME`, else the second argument. */
function dockerEnvironment(node: PhpNode, name: string, otherwise: PhpNode | undefined, scope: Scope): Value {
  const file = scope.environment[`${name}_FILE`]
  if (file !== undefined && file !== '') {
    try {
      return known(scope.readFile(file).replace(/[\r\n]+$/, ''))
    } catch {
      return unknown(node, `the file that ${name}_FILE names cannot be read`)
    }
  }
  const value = scope.environment[name]
  return value !== undefined ? known(value) : otherwise === undefined ? known(null) : evaluate(otherwise, scope)
}
