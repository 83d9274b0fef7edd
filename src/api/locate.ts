import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type Pair, type YAMLMap, type YAMLSeq } from 'yaml'
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

/** The field in which an offset stands; the path ends where the document says no more. */
export function pathAt(document: Document.Parsed, offset: number): FieldPath {
  const path: FieldPath = []
  let node: unknown = document.contents
  for (;;) {
    const step = isSeq(node) ? itemAt(node, offset) : isMap(node) ? pairAt(node, offset) : undefined
    if (step === undefined) return path
    path.push(step.part)
    node = step.node
  }
}

/** One step from a node towards an offset. */
interface Step {
  part: string | number
  node: unknown
}

function itemAt({ items }: YAMLSeq, offset: number): Step | undefined {
  const part = items.findLastIndex((item) => spans(item, item, offset))
  return part < 0 ? undefined : { part, node: items[part] }
}

function pairAt({ items }: YAMLMap, offset: number): Step | undefined {
  const pair = items.findLast(({ key, value }) => spans(key, value, offset))
  return pair === undefined || !isScalar(pair.key) ? undefined : { part: String(pair.key.value), node: pair.value }
}

/** Whether an offset is from the start of one node to the end of the other, or behind it on its line. */
function spans(from: unknown, to: unknown, offset: number): boolean {
  const first = isNode(from) ? from.range : undefined
  const last = (isNode(to) ? to.range : undefined) ?? first
  return first != null && last != null && first[0] <= offset && offset < last[2]
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
