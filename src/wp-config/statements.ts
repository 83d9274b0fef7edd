import { put } from './assign.ts'
import { evaluate } from './evaluate.ts'
import { declare, enter, inNamespace } from './include.ts'
import { within } from './names.ts'
import { lineOf, nameOf, nodeOf, nodesOf, type PhpNode } from './node.ts'
import type { Parsed } from './parse.ts'
import {
  createScope,
  define,
  forgetVariables,
  fork,
  join,
  lineIn,
  makeGlobal,
  placeOf,
  type Scope,
  setVariable,
  unsetVariable,
  type WpConfigReading,
} from './scope.ts'
import { undecided } from './undecided.ts'
import { entriesOf, keyOf, known, operate, truth, unknown, type Value } from './values.ts'

/** More than any configuration has to do. */
const MOST_STEPS = 50_000

/**
 * Reads the statements of a file in their order, with what it includes and the functions that it calls, and gives what they define and
 * set. What is not certain is noted as unknown. Throws `RangeError` for what is nested too deeply or does not end.
 */
export function readStatements(
  parsed: Parsed,
  reading: WpConfigReading,
  constants: Readonly<Record<string, Value>>,
): Scope {
  const scope = createScope(reading, constants, { evaluate, follow, undecided })
  enter(parsed, reading.path, scope)
  return scope
}

function follow(statements: readonly PhpNode[], scope: Scope): void {
  for (const statement of statements) {
    const { ended } = scope
    if (ended?.certain) return
    if (++scope.count.steps > MOST_STEPS) throw new RangeError('it does not end')
    if (ended === undefined) followOne(statement, scope)
    else
      undecided(
        statement,
        scope,
        `it stands after the ${ended.by === 'settings' ? 'include' : ended.by} in line ${ended.line}`,
      )
  }
}

function followOne(node: PhpNode, scope: Scope): void {
  const rule = RULES[node.kind]
  if (rule !== undefined) rule(node, scope)
  else if (!WITHOUT_EFFECT.test(node.kind)) undecided(node, scope, `it stands in a ${node.kind}`)
}

/** What only names things, or begins and ends nothing. */
const WITHOUT_EFFECT = /^(class|interface|trait|enum|inline|usegroup|noop|label)$/

const followChildren = ({ children }: PhpNode, scope: Scope): void => scope.follow(nodesOf(children), scope)

/** What statements of one kind do. */
const RULES: Readonly<Record<string, (node: PhpNode, scope: Scope) => void>> = {
  block: followChildren,
  declare: followChildren,
  namespace: (node, scope) => {
    const { file } = scope
    scope.file = inNamespace(node, file)
    followChildren(node, scope)
    scope.file = file
  },
  function: (node, scope) => declare(node, scope.file, scope),
  expressionstatement: ({ expression }, scope) => void evaluate(expression, scope),
  echo: ({ expressions }, scope) => {
    for (const each of nodesOf(expressions)) evaluate(each, scope)
  },
  constantstatement: ({ constants }, scope) => {
    for (const each of nodesOf(constants))
      define(scope, within(scope.file, nameOf(each.name) ?? ''), evaluate(each.value, scope), lineOf(each))
  },
  if: branch,
  switch: choose,
  foreach: iterate,
  while: (node, scope) => repeat(node, scope, { test: [node.test], after: [] }),
  for: (node, scope) => {
    for (const each of nodesOf(node.init)) evaluate(each, scope)
    repeat(node, scope, { test: nodesOf(node.test), after: nodesOf(node.increment) })
  },
  global: ({ items }, scope) => {
    for (const { name } of nodesOf(items)) if (typeof name === 'string') makeGlobal(scope, name)
  },
  static: ({ variables }, scope) => {
    for (const each of nodesOf(variables))
      setVariable(scope, nameOf(nodeOf(each.variable)) ?? '', unknown('it is kept between calls'), lineOf(each))
  },
  unset: ({ variables }, scope) => {
    for (const each of nodesOf(variables)) {
      if (each.kind === 'variable' && typeof each.name === 'string') unsetVariable(scope, each.name)
      else forgetVariables(each, unknown('parts of it are unset', placeOf(scope, lineOf(each))), scope)
    }
  },
  return: (node, scope) => {
    const value = node.expr ? evaluate(node.expr, scope) : known(null)
    scope.ended ??= { by: 'return', line: lineOf(node), certain: true, value }
  },
  break: (node, scope) => leave('break', node, scope),
  continue: (node, scope) => leave('continue', node, scope),
}

