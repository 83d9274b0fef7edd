import {
  type Alias,
  Composer,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type LineCounter,
  Parser,
} from 'yaml'

/** The two words by which an object says what it is, in so far as they are written out. */
export interface Head {
  apiVersion: unknown
  kind: unknown
}

/** What a walk over a document finds that the parser does not look for, or only at the square of the cost. */
export interface Inspection {
  /** Keys that stand twice in one map, by their offset. */
  duplicates: { key: string; offset: number }[]
  /** Aliases whose anchor does not stand before them. */
  loose: { alias: string; offset: number }[]
  aliases: number
}

/**
 * The documents of a text, one by one, so that only one of them takes memory at a time. Lines are counted as they are met. Throws a
 * `RangeError` where something is nested deeper than the stack.
 */
export function* documentsOf(text: string, lines: LineCounter): Generator<Document.Parsed> {
  // Looked for by `inspect`: the parser compares each key of a map with each other one.
  const composer = new Composer({ version: '1.2', strict: true, uniqueKeys: false, logLevel: 'error' })
  const parser = new Parser(lines.addNewLine)
  for (const token of parser.parse(text)) yield* composer.next(token) as Generator<Document.Parsed>
  yield* composer.end() as Generator<Document.Parsed>
}

/** What a document says it is, read from its top alone. */
export function headOf({ contents }: Document.Parsed): Head {
  const head: Head = { apiVersion: undefined, kind: undefined }
  if (!isMap(contents)) return head
  for (const { key, value } of contents.items) {
    if (!isScalar(key) || !isScalar(value)) continue
    if (key.value === 'apiVersion' || key.value === 'kind') head[key.value] = value.value
  }
  return head
}

/** Deeper than any object is: what costs a parser most is nested deeply. */
const MAX_DEPTH = 100

/** Walks over a document once. Throws a `RangeError` where it is nested too deeply. */
export function inspect({ contents }: Document.Parsed): Inspection {
  const found: Inspection = { duplicates: [], loose: [], aliases: 0 }
  walk(contents, { found, anchors: new Set() }, 0)
  return found
}

/** What a walk has come by so far. */
interface Walk {
  found: Inspection
  anchors: Set<string>
}

function walk(node: unknown, way: Walk, depth: number): void {
  if (depth > MAX_DEPTH) throw new RangeError(`nested more than ${MAX_DEPTH} deep`)
  if (isAlias(node)) noteAlias(node, way)
  else if (isNode(node) && 'anchor' in node && typeof node.anchor === 'string') way.anchors.add(node.anchor)
  if (isSeq(node)) for (const item of node.items) walk(item, way, depth + 1)
  if (!isMap(node)) return
  const keys = new Set<string>()
  for (const { key, value } of node.items) {
    const name = isScalar(key) ? String(key.value) : undefined
    if (name !== undefined && keys.has(name)) way.found.duplicates.push({ key: name, offset: startOf(key) })
    if (name !== undefined) keys.add(name)
    walk(key, way, depth + 1)
    walk(value, way, depth + 1)
  }
}

function noteAlias(alias: Alias, { found, anchors }: Walk): void {
  found.aliases++
  if (!anchors.has(alias.source)) found.loose.push({ alias: alias.source, offset: startOf(alias) })
}

const startOf = (node: unknown): number => (isNode(node) ? (node.range?.[0] ?? 0) : 0)
