import type { Key, Mapping } from '../../api/objects.ts'
import type { Kept } from './records.ts'

/** The mappings of each app, and those that cannot be read. Kept up to date key by key, as there may be 30,000 of them. */
export interface IndexByApp {
  /** Takes up what became of one mapping (undefined: it is gone); gives the apps that this concerns. */
  update(key: Key, kept: Kept<Mapping> | undefined): Key[]
  /** The same array as long as nothing of the app's has changed: another one means that it has to be worked out again. */
  mappingsOf(app: Key): readonly Mapping[]
  /** Namespaces from which the app has, or had, mappings. */
  namespacesOf(app: Key): ReadonlySet<string>
  /** Mappings that never could be read and that concern, or may concern, the app. */
  unreadable(app: Key): Key[]
}

const NONE: ReadonlySet<string> = new Set()

/** An empty index. */
export function createIndexByApp(): IndexByApp {
  const entries = new Map<Key, Kept<Mapping>>()
  const byApp = new Map<Key, Map<Key, Mapping>>()
  const faulty = new Map<Key, Key | undefined>()
  const lists = new Map<Key, readonly Mapping[]>()
  const namespaces = new Map<Key, Set<string>>()

  function leave(key: Key): Key[] {
    const old = entries.get(key)
    entries.delete(key)
    faulty.delete(key)
    if (old?.object === undefined) return old?.invalid?.app === undefined ? [] : [old.invalid.app]
    const { app } = old.object
    lists.delete(app)
    const group = byApp.get(app)
    group?.delete(key)
    if (group?.size === 0) byApp.delete(app)
    return [app]
  }

  return {
    update(key, kept) {
      // A mapping that went over to another app concerns both.
      const concerned = leave(key)
      if (kept === undefined) return concerned
      entries.set(key, kept)
      const { object, invalid } = kept
      if (object === undefined) {
        faulty.set(key, invalid?.app)
        return invalid?.app === undefined ? concerned : [...concerned, invalid.app]
      }
      lists.delete(object.app)
      namespaces.set(object.app, (namespaces.get(object.app) ?? new Set()).add(object.namespace))
      const group = byApp.get(object.app) ?? new Map<Key, Mapping>()
      byApp.set(object.app, group.set(key, object))
      return [...concerned, object.app]
    },
    mappingsOf(app) {
      const list = lists.get(app) ?? [...(byApp.get(app)?.values() ?? [])]
      lists.set(app, list)
      return list
    },
    namespacesOf: (app) => namespaces.get(app) ?? NONE,
    unreadable: (app) =>
      [...faulty].filter(([, suspect]) => suspect === undefined || suspect === app).map(([key]) => key),
  }
}
