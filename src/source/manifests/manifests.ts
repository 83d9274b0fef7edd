import type { App, Key, Mapping } from '../../api/objects.ts'
import { groupBy } from '../../domain/group-by.ts'
import { type FileSystem, systemFiles } from '../../files/file-system.ts'
import { messageOf } from '../../log/message-of.ts'
import { type Cancel, type Clock, systemClock } from '../../time/clock.ts'
import { createCoalescer } from '../../time/coalesce.ts'
import { unlessAborted } from '../../time/within.ts'
import type { ObjectSource } from '../source.ts'
import type { WatchPoint } from './listing.ts'
import { readAll, type SizeLimits } from './read.ts'
import { advance, changedApps, NOTHING, type State } from './state.ts'
import { createWatches } from './watch.ts'

/** How a source of files is set up. */
export interface ManifestOptions {
  /** Files and folders; folders are read with all that is below them. */
  paths: readonly string[]
  /** The app to serve as long as the files declare none, such as the one that environment variables name. */
  defaultApp?: App
  /** Time between two readings that need no event, in milliseconds, as watches lose events; 30000 when not given. */
  rescanMs?: number
  clock?: Pick<Clock, 'after' | 'turn'>
  /** How large files may be; 2 MiB each and 16 together when not given. */
  limits?: SizeLimits
  /** Bytes up to which a file is parsed on the event loop; as a daemon does when not given. */
  onTheLoop?: number | undefined
  fs?: FileSystem
  log?: (level: 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>) => void
}

/** Without more changes, the files are read this long after one; milliseconds, as below. */
const PAUSE_MS = 50

/** Under constant change, the files are read this long after the first change at the latest. */
const LONGEST_PAUSE_MS = 1000

/** Where folders cannot be watched, reading again is all there is, so it is done more often. */
const UNWATCHED_RESCAN_MS = 2000

/** The limits when nobody says anything: a folder as large takes no more memory than a small machine has. */
export const LIMITS: SizeLimits = { maxFileMib: 2, maxFilesMib: 16 }

/** Reads files and folders once, for the commands that do not stay. Never throws: what is wrong stands in the faults. */
export async function readManifests(paths: readonly string[], limits = LIMITS): Promise<State> {
  return advance(NOTHING, await readAll(paths, NOTHING.files, { fs: systemFiles, clock: systemClock, limits }))
}

/**
 * Files and folders as a source of objects. All paths together are one source: as long as anything in them cannot be read
 * or is invalid, `failure` says what, the rest is served, and a broken file or folder keeps what it last said when it was
 * good. A folder without any entry is not a failure; a missing one is, and so is one that holds other things but no manifest.
 *
 * `changed` is not called for the first read, which `start` waits for; a stop ends that read, and `start` then resolves.
 */
export function createManifestSource(options: ManifestOptions): ObjectSource {
  const {
    paths,
    defaultApp,
    log = () => {},
    clock = systemClock,
    fs = systemFiles,
    limits = LIMITS,
    onTheLoop,
  } = options
  const ports = { fs, clock, limits, onTheLoop }
  let state: State = NOTHING
  let byApp = new Map<Key, Mapping[]>()
  let synced = false
  let running: ReturnType<typeof run> | undefined

  /** Looks at all paths; gives what to watch, and the apps that changed. Rejects only with the signal's reason. */
  async function refresh(signal: AbortSignal): Promise<{ watch: readonly WatchPoint[]; changed: Set<Key> }> {
    const before = state
    const seen = await unlessAborted(signal, () => readAll(paths, before.files, ports, signal))
    signal.throwIfAborted()
    state = advance(before, seen, defaultApp)
    byApp = groupBy(state.mappings.values(), ({ app }) => app)
    synced ||= state.failure === undefined
    report(before)
    return { watch: seen.watch, changed: changedApps(before, state) }
  }

  function report(before: State): void {
    const { failure, apps, mappings, faults } = state
    if (failure?.message === before.failure?.message) return
    if (failure === undefined) log('info', 'manifests can be read again', { apps: apps.size, mappings: mappings.size })
    else log('error', 'manifests cannot be read as a whole', { cause: failure.message, faults: faults.length })
  }

  /** Reads, and goes on reading until it is stopped. `started` resolves after the first read, or once it is stopped. */
  function run(notify: (apps: ReadonlySet<Key>) => void) {
    const end = new AbortController()
    const unwatched = new Set<string>()
    let cancelRescan: Cancel = () => {}
    const coalescer = createCoalescer(follow, { pauseMs: PAUSE_MS, longestMs: LONGEST_PAUSE_MS, clock })
    const watches = createWatches(fs, coalescer.request, (folder, error) => {
      if (!unwatched.has(folder)) {
        log('warn', 'folder cannot be watched, it is looked at instead', { folder, error: messageOf(error) })
      }
      unwatched.add(folder)
    })

    async function follow(): Promise<void> {
      try {
        const { watch, changed } = await refresh(end.signal)
        // Between this reading and the new watch something may have happened unseen.
        if (watches.set(watch)) coalescer.request()
        if (changed.size > 0) notify(changed)
      } catch (error) {
        // `notify` threw; the next reading finds the next change all the same.
        if (!end.signal.aborted) log('error', 'changed manifests were not taken up', { error: messageOf(error) })
      }
    }

    function scheduleRescan(): void {
      const interval = options.rescanMs ?? 30_000
      const pause = unwatched.size > 0 ? Math.min(interval, UNWATCHED_RESCAN_MS) : interval
      cancelRescan = clock.after(pause, () => {
        coalescer.request()
        scheduleRescan()
      })
    }

    const started = refresh(end.signal).then(
      () => {
        // The second reading puts up the watches and sees whatever happened since the first.
        coalescer.request()
        scheduleRescan()
      },
      (error: unknown) => {
        if (!end.signal.aborted) throw error
      },
    )
    return {
      started,
      async stop() {
        end.abort()
        await started.catch(() => undefined)
        cancelRescan()
        await coalescer.stop()
        watches.close()
      },
    }
  }

  return {
    name: 'manifests',
    start(changed) {
      running = run(changed)
      return running.started
    },
    async stop() {
      await running?.stop()
    },
    synced: () => synced,
    apps: () => [...state.apps.values()],
    app: (key) => state.apps.get(key),
    mappings: () => [...state.mappings.values()],
    mappingsOf(app) {
      const mappings = byApp.get(app.key) ?? []
      return { source: 'manifests', mappings, ...(state.failure === undefined ? {} : { failure: state.failure }) }
    },
    faults: () => state.faults,
    failure: () => state.failure,
    invalid: () => state.invalid,
    async secret(ns, name, key) {
      const values = state.secrets.get(`${ns}/${name}`)?.values
      return values !== undefined && Object.hasOwn(values, key) ? values[key] : undefined
    },
  }
}
