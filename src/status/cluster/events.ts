import { createHash } from 'node:crypto'
import { splitKey } from '../../api/objects.ts'
import { codeOf, type EventApi } from '../../kubernetes/api.ts'
import type { Log } from '../../log/log.ts'
import { visible } from '../../log/visible.ts'
import { type Bucket, fullBucket, refill, take } from '../../time/bucket.ts'
import type { Clock } from '../../time/clock.ts'
import { within } from '../../time/within.ts'
import { cutMessage } from '../conditions.ts'
import type { EventSubject, Happening } from '../happenings.ts'
import { EVENTS } from '../reasons.ts'

/** Something that happened to an object of ours. */
export type ObjectHappening = EventSubject & Happening

interface RecorderOptions {
  api: EventApi
  /** Which process reports; the name of a pod. */
  instance: string
  clock: Clock
  log: Log
  /** Throws when this process may not write. */
  assertMayWrite(): void
}

/** Writes Events. Nothing about it ever fails or delays what it reports on. */
interface Recorder {
  /** Takes an Event to be written. */
  record(happening: ObjectHappening): void
  /** Waits until everything is written, `timeoutMs` milliseconds at most. */
  flush(timeoutMs: number): Promise<void>
  /** Drops what waits; nothing is sent any more. */
  stop(): void
}

/** The API server refuses longer notes. */
export const MAX_NOTE_BYTES = 1024

const CONTROLLER = 'domainpilot.dev/domainpilot'
/** What happens again within this time is counted in the first one's series; ms. */
const SERIES_MS = 600_000
/** As in client-go: this many at once for an object, then one every five minutes. */
const RATE = { burst: 25, qps: 1 / 300 }
/** A bucket is full again after this time; ms. */
const FULL_MS = (RATE.burst / RATE.qps) * 1000
/** More are dropped: an API server that is away for long must not cost memory. */
const MAX_WAITING = 1000

interface Series {
  name: string
  count: number
  /** When it happened last; epoch ms. */
  at: number
}

/** Makes a recorder; it writes one Event after the other. */
export function createRecorder({ api, instance, clock, log, assertMayWrite }: RecorderOptions): Recorder {
  const waiting: { happening: ObjectHappening; at: number }[] = []
  const series = new Map<string, Series>()
  const budgets = new Map<string, Bucket>()
  let working: Promise<void> | undefined
  let made = 0
  let dropped = 0
  let stopped = false

  async function work(): Promise<void> {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      await write(next.happening, next.at).catch((error: unknown) => complain(next, error))
    }
    if (dropped > 0) log.warn('Events were dropped: too many were waiting', { dropped })
    dropped = 0
    working = undefined
  }

  async function write(happening: ObjectHappening, at: number): Promise<void> {
    const { kind, key, uid, reason } = happening
    const note = eventNote(happening.note, happening.names ?? [])
    const about = [kind, key, uid ?? '', reason, note].join('\n')
    const known = series.get(about)
    const again = known && at - known.at < SERIES_MS ? { ...known, count: known.count + 1, at } : undefined
    if (again !== undefined) remember(about, again)
    if (!spend(`${kind} ${key}`)) return
    assertMayWrite()
    const { namespace, name: object } = splitKey(key)
    if (again !== undefined) {
      try {
        return await api.patchSeries(namespace, again.name, { count: again.count, lastAt: at })
      } catch (error) {
        // It has expired or was deleted: make another.
        if (codeOf(error) !== 404) throw error
      }
    }
    const name = eventName(object)
    // In the list before it is sent: should the answer be lost, the next one patches it or makes it again.
    remember(about, { name, count: 1, at })
    await api.create({
      namespace,
      name,
      type: EVENTS[reason].type,
      reason,
      action: 'Reconcile',
      note,
      regarding: { kind, namespace, name: object, ...(uid === undefined ? {} : { uid }) },
      reportingController: CONTROLLER,
      reportingInstance: instance.slice(0, 128),
      at,
    })
  }

  function complain({ happening, at }: { happening: ObjectHappening; at: number }, error: unknown): void {
    if (stopped) return
    // Nothing new may be made in a namespace that is being deleted, or is gone with its objects; that is as it should be.
    const code = codeOf(error)
    if (code === 404 || (code === 403 && error instanceof Error && /being terminated/.test(error.message))) return
    const { key, reason } = happening
    log.warn('An Event could not be written', { object: key, reason, at, error })
  }

  function remember(about: string, entry: Series): void {
    // Taken out first, so that the oldest come first.
    series.delete(about)
    forgetUntil(series, entry.at - SERIES_MS)
    series.set(about, entry)
  }

  /** Takes one from the object's budget. */
  function spend(object: string): boolean {
    const now = clock.steady()
    forgetUntil(budgets, now - FULL_MS)
    const bucket = refill(budgets.get(object) ?? fullBucket(RATE, now), RATE, now)
    if (bucket.tokens < 1) return false
    budgets.delete(object)
    budgets.set(object, take(bucket))
    return true
  }

  function eventName(object: string): string {
    const unique = createHash('sha256').update(`${instance} ${clock.now()} ${made++}`).digest('hex').slice(0, 16)
    return `${object.slice(0, 200).replace(/[-.]+$/, '')}.${unique}`
  }

  return {
    record(happening) {
      if (stopped) return
      if (waiting.length >= MAX_WAITING) {
        waiting.shift()
        dropped++
      }
      waiting.push({ happening, at: clock.now() })
      working ??= Promise.resolve().then(work)
    },
    async flush(timeoutMs) {
      await within(clock, timeoutMs, working ?? Promise.resolve(), () => undefined)
    },
    stop() {
      stopped = true
      waiting.length = 0
    },
  }
}

/** Takes out what is as old as that or older; the oldest stand first. */
function forgetUntil(entries: Map<string, { at: number }>, time: number): void {
  for (const [key, { at }] of entries) {
    if (at > time) return
    entries.delete(key)
  }
}

/**
 * A note of at most 1,024 bytes: the text, and behind a colon as many of the names as fit, with how many more there are.
 * A text that is too long by itself is cut between characters and says how much is missing.
 */
export function eventNote(said: string, names: readonly string[] = [], maxBytes = MAX_NOTE_BYTES): string {
  const text = visible(names.length === 0 ? said : said.replace(/\.$/, ''))
  const whole = names.length === 0 ? text : `${text}: ${names.join(', ')}`
  if (Buffer.byteLength(whole) <= maxBytes) return whole
  const more = (count: number) => ` … and ${count} more`
  let fit = 0
  let used = Buffer.byteLength(text)
  while (fit < names.length) {
    const size = Buffer.byteLength(names[fit] as string) + 2
    if (used + size + Buffer.byteLength(more(names.length - fit - 1)) > maxBytes) break
    used += size
    fit++
  }
  if (fit > 0) return `${text}: ${names.slice(0, fit).join(', ')}${more(names.length - fit)}`
  if (names.length > 0) return cutMessage(text, maxBytes - Buffer.byteLength(more(names.length))) + more(names.length)

  // The more is cut, the more digits the figure may have: room for the longest.
  const room = maxBytes - Buffer.byteLength(` … (${text.length} more characters)`)
  let kept = ''
  let bytes = 0
  for (const character of text) {
    bytes += Buffer.byteLength(character)
    if (bytes > room) break
    kept += character
  }
  return `${kept} … (${[...text.slice(kept.length)].length} more characters)`
}
