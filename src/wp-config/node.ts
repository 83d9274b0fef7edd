import { Engine } from 'php-parser'

/** A node of PHP's syntax tree, as the parser gives it: which fields it has depends on its kind. */
export interface PhpNode {
  kind: string
  loc?: { start: { line: number } } | null
  [field: string]: unknown
}

/** What a file that PHP would not take is wrong about. */
interface SyntaxFault {
  line: number
  message: string
}

/** The statements of a PHP file, or what is wrong with it. Nothing is executed. Never throws. */
export function parsePhp(text: string): { statements: PhpNode[] } | { fault: SyntaxFault } {
  const engine = new Engine({ parser: { suppressErrors: false }, ast: { withPositions: true } })
  try {
    const program = engine.parseCode(text, '') as unknown as PhpNode
    return { statements: nodesOf(program.children) }
  } catch (error) {
    const line = error instanceof Error && 'lineNumber' in error ? Number(error.lineNumber) : 1
    // The parser's own words quote what stands there, and that may be a password: the sign that it misses is harmless.
    const sign =
      error instanceof Error ? /expecting ('[^\w\s'"]{1,3}') on line \d+$/.exec(error.message)?.[1] : undefined
    const missing = sign === undefined ? '' : `, where ${sign} is missing`
    return { fault: { line, message: `is not PHP that can be read: look at line ${line}${missing}` } }
  }
}

/** A field that may be a node. */
export function nodeOf(value: unknown): PhpNode | undefined {
  return typeof value === 'object' && value !== null && 'kind' in value ? (value as PhpNode) : undefined
}

/** A field that may be a list of nodes. */
export function nodesOf(value: unknown): PhpNode[] {
  return Array.isArray(value) ? value.flatMap((each) => nodeOf(each) ?? []) : []
}

export const lineOf = (node: PhpNode): number => node.loc?.start.line ?? 1

/** The name that a node is, without a namespace: of a constant, a function, an identifier. */
export function nameOf(value: unknown): string | undefined {
  const node = nodeOf(value)
  const name = typeof value === 'string' ? value : node?.name
  return typeof name === 'string' ? name.slice(name.lastIndexOf('\\') + 1) : undefined
}

/** Every node below and including this one; `skip` names kinds whose inside is passed over. */
export function* walk(node: PhpNode, skip?: ReadonlySet<string>): Generator<PhpNode> {
  yield node
  if (skip?.has(node.kind)) return
  for (const [field, value] of Object.entries(node)) {
    if (field === 'loc') continue
    for (const child of Array.isArray(value) ? nodesOf(value) : [nodeOf(value)]) if (child) yield* walk(child, skip)
  }
}
