import { nameOf, nodeOf, nodesOf, type PhpNode } from './node.ts'
import type { Scope } from './scope.ts'
import type { SourceFile } from './values.ts'

type Kind = 'function' | 'const' | 'class'

/** The name of a node as it is written, without the `\` that may begin it. */
const written = (node: PhpNode): string => String(node.name ?? '').replace(/^\\/, '')

const keyOf = (kind: Kind, name: string): string => `${kind} ${kind === 'const' ? name : name.toLowerCase()}`

/** A name in the namespace of a file; of a constant only the namespace is in lower case. */
export const within = ({ namespace }: SourceFile, name: string): string =>
  namespace === '' ? name : `${namespace}\\${name}`

/** What a name may mean in a file, the first that is there. */
function meanings(kind: Kind, node: PhpNode, file: SourceFile): string[] {
  const name = written(node)
  if (node.resolution === 'fqn') return [name]
  const [first = '', ...rest] = name.split('\\')
  const imported = file.imports.get(keyOf(rest.length > 0 ? 'class' : kind, first))
  if (imported !== undefined) return [[imported, ...rest].join('\\')]
  const isShort = rest.length === 0 && node.resolution === 'uqn' && kind !== 'class'
  return isShort && file.namespace !== '' ? [within(file, name), name] : [within(file, name)]
}

/** The function that a call is of, by its whole name in lower case; `bedrock::define` and the like of Bedrock's `Config`; undefined for what is worked out. */
export function functionName(node: PhpNode, scope: Scope): string | undefined {
  const what = nodeOf(node.what)
  if (what?.kind === 'staticlookup') {
    const [name, method] = [className(what.what, scope), nameOf(what.offset)?.toLowerCase()]
    if (name === undefined || method === undefined || nodeOf(what.offset)?.kind !== 'identifier') return undefined
    const isBedrock = /^(roots\\wpconfig\\)?config$/.test(name) && !scope.classes.has(name)
    return `${isBedrock ? 'bedrock' : name}::${method}`
  }
  if (what?.kind !== 'name') return undefined
  const all = meanings('function', what, scope.file).map((each) => each.toLowerCase())
  return all.find((each) => scope.functions.has(each) || scope.declared.has(each)) ?? all.at(-1)
}

/** The whole name of a class, in lower case. */
export function className(value: unknown, scope: Scope): string | undefined {
  const node = nodeOf(value)
  return node?.kind === 'name' ? meanings('class', node, scope.file)[0]?.toLowerCase() : undefined
}

/** The whole name of a constant. */
export function constantName(node: PhpNode, { constants, file }: Scope): string {
  const all = meanings('const', node, file)
  return all.find((each) => constants.has(each)) ?? all.at(-1) ?? ''
}

/** What `use` adds to the names of a file. */
export function importsOf(node: PhpNode, before: SourceFile['imports']): Map<string, string> {
  const imports = new Map(before)
  for (const item of nodesOf(node.items)) {
    const prefix = typeof node.name === 'string' ? `${node.name}\\` : ''
    const whole = `${prefix}${String(item.name)}`.replace(/^\\/, '')
    const kind = String(item.type ?? node.type ?? 'class') as Kind
    imports.set(keyOf(kind, nameOf(item.alias) ?? whole.slice(whole.lastIndexOf('\\') + 1)), whole)
  }
  return imports
}
