import { environmentOf, isEnvironment } from './environment.ts'
import { lineOf, nameOf, nodeOf, nodesOf, type PhpNode } from './node.ts'
import { forgetAll, forgetVariables, getVariable, placeOf, type Scope, setVariable, withEntry } from './scope.ts'
import { asText, entriesOf, isNull, keyAt, known, nextIndex, type Unknown, unknown, type Value } from './values.ts'

const REQUEST = /^_(GET|POST|COOKIE|REQUEST|FILES|SESSION)$/

/** What a variable, an entry of an array or a property of an object holds. `key`: the entry's, where it was worked out before. */
export function lookUp(node: PhpNode, scope: Scope, key?: Value): Value {
  if (node.kind === 'variable') return variable(node.name, scope)
  const base = nodeOf(node.what)
  const isEntry = node.kind === 'offsetlookup'
  const name = keyAt(key ?? (isEntry ? scope.evaluate(node.offset, scope) : propertyName(node.offset)))
  if (name === undefined && base !== undefined) scope.undecided(base, scope, 'it looks into an array')
  if (name === undefined) return unknown('it looks into an array')
  const of = isEntry && base?.kind === 'variable' ? base.name : undefined
  if (of === 'GLOBALS') return variable(name, { ...scope, frame: '' })
  if (isEnvironment(of)) return environmentOf(scope, of, name, null)
  const whole = base === undefined ? unknown('it looks into an array') : scope.evaluate(base, scope)
  if (isNull(whole)) return { ...unknown('there is nothing to look into'), absent: true }
  if (whole.known) return unknown('it looks into an array')
  if (whole.entries === undefined || isEntry === (whole.isObject === true)) return unknown(whole.why, whole.at)
  return whole.entries.get(name) ?? { ...unknown('the array has no such entry'), absent: true }
}

const propertyName = (offset: unknown): Value =>
  nodeOf(offset)?.kind === 'identifier' ? known(nameOf(offset) ?? '') : unknown('it looks into an object')

/** What a variable holds; `absent` when nothing has set it. */
function variable(name: unknown, scope: Scope): Value {
  if (typeof name !== 'string') return unknown('it is a variable whose name is worked out')
  if (REQUEST.test(name)) return unknown('it depends on the request')
  if (isEnvironment(name)) return unknown('it is the whole environment')
  const value = getVariable(name, scope)
  if (value !== undefined) return value
  const { openVariables } = scope
  if (openVariables !== undefined) return unknown(`$${name} may be set ${openVariables.where}`)
  return { ...unknown(`$${name} is not set in this file`), absent: true }
}

/** Gives a value to a variable, to an entry of an array, or to several in a list. */
export function put(target: PhpNode, value: Value, scope: Scope): void {
  const line = lineOf(target)
  const base = nodeOf(target.what)
  if (target.kind === 'variable' && typeof target.name === 'string') setVariable(scope, target.name, value, line)
  else if (target.kind === 'offsetlookup' && base !== undefined) putEntry(target, base, value, scope)
  else if (target.kind === 'list' || target.kind === 'array') putList(target, value, scope)
  else if (target.kind.endsWith('propertylookup'))
    forgetObjects(scope, unknown('a property of an object is set', placeOf(scope, line)))
  else forgetVariables(target, unknown('it is assigned in parts', placeOf(scope, line)), scope)
  // `Env::$options` say where `env()` looks.
  if (target.kind === 'staticlookup')
    setVariable(scope, 'getenv()', unknown('a static property is set that may bear on it'), line)
}

function putEntry(target: PhpNode, base: PhpNode, value: Value, scope: Scope): void {
  const line = lineOf(target)
  const key = nodeOf(target.offset) && scope.evaluate(target.offset, scope)
  const name = base.kind === 'variable' ? base.name : undefined
  if (name === 'GLOBALS') {
    if (key?.known) setVariable({ ...scope, frame: '' }, asText(key.value), value, line)
    else forgetAll(unknown('it is set by a name that is worked out', placeOf(scope, line)), scope)
    return
  }
  const isKept = isEnvironment(name)
  const before = isKept ? getVariable(name, scope) : lookUp(base, scope)
  const lost: Unknown = unknown('it is assigned in parts', placeOf(scope, line))
  const after = withEntry(before, key, value) ?? lost
  if (isKept) setVariable(scope, name, after, line)
  else put(base, after, scope)
}

/** `[$a, 'k' => $b] = …`. */
function putList(target: PhpNode, value: Value, scope: Scope): void {
  const entries = entriesOf(value)
  const at = placeOf(scope, lineOf(target))
  const seen = new Map<string, Value>()
  for (const item of nodesOf(target.items)) {
    const key = item.key ? scope.evaluate(item.key, scope) : known(nextIndex(seen) ?? 0)
    const [name, inner] = [keyAt(key), nodeOf(item.value)]
    if (name !== undefined) seen.set(name, key)
    const found = entries === undefined || name === undefined ? undefined : (entries.get(name) ?? known(null))
    if (inner === undefined) continue
    if (item.byRef === true || found === undefined)
      forgetVariables(inner, unknown('it is assigned in parts', at), scope)
    else put(inner, found, scope)
  }
}

/** An object has one value under all its names. */
function forgetObjects({ variables, constants }: Scope, value: Value): void {
  const holds = (each: Value): boolean =>
    !each.known && (each.isObject === true || [...(each.entries?.values() ?? [])].some(holds))
  for (const table of [variables, constants]) for (const [name, each] of table) if (holds(each)) table.set(name, value)
}
