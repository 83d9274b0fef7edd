import { isDeepStrictEqual } from 'node:util'
import { isMap } from '../../api/faults.ts'
import { createReflector, type ReflectorOptions } from '../../kubernetes/reflector.ts'
import { labelsOf } from './records.ts'

/** What is kept of a namespace. As long as it stays as it is, the same value is given. */
interface Known {
  labels: Readonly<Record<string, string>>
  terminating: boolean
}

/**
 * The namespaces of the cluster. Nothing happens before `follow`. `changed` is called when some namespace is another than before;
 * `ending`: others are being deleted now.
 */
export function createNamespaces({
  changed,
  ...options
}: Pick<ReflectorOptions<Known>, 'connection' | 'clock' | 'log'> & { changed: (ending: boolean) => void }) {
  let following: Promise<void> | undefined
  let terminating: readonly string[] = []
  const reflector = createReflector<Known>({
    ...options,
    path: '/api/v1/namespaces',
    decode(object, previous) {
      const known = knownOf(object)
      return isDeepStrictEqual(previous, known) ? (previous as Known) : known
    },
    same: (before, after) => before === after,
    changed(names) {
      if (names.size === 0) return
      const before = terminating.join()
      terminating = [...reflector.records()].flatMap(([name, known]) => (known.terminating ? [name] : []))
      changed(terminating.join() !== before)
    },
  })
  return {
    /** Begins to follow, unless it was stopped; resolves once they were read or the first attempt failed. Safe to call again. */
    follow(): Promise<void> {
      following ??= reflector.start()
      return following
    },
    stop: (): Promise<void> => reflector.stop(),
    rereads: reflector.rereads,
    /** Undefined while they are not known, and for a namespace that is not there. While nothing can be read: as last seen. */
    labels: (namespace: string) => reflector.records().get(namespace)?.labels,
    /** Those that are being deleted: their objects go one by one, and nobody meant each of them. */
    terminating: () => terminating,
  }
}

function knownOf(object: unknown): Known {
  const metadata = isMap(object) && isMap(object.metadata) ? object.metadata : {}
  return { labels: labelsOf(metadata), terminating: typeof metadata.deletionTimestamp === 'string' }
}
