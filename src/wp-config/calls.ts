import { loadDotenv } from './dotenv.ts'
import { FUNCTIONS } from './functions.ts'
import { returned } from './include.ts'
import { className, functionName } from './names.ts'
import { lineOf, nameOf, nodeOf, nodesOf, type PhpNode, walk } from './node.ts'
import {
  define,
  forgetAll,
  forgetVariables,
  lineIn,
  openEverything,
  placeOf,
  type Scope,
  setVariable,
} from './scope.ts'
import { asText, asValue, type Code, known, type Unknown, unknown, type Value } from './values.ts'

/** Arguments that are not simply one value after the other. */
const ODD_ARGUMENTS = /^(variadic|variadicplaceholder|namedargument)$/

/** What a call is worth: of a function of the file's own, of one of PHP or of Bedrock that is known here, or unknown. */
export function call(node: PhpNode, args: readonly Value[], scope: Scope): Value {
  const [name, line] = [node.kind === 'new' ? undefined : functionName(node, scope), lineOf(node)]
  if (nodesOf(node.arguments).some(({ kind }) => ODD_ARGUMENTS.test(kind))) {
    if (DEFINES.test(name ?? '')) noteDefine(name ?? '', [], line, scope)
    return unread(node, name, args, scope)
  }
  const isNamed = name !== undefined && name !== 'call_user_func'
  const callee = isNamed ? undefined : name === undefined ? calleeOf(node, scope) : args[0]
  if (callee === undefined) return callByName(node, name, args, scope)
  const rest = name === undefined ? args : args.slice(1)
  const code = codeOf(callee)
  if (code !== undefined) return follow(code, rest, line, scope)
  if (callee.known) return callByName(node, asText(callee.value).replace(/^\\/, '').toLowerCase(), rest, scope)
  if (callee.entries === undefined)
    openEverything(scope, { line, where: `by what is called in ${lineIn(scope, line)}` })
  return unread(node, name, args, scope)
}

function callByName(node: PhpNode, name: string | undefined, args: readonly Value[], scope: Scope): Value {
  const line = lineOf(node)
  const code = codeOf(scope.functions.get(name ?? ''))
  if (code !== undefined) return follow(code, args, line, scope)
  if (name === undefined || scope.declared.has(name)) return unread(node, name, args, scope)
  if (DEFINES.test(name)) return noteDefine(name, args, line, scope)
  const rule = FUNCTIONS.get(name)
  if (rule === undefined) return unread(node, name, args, scope)
  return byRule(name, asValue(rule(args, scope, line), `it calls ${name}() in a way that is not known here`), args)
}

function unread(node: PhpNode, name: string | undefined, args: readonly Value[], scope: Scope): Value {
  const what = name ?? (node.kind === 'new' ? 'new' : 'a function')
  return { ...unknown(`it calls ${what}()`), ...noteUnread(node, name, args, scope) }
}

const codeOf = (value: Value | undefined): Code | undefined =>
  value === undefined || value.known ? undefined : value.code

/** What is called that has no name there: a closure, or a name in a variable. */
function calleeOf({ what }: PhpNode, scope: Scope): Value | undefined {
  const node = nodeOf(what)
  return /^(variable|offsetlookup|closure|arrowfunc|call)$/.test(node?.kind ?? '')
    ? scope.evaluate(node, scope)
    : undefined
}

/** What was made of a variable of the environment that is not set still lacks it. */
function byRule(name: string, value: Value, args: readonly Value[]): Value {
  if (!value.known) return value
  const isText = typeof value.value === 'string' && name !== 'getenv'
  const unset = isText ? args.flatMap((each) => (each.known ? (each.unset ?? []) : []))[0] : undefined
  return unset === undefined ? value : { ...value, unset }
}

/** Follows a function of the file's own with these arguments. */
function follow(code: Code, args: readonly Value[], line: number, scope: Scope): Value {
  const { node, file, captured } = code
  const [parameters, { count }] = [nodesOf(node.arguments), scope]
  if (!isPlain(node) || count.depth > 20) {
    forgetAll(unknown('a function that is not followed may change it', placeOf(scope, line)), scope)
    scope.undecided(node, scope, 'it stands in a function that is not followed')
    return unknown('it calls a function that is not followed')
  }
  const before = { frame: scope.frame, file: scope.file }
  const frame = `${++count.calls}>`
  count.depth++
  Object.assign(scope, { frame, file })
  for (const [name, value] of captured ?? []) setVariable(scope, name, value, line)
  for (const [index, each] of parameters.entries()) {
    const value = args[index] ?? (each.value ? scope.evaluate(each.value, scope) : unknown('an argument is missing'))
    setVariable(scope, nameOf(each.name) ?? '', typed(withoutAbsence(value), each), line)
  }
  const body = nodeOf(node.body)
  const isArrow = node.kind === 'arrowfunc'
  const value = isArrow ? scope.evaluate(body, scope) : followed(body, scope)
  for (const key of scope.variables.keys()) if (key.startsWith(frame)) scope.variables.delete(key)
  Object.assign(scope, before)
  count.depth--
  return typed(withoutAbsence(value), node)
}

function followed(body: PhpNode | undefined, scope: Scope): Value {
  scope.follow(body === undefined ? [] : [body], scope)
  return returned(scope, known(null))
}

const withoutAbsence = (value: Value): Value => (!value.known && value.absent ? unknown(value.why, value.at) : value)

/** Whether a function takes and gives values, and keeps nothing. */
const isPlain = (node: PhpNode): boolean =>
  node.byref !== true &&
  nodesOf(node.arguments).every(({ byref, variadic }) => byref !== true && variadic !== true) &&
  ![...walk(node)].some(({ kind }) => kind === 'yield' || kind === 'yieldfrom')

