import type { Key } from '../api/objects.ts'
import type { MappingStatus, Status } from '../status/status.ts'
import type { Cancel, Clock } from '../time/clock.ts'
import { type AppPart, assemble, byApp, keysOf, type PageView, partOf } from './page-view.ts'

/** Where statuses come from. */
export interface StatusSource {
  status(): Status | Promise<Status>
  /** Grows whenever `status` may have become another one, but for its time. */
  changes(): number
}

/** The prepared view. */
export interface PageViews {
  /** The view that was prepared last; one that is outdated is made at once, unless another is half a second off. */
  current(): Promise<PageView>
  /** Statuses changed: a new view is prepared soon. */
  changed(): void
  /** Prepares nothing any more unless somebody asks. */
  stop(): void
}

/** A thousand changes in a second are one new view while somebody looks; ms. */
const PREPARE_EVERY_MS = 500
/** So often while nobody does: then little is left to be made for the one who comes; ms. */
const UNSEEN_EVERY_MS = 10_000
/** Nothing older is shown: not every fault of a source comes with a change of statuses; ms. */
const OLDEST_MS = 5_000
/** Nobody looks who has not asked for so long; ms. */
const LOOKS_FOR_MS = 60_000

/** Hosts that are put in order in one turn of the loop. */
const HOSTS_A_TURN = 2_000

/**
 * Keeps the view of the page, which is made when statuses change and not when somebody asks. Apps that say what they said are not looked at
 * again.
 */
export function createPageViews(source: StatusSource, clock: Pick<Clock, 'after' | 'turn' | 'steady'>): PageViews {
  let parts = new Map<Key, { part: AppPart; mappings: readonly MappingStatus[] }>()
  let made: { view: PageView; changes: number; at: number } | undefined
  let pending: { cancel: Cancel; soon: boolean } | undefined
  let running: Promise<PageView> | undefined
  let askedAt = Number.NEGATIVE_INFINITY
  let stopped = false

  async function prepare(): Promise<PageView> {
    const now = { changes: source.changes(), at: clock.steady() }
    const status = await source.status()
    const mappings = byApp(status.mappings)
    const next: typeof parts = new Map()
    let looked = 0
    for (const [key, app] of keysOf(status, mappings)) {
      const own = mappings.get(key) ?? []
      const before = parts.get(key)
      if (before !== undefined && before.part.app === app && isSame(before.mappings, own)) next.set(key, before)
      else {
        next.set(key, { part: partOf(key, app, own), mappings: own })
        looked += 1 + (app?.hosts.length ?? 0) + own.length
      }
      if (looked < HOSTS_A_TURN) continue
      looked = 0
      await clock.turn()
    }
    parts = next
    const view = assemble(
      status,
      [...next.values()].map(({ part }) => part),
    )
    made = { view, ...now }
    return view
  }

  /** One at a time. */
  function start(): Promise<PageView> {
    pending?.cancel()
    pending = undefined
    running ??= prepare().finally(() => {
      running = undefined
    })
    return running
  }

  function startUnasked(): void {
    start().catch(() => {
      // Who asks next hears of it.
      made = undefined
    })
  }

  /** As things are now, or a moment before one that is on its way. */
  const isGood = ({ changes, at }: { changes: number; at: number }): boolean =>
    askedAt - at < OLDEST_MS && (changes === source.changes() || pending?.soon === true || running !== undefined)

  return {
    async current() {
      askedAt = clock.steady()
      return made !== undefined && isGood(made) ? made.view : await start()
    },
    changed() {
      if (pending !== undefined || stopped) return
      const soon = clock.steady() - askedAt < LOOKS_FOR_MS
      pending = { soon, cancel: clock.after(soon ? PREPARE_EVERY_MS : UNSEEN_EVERY_MS, startUnasked, { idle: true }) }
    },
    stop() {
      stopped = true
      pending?.cancel()
      pending = undefined
    },
  }
}

const isSame = (a: readonly MappingStatus[], b: readonly MappingStatus[]): boolean =>
  a.length === b.length && a.every((mapping, index) => mapping === b[index])
