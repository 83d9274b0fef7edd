import { isMap } from '../../api/faults.ts'
import type { Connection } from '../../kubernetes/connection.ts'
import { createReflector, type ReflectorOptions } from '../../kubernetes/reflector.ts'
import type { Clock } from '../../time/clock.ts'

/** The labels of one namespace. As long as they stay as they are, the same value is given. */
export type Labels = Readonly<Record<string, string>>

/** The namespaces of the cluster. */
export interface Namespaces {
  /** Begins to follow, unless it was stopped; resolves once they were read or the first attempt failed. Safe to call again. */
  follow(): Promise<void>
  stop(): Promise<void>
  /** Undefined while they are not known, and for a namespace that is not there. While nothing can be read: as last seen. */
  labels(namespace: string): Labels | undefined
  /** Those that are being deleted: their objects go one by one, and nobody meant each of them. */
  terminating(): readonly string[]
}

interface Known {
  labels: Labels
  terminating: boolean
}

/**
 * Makes it; nothing happens before `follow`. `changed` is called when some namespace is another than before; `ending`: others are
 * being deleted now.
 */
export function createNamespaces(options: {
  connection: Pick<Connection, 'raw' | 'json'>
  clock: Clock
  changed: (ending: boolean) => void
  log?: ReflectorOptions<unknown>['log']
}): Namespaces {
  let following: Promise<void> | undefined
  let terminating: readonly string[] = []
  const reflector = createReflector<Known>({
    connection: options.connection,
    clock: options.clock,
    path: '/api/v1/namespaces',
    decode(object, previous) {
      const known = knownOf(object)
      return previous !== undefined && isSame(previous, known) ? previous : known
    },
    same: (before, after) => before === after,
    changed(names) {
      if (names.size === 0) return
      const before = terminating.join()
      terminating = [...reflector.records()].flatMap(([name, known]) => (known.terminating ? [name] : []))
      options.changed(terminating.join() !== before)
    },
    ...(options.log === undefined ? {} : { log: options.log }),
  })
  return {
    follow() {
      following ??= reflector.start()
      return following
    },
    stop: () => reflector.stop(),
    labels: (namespace) => reflector.records().get(namespace)?.labels,
    terminating: () => terminating,
  }
}

function knownOf(object: unknown): Known {
  const metadata = isMap(object) && isMap(object.metadata) ? object.metadata : {}
  const labels = isMap(metadata.labels) ? metadata.labels : {}
  return {
    labels: Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, String(value)])),
    terminating: typeof metadata.deletionTimestamp === 'string',
  }
}

const isSame = (a: Known, b: Known): boolean => {
  const names = Object.keys(a.labels)
  const sameLabels =
    names.length === Object.keys(b.labels).length && names.every((name) => a.labels[name] === b.labels[name])
  return sameLabels && a.terminating === b.terminating
}
