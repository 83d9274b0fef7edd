import { messageOf } from '../log/message-of.ts'
import { createBytes, MOST_MIB } from './bytes.ts'
import { KubernetesError } from './http.ts'
import type { Event, Trouble } from './reflector-state.ts'

/** A line of a watch that means nothing: what it said is lost, so the whole has to be read again. */
export class UndecodableLine extends Error {
  override readonly name = 'UndecodableLine'
}

/** A stream said nothing for longer than a healthy one, or a list did not come to its end. */
export class Silence extends Error {
  override readonly name = 'Silence'
}

/** Of a chunk of a stream of lines. */
interface Lines {
  /** Of the lines that ended in it. */
  values: unknown[]
  /** Whether another line has begun, and not ended. */
  open: boolean
}

const NEWLINE = 0x0a

/**
 * The lines of JSON of a stream of bytes, all of a chunk at once; empty lines count for nothing. Throws `UndecodableLine` for one that
 * is not valid JSON or UTF-8, is longer than `MOST_MIB`, or is cut off by the end of the stream: the lines behind such a hole are not to
 * be trusted.
 */
export async function* jsonLines(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Lines> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  // Bytes, not text: a chunk may end in the middle of a character.
  const rest = createBytes()
  const add = (piece: Uint8Array): void => {
    if (!rest.add(piece)) throw new UndecodableLine(`a line is longer than ${MOST_MIB} MiB`)
  }
  const whole = (end: Uint8Array): Uint8Array => {
    add(end)
    return rest.take()
  }
  for await (const chunk of stream) {
    const values: unknown[] = []
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      const piece = chunk.subarray(from, end)
      from = end + 1
      const value = decode(rest.length() === 0 ? piece : whole(piece), decoder)
      if (value !== undefined) values.push(value)
    }
    if (from < chunk.length) add(chunk.subarray(from))
    yield { values, open: rest.length() > 0 }
  }
  if (Buffer.from(rest.take()).toString('latin1').trim() !== '') throw new UndecodableLine('the last line has no end')
}

function decode(line: Uint8Array, decoder: { decode(bytes: Uint8Array): string }): unknown {
  try {
    const text = decoder.decode(line)
    return text.trim() === '' ? undefined : (JSON.parse(text) as unknown)
  } catch (cause) {
    // The cause quotes the line; it is kept, but stands in no message.
    throw new UndecodableLine('a line cannot be decoded', { cause })
  }
}

/** An object of a collection, as far as the reflector looks into it. */
export interface Item {
  /** `namespace/name`. */
  key: string
  version: string
  object: unknown
}

const INITIAL_END = 'k8s.io/initial-events-end'

/**
 * The event of one line of a watch, with the object that it is about. Throws `KubernetesError` for an `ERROR` that says
 * the version is too old, `UndecodableLine` for every other line without an object: what it said is not known.
 */
export function eventOf(line: unknown, round: number): [Event, Item?] {
  const { type, object } = fields(line)
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED': {
      const item = itemOf(object)
      const change = type === 'DELETED' ? 'remove' : 'put'
      return [{ type: 'object', round, change, version: item.version }, item]
    }
    case 'BOOKMARK': {
      const { resourceVersion, annotations } = fields(fields(object).metadata)
      if (typeof resourceVersion !== 'string') throw new UndecodableLine('a bookmark has no version')
      const initialEnd = fields(annotations)[INITIAL_END] === 'true'
      return [{ type: 'bookmark', round, version: resourceVersion, initialEnd }]
    }
    case 'ERROR': {
      const { code, message } = fields(object)
      const words = typeof message === 'string' ? message : 'the watch failed'
      if (code === 410) throw new KubernetesError({ code, reason: 'Expired', message: words })
      throw new UndecodableLine(words)
    }
    default:
      throw new UndecodableLine('a line is not a valid event')
  }
}

/** The page that a LIST answered with; `next`: `continue` of the one after it. Throws `UndecodableLine` for anything else. */
export function pageOf(value: unknown): { items: Item[]; version: string; next?: string } {
  const { items, metadata } = fields(value)
  const { resourceVersion, continue: next } = fields(metadata)
  if (!Array.isArray(items) || typeof resourceVersion !== 'string')
    throw new UndecodableLine('the answer is not a valid list')
  return {
    items: items.map(itemOf),
    version: resourceVersion,
    ...(typeof next === 'string' && next !== '' ? { next } : {}),
  }
}

/** What a failure means for the reflector of a collection, with words that name the cure where somebody has to act. */
export function troubleOf(error: unknown, path: string): { trouble: Trouble; message: string; retryAfter?: number } {
  const kind = path.split('/').at(-1) ?? path
  const words = messageOf(error)
  if (error instanceof Silence) return { trouble: 'silent', message: `${kind}: ${words}` }
  if (error instanceof UndecodableLine)
    return { trouble: 'garbled', message: `${kind}: the API server's answer cannot be used: ${words}` }
  if (!(error instanceof KubernetesError))
    return { trouble: 'unreachable', message: `${kind}: the connection to the API server broke: ${words}` }
  const { trouble, cure } = judge(error, kind)
  return {
    trouble,
    message: `${kind}: ${words}${cure === undefined ? '' : `: ${cure}`}`,
    // A server that starts asks for 5 seconds with every 503, however soon it is ready; only 429 is meant for us.
    ...(error.code === 429 && error.retryAfter !== undefined ? { retryAfter: Math.min(error.retryAfter, 30_000) } : {}),
  }
}

function judge({ code, reason }: KubernetesError, kind: string): { trouble: Trouble; cure?: string } {
  if (reason === 'Undecodable' || reason === 'TooLarge') return { trouble: 'garbled' }
  if (reason === 'Misconfigured') return { trouble: 'refused' }
  const byStatus: Record<number, { trouble: Trouble; cure?: string }> = {
    400: { trouble: 'unsupported' },
    401: { trouble: 'refused', cure: 'the credentials are not accepted; renew them' },
    403: { trouble: 'refused', cure: `grant get, list and watch on ${kind} to this account` },
    404: { trouble: 'absent', cure: 'install the custom resources: domainpilot crds | kubectl apply -f -' },
    410: { trouble: 'expired' },
    422: { trouble: 'unsupported' },
  }
  return byStatus[code ?? 0] ?? { trouble: 'unreachable' }
}

function itemOf(object: unknown): Item {
  const { namespace, name, resourceVersion } = fields(fields(object).metadata)
  if (typeof name !== 'string' || typeof resourceVersion !== 'string')
    throw new UndecodableLine('an object has no name or no version')
  // Joined, not concatenated: V8 keeps a concatenation as a tree of its parts, four times as large, and the key is kept.
  return { key: typeof namespace === 'string' ? [namespace, name].join('/') : name, version: resourceVersion, object }
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
