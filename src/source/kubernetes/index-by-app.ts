import type { Key, Mapping } from '../../api/objects.ts'
import type { Kept } from './records.ts'

/** What is known of the mappings of one app. */
interface Group {
  mappings: Map<Key, Mapping>
  /** The same mappings; undefined after a change, until somebody asks. */
  list: readonly Mapping[] | undefined
  namespaces: Set<string>
}

/** The mappings of each app, and those that cannot be read. Kept up to date key by key, as there may be 30,000 of them. */
export function createIndexByApp() {
  const entries = new Map<Key, Kept<Mapping>>()
  const groups = new Map<Key, Group>()
  const faulty = new Map<Key, Key | undefined>()

  function groupOf(app: Key): Group {
    const group = groups.get(app) ?? { mappings: new Map(), list: undefined, namespaces: new Set() }
    groups.set(app, group)
    return group
  }

  /** The group of a mapping, which is about to change. */
  function changing({ app }: Mapping): Group {
    const group = groupOf(app)
    group.list = undefined
    return group
  }

  return {
    /** Takes up what became of one mapping (undefined: it is gone); gives the apps that this concerns. */
    update(key: Key, kept: Kept<Mapping> | undefined): Key[] {
      const old = entries.get(key)
      if (old?.object !== undefined) changing(old.object).mappings.delete(key)
      entries.delete(key)
      faulty.delete(key)
      if (kept !== undefined) entries.set(key, kept)
      if (kept?.object !== undefined) {
        const group = changing(kept.object)
        group.mappings.set(key, kept.object)
        group.namespaces.add(kept.object.namespace)
      } else if (kept !== undefined) faulty.set(key, kept.invalid?.app)
      // A mapping that went over to another app concerns both.
      return [appOf(old), appOf(kept)].filter((app) => app !== undefined)
    },
    /** The same array as long as nothing of the app's has changed: another one means that it has to be worked out again. */
    mappingsOf(app: Key): readonly Mapping[] {
      const group = groupOf(app)
      group.list ??= [...group.mappings.values()]
      return group.list
    },
    /** Namespaces from which the app has, or had, mappings. */
    namespacesOf: (app: Key): ReadonlySet<string> => groupOf(app).namespaces,
    /** Mappings that never could be read and that concern, or may concern, the app. */
    unreadable: (app: Key): Key[] =>
      [...faulty].filter(([, suspect]) => suspect === undefined || suspect === app).map(([key]) => key),
  }
}

const appOf = (kept: Kept<Mapping> | undefined): Key | undefined => kept?.object?.app ?? kept?.invalid?.app
