import { type Document, isScalar, LineCounter } from 'yaml'
import { messageOf } from '../log/message-of.ts'
import { asWritten, findAmbiguous } from './ambiguous.ts'
import { decodeObject, type Identity, identify, isOurs, seemsOurs, type Where } from './decode.ts'
import { documentsOf, type Head, headOf } from './document.ts'
import { type FieldFault, type FieldPath, formatFault, formatPath, isMap } from './faults.ts'
import { locate, nodeAt, pathAt } from './locate.ts'
import { API_GROUP, API_VERSION, type App, type Mapping, type Place } from './objects.ts'
import { KINDS } from './schema.ts'
import { decodeSecret, type Secret } from './secret.ts'
import { otherTroubles, syntaxTroubles, type Trouble } from './trouble.ts'

/** One fault of a file, with the place to go to. */
export interface FileFault {
  /** `file:line:column`. */
  place: Place
  file: string
  line: number
  column: number
  /** The field concerned, as in `spec.domain`; absent where the fault is the file's. */
  field?: string
  /** Complete: names the object and the field. */
  message: string
  /** The object concerned, where it is known. */
  object?: Identity
}

/** What one file declares. What is faulty stands in `faults` and nowhere else. */
export interface ParsedFile {
  apps: App[]
  mappings: Mapping[]
  secrets: Secret[]
  faults: FileFault[]
  /** What has no kind, or is a template, and is not meant for us by anything in it. */
  passedOver: PassedOver[]
}

/** Something in a file that counts neither as an object nor as a fault. */
export interface PassedOver {
  file: string
  what: 'Template' | 'NoObject'
}

/** Where a text comes from. */
interface Origin {
  /** Name for messages. */
  file: string
  /** Namespace of objects that name none; `default` when not given. */
  namespace?: string
}

/** Errors of one document that are worth a line each: after the first few, the rest follows from them. */
const MAX_ERRORS = 3

/** Faults of one object that are told: whoever mends these sees the next. */
const MAX_FIELD_FAULTS = 20

/** Faults of one file that are told, those of objects apart, as each object at fault has to be known. */
const MAX_FAULTS = 100

/** A value of a document, and where in the document it stands. */
interface Item {
  value: unknown
  path: (string | number)[]
}

/**
 * Reads YAML 1.2 (so JSON too), one or many documents, `List` objects included. Objects of other groups, empty documents
 * and comments are passed over, and so is what is no object and not meant for us by anything in it; whatever could be meant for us
 * and is wrong is a fault with its place. Never throws.
 */
export function parseDocuments(text: string, origin: Origin): ParsedFile {
  const lines = new LineCounter()
  const result: ParsedFile = { apps: [], mappings: [], secrets: [], faults: [], passedOver: [] }
  try {
    for (const document of documentsOf(text, lines)) readDocument({ document, text, origin, lines, result })
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    const message = 'this is nested too deeply to be read; write it flatter'
    result.faults.push({ place: origin.file, file: origin.file, line: 1, column: 1, message })
  }
  return result
}

/** One document that is being read. */
interface Reading {
  document: Document.Parsed
  text: string
  origin: Origin
  lines: LineCounter
  result: ParsedFile
}

function readDocument(reading: Reading): void {
  const { document, text } = reading
  const troubles = syntaxTroubles(document)
  if (troubles.length > 0) {
    if (isTemplate(text, troubles[0]?.offset ?? 0)) readTemplate(reading)
    else addTroubles(reading, troubles)
    return
  }
  // Whatever an object of another group says, nobody here wants to know it: it may be large.
  if (isForeign(headOf(document))) return
  const others = otherTroubles(document)
  if (others.length > 0) {
    addTroubles(reading, others)
    return
  }
  const value = toValue(document)
  if (!value.ok) addFault(reading, document.contents?.range?.[0] ?? 0, { message: value.message })
  else if (value.value !== null) readItem({ value: value.value, path: [] }, reading)
}

