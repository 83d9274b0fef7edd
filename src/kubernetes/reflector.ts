import { messageOf } from '../log/message-of.ts'
import type { Cancel, Clock } from '../time/clock.ts'
import { aborted } from '../time/within.ts'
import type { Connection } from './connection.ts'
import { KubernetesError } from './http.ts'
import { createCache } from './reflector-cache.ts'
import { eventOf, type Item, jsonLines, pageOf, Silence, troubleOf } from './reflector-events.ts'
import { type Event, IDLE, type State, step } from './reflector-state.ts'

/** How a reflector is set up. */
export interface ReflectorOptions<Slim> {
  connection: Pick<Connection, 'raw' | 'json'>
  clock: Clock
  /** Path of the collection: `/apis/GROUP/VERSION/[namespaces/NAMESPACE/]PLURAL`. */
  path: string
  /** Keeps what is needed of an object. `previous`: what was kept of it before; `key`: the string that is kept anyway. */
  decode(object: unknown, previous: Slim | undefined, key: string): Slim
  /** Whether two records of an object say the same, so that nobody needs to know; never, when not given. */
  same?(before: Slim, after: Slim): boolean
  /**
   * Gets the keys (`namespace/name`) of the records that differ, after they are in place; none when only `failure` changed.
   * Must do no more than note them. When it throws, everything is read again and it is called again.
   */
  changed(keys: ReadonlySet<string>): void
  log?: (level: 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>) => void
  /** From 0 to below 1; `Math.random` when not given. */
  random?: () => number
  /** Milliseconds of silence after which a stream is given up: of its first part, or within a line; and of the watch (above 290 s). */
  silence?: { collecting: number; watching: number }
}

/** A copy of a collection of the API server that follows it. */
export type Reflector<Slim> = ReturnType<typeof createReflector<Slim>>

const PAGE_SIZE = 500

/** The server ends a watch after a random time between these, so that not all come back at once. */
const WATCH_SECONDS = { least: 240, most: 290 }

const SILENCE = { collecting: 30_000, watching: 310_000 }

/** How long it may take to read everything, in milliseconds. */
const LONGEST_READ = 600_000

