import type { App } from '../../api/objects.ts'
import { messageOf } from '../../log/message-of.ts'
import type { Cancel, Clock } from '../../time/clock.ts'
import { unlessAborted } from '../../time/within.ts'
import type { Connect, Limits } from './connection.ts'
import { type Endpoint, parseDatabaseUrl } from './database-url.ts'
import { readDatabase } from './snapshot.ts'
import { advance, failed, knownAt, pauseOf, type State } from './state.ts'
import { accountOf, explain, place } from './words.ts'

/** What a watch stands on. */
export interface WatchPorts {
  /**
   * URL of the app's database and where it comes from (`Secret wordpress/wp-db key url`, `WORDPRESS_DATABASE_URL`), for messages.
   * Asked at every reading, so that a new password is taken up. Rejects with an error whose message may be shown. `defined`: which
   * credentials of the plugin a wp-config.php defines, where one is read.
   */
  connectionUrl(app: App): Promise<{ url: string; origin: string; defined?: readonly string[] | undefined }>
  connect: Connect
  clock: Pick<Clock, 'steady' | 'after'>
  /** 0 to 1. */
  random(): number
  limits: Limits
  log(level: 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>): void
  /** After every reading, good or not. */
  looked(): void
  /** After a reading by which what is served differs. */
  changed(): void
}

export type Watch = ReturnType<typeof watch>

/** Looks at the database of one app, again and again, from now on. Whatever goes wrong stands in the state; nothing rejects. */
export function watch(app: App, state: State, ports: WatchPorts) {
  let looked = false
  let wake = (): void => {}
  const end = new AbortController()
  let said: ReadonlySet<string> = new Set()

  async function readAndReport(): Promise<void> {
    const before = state
    const next = await readOnce(app, state, ports, end.signal)
    if (end.signal.aborted) return
    state = next
    looked = true
    ports.looked()
    report(before)
    if (state.served === before.served) return
    try {
      ports.changed()
    } catch (error) {
      // The next change is passed on all the same.
      ports.log('error', 'changed rows were not taken up', { app: app.key, cause: messageOf(error) })
    }
  }

  /** Trouble is said once, not at every reading. */
  function report({ served: before, known, misses }: State): void {
    const { failure, mappings, faults = [] } = state.served
    const isFirst = known === undefined && misses === 0
    if (failure !== undefined && failure.message !== before.failure?.message) {
      ports.log('error', 'WordPress database cannot be read as a whole', { app: app.key, cause: failure.message })
    } else if (failure === undefined && before.failure !== undefined) {
      const message = isFirst ? 'WordPress database read' : 'WordPress database can be read again'
      ports.log('info', message, { app: app.key, mappings: mappings.length, family: state.family })
    }
    const now = new Map<string, readonly [message: string, fields: object]>()
    for (const fault of faults) now.set(`${fault.place}: ${fault.message}`, ['database row does not count', fault])
    for (const stage of state.unknownStages)
      now.set(`stage ${stage}`, ['unknown stage, the row counts all the same', { stage }])
    for (const [id, [message, fields]] of now)
      if (!said.has(id)) ports.log('warn', message, { app: app.key, ...fields })
    said = new Set(now.keys())
  }

  async function pause(): Promise<void> {
    const ms = pauseOf(state, app.spec.wordpress?.pollInterval ?? 5000, ports.random())
    await new Promise<void>((resolve) => {
      const cancel: Cancel = ports.clock.after(ms, resolve)
      wake = () => {
        cancel()
        resolve()
      }
    })
  }

  async function goOn(): Promise<void> {
    await first
    while (!end.signal.aborted) {
      await pause()
      if (!end.signal.aborted) await readAndReport()
    }
  }

  const first = readAndReport()
  const done = goOn()
  return {
    state: () => state,
    /** Whether a reading has ended, good or not. */
    looked: () => looked,
    /** The app with other settings that need no other reading: its poll interval. */
    follow(next: App): void {
      const sooner = next.spec.wordpress?.pollInterval !== app.spec.wordpress?.pollInterval
      app = next
      if (sooner) wake()
    },
    /** Resolves after the first reading, good or not. */
    first,
    async stop(): Promise<void> {
      end.abort()
      wake()
      await done
    },
  }
}

/** One reading, from the connection to its end. Never rejects. */
async function readOnce(app: App, state: State, ports: WatchPorts, signal: AbortSignal): Promise<State> {
  const { tablePrefix: prefix = 'wp_', mappings = 'Auto' } = app.spec.wordpress ?? {}
  const at = ports.clock.steady()
  let endpoint: Endpoint | undefined
  let account: string | undefined
  try {
    const { url, origin, defined } = await unlessAborted(signal, () => ports.connectionUrl(app))
    endpoint = parseDatabaseUrl(url, origin)
    const database = await ports.connect(endpoint, { ...ports, signal })
    try {
      const settings = { prefix, mappings, statementMs: ports.limits.statement }
      const found = await readDatabase(database, settings, knownAt(state, at))
      return advance(state, app, found, at, place(endpoint), defined)
    } catch (error) {
      account = await accountOf(database, error)
      throw error
    } finally {
      await database.close()
    }
  } catch (error) {
    return failed(state, explain(error, endpoint, prefix, account))
  }
}
