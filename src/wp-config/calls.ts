import { lineOf, nameOf, nodeOf, nodesOf, type PhpNode } from './node.ts'
import { define, forgetAll, forgetVariables, type Scope } from './scope.ts'
import { asText, unknown, type Value } from './values.ts'

/** Whether a call is one of `define`, or of `Config::define` of Bedrock. */
export function defineKind(node: PhpNode): 'define' | 'Config' | undefined {
  if (node.kind !== 'call') return undefined
  const what = nodeOf(node.what)
  if (what?.kind !== 'staticlookup') return functionName(node) === 'define' ? 'define' : undefined
  return nameOf(what.what) === 'Config' && nameOf(what.offset) === 'define' ? 'Config' : undefined
}

/** Notes what a `define` defines. Of `Config::define` the last one counts. */
export function noteDefine(node: PhpNode, name: Value | undefined, value: Value, scope: Scope): void {
  const [line, { constants }] = [lineOf(node), scope]
  if (!name?.known) {
    scope.elsewhere ??= { line, where: `by the define() in line ${line}` }
    return
  }
  const text = asText(name.value)
  // Of two that are not known, the first says better why.
  if (defineKind(node) === 'Config' && (value.known || constants.get(text)?.known)) constants.delete(text)
  define(scope, text, value, line)
}

/** The name of the function that is called; undefined for methods and what is worked out. */
export function functionName(node: PhpNode): string | undefined {
  const what = nodeOf(node.what)
  return what?.kind === 'name' ? nameOf(what)?.toLowerCase() : undefined
}

/** Functions that change variables that are handed to them. */
const CHANGES_ARGUMENTS =
  /^(preg_match(_all)?|parse_str|settype|sscanf|array_(push|pop|shift|unshift|splice|walk)|\w*sort|shuffle)$/

/** Notes what a call may change besides what it is worth: variables, and the environment. */
export function noteCall(node: PhpNode, scope: Scope): void {
  const [line, name] = [lineOf(node), functionName(node) ?? '']
  if (loadsEnvironment(node)) scope.environmentLoaded ??= line
  const changed = unknown(`${name}() may change it`, line)
  const args = nodesOf(node.arguments)
  if (CHANGES_ARGUMENTS.test(name)) for (const each of args) forgetVariables(each, changed, scope)
  if (name === 'extract' || (name === 'parse_str' && args.length === 1)) forgetAll(changed, scope)
}

/** Whether a call is one of `$dotenv->load()` and its kin: variables of a file become part of the environment. */
function loadsEnvironment(node: PhpNode): boolean {
  const what = nodeOf(node.what)
  const isMethod = what?.kind.endsWith('propertylookup') === true
  return isMethod && /^(load|safeLoad|overload|loadEnv|bootEnv)$/.test(nameOf(what.offset) ?? '')
}