/** Makes a reflector; nothing happens before `start`. */
export function createReflector<Slim>(options: ReflectorOptions<Slim>) {
  const { connection, clock, path, changed, log = () => {}, random = Math.random, silence = SILENCE } = options
  const cache = createCache(options.decode, options.same)
  let state: State = IDLE
  let current = new AbortController()
  let begun = clock.steady()
  let pageSize = PAGE_SIZE
  const running = new Set<Promise<void>>()
  const started = new AbortController()

  const endless = () => new Silence(`the list has not come to its end within ${LONGEST_READ / 60_000} minutes`)

  /** Takes an event, with the object that it is about, and does what follows from it. */
  function take(event: Event, item?: Item): void {
    const before = state
    const next = step(state, event)
    state = next.state
    if (before.round !== state.round) {
      current.abort()
      current = new AbortController()
      begun = clock.steady()
    }
    for (const command of next.commands) {
      switch (command.do) {
        case 'begin':
          cache.begin()
          break
        case 'stage':
        case 'apply':
          if (item !== undefined) cache[command.do](item, command.change)
          break
        case 'swap':
        case 'merge':
          cache.serve(command.do)
          break
        case 'stream':
          run((round, signal) => stream(round, signal, command.from))
          break
        case 'page':
          run((round, signal) => page(round, signal, command.next))
          break
        case 'ask':
          run(ask)
          break
        case 'wait':
          run((round, signal) => wait(round, signal, Math.max(command.floorMs, random() * command.ceilingMs)))
          break
      }
    }
    if (state.at === 'watching' || state.at === 'waiting') started.abort()
    if (before.failure !== state.failure) report(before)
    if (before.failure !== state.failure || before.synced !== state.synced) cache.mark()
  }

  /** Notifies of what differs; a receiver that throws is notified again after everything was read again. */
  function notify(): void {
    if (state.at === 'stopped') return
    const { round } = state
    try {
      cache.notify(changed)
    } catch (error) {
      log('error', 'a change of objects was not taken up', { path, error: messageOf(error) })
      const message = `changes of ${path} cannot be taken up: ${messageOf(error)}`
      take({ type: 'failed', round, trouble: 'handler', message, afterMs: clock.steady() - begun })
    }
  }

  function run(work: (round: number, signal: AbortSignal) => Promise<void>): void {
    const { round } = state
    const { signal } = current
    const job = work(round, signal)
      .catch((error: unknown) => {
        take({ type: 'failed', round, afterMs: clock.steady() - begun, ...troubleOf(error, path) })
      })
      .finally(() => {
        notify()
        running.delete(job)
      })
    running.add(job)
  }

  function report(before: State): void {
    const { failure } = state
    if (failure !== undefined) log('error', 'objects cannot be read', { path, cause: failure })
    else if (before.failure !== undefined)
      log('info', 'objects can be read again', { path, objects: cache.records().size })
  }

  async function stream(round: number, signal: AbortSignal, from: 'start' | { version: string }): Promise<void> {
    const { least, most } = WATCH_SECONDS
    const initial = { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' }
    const query = {
      watch: true,
      allowWatchBookmarks: true,
      timeoutSeconds: least + Math.floor(random() * (most - least)),
      ...(from === 'start' ? initial : { resourceVersion: from.version }),
    }
    const quiet = new AbortController()
    let cancel: Cancel = () => {}
    const listen = (ms: number) => {
      cancel()
      const left = timeLeft()
      const meaning = left < ms ? endless() : new Silence('the API server has fallen silent')
      cancel = clock.after(Math.min(ms, left), () => quiet.abort(meaning))
    }
    // A server in good health says at once whether it takes the watch, also where nothing happens on it.
    listen(silence.collecting)
    try {
      const both = AbortSignal.any([signal, quiet.signal])
      const lines = await connection.raw(path, { query, signal: both })
      take({ type: 'opened', round })
      notify()
      if (state.at === 'watching') listen(silence.watching)
      let within = false
      for await (const { values, open } of jsonLines(lines)) {
        for (const value of values) take(...eventOf(value, round))
        notify()
        if (state.round !== round) return
        // More bytes of a line that has begun are no sign of life: it has to come to its end.
        if (values.length > 0 || open !== within)
          listen(state.at === 'watching' && !open ? silence.watching : silence.collecting)
        within = open
      }
      take({ type: 'ended', round, afterMs: clock.steady() - begun })
    } catch (error) {
      throw quiet.signal.aborted ? quiet.signal.reason : error
    } finally {
      cancel()
    }
  }

  async function page(round: number, signal: AbortSignal, next: string | undefined): Promise<void> {
    const { items, ...rest } = pageOf(await readPage(signal, next))
    if (timeLeft() === 0) throw endless()
    for (const item of items) take({ type: 'object', round, change: 'put', version: item.version }, item)
    take({ type: 'page', round, ...rest })
    // At once, so that who counts the rereads finds what went with one.
    notify()
  }

  /** Where objects are that large, smaller pages are read from then on. */
  async function readPage(signal: AbortSignal, next: string | undefined): Promise<unknown> {
    try {
      return await connection.json(path, { query: { limit: pageSize, continue: next }, signal })
    } catch (error) {
      if (!(error instanceof KubernetesError) || error.reason !== 'TooLarge' || pageSize === 1) throw error
      pageSize = Math.ceil(pageSize / 4)
      return await readPage(signal, next)
    }
  }

  /** For reading everything. */
  function timeLeft(): number {
    return state.at === 'collecting' ? Math.max(0, begun + LONGEST_READ - clock.steady()) : Number.POSITIVE_INFINITY
  }

  /** Without a version a LIST says how things are now, whatever the server has in its own memory. */
  async function ask(round: number, signal: AbortSignal): Promise<void> {
    const { version } = pageOf(await connection.json(path, { query: { limit: 1 }, signal }))
    take({ type: 'present', round, version })
  }

  async function wait(round: number, signal: AbortSignal, ms: number): Promise<void> {
    if (ms > 0) await clock.sleep(ms, signal)
    take({ type: 'woke', round })
  }

  return {
    /** Begins; resolves once everything was read or the first attempt failed. */
    async start(): Promise<void> {
      take({ type: 'start' })
      await aborted(started.signal)
    },
    async stop(): Promise<void> {
      take({ type: 'stop' })
      started.abort()
      await Promise.all(running)
    },
    /** True once everything was read. */
    hasSynced: (): boolean => state.synced,
    /** Why the copy may not be taken as the present state; undefined while it may. */
    failure: (): string | undefined => state.failure ?? (state.synced ? undefined : `${path} has not been read yet`),
    records: cache.records,
    /** How often everything was read anew after the first time: what went with that nobody saw go. */
    rereads: (): number => state.rereads,
  }
}