/** Names the object and the field too, where they can be made out. */
function addTroubles(reading: Reading, troubles: readonly Trouble[]): void {
  const { document, origin } = reading
  for (const { offset, message } of troubles.slice(0, MAX_ERRORS)) {
    const path = pathAt(document, offset)
    const item = path[0] === 'items' && typeof path[1] === 'number' ? path.slice(0, 2) : []
    const field = formatPath(path.slice(item.length))
    const object = identify(outline(document, item), origin)
    const who = object === undefined ? '' : `${object.kind} ${object.key}: `
    addFault(reading, offset, {
      message: `${who}${field === '' ? 'this' : field} ${message}`,
      ...(field === '' ? {} : { field }),
      ...(object === undefined ? {} : { object }),
    })
  }
}

/** What an object says it is, where the document as a whole cannot be read. */
function outline(document: Document.Parsed, path: FieldPath): unknown {
  const textAt = (...more: string[]): unknown => {
    const node = nodeAt(document, [...path, ...more])
    return isScalar(node) ? node.value : undefined
  }
  const metadata = { name: textAt('metadata', 'name'), namespace: textAt('metadata', 'namespace') }
  return { kind: textAt('kind'), metadata }
}

function readItem(item: Item, reading: Reading): void {
  const { value, path } = item
  const { apiVersion, kind } = isMap(value) ? value : {}
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') {
    if (!seemsOurs(value)) passOver(reading, 'NoObject')
    else if (apiVersion !== undefined || kind !== undefined) readObject(item, reading)
    else {
      const message = 'this is not an object: it has neither apiVersion nor kind'
      addFault(reading, locate(reading.document, path), { message })
    }
  } else if (apiVersion === 'v1' && kind === 'Secret') {
    readSecret(item, reading)
  } else if (kind.endsWith('List') && (apiVersion === 'v1' || isOurs(apiVersion, kind))) {
    readList(item, reading)
  } else if (isOurs(apiVersion, kind)) {
    readObject(item, reading)
  }
}

function readList({ value, path }: Item, reading: Reading): void {
  const list = value as { kind: string; items?: unknown }
  const at = locate(reading.document, path)
  if (path.length > 0) {
    addFault(reading, at, { message: 'this is a list of objects inside a list; write the objects into one' })
    return
  }
  if (!Array.isArray(list.items)) {
    addFault(reading, at, { message: `${list.kind}: items is missing or not a list` })
    return
  }
  const kind = KINDS.find((known) => list.kind === `${known}List`)
  list.items.forEach((each: unknown, index) => {
    // Items of a typed list may leave out what the list's own kind says.
    const complete = kind !== undefined && isMap(each) ? { apiVersion: API_VERSION, kind, ...each } : each
    readItem({ value: complete, path: ['items', index] }, reading)
  })
}

function readObject(item: Item, reading: Reading): void {
  const { origin, result, document } = reading
  const { line } = placeOf(reading, locate(document, item.path))
  const where: Where = { place: `${origin.file}:${line}`, source: 'manifests', namespace: origin.namespace }
  const object = identify(item.value, origin)
  const who = object === undefined ? nameOf(item.value) : `${object.kind} ${object.key}: `
  const doubtful = findAmbiguous(nodeAt(document, item.path))
  const decoded = decodeObject(item.value, where)
  // A scalar that is doubtful already need not be reported to have the wrong type as well.
  const named = new Set(doubtful.map((fault) => formatPath(fault.path)))
  const others = decoded.ok ? [] : decoded.faults.filter((fault) => !named.has(formatPath(fault.path)))
  for (const fault of [...doubtful, ...others].slice(0, MAX_FIELD_FAULTS))
    addFieldFault(reading, item, fault, { who, object })
  if (!decoded.ok || doubtful.length > 0) return
  if (decoded.kind === 'ServerPilotApp') result.apps.push(decoded.object)
  else result.mappings.push(decoded.object)
}

