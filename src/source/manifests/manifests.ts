import type { App, Key, Mapping } from '../../api/objects.ts'
import type { Secret } from '../../api/secret.ts'
import { type Cancel, type Clock, systemClock } from '../../time/clock.ts'
import { createCoalescer } from '../../time/coalesce.ts'
import { unlessAborted } from '../../time/within.ts'
import type { MappingRead, ObjectSource, SourceFailure } from '../source.ts'
import { changedApps } from './changes.ts'
import { look } from './read.ts'
import { advance, type ManifestFault, NOTHING, type State } from './state.ts'
import { createWatches } from './watch.ts'

/** How a source of files is set up. */
export interface ManifestOptions {
  /** Files and folders; folders are read with all that is below them. */
  paths: readonly string[]
  /** Namespace of objects that name none; `default` when not given. */
  namespace?: string
  /** The app to serve as long as the files declare none, such as the one that environment variables name. */
  defaultApp?: App
  /** Pause without changes after which the files are read, in milliseconds; 50 when not given. */
  debounceMs?: number
  /** Time between two looks that need no event, in milliseconds, as watches lose events; 30000 when not given. */
  rescanMs?: number
  clock?: Pick<Clock, 'after'>
  log?: (level: 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>) => void
}

/** What the files declare, read once. */
interface ManifestRead {
  apps: App[]
  mappings: Mapping[]
  secrets: Secret[]
  faults: readonly ManifestFault[]
  /** Set when anything at all could not be read or is invalid. */
  failure?: SourceFailure
}

/** Under constant change, the files are read this long after the first change at the latest. */
const LONGEST_PAUSE_MS = 1000

/** Where folders cannot be watched, looking is all there is, so it is done more often. */
const UNWATCHED_RESCAN_MS = 2000

/** Reads files and folders once, for the commands that do not stay. Never throws: what is wrong stands in the faults. */
export async function readManifests(
  paths: readonly string[],
  options: Pick<ManifestOptions, 'namespace' | 'defaultApp'> = {},
): Promise<ManifestRead> {
  const state = advance(NOTHING, await look(paths, options.namespace ?? 'default', new Map()), options.defaultApp)
  return {
    apps: [...state.apps.values()],
    mappings: [...state.mappings.values()],
    secrets: [...state.secrets.values()],
    faults: state.faults,
    ...(state.failure === undefined ? {} : { failure: state.failure }),
  }
}

/**
 * Files and folders as a source of objects. All paths together are one source: as long as anything in them cannot be read
 * or is invalid, `failure` says what, the rest is served, and a broken file or folder keeps what it last said when it was
 * good. A folder without any entry is not a failure; a missing one is, and so is one that holds other things but no manifest.
 *
 * `changed` is not called for the first read, which `start` waits for; a stop ends that read, and `start` then resolves. What was
 * stopped does not start again.
 */
export function createManifestSource(options: ManifestOptions): ObjectSource {
  const { paths, namespace = 'default', defaultApp, log = () => {}, clock = systemClock } = options
  const end = new AbortController()
  let state: State = NOTHING
  let byApp = new Map<Key, Mapping[]>()
  let synced = false
  /** Set once the first read is over. */
  let notify: ((apps: ReadonlySet<Key>) => void) | undefined
  let starting: Promise<void> | undefined
  let cancelRescan: Cancel = () => {}
  const unwatched = new Set<string>()

  const coalescer = createCoalescer(follow, {
    pauseMs: options.debounceMs ?? 50,
    longestMs: LONGEST_PAUSE_MS,
    clock,
  })
  const watches = createWatches(coalescer.request, (folder, error) => {
    if (!unwatched.has(folder))
      log('warn', 'folder cannot be watched, it is looked at instead', {
        folder,
        error: error instanceof Error ? error.message : String(error),
      })
    unwatched.add(folder)
  })

  async function refresh(): Promise<void> {
    const before = state
    const seen = await unlessAborted(end.signal, look(paths, namespace, before.files, end.signal))
    end.signal.throwIfAborted()
    state = advance(before, seen, defaultApp)
    byApp = groupByApp(state.mappings.values())
    synced ||= state.failure === undefined
    report(before)
    if (notify === undefined) return
    // Between this look and the new watch something may have happened unseen.
    if (watches.set(seen.watch)) coalescer.request()
    const changed = changedApps(before, state)
    if (changed.size > 0) notify(changed)
  }

  async function follow(): Promise<void> {
    try {
      await refresh()
    } catch (error) {
      if (end.signal.aborted) return
      // `changed` threw; the next look finds the next change all the same.
      log('error', 'changed manifests were not taken up', {
        error: error instanceof Error ? error.message : String(error),
      })
    }
  }

  function report(before: State): void {
    const { failure, apps, mappings, faults } = state
    if (failure?.message === before.failure?.message) return
    if (failure === undefined) log('info', 'manifests can be read again', { apps: apps.size, mappings: mappings.size })
    else log('error', 'manifests cannot be read as a whole', { cause: failure.message, faults: faults.length })
  }

  function scheduleRescan(): void {
    const interval = options.rescanMs ?? 30_000
    const pause = unwatched.size > 0 ? Math.min(interval, UNWATCHED_RESCAN_MS) : interval
    cancelRescan = clock.after(pause, () => {
      coalescer.request()
      scheduleRescan()
    })
  }

  async function begin(changed: (apps: ReadonlySet<Key>) => void): Promise<void> {
    try {
      end.signal.throwIfAborted()
      await refresh()
    } catch (error) {
      if (end.signal.aborted) return
      throw error
    }
    notify = changed
    // The second look puts up the watches and sees whatever happened since the first.
    coalescer.request()
    scheduleRescan()
  }

  return {
    name: 'manifests',
    start(changed) {
      starting = begin(changed)
      return starting
    },
    async stop() {
      end.abort()
      await starting?.catch(() => undefined)
      cancelRescan()
      await coalescer.stop()
      watches.close()
    },
    synced: () => synced,
    apps: () => [...state.apps.values()],
    app: (key) => state.apps.get(key),
    mappings: () => [...state.mappings.values()],
    mappingsOf(app): MappingRead {
      const mappings = byApp.get(app.key) ?? []
      return { source: 'manifests', mappings, ...(state.failure === undefined ? {} : { failure: state.failure }) }
    },
    faults: () => state.faults,
    failure: () => state.failure,
    invalid: () => [],
    async secret(ns, name, key) {
      const values = state.secrets.get(`${ns}/${name}`)?.values
      return values !== undefined && Object.hasOwn(values, key) ? values[key] : undefined
    },
  }
}

function groupByApp(mappings: Iterable<Mapping>): Map<Key, Mapping[]> {
  const groups = new Map<Key, Mapping[]>()
  for (const mapping of mappings) {
    const group = groups.get(mapping.app)
    if (group === undefined) groups.set(mapping.app, [mapping])
    else group.push(mapping)
  }
  return groups
}
