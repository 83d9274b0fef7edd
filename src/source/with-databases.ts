import type { DatabaseSource, ObjectSource } from './source.ts'

/** Declared objects together with the databases that their apps name: they start, follow and stop as one. */
export function withDatabases(objects: ObjectSource, databases: DatabaseSource): ObjectSource {
  return {
    ...objects,
    async start(changed) {
      await objects.start((apps) => {
        databases.follow(objects.apps())
        changed(apps)
      })
      databases.follow(objects.apps())
      await databases.start(changed)
    },
    async stop() {
      await Promise.all([databases.stop(), objects.stop()])
    },
  }
}
