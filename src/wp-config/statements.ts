import { lineOf, nameOf, nodeOf, nodesOf, type PhpNode, walk } from './node.ts'
import { asText, evaluate, isTruthy, type Scope, type Value } from './value.ts'

/** A file that the read one includes, where it is needed to know. */
export interface Included {
  line: number
  /** Last part of its path; undefined when that is worked out by PHP. */
  file: string | undefined
}

/** Follows statements in their order and notes what they define in `scope`. Never throws. Gives the files that are included. */
export function follow(statements: readonly PhpNode[], scope: Scope): Included[] {
  return statements.flatMap((statement) => one(statement, scope))
}

function one(node: PhpNode, scope: Scope): Included[] {
  switch (node.kind) {
    case 'expressionstatement':
      return expression(nodeOf(node.expression), scope)
    case 'constantstatement':
      for (const each of nodesOf(node.constants)) define(scope, nameOf(each.name), worthOf(each.value, each, scope))
      return []
    case 'block':
    case 'namespace':
    case 'declare':
      return follow(nodesOf(node.children), scope)
    case 'if':
      return branch(node, scope)
    case 'function':
    case 'class':
    case 'inline':
    case 'usegroup':
    case 'noop':
      return []
    default:
      return undecided(node, scope, `it stands in a ${node.kind}`)
  }
}

function expression(node: PhpNode | undefined, scope: Scope): Included[] {
  if (node === undefined) return []
  if (node.kind === 'silent') return expression(nodeOf(node.expr), scope)
  if (node.kind === 'include') {
    const target = worthOf(node.target, node, scope)
    const parts = [...walk(node)].flatMap((each) => (each.kind === 'string' ? [String(each.value)] : []))
    const path = target.known ? asText(target.value) : (parts.at(-1) ?? '')
    return [{ line: lineOf(node), file: path.slice(path.lastIndexOf('/') + 1) || undefined }]
  }
  if (node.kind === 'assign') {
    const left = nodeOf(node.left)
    if (left?.kind === 'variable' && node.operator === '=') {
      scope.variables.set(String(left.name), worthOf(node.right, node, scope))
      return []
    }
    return undecided(node, scope, 'it is assigned in parts')
  }
  const given = defineCall(node, scope)
  if (given !== undefined) {
    define(scope, given.name, given.value)
    return []
  }
  // `defined('A') || define('A', …)`, and with `or`, `and`, `&&`.
  if (node.kind === 'bin') {
    const test = worthOf(node.left, node, scope)
    const right = nodeOf(node.right)
    const either = ['||', 'or'].includes(String(node.type))
    if (!test.known) return undecided(node, scope, `it depends on line ${lineOf(node)}`)
    return isTruthy(test.value) === either ? [] : expression(right, scope)
  }
  return node.kind === 'call' ? [] : undecided(node, scope, `it stands in a ${node.kind}`)
}

const worthOf = (value: unknown, node: PhpNode, scope: Scope): Value => {
  const inner = nodeOf(value)
  return inner === undefined ? { known: false, line: lineOf(node), why: 'it has no value' } : evaluate(inner, scope)
}

/** What a call of `define`, or of `Config::define`, defines. */
function defineCall(node: PhpNode, scope: Scope): { name: string | undefined; value: Value } | undefined {
  if (node.kind !== 'call') return undefined
  const what = nodeOf(node.what)
  const method = what?.kind === 'staticlookup' && nameOf(what.what) === 'Config' ? nameOf(what.offset) : undefined
  if (nameOf(what)?.toLowerCase() !== 'define' && method !== 'define') return undefined
  const [name, value] = nodesOf(node.arguments)
  const named = name === undefined ? undefined : evaluate(name, scope)
  return { name: named?.known ? asText(named.value) : undefined, value: worthOf(value, node, scope) }
}

/** The first definition counts, as in PHP. */
function define(scope: Scope, name: string | undefined, value: Value): void {
  if (name !== undefined && !scope.constants.has(name)) scope.constants.set(name, value)
}

function branch(node: PhpNode, scope: Scope): Included[] {
  const test = worthOf(node.test, node, scope)
  const [body, alternate] = [nodeOf(node.body), nodeOf(node.alternate)]
  if (test.known) {
    const taken = isTruthy(test.value) ? body : alternate
    return taken === undefined ? [] : one(taken, scope)
  }
  // Both ways: what they agree on holds, the rest is not known.
  const ways = [body, alternate].map((way) => {
    const copy = { ...scope, constants: new Map(scope.constants), variables: new Map(scope.variables) }
    return { included: way === undefined ? [] : one(way, copy), scope: copy }
  })
  const [left, right] = ways.map((way) => way.scope) as [Scope, Scope]
  const why = `it depends on the condition in line ${lineOf(node)}`
  merge(scope.constants, left.constants, right.constants, lineOf(node), why)
  merge(scope.variables, left.variables, right.variables, lineOf(node), why)
  return ways.flatMap((way) => way.included)
}

function merge(
  into: Map<string, Value>,
  left: ReadonlyMap<string, Value>,
  right: ReadonlyMap<string, Value>,
  line: number,
  why: string,
): void {
  for (const name of new Set([...left.keys(), ...right.keys()])) {
    const [a, b] = [left.get(name), right.get(name)]
    const same = a?.known === true && b?.known === true && a.value === b.value
    into.set(name, same ? a : a === b && a !== undefined ? a : { known: false, line, why })
  }
}

/** Whatever is defined or set in there is not known. */
function undecided(node: PhpNode, scope: Scope, why: string): Included[] {
  const value: Value = { known: false, line: lineOf(node), why }
  for (const each of walk(node)) {
    if (each.kind === 'assign') {
      const left = nodeOf(each.left)
      if (left?.kind === 'variable') scope.variables.set(String(left.name), value)
    }
    const given = defineCall(each, scope)
    if (given !== undefined) define(scope, given.name, value)
  }
  return []
}
