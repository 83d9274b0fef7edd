import type { Key } from '../../api/objects.ts'
import type { ServerPilotApp } from '../../serverpilot/serverpilot.ts'

export type Listings = ReturnType<typeof createListings>

/** What sweeps listed of each app. A listing serves one reconcile, and none once a write of ours has ended after it was asked for. */
export function createListings() {
  const listed = new Map<Key, { app: ServerPilotApp; writes: number }>()
  const writes = new Map<Key, number>()
  const writesOf = (key: Key): number => writes.get(key) ?? 0

  return {
    /** To be called before the list is asked for; gives the function that takes in what it said of the app, if anything. */
    ask(key: Key): (listed: ServerPilotApp | undefined) => void {
      const before = writesOf(key)
      return (app) => {
        if (app === undefined) listed.delete(key)
        else listed.set(key, { app, writes: before })
      }
    },
    /** Takes the listing of an app with that id. */
    take(key: Key, appId: string): ServerPilotApp | undefined {
      const found = listed.get(key)
      listed.delete(key)
      return found?.app.id === appId && found.writes === writesOf(key) ? found.app : undefined
    },
    /** A write to the app ended, whatever came of it. */
    written(key: Key): void {
      writes.set(key, writesOf(key) + 1)
    },
    // The count of writes stays: it distinguishes a listing that is still under way from a newer one.
    forget: (key: Key) => void listed.delete(key),
  }
}