const TYPES: Readonly<Record<string, string>> = { string: 'string', int: 'number', bool: 'boolean' }

/** A value as the type that is written there has it; unknown where PHP would make another one of it. */
function typed(value: Value, { type, nullable }: PhpNode): Value {
  const declared = nodeOf(type)
  if (declared === undefined || !value.known) return value
  const all = declared.kind === 'uniontype' ? nodesOf(declared.types) : [declared]
  const names = all.map((each) => (nameOf(each) ?? '').toLowerCase())
  const kind = typeof value.value
  const isNull = value.value === null && (nullable === true || names.some((each) => /^(null|void)$/.test(each)))
  if (isNull || names.includes('mixed') || names.some((each) => TYPES[each] === kind || each === String(value.value)))
    return value
  if (names.join() === 'string' && value.value !== null) return { ...value, value: asText(value.value) }
  return unknown('a type makes another value of it')
}

/** Functions and methods of Bedrock that define constants. */
export const DEFINES = /^(define|bedrock::(define|get|apply))$/

/** The name under which a value waits for `Config::apply` of Bedrock. */
const waiting = (name: string): string => `Config::${name}`

/** Notes what a `define` defines. Of `Config::define` the last one counts, once it is applied. */
export function noteDefine(
  by: string,
  [name, value = unknown('it is worked out by PHP')]: readonly Value[],
  line: number,
  scope: Scope,
): Value {
  const { constants } = scope
  if (by === 'bedrock::apply') {
    for (const [key, each] of [...constants]) if (key.startsWith('Config::')) define(scope, key.slice(8), each, line)
    return known(null)
  }
  if (!name?.known) {
    scope.openConstants ??= { at: placeOf(scope, line), where: `by the define() in ${lineIn(scope, line)}` }
    return unknown('it defines what is worked out')
  }
  const text = asText(name.value)
  const counts = value.known || value.at !== undefined ? value : { ...value, at: placeOf(scope, line) }
  if (by === 'bedrock::get') return constants.get(waiting(text)) ?? unknown('it was not defined before')
  if (by === 'bedrock::define') constants.set(waiting(text), counts)
  else define(scope, text, counts, line)
  return value.known ? known(true) : unknown(value.why, value.at)
}

/** Functions of PHP that change variables that are handed to them. */
const CHANGES_ARGUMENTS =
  /^(preg_\w+|parse_str|settype|f?sscanf|array_(push|pop|shift|unshift|splice|walk\w*|multisort)|\w*sort|shuffle|str_i?replace|exec|system|passthru|similar_text|openssl_\w+|end|reset|next|prev|each)$/

/** Functions that change what paths mean that do not say where they begin. */
const MOVES = /^(chdir|chroot|set_include_path|ini_set|ini_alter)$/

/** Notes what a call may change whose function is not followed: variables, the environment, and what callbacks define. */
export function noteUnread(
  node: PhpNode,
  name: string | undefined,
  args: readonly Value[],
  scope: Scope,
): Pick<Unknown, 'made'> {
  const [what, line] = [nodeOf(node.what), lineOf(node)]
  const at = placeOf(scope, line)
  const changed = unknown(`${name ?? 'a function'}() may change it`, at)
  const isForeign = name === undefined || /[:\\]/.test(name)
  for (const each of nodesOf(node.arguments)) {
    const isVariable = /^(variable|offsetlookup)$/.test(each.kind)
    if (CHANGES_ARGUMENTS.test(name ?? '') || (isForeign && isVariable)) forgetVariables(each, changed, scope)
  }
  if (MOVES.test(name ?? '')) scope.seen.moved = true
  if (name === 'extract' || (name === 'parse_str' && args.length === 1)) forgetAll(changed, scope)
  if (
    name !== undefined &&
    scope.functions.get(name)?.known === false &&
    codeOf(scope.functions.get(name)) === undefined
  )
    openEverything(scope, { line, where: `by ${name}() in ${lineIn(scope, line)}` })
  noteCallbacks(node, name, args, scope)
  const method = what?.kind.endsWith('propertylookup') ? nameOf(what.offset)?.toLowerCase() : undefined
  const of = method === undefined ? undefined : scope.evaluate(what?.what, scope)
  if (method !== undefined && of !== undefined) loadDotenv(method, of, scope, line)
  const texts = args.map((each) => (each.known ? asText(each.value) : '')).join()
  const chain = of?.known === false && of.made ? `${of.made.by}->${method}(${texts})` : undefined
  const by = node.kind === 'new' ? `new ${className(node.what, scope)}` : (name ?? chain)
  return by === undefined ? {} : { made: { by, args } }
}

/** Functions of the file's own that may be called from outside of it. */
function noteCallbacks(node: PhpNode, name: string | undefined, args: readonly Value[], scope: Scope): void {
  const isMethod = node.kind === 'new' || name === undefined || name.includes(':')
  const named = args.flatMap((each) => (each.known ? [asText(each.value).replace(/^\\/, '').toLowerCase()] : []))
  const own = name === undefined ? [] : [codeOf(scope.functions.get(name))]
  const codes = [...own, ...args.map(codeOf), ...named.map((each) => codeOf(scope.functions.get(each)))]
  const takesMethods =
    isMethod ||
    args.some((each) => !each.known && each.entries !== undefined) ||
    named.some((each) => each.includes('::'))
  const nodes = [...codes.flatMap((code) => code?.node ?? []), ...(takesMethods ? scope.classes.values() : [])]
  if (named.includes('define')) noteDefine('define', [], lineOf(node), scope)
  for (const each of nodes) {
    if (scope.noting.has(each)) continue
    scope.noting.add(each)
    scope.undecided(each, scope, 'it stands in a function that is not followed')
    scope.noting.delete(each)
  }
}
