import { KubernetesError } from './http.ts'
import { UndecodableLine } from './lines.ts'
import type { Event } from './reflector-state.ts'

/** An object of a collection, as far as the reflector looks into it. */
export interface Item {
  /** `namespace/name`. */
  key: string
  version: string
  object: unknown
}

/** A page of a LIST. */
export interface Page {
  items: Item[]
  version: string
  /** `continue` of the next page. */
  next?: string
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
      return [
        { type: 'bookmark', round, version: resourceVersion, initialEnd: fields(annotations)[INITIAL_END] === 'true' },
      ]
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

/** The page that a LIST answered with. Throws `UndecodableLine` for anything else. */
export function pageOf(value: unknown): Page {
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
