import type { FSWatcher } from 'node:fs'
import { basename } from 'node:path'
import type { FileSystem } from '../../files/file-system.ts'
import { matters, type WatchPoint } from './listing.ts'

interface Watched {
  watcher: FSWatcher
  /** Undefined: every entry that matters. */
  names: ReadonlySet<string> | undefined
}

/**
 * Watches folders, not files: a folder's watch outlives files that editors replace. `seen` is called on anything that may
 * have changed what is read; `failed` when a folder cannot be watched (then only the periodic reading notices changes in it).
 */
export function createWatches(
  fs: Pick<FileSystem, 'watch'>,
  seen: () => void,
  failed: (folder: string, error: unknown) => void,
) {
  const watched = new Map<string, Watched>()

  function drop(folder: string): void {
    watched.get(folder)?.watcher.close()
    watched.delete(folder)
  }

  function add(folder: string): Watched | undefined {
    try {
      const entry: Watched = { watcher: fs.watch(folder), names: new Set() }
      entry.watcher.on('change', (type, file) => {
        const name = file === null ? undefined : String(file)
        // The folder itself went or was replaced: the watch is dead, even if a folder of that name is there again.
        if (type === 'rename' && name === basename(folder)) drop(folder)
        if (name === undefined || name === basename(folder)) seen()
        else if (entry.names === undefined ? matters(name) : entry.names.has(name)) seen()
      })
      entry.watcher.on('error', (error) => {
        drop(folder)
        failed(folder, error)
        seen()
      })
      watched.set(folder, entry)
      return entry
    } catch (error) {
      failed(folder, error)
      return undefined
    }
  }

  return {
    /** Watches these and no others; true when one is new, so that what happened before it began may have been missed. */
    set(points: readonly WatchPoint[]): boolean {
      const wanted = merge(points)
      for (const folder of watched.keys()) if (!wanted.has(folder)) drop(folder)
      let fresh = false
      for (const [folder, names] of wanted) {
        const entry = watched.get(folder) ?? add(folder)
        if (entry === undefined) continue
        // A name that is new in a watched folder is one whose events were passed over so far.
        fresh ||=
          entry.names !== undefined && (names === undefined || [...names].some((name) => !entry.names?.has(name)))
        entry.names = names
      }
      return fresh
    },
    close(): void {
      for (const folder of watched.keys()) drop(folder)
    },
  }
}

function merge(points: readonly WatchPoint[]): Map<string, ReadonlySet<string> | undefined> {
  const wanted = new Map<string, ReadonlySet<string> | undefined>()
  for (const { folder, names } of points) {
    const known = wanted.get(folder)
    const all = names === undefined || (wanted.has(folder) && known === undefined)
    wanted.set(folder, all ? undefined : new Set([...(known ?? []), ...names]))
  }
  return wanted
}
