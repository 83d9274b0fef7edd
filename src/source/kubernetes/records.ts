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

/**
 * Decodes an object that the API server gave. Never throws: what is wrong with it stands in `fault`. Gives `previous` itself when the
 * object says the same but for its status and what the API server counts, so that a status of ours wakes nobody.
 */
export function keep<T extends App | Mapping>(kind: Kind, value: unknown, previous: Kept<T> | undefined): Kept<T> {
  const raw = isMap(value) ? value : {}
  const meta = isMap(raw.metadata) ? raw.metadata : {}
  if (previous !== undefined && saysSame(previous, meta)) return previous
  const key = `${String(meta.namespace)}/${String(meta.name)}`
  const decoded = decodeObject(value, { place: `${kind} ${key}`, source: 'kubernetes', kind })
  if (decoded.ok) return { key, object: { ...decoded.object, ...cluster(meta) } as T }

  const fault = decoded.faults.map(formatFault).join('; ')
  // Only of the same object: one that was deleted and made anew has nothing to do with the old one.
  if (previous?.object !== undefined && previous.object.uid === meta.uid)
    return { key, fault, object: { ...previous.object, ...cluster(meta) } }
  const suspect = kind === 'ServerPilotApp' ? key : appOf(raw, String(meta.namespace))
  return { key, fault, ...(suspect === undefined ? {} : { suspect }) }
}

/** Whether an object still says what a valid one said: the generation counts changes of the spec. */
function saysSame({ object, fault }: Kept<App | Mapping>, meta: Record<string, unknown>): boolean {
  if (object === undefined || fault !== undefined) return false
  const { deletionTimestamp, finalizers } = cluster(meta)
  return (
    object.uid === meta.uid &&
    object.generation === meta.generation &&
    object.deletionTimestamp === deletionTimestamp &&
    JSON.stringify([object.labels, object.annotations, object.finalizers]) ===
      JSON.stringify([meta.labels ?? {}, meta.annotations ?? {}, finalizers])
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
