import type { App, Key } from '../../api/objects.ts'
import { systemClock } from '../../time/clock.ts'
import type { DatabaseSource, MappingRead } from '../source.ts'
import { LIMITS, type Limits } from './connection.ts'
import { reread, type State, unread } from './state.ts'
import { type Watch, type WatchPorts, watch } from './watch.ts'

/** How the source of databases is set up. Clock and randomness are the system's when not given. */
type WordpressOptions = Pick<WatchPorts, 'connectionUrl'> &
  Partial<Pick<WatchPorts, 'log' | 'looked' | 'clock' | 'random'>> & { limits?: Partial<Limits> }

const NO_DATABASE: MappingRead = { source: 'wordpress', mappings: [] }

/**
 * The WordPress databases of those apps that have `spec.wordpress`, each looked at by itself: one that fails holds up no other.
 * What a database last said stays while it cannot be read, and `failure` says why. What is served keeps its identity as long as
 * nothing changed. `changed` is not called for the first readings, which `start` waits for; a stop ends them, and `start` then resolves.
 */
export function createWordpressSource(options: WordpressOptions): DatabaseSource {
  const defaults = { log: () => {}, looked: () => {}, clock: systemClock, random: Math.random }
  const ports = { ...defaults, ...options, limits: { ...LIMITS, ...options.limits } }
  const watches = new Map<Key, { settings: ReturnType<typeof settingsOf>; watch: Watch }>()
  const ending = new Set<Promise<void>>()
  /** What was read before `stop`: a pass over apps reads once and then works with it. */
  const kept = new Map<Key, State>()
  let apps: readonly App[] = []
  let notify: ((apps: ReadonlySet<Key>) => void) | undefined
  let running = false

  function end(key: Key): void {
    const stopped = watches.get(key)?.watch.stop()
    watches.delete(key)
    if (stopped === undefined) return
    ending.add(stopped)
    void stopped.finally(() => ending.delete(stopped))
  }

  function adjust(): void {
    const wanted = new Map(apps.filter((app) => app.spec.wordpress !== undefined).map((app) => [app.key, app]))
    for (const key of [...watches.keys()]) if (!wanted.has(key)) end(key)
    for (const app of wanted.values()) {
      const settings = settingsOf(app)
      const present = watches.get(app.key)
      if (present?.settings.reading === settings.reading) {
        present.watch.follow(app)
        continue
      }
      const same = present?.settings.tables === settings.tables
      const state = present !== undefined && same ? reread(present.watch.state()) : unread(app)
      end(app.key)
      const changed = (): void => notify?.(new Set([app.key]))
      watches.set(app.key, { settings, watch: watch(app, state, { ...ports, changed }) })
    }
  }

  return {
    name: 'wordpress',
    mappingsOf(app) {
      if (app.spec.wordpress === undefined) return NO_DATABASE
      return (watches.get(app.key)?.watch.state() ?? kept.get(app.key) ?? unread(app)).served
    },
    looked: () => [...watches.values()].every(({ watch }) => watch.looked()),
    follow(next) {
      if (next.length === apps.length && next.every((app, index) => app === apps[index])) return
      apps = [...next]
      if (running) adjust()
    },
    async start(changed) {
      running = true
      kept.clear()
      adjust()
      await Promise.all([...watches.values()].map(({ watch }) => watch.first))
      if (running) notify = changed
    },
    async stop() {
      running = false
      notify = undefined
      for (const [key, { watch }] of [...watches]) {
        kept.set(key, watch.state())
        end(key)
      }
      await Promise.all(ending)
    },
  }
}

/** `tables`: which are read; `reading`: that, and everything else by which a reading comes to something else. */
function settingsOf(app: App): { tables: string; reading: string } {
  const { connectionSecretRef, tablePrefix, mappings, includeSites, network } = app.spec.wordpress ?? {}
  const tables = JSON.stringify([connectionSecretRef, tablePrefix])
  return { tables, reading: JSON.stringify([tables, mappings, includeSites, network, app.spec.www === undefined]) }
}
