import { functionName, isDefine, noteCall, noteDefine } from './calls.ts'
import { evaluate } from './evaluate.ts'
import { lineOf, nameOf, nodeOf, nodesOf, type PhpNode, parsePhp, walk } from './node.ts'
import { define, forgetAll, forgetVariables, type Scope } from './scope.ts'
import { asText, isTruthy, type Unknown, unknown, type Value } from './values.ts'

/** Follows statements in their order and notes in `scope` what they define, set and include. What is not certain is noted as unknown. */
export function follow(statements: readonly PhpNode[], scope: Scope): void {
  for (const statement of statements) {
    if (scope.ended === undefined) followOne(statement, scope)
    else undecided(statement, scope, `it stands after the return in line ${scope.ended}`)
  }
}

function followOne(node: PhpNode, scope: Scope): void {
  const rule = RULES[node.kind]
  if (rule !== undefined) rule(node, scope)
  else if (!WITHOUT_EFFECT.test(node.kind)) undecided(node, scope, `it stands in a ${node.kind}`)
}

/** What only names things, or begins and ends nothing. */
const WITHOUT_EFFECT = /^(function|class|interface|trait|enum|inline|usegroup|global|noop)$/

const followChildren = ({ children }: PhpNode, scope: Scope): void => follow(nodesOf(children), scope)

/** What statements of one kind do. */
const RULES: Readonly<Record<string, (node: PhpNode, scope: Scope) => void>> = {
  block: followChildren,
  namespace: followChildren,
  declare: followChildren,
  expressionstatement: ({ expression }, scope) => {
    const node = nodeOf(expression)
    if (node?.kind === 'eval') runText(node, scope)
    else evaluateFully(node, scope)
  },
  constantstatement: ({ constants }, scope) => {
    for (const each of nodesOf(constants))
      define(scope, nameOf(each.name) ?? '', evaluateFully(each.value, scope), lineOf(each))
  },
  if: branch,
  unset: ({ variables }, scope) => {
    for (const each of nodesOf(variables)) {
      if (each.kind === 'variable' && typeof each.name === 'string') scope.variables.delete(each.name)
      else forgetVariables(each, unknown('parts of it are unset', lineOf(each)), scope)
    }
  },
  return: (node, scope) => {
    scope.ended = lineOf(node)
  },
}

/** What an expression is worth. Where that is not known, neither is what it would have set. */
function evaluateFully(expression: unknown, scope: Scope): Value {
  const node = nodeOf(expression)
  const value = evaluate(node, scope)
  // What is assigned has been noted already; what stands on its right side may not have been looked at.
  const open = node?.kind === 'assign' ? nodeOf(node.right) : node
  if (!value.known && open !== undefined) undecided(open, scope, value.why)
  return value
}

/** The image of Docker runs the text of a variable, WORDPRESS_CONFIG_EXTRA: it is read as the rest of the file is. */
function runText(node: PhpNode, scope: Scope): void {
  const line = lineOf(node)
  const source = evaluateFully(node.source, scope)
  const parsed = source.known ? parsePhp(`<?php ${asText(source.value)}`) : undefined
  if (parsed === undefined || 'fault' in parsed) {
    forgetAll(unknown('a text is run that may change it', line), scope)
    return
  }
  for (const each of parsed.statements.flatMap((statement) => [...walk(statement)]))
    if (each.loc) each.loc.start.line = line
  follow(parsed.statements, scope)
  // A `return` ends the text alone.
  delete scope.ended
}

/** One way of a condition that is known, else both: what they agree on holds, the rest is not known. */
function branch(node: PhpNode, scope: Scope): void {
  const [test, line] = [evaluateFully(node.test, scope), lineOf(node)]
  const [body, alternate] = [nodesOf([node.body]), nodesOf([node.alternate])]
  if (test.known) {
    follow(isTruthy(test.value) ? body : alternate, scope)
    return
  }
  const copy = () => ({ ...scope, constants: new Map(scope.constants), variables: new Map(scope.variables) })
  const [left, right] = [copy(), copy()]
  follow(body, left)
  follow(alternate, right)
  const open = unknown(`it depends on the condition in line ${line}: ${test.why}`, line)
  const constants = merged(left.constants, right.constants, open)
  const variables = merged(left.variables, right.variables, open)
  Object.assign(scope, right, left, { constants, variables })
}

function merged(left: Scope['constants'], right: Scope['constants'], open: Unknown): Map<string, Value> {
  const isOpen = (value: Value | undefined) => value === undefined || (!value.known && value.perhaps === true)
  const result = new Map<string, Value>()
  for (const name of new Set([...left.keys(), ...right.keys()])) {
    const [a, b] = [left.get(name), right.get(name)]
    const isSame = a === b || (a?.known && b?.known && a.value === b.value)
    if (a !== undefined && isSame) result.set(name, a)
    else result.set(name, isOpen(a) || isOpen(b) ? { ...open, perhaps: true } : open)
  }
  return result
}

/** What is defined, set or included in there is not known. */
function undecided(node: PhpNode, scope: Scope, why: string): void {
  const value: Unknown = { known: false, line: lineOf(node), why, perhaps: true }
  for (const each of walk(node, FUNCTIONS)) {
    for (const target of targetsOf(each)) forgetVariables(target, value, scope)
    if (each.kind === 'return') scope.ended ??= lineOf(each)
    if (each.kind !== 'assignref') continue
    for (const { name } of walk(each)) if (typeof name === 'string') scope.aliased.add(name)
  }
  for (const each of walk(node)) {
    const line = lineOf(each)
    if (each.kind === 'include') evaluate(each, scope)
    if (each.kind === 'eval') forgetAll(unknown('a text is run that may change it', line), scope)
    if (each.kind === 'call') noteCall(each, scope)
    if (functionName(each) === 'putenv') scope.variables.set('getenv()', value)
    if (each.kind === 'constantstatement')
      for (const { name } of nodesOf(each.constants)) define(scope, nameOf(name) ?? '', value, line)
    if (isDefine(each)) noteDefine(each, evaluate(nodesOf(each.arguments)[0], scope), value, scope)
  }
}

/** What has variables and a `return` of its own. */
const FUNCTIONS: ReadonlySet<string> = new Set(['function', 'method', 'closure', 'arrowfunc'])

/** What a node gives values to. */
function targetsOf(node: PhpNode): PhpNode[] {
  if (!/^(assign|assignref|foreach|pre|post|catch|unset)$/.test(node.kind)) return []
  const { left, key, value, what, variable, variables } = node
  const right = node.kind === 'assignref' ? node.right : undefined
  return nodesOf([left, right, key, value, what, variable, variables].flat())
}
