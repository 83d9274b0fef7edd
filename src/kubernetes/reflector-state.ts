import { type BackOff, backOff } from '../time/back-off.ts'

/**
 * The states of a reflector and how one follows from another: pure, so that every turn can be tested without a server.
 *
 *     idle ─start─> collecting ─all there─> watching ─expired, garbled, went back─> collecting
 *                     │    ^                  │   ^
 *                  failed  └────── woke ──┐ ended, failed
 *                     v                   │   v   │
 *                     └──────────────> waiting ─woke─┘
 *
 * Each stream and each page belongs to a *round*. What still comes from an older round is ignored, so that a watch that
 * was given up can write nothing; on a new round, what is under way of the old one is given up.
 */

/** What went wrong, by what is to be done about it. */
export type Trouble =
  /** The version that we know is too old for the server: read everything again. */
  | 'expired'
  /** The server cannot stream its initial state: read pages. */
  | 'unsupported'
  /** Not allowed, or not accepted as who we are: somebody has to act. */
  | 'refused'
  /** The server does not know the kind: somebody has to install it. */
  | 'absent'
  /** No answer, 429, 5xx, a broken connection: comes back by itself. */
  | 'unreachable'
  /** Silence for longer than a healthy stream is silent. */
  | 'silent'
  /** A line or page that cannot be decoded: what it said is lost. */
  | 'garbled'
  /** Our own receiver of changes threw: what it knows is not certain. */
  | 'handler'

/** Something that happened; all but `start` and `stop` are ignored when they are of an older round. */
export type Event =
  | { type: 'start' }
  | { type: 'stop' }
  | { type: 'woke'; round: number }
  /** The server accepted the watch. */
  | { type: 'opened'; round: number }
  /** The server's own version, asked for after it had accepted the watch. */
  | { type: 'present'; round: number; version: string }
  | { type: 'object'; round: number; change: 'put' | 'remove'; version: string }
  | { type: 'bookmark'; round: number; version: string; initialEnd: boolean }
  | { type: 'page'; round: number; version: string; next?: string }
  /** The server ended the stream as announced. `afterMs`: how long it lasted. */
  | { type: 'ended'; round: number; afterMs: number }
  | { type: 'failed'; round: number; trouble: Trouble; message: string; afterMs: number; retryAfter?: number }

/** What the reflector is to do next; `stage` and `apply` concern the object of the event at hand. */
export type Command =
  /** Begin a new, empty collection beside the one that is served. */
  | { do: 'begin' }
  | { do: 'stage'; change: 'put' | 'remove' }
  /** Serve the collection: what is not in it goes. */
  | { do: 'swap' }
  /** Serve what is in the collection besides what is served already: nothing goes. */
  | { do: 'merge' }
  | { do: 'apply'; change: 'put' | 'remove' }
  | { do: 'stream'; from: 'start' | { version: string } }
  | { do: 'page'; next?: string }
  /** Ask for the version at which the server itself is. */
  | { do: 'ask' }
  /** Sleep for a random part of `ceilingMs`, but for `floorMs` at least. */
  | { do: 'wait'; floorMs: number; ceilingMs: number }

interface Common {
  round: number
  /** Failures in a row. */
  attempts: number
  /** The server cannot stream its initial state. */
  pages: boolean
  synced: boolean
  /** How often everything was read anew, and what was gone left: nobody saw it go. */
  rereads: number
  /** The newest version seen: data that is older has gone backwards. */
  newest: string | undefined
  /** Why the collection may not be taken as the present state. */
  failure: string | undefined
}

/** Where a reflector stands. */
export type State = Common &
  (
    | { at: 'idle' | 'stopped' }
    | { at: 'collecting'; by: 'stream' | 'pages' }
    /**
     * `proven`: the server has shown in this round that it has reached the version. kube-apiserver takes a watch from one that is newer
     * than its own, as after a restore of etcd, and sends nothing.
     */
    | { at: 'watching'; version: string; proven: boolean }
    | { at: 'waiting'; to: 'collect' | { version: string } }
  )

/** A state and what to do on entering it, in this order. */
interface Step {
  state: State
  commands: readonly Command[]
}

/** Before the start. */
export const IDLE: State = {
  ...{ round: 0, attempts: 0, pages: false, synced: false, rereads: 0, newest: undefined, failure: undefined },
  at: 'idle',
}

/** Short, as one small request in some seconds costs the server nothing, and an outage must not last longer for us. */
const WAITS: BackOff = { first: 500, longest: 3000 }

/** How many failures still count once the server answered. */
const AFTER_ANSWER = 1

/** A stream that lasted this long worked: failures before it are no longer counted. */
const PROVEN_MS = 10_000

/** Failures in a row that pass without a word when they come by themselves: a restart, a connection that was cut. */
const QUIET_ATTEMPTS = 1

