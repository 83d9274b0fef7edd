import type { App } from '../api/objects.ts'
import type { DatabaseSource, MappingSource, ObjectSource, SourceFault } from './source.ts'

/** Several sources as one: what it says of mappings is what its object source says; the parts answer for their own. */
export interface CombinedSource extends ObjectSource {
  /** Everything that knows mappings, the object source first. */
  readonly parts: readonly MappingSource[]
}

/**
 * Declared objects together with the databases that their apps name. They start, follow and stop as one, and are synced as one:
 * once the objects were read as a whole and a first look at each database has ended, good or not. A database that cannot be read
 * is a fault of the app that names it, and no failure of the rest.
 */
export function combine(objects: ObjectSource, databases: readonly DatabaseSource[]): CombinedSource {
  let synced = false
  /** The start that counts; undefined when stopped. */
  let current: object | undefined

  function follow(): void {
    for (const each of databases) each.follow(objects.apps())
  }

  return {
    ...objects,
    parts: [objects, ...databases],
    async start(changed) {
      const own = {}
      current = own
      await objects.start((apps) => {
        follow()
        changed(apps)
      })
      // Stopped during the first read: nothing else begins.
      if (current !== own) return
      follow()
      await Promise.all(databases.map((each) => each.start(changed)))
    },
    async stop() {
      current = undefined
      await Promise.all([...databases, objects].map((each) => each.stop()))
    },
    synced() {
      // A database that comes later takes nothing back.
      synced ||= objects.synced() && databases.every((each) => each.looked())
      return synced
    },
    faults: () => [
      ...objects.faults(),
      ...objects.apps().flatMap((app) => databases.flatMap((each) => databaseFaults(app, each))),
    ],
  }
}

/** What is wrong with the database of an app: why it cannot be read as a whole, and single rows. */
function databaseFaults(app: App, source: DatabaseSource): SourceFault[] {
  const { failure, faults = [] } = source.mappingsOf(app)
  return failure === undefined ? [...faults] : [{ place: app.place, message: failure.message }, ...faults]
}
