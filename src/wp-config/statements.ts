import { defineKind, functionName, noteCall } from './calls.ts'
import { asText, isTruthy } from './compare.ts'
import { lineOf, nameOf, nodeOf, nodesOf, type PhpNode, parsePhp, walk } from './node.ts'
import { define, forgetAll, forgetVariables, type Scope, unknown, type Value } from './scope.ts'
import { evaluate } from './value.ts'

/** Follows statements in their order and notes in `scope` what they define, set and include. What is not certain is noted as unknown. */
export function follow(statements: readonly PhpNode[], scope: Scope): void {
  for (const statement of statements) {
    if (scope.ended === undefined) one(statement, scope)
    else undecided(statement, scope, `it stands after the return in line ${scope.ended}`)
  }
}

function one(node: PhpNode, scope: Scope): void {
  switch (node.kind) {
    case 'expressionstatement': {
      const expression = nodeOf(node.expression)
      if (expression?.kind === 'eval') runText(expression, scope)
      else worthOf(expression, node, scope)
      return
    }
    case 'constantstatement':
      for (const each of nodesOf(node.constants))
        define(scope, nameOf(each.name) ?? '', worthOf(each.value, each, scope), lineOf(each))
      return
    case 'block':
    case 'namespace':
    case 'declare':
      follow(nodesOf(node.children), scope)
      return
    case 'if':
      branch(node, scope)
      return
    case 'unset':
      for (const each of nodesOf(node.variables)) unset(each, scope)
      return
    case 'return':
      scope.ended = lineOf(node)
      return
    case 'function':
    case 'class':
    case 'interface':
    case 'trait':
    case 'enum':
    case 'inline':
    case 'usegroup':
    case 'global':
    case 'noop':
      return
    default:
      undecided(node, scope, `it stands in a ${node.kind}`)
  }
}

/** What an expression is worth. Where that is not known, neither is what it would have set. */
function worthOf(value: unknown, node: PhpNode, scope: Scope): Value {
  const inner = nodeOf(value)
  if (inner === undefined) return unknown(lineOf(node), 'it has no value')
  const worth = evaluate(inner, scope)
  // What is assigned has been noted already; what stands on its right side may not have been looked at.
  const open = inner.kind === 'assign' ? nodeOf(inner.right) : inner
  if (!worth.known && open !== undefined) undecided(open, scope, worth.why)
  return worth
}

function unset(target: PhpNode, scope: Scope): void {
  if (target.kind === 'variable' && typeof target.name === 'string') scope.variables.delete(target.name)
  else forgetVariables(target, unknown(lineOf(target), 'parts of it are unset'), scope)
}

/** The image of Docker runs the text of a variable, WORDPRESS_CONFIG_EXTRA: it is read as the rest of the file is. */
function runText(node: PhpNode, scope: Scope): void {
  const line = lineOf(node)
  const source = worthOf(node.source, node, scope)
  const parsed = source.known ? parsePhp(`<?php ${asText(source.value)}`) : undefined
  if (parsed !== undefined && 'statements' in parsed) {
    for (const statement of parsed.statements)
      for (const each of walk(statement)) if (each.loc) each.loc.start.line = line
    // A `return` ends the text alone.
    const inside = { ...scope, ended: undefined }
    follow(parsed.statements, inside)
    Object.assign(scope, inside, { ended: scope.ended })
  } else forgetAll(unknown(line, 'a text is run that may change it'), scope)
}

function branch(node: PhpNode, scope: Scope): void {
  const test = worthOf(node.test, node, scope)
  const [body, alternate] = [nodeOf(node.body), nodeOf(node.alternate)]
  if (test.known) {
    const taken = isTruthy(test.value) ? body : alternate
    if (taken !== undefined) one(taken, scope)
    return
  }
  // Both ways: what they agree on holds, the rest is not known.
  const ways = [body, alternate].map((way) => {
    const copy = { ...scope, constants: new Map(scope.constants), variables: new Map(scope.variables) }
    if (way !== undefined) one(way, copy)
    return copy
  })
  const [left, right] = ways as [Scope, Scope]
  const [line, why] = [lineOf(node), `it depends on the condition in line ${lineOf(node)}: ${test.why}`]
  merge(scope.constants, left.constants, right.constants, line, why)
  merge(scope.variables, left.variables, right.variables, line, why)
  scope.elsewhere = left.elsewhere ?? right.elsewhere
  scope.environmentLoaded = left.environmentLoaded ?? right.environmentLoaded
  scope.ended = left.ended ?? right.ended
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
    if (a !== undefined && (same || a === b)) into.set(name, a)
    else into.set(name, { known: false, line, why, ...(isOpen(a) || isOpen(b) ? { perhaps: true } : {}) })
  }
}

const isOpen = (value: Value | undefined): boolean => value === undefined || (!value.known && value.perhaps === true)

/** Whatever is defined, set or included in there is not known. */
function undecided(node: PhpNode, scope: Scope, why: string): void {
  const value: Value = { known: false, line: lineOf(node), why, perhaps: true }
  for (const each of walk(node, FUNCTIONS)) {
    for (const target of targetsOf(each)) forgetVariables(target, value, scope)
    if (each.kind === 'return') scope.ended ??= lineOf(each)
    if (each.kind === 'assignref') {
      for (const inner of walk(each)) if (typeof inner.name === 'string') scope.aliased.add(inner.name)
    }
  }
  for (const each of walk(node)) {
    const line = lineOf(each)
    if (each.kind === 'include') evaluate(each, scope)
    if (each.kind === 'eval') forgetAll(unknown(line, 'a text is run that may change it'), scope)
    if (each.kind === 'call') noteCall(each, scope)
    if (each.kind === 'call' && functionName(each) === 'putenv') scope.variables.set('getenv()', value)
    if (each.kind === 'constantstatement') {
      for (const constant of nodesOf(each.constants)) define(scope, nameOf(constant.name) ?? '', value, line)
    }
    if (defineKind(each) !== undefined) perhapsDefined(each, value, scope)
  }
}

/** What has variables and a `return` of its own. */
const FUNCTIONS: ReadonlySet<string> = new Set(['function', 'method', 'closure', 'arrowfunc'])

function perhapsDefined(node: PhpNode, value: Value, scope: Scope): void {
  const [first] = nodesOf(node.arguments)
  const name = first === undefined ? undefined : evaluate(first, scope)
  const line = lineOf(node)
  if (name?.known !== true) scope.elsewhere ??= { line, where: `by the define() in line ${line}` }
  else if (defineKind(node) === 'Config' && scope.constants.get(asText(name.value))?.known !== false)
    scope.constants.set(asText(name.value), value)
  else define(scope, asText(name.value), value, line)
}

/** What a node gives a value to. */
function targetsOf(node: PhpNode): PhpNode[] {
  const fields = {
    assign: [node.left],
    assignref: [node.left, node.right],
    foreach: [node.key, node.value],
    pre: [node.what],
    post: [node.what],
    catch: [node.variable],
    unset: [node.variables],
  }[node.kind]
  return (fields ?? []).flatMap((field) => (Array.isArray(field) ? nodesOf(field) : (nodeOf(field) ?? [])))
}
