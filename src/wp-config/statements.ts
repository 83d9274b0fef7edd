import { defineKind, functionName, noteCall, noteDefine } from './calls.ts'
import { evaluate } from './evaluate.ts'
import { lineOf, nameOf, nodeOf, nodesOf, type PhpNode, parsePhp, walk } from './node.ts'
import { define, forgetAll, forgetVariables, type Scope } from './scope.ts'
import { asText, isTruthy, type Unknown, unknown, type Value } from './values.ts'

/** Follows statements in their order and notes in `scope` what they define, set and include. What is not certain is noted as unknown. */
export function follow(statements: readonly PhpNode[], scope: Scope): void {
  for (const statement of statements) {
    if (scope.ended === undefined) one(statement, scope)
    else undecided(statement, scope, `it stands after the return in line ${scope.ended}`)
  }
}

/** What only names things, or begins and ends nothing. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set(
  'function class interface trait enum inline usegroup global noop'.split(' '),
)

function one(node: PhpNode, scope: Scope): void {
  switch (node.kind) {
    case 'expressionstatement': {
      const expression = nodeOf(node.expression)
      if (expression?.kind === 'eval') runText(expression, scope)
      else worthOf(expression, scope)
      return
    }
    case 'constantstatement':
      for (const each of nodesOf(node.constants))
        define(scope, nameOf(each.name) ?? '', worthOf(each.value, scope), lineOf(each))
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
    default:
      if (!WITHOUT_EFFECT.has(node.kind)) undecided(node, scope, `it stands in a ${node.kind}`)
  }
}

/** What an expression is worth. Where that is not known, neither is what it would have set. */
function worthOf(expression: unknown, scope: Scope): Value {
  const node = nodeOf(expression)
  const worth = evaluate(node, scope)
  // What is assigned has been noted already; what stands on its right side may not have been looked at.
  const open = node?.kind === 'assign' ? nodeOf(node.right) : node
  if (!worth.known && open !== undefined) undecided(open, scope, worth.why)
  return worth
}

function unset(target: PhpNode, scope: Scope): void {
  if (target.kind === 'variable' && typeof target.name === 'string') scope.variables.delete(target.name)
  else forgetVariables(target, unknown('parts of it are unset', lineOf(target)), scope)
}

/** The image of Docker runs the text of a variable, WORDPRESS_CONFIG_EXTRA: it is read as the rest of the file is. */
function runText(node: PhpNode, scope: Scope): void {
  const line = lineOf(node)
  const source = worthOf(node.source, scope)
  const parsed = source.known ? parsePhp(`<?php ${asText(source.value)}`) : undefined
  if (parsed === undefined || 'fault' in parsed) {
    forgetAll(unknown('a text is run that may change it', line), scope)
    return
  }
  for (const statement of parsed.statements)
    for (const each of walk(statement)) if (each.loc) each.loc.start.line = line
  follow(parsed.statements, scope)
  // A `return` ends the text alone.
  delete scope.ended
}

function branch(node: PhpNode, scope: Scope): void {
  const test = worthOf(node.test, scope)
  const [body, alternate] = [nodeOf(node.body), nodeOf(node.alternate)]
  if (test.known) {
    const taken = isTruthy(test.value) ? body : alternate
    if (taken !== undefined) one(taken, scope)
    return
  }
  // Both ways: what they agree on holds, the rest is not known.
  const follow = (way: PhpNode | undefined): Scope => {
    const copy = { ...scope, constants: new Map(scope.constants), variables: new Map(scope.variables) }
    if (way !== undefined) one(way, copy)
    return copy
  }
  const [left, right] = [follow(body), follow(alternate)]
  const line = lineOf(node)
  const why = `it depends on the condition in line ${line}: ${test.why}`
  const open: Unknown = { known: false, why, line }
  Object.assign(scope, right, left, {
    constants: merged(left.constants, right.constants, open),
    variables: merged(left.variables, right.variables, open),
  })
}

function merged(
  left: ReadonlyMap<string, Value>,
  right: ReadonlyMap<string, Value>,
  open: Unknown,
): Map<string, Value> {
  const result = new Map<string, Value>()
  for (const name of new Set([...left.keys(), ...right.keys()])) {
    const [a, b] = [left.get(name), right.get(name)]
    const isSame = a === b || (a?.known === true && b?.known === true && a.value === b.value)
    if (a !== undefined && isSame) result.set(name, a)
    else result.set(name, isOpen(a) || isOpen(b) ? { ...open, perhaps: true } : open)
  }
  return result
}

const isOpen = (value: Value | undefined): boolean => value === undefined || (!value.known && value.perhaps === true)

/** What is defined, set or included in there is not known. */
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
    if (each.kind === 'eval') forgetAll(unknown('a text is run that may change it', line), scope)
    if (each.kind === 'call') noteCall(each, scope)
    if (functionName(each) === 'putenv') scope.variables.set('getenv()', value)
    if (each.kind === 'constantstatement') {
      for (const constant of nodesOf(each.constants)) define(scope, nameOf(constant.name) ?? '', value, line)
    }
    if (defineKind(each) !== undefined) noteDefine(each, evaluate(nodesOf(each.arguments)[0], scope), value, scope)
  }
}

/** What has variables and a `return` of its own. */
const FUNCTIONS: ReadonlySet<string> = new Set(['function', 'method', 'closure', 'arrowfunc'])

/** The fields of a node that it gives values to. */
const TARGETS: Readonly<Record<string, readonly string[]>> = {
  assign: ['left'],
  assignref: ['left', 'right'],
  foreach: ['key', 'value'],
  pre: ['what'],
  post: ['what'],
  catch: ['variable'],
  unset: ['variables'],
}

function targetsOf(node: PhpNode): PhpNode[] {
  const fields = Object.hasOwn(TARGETS, node.kind) ? (TARGETS[node.kind] ?? []) : []
  return fields.flatMap((field) => nodesOf([node[field]].flat()))
}
