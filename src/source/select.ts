import { type App, type Key, type LabelSelector, splitKey } from '../api/objects.ts'
import { matchesSelector } from '../api/selector.ts'
import type { InvalidObject, ObjectSource } from './source.ts'

/** Which apps one daemon serves. */
export interface Selection {
  /** Empty: all. */
  namespaces: readonly string[]
  selector: LabelSelector
}

/**
 * The source with only the selected apps. Selectors and namespaces choose apps, never mappings: a selected app has all of its
 * mappings, and a mapping of an app that is not selected is left out, not called an orphan. An app is chosen by the labels of its
 * newest version, also where that has a fault; of one that is not there, by its namespace.
 */
export function selectApps(source: ObjectSource, { namespaces, selector }: Selection): ObjectSource {
  if (namespaces.length === 0 && Object.keys(selector).length === 0) return source
  const within = (namespace: string): boolean => namespaces.length === 0 || namespaces.includes(namespace)
  const selected = (app: App | InvalidObject | undefined): boolean =>
    app !== undefined && within(app.namespace) && matchesSelector(app.labels, selector)

  /** Tells whether the mappings that ask for an app are ours. */
  function ours(): (app: Key) => boolean {
    let unread: ReadonlyMap<Key, InvalidObject> | undefined
    return (key) => {
      const app = source.app(key)
      if (app !== undefined) return selected(app)
      unread ??= new Map(source.invalid().flatMap((each) => (each.kind === 'ServerPilotApp' ? [[each.key, each]] : [])))
      const found = unread.get(key)
      return found === undefined ? within(splitKey(key).namespace) : selected(found)
    }
  }

  return {
    ...source,
    invalid() {
      const isOurs = ours()
      return source
        .invalid()
        .filter((each) =>
          each.kind === 'ServerPilotApp'
            ? selected(each)
            : each.app === undefined
              ? within(each.namespace)
              : isOurs(each.app),
        )
    },
    apps: () => source.apps().filter(selected),
    app: (key) => {
      const app = source.app(key)
      return selected(app) ? app : undefined
    },
    mappings() {
      const isOurs = ours()
      return source.mappings().filter(({ app }) => isOurs(app))
    },
  }
}
