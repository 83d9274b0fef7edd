import type { App, LabelSelector } from '../api/objects.ts'
import { matchesSelector } from '../api/selector.ts'
import type { ObjectSource } from './source.ts'

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
  return {
    ...source,
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
