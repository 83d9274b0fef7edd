/** A node of PHP's syntax tree, as the parser gives it: which fields it has depends on its kind. */
export interface PhpNode {
  kind: string
  loc?: { start: { line: number } } | null
  [field: string]: unknown
}

/** Whether an error says that the stack is full. A regular expression that is compiled there says so in its own way. */
export const isTooDeep = (error: unknown): boolean =>
  error instanceof RangeError || (error instanceof SyntaxError && error.message.endsWith('Stack overflow'))

/** A field that may be a node. */
export const nodeOf = (value: unknown): PhpNode | undefined =>
  typeof value === 'object' && value !== null && 'kind' in value ? (value as PhpNode) : undefined

/** A field that may be a list of nodes. */
export const nodesOf = (value: unknown): PhpNode[] =>
  Array.isArray(value) ? value.flatMap((each) => nodeOf(each) ?? []) : []

export const lineOf = (node: PhpNode): number => node.loc?.start.line ?? 1

/** The name that a node is, without a namespace: of a constant, a function, an identifier. */
export function nameOf(value: unknown): string | undefined {
  const name = typeof value === 'string' ? value : nodeOf(value)?.name
  return typeof name === 'string' ? name.slice(name.lastIndexOf('\\') + 1) : undefined
}

/** Every node below and including this one; `skip` names kinds whose inside is passed over. */
export function* walk(node: PhpNode, skip?: ReadonlySet<string>): Generator<PhpNode> {
  yield node
  if (skip?.has(node.kind)) return
  for (const value of Object.values(node)) for (const child of nodesOf([value].flat())) yield* walk(child, skip)
}