/** The state that follows from `state` by `event`, with what is to be done. */
export function step(state: State, event: Event): Step {
  if (event.type === 'stop') return to({ ...common(state, 1), at: 'stopped' })
  if (event.type === 'start') return state.at === 'idle' ? collect(state) : to(state)
  if (event.round !== state.round) return to(state)

  switch (event.type) {
    case 'woke':
      if (state.at !== 'waiting') return to(state)
      return state.to === 'collect' ? collect(state) : watch(state, state.to.version)
    case 'opened':
      return opened(state)
    case 'present':
      return state.at === 'watching' ? present(state, event.version) : to(state)
    case 'object':
      if (state.at === 'collecting') return to(state, { do: 'stage', change: event.change })
      if (state.at !== 'watching') return to(state)
      return to(seen(state, event.version), { do: 'apply', change: event.change })
    case 'bookmark':
      if (state.at === 'watching') return to(seen(state, event.version))
      return state.at === 'collecting' && event.initialEnd ? collected(state, event.version) : to(state)
    case 'page':
      if (state.at !== 'collecting') return to(state)
      if (event.next !== undefined) return to(state, { do: 'page', next: event.next })
      return collected(state, event.version)
    case 'ended':
      // A server that ends streams at once is not asked again and again without a pause.
      return failed(state, { ...event, type: 'failed', trouble: 'unreachable', message: 'the server ended the watch' })
    case 'failed':
      return failed(state, event)
  }
}

function collect(state: State): Step {
  const by = state.pages ? 'pages' : 'stream'
  const read: Command = state.pages ? { do: 'page' } : { do: 'stream', from: 'start' }
  return to({ ...common(state, 1), at: 'collecting', by }, { do: 'begin' }, read)
}

function collected(state: State & { at: 'collecting' }, version: string): Step {
  if (state.newest !== undefined && isOlder(version, state.newest)) {
    // What is gone stays until a second reading says the same.
    const back: State = { ...wentBack(state, state.newest, version), newest: version }
    const waiting = pause(back, 'collect', WAITS.longest, WAITS.longest)
    return to(waiting.state, { do: 'merge' }, ...waiting.commands)
  }
  const rereads = state.rereads + (state.synced ? 1 : 0)
  const read = { ...common(state), failure: undefined, synced: true, rereads, newest: version }
  const good: State = { ...read, at: 'watching', version, proven: true }
  if (state.by === 'stream') return to(good, { do: 'swap' })
  return to({ ...good, round: good.round + 1 }, { do: 'swap' }, { do: 'stream', from: { version } })
}

/** A server that answers is back: what it still may refuse is tried again soon. */
function opened(state: State): Step {
  const answered = { ...state, attempts: Math.min(state.attempts, AFTER_ANSWER) }
  // That all is well only the end of the collection proves, and of a watch the version at which the server is.
  return state.at === 'watching' && !state.proven ? to(answered, { do: 'ask' }) : to(answered)
}

function present(state: State & { at: 'watching' }, version: string): Step {
  if (!isOlder(version, state.version)) return to({ ...state, proven: true, failure: undefined })
  return pause(wentBack(state, state.version, version), 'collect', 0, 0)
}

function wentBack<S extends State>(state: S, from: string, version: string): S {
  const failure =
    `the API server went back from version ${from} to ${version}, as after a restore of a backup: everything is read again, ` +
    'and what the restore took away is removed only as after a restart'
  return { ...state, failure, attempts: state.attempts + 1 }
}

function watch(state: State, version: string): Step {
  return to({ ...common(state, 1), at: 'watching', version, proven: false }, { do: 'stream', from: { version } })
}

function failed(state: State, event: Event & { type: 'failed' }): Step {
  if (state.at !== 'collecting' && state.at !== 'watching') return to(state)
  const { trouble } = event
  if (state.at === 'collecting' && state.by === 'stream' && trouble === 'unsupported')
    return collect({ ...state, pages: true })
  // Where a proxy swallows the bookmark that ends the initial state, pages still get through.
  const pages = state.pages || (state.at === 'collecting' && trouble === 'silent')

  const worked = state.at === 'watching' && state.proven && event.afterMs >= PROVEN_MS
  const attempts = worked ? 1 : state.attempts + 1
  const byItself = trouble !== 'refused' && trouble !== 'absent'
  const quiet = byItself && state.synced && attempts <= QUIET_ATTEMPTS
  const next: State = { ...state, pages, attempts, failure: quiet ? state.failure : event.message }

  // A server that was away at the first try may come back as another, whose versions have passed ours and mean something else.
  const again = ['unreachable', 'silent'].includes(trouble) && state.at === 'watching' && state.proven
  const then = again ? { version: state.version } : 'collect'
  // The first time there is nothing to wait for: an end that was due, a version too old, a line that was lost.
  const due = again ? worked : trouble === 'expired' || trouble === 'garbled' || trouble === 'handler'
  const ceilingMs = due && attempts === 1 ? 0 : backOff(WAITS, attempts)
  return pause(next, then, ceilingMs, event.retryAfter ?? 0)
}

function pause(state: State, then: 'collect' | { version: string }, ceilingMs: number, floorMs: number): Step {
  return to({ ...common(state, 1), at: 'waiting', to: then }, { do: 'wait', floorMs, ceilingMs })
}

function seen(state: State & { at: 'watching' }, version: string): State {
  const newest = state.newest === undefined || isOlder(state.newest, version) ? version : state.newest
  return { ...state, version, newest }
}

function to(state: State, ...commands: Command[]): Step {
  return { state, commands }
}

function common({ round, attempts, pages, synced, rereads, newest, failure }: State, rounds = 0): Common {
  return { round: round + rounds, attempts, pages, synced, rereads, newest, failure }
}

/** Versions are decimal numbers that only grow; any other text is taken as not older, as nothing can be said of it. */
function isOlder(version: string, than: string): boolean {
  if (!/^\d+$/.test(version) || !/^\d+$/.test(than)) return false
  return version.length === than.length ? version < than : version.length < than.length
}