function readSecret(item: Item, reading: Reading): void {
  const decoded = decodeSecret(item.value, reading.origin)
  if (decoded.ok) reading.result.secrets.push(decoded.secret)
  else for (const fault of decoded.faults) addFieldFault(reading, item, fault, { who: 'Secret: ', object: undefined })
}

/** Whether a file that cannot be read as YAML is a template: it begins with a directive, or there is one where the trouble begins. */
const isTemplate = (text: string, offset: number): boolean =>
  /^\s*\{\{/.test(text) || lineAt(text, offset).includes('{{')

/** Names that stand in whatever is meant for us, rendered or not. */
const OUR_WORDS = new RegExp([API_GROUP, ...KINDS, 'appRef'].join('|'))

/** One fault for the whole of a template: it cannot be read, and more faults would say nothing else. */
function readTemplate(reading: Reading): void {
  const { text, result } = reading
  if (!OUR_WORDS.test(text)) passOver(reading, 'Template')
  else if (!result.faults.some(({ message }) => message === TEMPLATE)) {
    addFault(reading, Math.max(0, text.indexOf('{{')), { message: TEMPLATE })
  }
}

const TEMPLATE = 'this is a template ({{ … }}), not YAML: render it first, as with helm template, or keep it elsewhere'

/** Once per file: where in it does not matter. */
function passOver({ origin, result }: Reading, what: PassedOver['what']): void {
  if (!result.passedOver.some((each) => each.what === what)) result.passedOver.push({ file: origin.file, what })
}

/** JSON form of a document; the parser throws on aliases that multiply beyond reason and on aliases without an anchor. */
function toValue(document: Document.Parsed): { ok: true; value: unknown } | { ok: false; message: string } {
  try {
    return { ok: true, value: document.toJS({ maxAliasCount: 100 }) as unknown }
  } catch (error) {
    const words = messageOf(error)
    const bomb = 'the aliases (*name) of this document multiply beyond reason; write the values out'
    return { ok: false, message: words.startsWith('Excessive') ? bomb : `this is not valid YAML: ${words}` }
  }
}

/** Whether this is a whole object of a kind that is not read. */
function isForeign({ apiVersion, kind }: Head): boolean {
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return false
  if (apiVersion === 'v1' && (kind === 'Secret' || kind.endsWith('List'))) return false
  return !isOurs(apiVersion, kind)
}

/** Name of an object whose kind nobody knows. */
function nameOf(value: unknown): string {
  const name = isMap(value) && isMap(value.metadata) ? value.metadata.name : undefined
  return typeof name === 'string' ? `object ${name}: ` : ''
}

/** The line in which an offset stands. */
function lineAt(text: string, offset: number): string {
  const end = text.indexOf('\n', offset)
  return text.slice(text.lastIndexOf('\n', offset - 1) + 1, end < 0 ? undefined : end)
}

function addFieldFault(
  reading: Reading,
  item: Item,
  fault: FieldFault,
  { who, object }: { who: string; object: Identity | undefined },
): void {
  const path = [...item.path, ...fault.path]
  addFault(reading, locate(reading.document, path), {
    message: `${who}${formatFault(asWritten(fault, nodeAt(reading.document, path)))}`,
    ...(fault.path.length === 0 ? {} : { field: formatPath(fault.path) }),
    ...(object === undefined ? {} : { object }),
  })
}

function addFault(reading: Reading, offset: number, fault: Pick<FileFault, 'message' | 'field' | 'object'>): void {
  if (fault.object === undefined && reading.result.faults.length >= MAX_FAULTS) return
  const { line, column } = placeOf(reading, offset)
  const { file } = reading.origin
  reading.result.faults.push({ place: `${file}:${line}:${column}`, file, line, column, ...fault })
}

function placeOf(reading: Reading, offset: number): { line: number; column: number } {
  const { line, col } = reading.lines.linePos(offset)
  return { line: Math.max(1, line), column: Math.max(1, col) }
}