function leave(by: 'break' | 'continue', node: PhpNode, scope: Scope): void {
  const depth = node.level ? evaluate(node.level, scope) : known(1)
  const isKnown = depth.known && typeof depth.value === 'number'
  scope.ended = { by, line: lineOf(node), certain: isKnown, depth: isKnown ? Number(depth.value) : 1 }
}

/** One way of a condition that is known, else both: what they agree on holds, the rest is not known. */
function branch(node: PhpNode, scope: Scope): void {
  const test = evaluate(node.test, scope)
  if (scope.ended) return
  const [body, alternate] = [nodesOf([node.body]), nodesOf([node.alternate])]
  const truthy = truth(test)
  if (truthy !== undefined) {
    follow(truthy ? body : alternate, scope)
    return
  }
  const [left, right] = [fork(scope), fork(scope)]
  follow(body, left)
  follow(alternate, right)
  const [line, why] = [lineOf(node), test.known ? '' : test.why]
  const open = unknown(`it depends on the condition in ${lineIn(scope, line)}: ${why}`, placeOf(scope, line))
  join(scope, [left, right], (perhaps) => (perhaps ? { ...open, perhaps } : open))
}

/** From the first case that fits until a `break`. */
function choose(node: PhpNode, scope: Scope): void {
  const test = evaluate(node.test, scope)
  const cases = nodesOf(nodeOf(node.body)?.children)
  const otherwise = cases.findIndex(({ test: wanted }) => !wanted)
  for (const [index, each] of [...cases.entries(), [otherwise, undefined] as const]) {
    if (each !== undefined && !each.test) continue
    const wanted = each && evaluate(each.test, scope)
    if (wanted && !(test.known && wanted.known)) {
      const why = test.known ? (wanted.known ? '' : wanted.why) : test.why
      undecided(node, scope, `it depends on the switch in ${lineIn(scope, lineOf(node))}: ${why}`)
      return
    }
    if (wanted && !(test.known && wanted.known && operate('==', test.value, wanted.value))) continue
    if (index < 0) return
    follow(
      cases.slice(index).flatMap(({ body }) => nodesOf([body])),
      scope,
    )
    loopEnds(node, scope)
    return
  }
}

/** Whether a loop ends with what ended its body; more than one loop may. What may have ended it makes the rest of it uncertain. */
function loopEnds(node: PhpNode, scope: Scope): boolean {
  const { ended } = scope
  if (ended === undefined) return false
  const depth = ended.depth ?? 1
  const isLoops = ended.by === 'break' || ended.by === 'continue'
  if (isLoops) scope.ended = depth > 1 ? { ...ended, depth: depth - 1 } : undefined
  if (!ended.certain) undecided(node, scope, `it depends on the ${ended.by} in ${lineIn(scope, ended.line)}`)
  return !isLoops || depth > 1 || !ended.certain || ended.by === 'break'
}

function iterate(node: PhpNode, scope: Scope): void {
  const entries = entriesOf(evaluate(node.source, scope))
  const [key, value] = [nodeOf(node.key), nodeOf(node.value)]
  if (entries === undefined || value === undefined || value.byref === true || nodeOf(node.source)?.kind === 'byref') {
    undecided(node, scope, 'it stands in a foreach')
    return
  }
  for (const [name, each] of entries) {
    put(value, each, scope)
    if (key !== undefined) put(key, keyOf(name), scope)
    follow(nodesOf([node.body]), scope)
    if (loopEnds(node, scope)) return
  }
}

/** A loop with a condition, while that is known. */
function repeat(
  node: PhpNode,
  scope: Scope,
  { test, after }: { test: readonly unknown[]; after: readonly unknown[] },
): void {
  for (;;) {
    const tested = test.map((each) => evaluate(each, scope)).at(-1) ?? known(true)
    const truthy = truth(tested)
    if (truthy === false) return
    if (truthy === undefined) {
      undecided(node, scope, `it stands in a ${node.kind}`)
      return
    }
    follow(nodesOf([node.body]), scope)
    if (loopEnds(node, scope)) return
    for (const each of after) evaluate(each, scope)
    if (++scope.count.steps > MOST_STEPS) throw new RangeError('it does not end')
  }
}
