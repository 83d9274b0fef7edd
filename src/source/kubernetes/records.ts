import { decodeObject, isMap } from '../../api/decode.ts'
import { formatFault } from '../../api/faults.ts'
import type { App, Key, Mapping } from '../../api/objects.ts'
import type { Kind } from '../../api/schema.ts'

/** What is kept of an object of the cluster. */
export interface Kept<T extends App | Mapping> {
  key: Key
  /** The object as it was when it was last valid; undefined when it never was. */
  object?: T
  /** What is wrong with it now. */
  fault?: string
  /** Of an object that never was valid: the app that it seems to concern. */
  suspect?: Key
}

/** What goes with an object: its key, what was kept of it before, and one string for all that are equal. */
export interface Keeping<T extends App | Mapping> {
  key: Key
  previous: Kept<T> | undefined
  share(text: string): string
}

/**
 * Decodes an object that the API server gave. Never throws: what is wrong with it stands in `fault`. Gives `previous` itself when the
 * object says the same but for its status and what the API server counts, so that a status of ours wakes nobody.
 */
export function keep<T extends App | Mapping>(
  kind: Kind,
  value: unknown,
  { key, previous, share }: Keeping<T>,
): Kept<T> {
  const raw = isMap(value) ? value : {}
  const meta = isMap(raw.metadata) ? raw.metadata : {}
  // Joined, not concatenated: V8 keeps a concatenation as a tree of its parts, four times as large.
  const decoded = decodeObject(value, { place: [kind, key].join(' '), source: 'kubernetes', kind })
  if (decoded.ok) {
    const object = slim(decoded.object, key, meta, share) as T
    return previous !== undefined && saySame(previous, object) ? previous : { key, object }
  }

  const fault = decoded.faults.map(formatFault).join('; ')
  // Only of the same object: one that was deleted and made anew has nothing to do with the old one.
  if (previous?.object !== undefined && previous.object.uid === meta.uid)
    return { key, fault, object: { ...previous.object, ...cluster(meta) } }
  const suspect = kind === 'ServerPilotApp' ? key : appOf(raw, String(meta.namespace))
  return { key, fault, ...(suspect === undefined ? {} : { suspect }) }
}

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
function saySame({ object: before, fault }: Kept<App | Mapping>, now: App | Mapping): boolean {
  if (before === undefined || fault !== undefined) return false
  return (
    before.uid === now.uid &&
    before.generation === now.generation &&
    before.deletionTimestamp === now.deletionTimestamp &&
    JSON.stringify([before.labels, before.annotations, before.finalizers]) ===
      JSON.stringify([now.labels, now.annotations, now.finalizers])
  )
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
