import { decodeObject } from '../../api/decode.ts'
import { formatFault, isMap } from '../../api/faults.ts'
import type { App, Key, Mapping } from '../../api/objects.ts'
import type { Kind } from '../../api/schema.ts'
import type { InvalidObject } from '../source.ts'

/** What is kept of an object of the cluster. */
export interface Kept<T extends App | Mapping> {
  /** The object as it was when it was last valid, with the `fault` of its newest version; undefined when it never was valid. */
  object?: T
  /** Its newest version, where that has a fault. */
  invalid?: InvalidObject
}

/** What goes with an object: its key, what was kept of it before, and one string for all that are equal. */
interface Keeping<T extends App | Mapping> {
  key: Key
  previous: Kept<T> | undefined
  share(text: string): string
  /** Gets each field that the schema does not know: what the API server gives out is a field of a newer definition. */
  passOver(field: string): void
}

/**
 * Decodes an object that the API server gave. Never throws: what is wrong with it stands in `invalid`. Gives `previous` itself when the
 * object says the same but for its status and what the API server counts, so that a status of ours wakes nobody.
 */
export function keep<T extends App | Mapping>(
  kind: Kind,
  value: unknown,
  { key, previous, share, passOver }: Keeping<T>,
): Kept<T> {
  const raw = isMap(value) ? value : {}
  const meta = isMap(raw.metadata) ? raw.metadata : {}
  // Joined, not concatenated: V8 keeps a concatenation as a tree of its parts, four times as large.
  const place = [kind, key].join(' ')
  const decoded = decodeObject(value, { place, source: 'kubernetes', kind, passOver })
  if (decoded.ok) {
    const object = slim(decoded.object, key, meta, share) as T
    return previous !== undefined && saySame(previous, object) ? previous : { object }
  }

  // Only of the same object: one that was deleted and made anew has nothing to do with the old one.
  const valid = previous?.object?.uid === meta.uid ? previous?.object : undefined
  const message = decoded.faults.map(formatFault).join('; ')
  const namespace = String(meta.namespace)
  const app = valid !== undefined && 'app' in valid ? valid.app : appOf(raw, namespace)
  const newest = { labels: labelsOf(meta), ...cluster(meta) }
  const invalid: InvalidObject = {
    ...{ kind, key, namespace, name: String(meta.name), generation: Number(meta.generation ?? 1), place, message },
    ...newest,
    ...(kind === 'ServerPilotApp' || app === undefined ? {} : { app }),
  }
  if (previous !== undefined && JSON.stringify(previous.invalid) === JSON.stringify(invalid)) return previous
  if (valid === undefined) return { invalid }
  const { deletionTimestamp: _, finalizers: __, ...said } = valid
  return { invalid, object: { ...(said as T), ...newest, fault: message } }
}

/** The labels of an object's `metadata`, as text. */
export const labelsOf = ({ labels }: Record<string, unknown>): Record<string, string> =>
  isMap(labels) ? Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, String(value)])) : NONE

/** Shared by all objects without labels or annotations: most have none, and there may be 30,000. */
const NONE = Object.freeze({})

/** The same in fewer bytes, with what only objects of a cluster have. */
function slim(
  object: App | Mapping,
  key: Key,
  meta: Record<string, unknown>,
  share: Keeping<App>['share'],
): App | Mapping {
  const labels = orNone(object.labels)
  const annotations = orNone(object.annotations)
  const namespace = share(object.namespace)
  if (!('app' in object)) return { ...object, key, namespace, labels, annotations, ...cluster(meta) }
  const { name, generation, place, source, domain, created, www } = object
  const app = share(object.app)
  // Field by field: of what is spread over more than one object V8 keeps a part outside of it.
  return {
    key,
    namespace,
    name,
    generation,
    place,
    labels,
    annotations,
    source,
    domain,
    app,
    ...(created === undefined ? {} : { created }),
    ...(www === undefined ? {} : { www }),
    ...cluster(meta),
  }
}

const orNone = (words: Record<string, string>): Record<string, string> =>
  Object.keys(words).length === 0 ? NONE : words

/** Whether a valid object still says what was kept: the generation counts changes of the spec. */
function saySame({ object: before, invalid }: Kept<App | Mapping>, now: App | Mapping): boolean {
  const said = ({ uid, generation, deletionTimestamp, labels, annotations, finalizers }: App | Mapping): string =>
    JSON.stringify([uid, generation, deletionTimestamp, labels, annotations, finalizers])
  return before !== undefined && invalid === undefined && said(before) === said(now)
}

/** The fields of `metadata` that only objects of a cluster have. */
function cluster(meta: Record<string, unknown>): Pick<App, 'uid' | 'deletionTimestamp' | 'finalizers'> {
  const { uid, deletionTimestamp, finalizers } = meta
  const deleted = typeof deletionTimestamp === 'string' ? Date.parse(deletionTimestamp) : Number.NaN
  return {
    ...(typeof uid === 'string' ? { uid } : {}),
    ...(Number.isNaN(deleted) ? {} : { deletionTimestamp: deleted }),
    ...(Array.isArray(finalizers) ? { finalizers: finalizers.map(String) } : {}),
  }
}

function appOf(raw: Record<string, unknown>, own: string): Key | undefined {
  const spec = isMap(raw.spec) ? raw.spec : {}
  const ref = isMap(spec.appRef) ? spec.appRef : {}
  if (typeof ref.name !== 'string') return undefined
  return `${typeof ref.namespace === 'string' ? ref.namespace : own}/${ref.name}`
}
