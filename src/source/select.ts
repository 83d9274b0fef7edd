import type { App, LabelSelector } from '../api/objects.ts'
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
 * mappings, and a mapping of an app that is not selected is left out, not called an orphan.
 */
export function selectApps(source: ObjectSource, { namespaces, selector }: Selection): ObjectSource {
  const selected = (app: App | undefined): app is App =>
    app !== undefined &&
    (namespaces.length === 0 || namespaces.includes(app.namespace)) &&
    matchesSelector(app.labels, selector)
  const chosen = ({ kind, key, namespace }: InvalidObject): boolean => {
    if (kind === 'DomainMapping') {
      const known = source.mappings().find((each) => each.key === key)
      const app = known && source.app(known.app)
      return known === undefined || app === undefined || selected(app)
    }
    const known = source.app(key)
    // One that never was valid has no labels that could be relied on.
    if (known !== undefined) return selected(known)
    return (namespaces.length === 0 || namespaces.includes(namespace)) && matchesSelector({}, selector)
  }
  return {
    ...source,
    invalid: () => source.invalid().filter(chosen),
    apps: () => source.apps().filter(selected),
    app: (key) => {
      const app = source.app(key)
      return selected(app) ? app : undefined
    },
    mappings: () =>
      source.mappings().filter((mapping) => {
        const app = source.app(mapping.app)
        return app === undefined || selected(app)
      }),
  }
}
