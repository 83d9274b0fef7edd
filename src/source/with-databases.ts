import type { DatabaseSource, ObjectSource } from './source.ts'

/** Declared objects together with the databases that their apps name: they start, follow and stop as one. */
export function withDatabases(objects: ObjectSource, databases: DatabaseSource): ObjectSource {
  let stopped = false
  return {
    ...objects,
    async start(changed) {
      stopped = false
      await objects.start((apps) => {
        databases.follow(objects.apps())
        changed(apps)
      })
      if (stopped) return
      databases.follow(objects.apps())
      await databases.start(changed)
    },
    async stop() {
      stopped = true
      await Promise.all([databases.stop(), objects.stop()])
    },
  }
}
