import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type Pair } from 'yaml'
import type { FieldPath } from './faults.ts'

/** The offset in the text to point at for a field: its key, or the list item; for a missing field, what it is missing from. */
export function locate(document: Document.Parsed, path: FieldPath): number {
  let offset = document.contents?.range?.[0] ?? 0
  let node: unknown = document.contents
  for (const part of path) {
    const step = descend(document, node, part)
    if (step === undefined) break
    if (isNode(step.mark)) offset = step.mark.range?.[0] ?? offset
    node = step.node
  }
  return offset
}

/** The node at a path; undefined when there is none. */
export function nodeAt(document: Document.Parsed, path: FieldPath): unknown {
  return path.reduce<unknown>((node, part) => descend(document, node, part)?.node, document.contents)
}

function descend(
  document: Document.Parsed,
  from: unknown,
  part: string | number,
): { node: unknown; mark: unknown } | undefined {
  const node = isAlias(from) ? from.resolve(document) : from
  if (isSeq(node)) {
    const item = node.items[Number(part)]
    return item === undefined ? undefined : { node: item, mark: item }
  }
  if (!isMap(node)) return undefined
  const pair = node.items.find(
    (candidate: Pair) => isScalar(candidate.key) && String(candidate.key.value) === String(part),
  )
  return pair === undefined ? undefined : { node: pair.value, mark: pair.key }
}
