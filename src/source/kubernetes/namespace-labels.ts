import { isMap } from '../../api/decode.ts'
import type { Connection } from '../../kubernetes/connection.ts'
import { createReflector, type ReflectorOptions } from '../../kubernetes/reflector.ts'

/** The labels of one namespace. As long as they stay as they are, the same value is given. */
export type Labels = Readonly<Record<string, string>>

/** The labels of the cluster's namespaces. Followed only once somebody needs them: that takes a right which few apps ask for. */
export interface NamespaceLabels {
  /** Begins to follow; resolves once they were read or the first attempt failed. Safe to call again. */
  follow(): Promise<void>
  stop(): Promise<void>
  /** Undefined while they are not known, and for a namespace that is not there. While nothing can be read: as last seen. */
  of(namespace: string): Labels | undefined
}

/** Makes it; nothing happens before `follow`. `changed` is called when labels of some namespace are others than before. */
export function createNamespaceLabels(options: {
  connection: Pick<Connection, 'raw' | 'json'>
  changed: () => void
  log?: ReflectorOptions<unknown>['log']
}): NamespaceLabels {
  let following: Promise<void> | undefined
  const reflector = createReflector<Labels>({
    connection: options.connection,
    path: '/api/v1/namespaces',
    decode(object, previous) {
      const labels = labelsOf(object)
      return previous !== undefined && isSame(previous, labels) ? previous : labels
    },
    same: (before, after) => before === after,
    changed: (names) => {
      if (names.size > 0) options.changed()
    },
    ...(options.log === undefined ? {} : { log: options.log }),
  })
  return {
    follow() {
      following ??= reflector.start()
      return following
    },
    async stop() {
      if (following !== undefined) await reflector.stop()
    },
    of: (namespace) => reflector.records().get(namespace),
  }
}

function labelsOf(object: unknown): Labels {
  const metadata = isMap(object) && isMap(object.metadata) ? object.metadata : {}
  const labels = isMap(metadata.labels) ? metadata.labels : {}
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, String(value)]))
}

const isSame = (a: Labels, b: Labels): boolean => {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name])
}
