import { DEFINES, noteDefine, noteUnread } from './calls.ts'
import { evaluate } from './evaluate.ts'
import { functionName, within } from './names.ts'
import { lineOf, nameOf, nodeOf, nodesOf, type PhpNode, walk } from './node.ts'
import { define, forgetAll, forgetVariables, lineIn, openEverything, placeOf, type Scope } from './scope.ts'
import { type Unknown, unknown, type Value } from './values.ts'

/** What has variables and a `return` of its own. */
const FUNCTIONS: ReadonlySet<string> = new Set(['function', 'method', 'closure', 'arrowfunc'])

/** Notes that what is defined, set or included in there is not known. */
export function undecided(node: PhpNode, scope: Scope, why: string): void {
  const value: Unknown = { known: false, at: placeOf(scope, lineOf(node)), why, perhaps: true }
  for (const each of walk(node, FUNCTIONS)) {
    for (const target of targetsOf(each)) forgetVariables(target, value, scope)
    const isReturn = each.kind === 'return' && scope.ended === undefined
    if (isReturn) scope.ended = { by: 'return', line: lineOf(each), certain: false }
  }
  for (const each of walk(node)) EFFECTS[each.kind]?.(each, scope, value)
}

/** What may be done from anywhere, also from within a function that may be called. */
const EFFECTS: Readonly<Record<string, (node: PhpNode, scope: Scope, value: Unknown) => void>> = {
  include: (node, scope) => {
    const name = String([...walk(node)].findLast(({ kind }) => kind === 'string')?.value ?? '')
    if (/wp-settings\.php$|vendor\/autoload\.php$/.test(name)) return
    const line = lineOf(node)
    const file = name.slice(name.lastIndexOf('/') + 1) || 'a file'
    openEverything(scope, { line, where: `in ${file}, which ${lineIn(scope, line)} includes`, included: true })
  },
  goto: (node, scope) => {
    const line = lineOf(node)
    openEverything(scope, { line, where: `by the goto in ${lineIn(scope, line)}` })
    scope.ended ??= { by: 'return', line, certain: false }
  },
  eval: (node, scope) => {
    const line = lineOf(node)
    openEverything(scope, { line, where: `by the text that ${lineIn(scope, line)} runs` })
  },
  global: ({ items }, scope, value) => {
    for (const each of nodesOf(items)) forgetVariables(each, value, { ...scope, frame: '' })
  },
  assign: ({ left }, scope, value) => {
    const isGlobals = [...walk(nodeOf(left) ?? { kind: '' })].some(({ name }) => name === 'GLOBALS')
    if (isGlobals) forgetAll(value, scope)
  },
  constantstatement: (node, scope, value) => {
    for (const { name } of nodesOf(node.constants))
      define(scope, within(scope.file, nameOf(name) ?? ''), value, lineOf(node))
  },
  function: (node, { functions, file }, value) => {
    const name = within(file, nameOf(node.name) ?? '').toLowerCase()
    if (!functions.has(name)) functions.set(name, value)
  },
  call: (node, scope, value) => {
    const name = functionName(node, scope)
    if (name === 'putenv') scope.variables.set('getenv()', value)
    const args = nodesOf(node.arguments)
    if (name === undefined || !DEFINES.test(name)) noteUnread(node, name, args.map(asText), scope)
    else if (name !== 'bedrock::get') noteDefine(name, [evaluate(args[0], scope), value], lineOf(node), scope)
  },
  new: (node, scope) => void noteUnread(node, undefined, [], scope),
}

/** A literal argument, as the name of a function perhaps. */
const asText = (node: PhpNode): Value =>
  node.kind === 'string' ? { known: true, value: String(node.value) } : unknown('it is not looked at')

/** What a node gives values to. */
function targetsOf(node: PhpNode): PhpNode[] {
  if (!/^(assign|assignref|foreach|pre|post|catch|unset|static|global)$/.test(node.kind)) return []
  const { left, key, value, what, variable, variables, items } = node
  const right = node.kind === 'assignref' ? node.right : undefined
  return nodesOf([left, right, key, value, what, variable, variables, items].flat())
}
