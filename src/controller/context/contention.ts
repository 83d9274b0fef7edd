import type { App } from '../../api/objects.ts'
import type { Host } from '../../domain/host.ts'
import type { Held } from '../../plan/held.ts'
import type { Failure } from '../../status/outcome.ts'
import { type BackOff, backOff } from '../../time/back-off.ts'
import { ReconcileError } from './errors.ts'

/**
 * Writes that do not last, of one app. Two kinds: a write that does not read back pauses the app; a host that somebody else undoes
 * again and again, long after it was read back, waits alone. At the end of each pause stands one try. A value; times are milliseconds
 * of the steady clock, so that setting the wall clock neither ends a pause nor draws it out.
 */
export interface Contention {
  hosts: ReadonlyMap<Host, Reversed>
  pause: Pause | undefined
}

/** A host that we wrote once more after we had proven it in place. */
interface Reversed {
  /** When we did, lately. */
  times: readonly number[]
  /** Pauses in a row; 0 for none yet. */
  pauses: number
  /** Not written before. */
  until: number
}

/** No write to the app before `until`; why, it says for as long as it lasts. */
interface Pause {
  pauses: number
  until: number
  failure: Pick<Failure, 'reason' | 'message'>
}

export const NO_CONTENTION: Contention = { hosts: new Map(), pause: undefined }

/** Undoing somebody this often within the window, for one host, is contention. */
const MAX_REVERSALS = 3
const WINDOW = 10 * 60_000
/** A host that stayed for so long after its pause starts over. */
const FORGOTTEN = 30 * 60_000
const PAUSES: BackOff = { first: 60_000, longest: 15 * 60_000 }
/** Writes of one pass that may fail to read back: of a list that somebody changes, and of one that stays as it was. */
const MAX_WRITES = { changed: 3, unchanged: 2 }

/** The hosts among these reversals that wait now, and the contention with the pauses that begin. Pure. */
export function judgeReversals(
  contention: Contention,
  reversals: readonly Host[],
  steady: number,
): { waiting: ReadonlyMap<Host, number>; contention: Contention; began: boolean } {
  if (reversals.length === 0) return { waiting: new Map(), contention, began: false }
  const waiting = new Map<Host, number>()
  const hosts = new Map(contention.hosts)
  let began = false
  for (const host of reversals) {
    const known = hosts.get(host)
    if (known === undefined) continue
    const next = steady >= known.until && isContended(known, steady) ? pausedAgain(known, steady) : known
    began ||= next !== known
    hosts.set(host, next)
    if (steady < next.until) waiting.set(host, next.until)
  }
  return { waiting, contention: { ...contention, hosts }, began }
}

/** Whether one more write of the host would be one too many: after a pause there is one try. */
function isContended({ times, pauses, until }: Reversed, steady: number): boolean {
  const last = times.at(-1) ?? Number.NEGATIVE_INFINITY
  if (pauses > 0 && steady - until < FORGOTTEN) return last >= until
  return times.filter((at) => steady - at < WINDOW).length >= MAX_REVERSALS
}

function pausedAgain(known: Reversed, steady: number): Reversed {
  const pauses = steady - known.until < FORGOTTEN ? known.pauses + 1 : 1
  return { ...known, pauses, until: steady + backOff(PAUSES, pauses) }
}

/** The contention after a write that reverses these hosts; what lies long back is forgotten. */
export function noteReversals(contention: Contention, reversals: readonly Host[], steady: number): Contention {
  const hosts = new Map<Host, Reversed>()
  for (const [host, known] of contention.hosts) {
    const times = known.times.filter((at) => steady - at < WINDOW)
    if (times.length > 0 || steady - known.until < FORGOTTEN) hosts.set(host, { ...known, times })
  }
  for (const host of reversals) {
    const { times, ...known } = hosts.get(host) ?? { times: [], pauses: 0, until: Number.NEGATIVE_INFINITY }
    hosts.set(host, { ...known, times: [...times, steady] })
  }
  return { ...contention, hosts }
}

/** What a host that waits says. `until`: epoch ms. */
export function contendedHost(app: App, until: number): Held {
  return { reason: 'Contended', message: `somebody else keeps undoing it. ${findTheOther(app)}`, until }
}

const findTheOther = (app: App): string =>
  `Find what else writes the domains of app ${app.spec.appId} (the plugin, a second installation, the panel).`

/** Throws a `ReconcileError` while the app pauses. */
export function refuseWhilePaused({ pause }: Contention, steady: number): void {
  if (pause === undefined || steady >= pause.until) return
  throw new ReconcileError(pause.failure.reason, pause.failure.message, { retryAfter: pause.until - steady })
}

/**
 * The contention with the app's next pause (a minute, doubled each time up to 15), once so many writes of a pass that did not read back
 * are enough; undefined before. `changed`: somebody else changed the list meanwhile; otherwise ServerPilot took the writes and did nothing.
 */
export function pausedAfter(
  contention: Contention,
  app: App,
  { written, changed }: { written: number; changed: boolean },
  steady: number,
): Contention | undefined {
  const { pause } = contention
  const atFirst = changed ? MAX_WRITES.changed : MAX_WRITES.unchanged
  // After a pause one try is enough.
  if (written < (pause === undefined ? atFirst : 1)) return undefined
  const pauses = (pause?.pauses ?? 0) + 1
  const failure = notTaken(app, written, changed)
  return { ...contention, pause: { pauses, until: steady + backOff(PAUSES, pauses), failure } }
}

/** A write was read back: the app pauses no more. */
export const endPause = (contention: Contention): Contention =>
  contention.pause === undefined ? contention : { ...contention, pause: undefined }

function notTaken(app: App, written: number, changed: boolean): Pause['failure'] {
  const { appId } = app.spec
  return changed
    ? {
        reason: 'Contended',
        message: `${written} write(s) to app ${appId} did not stay: somebody else changes its domains. ${findTheOther(app)}`,
      }
    : {
        reason: 'WriteNotTaken',
        message: `ServerPilot accepted ${written} write(s) to app ${appId}, yet its list shows none of them.`,
      }
}
