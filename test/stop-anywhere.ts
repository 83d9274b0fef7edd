import assert from 'node:assert/strict'
import { AsyncResource, createHook, executionAsyncId } from 'node:async_hooks'
import type { FakeClock } from './time/fake-clock.ts'

/** Something that starts and stops, made for one run. */
export interface Part {
  start(): Promise<unknown>
  stop(): Promise<unknown>
  /** The clock that it runs on, if a test turns it: nothing may wait on it after the stop. */
  clock?: FakeClock
  /** What is still at work, in words, beside what Node knows of (timers, sockets, watches, files). */
  left?(): readonly string[]
  /** Takes away what was made for the run. */
  dispose?(): Promise<unknown>
}

/** How to run. */
export interface StopOptions {
  /** At most so many points; all that there are when not given. */
  points?: number
  /** Every how many turns a point lies. */
  stride?: number
  /** A stop, and the end of the start, may take so long; real ms. */
  patience?: number
  /** A start of which nothing happens for so long waits for something that does not come; real ms. */
  still?: number
}

/** Makes the part of one run. `act` is to be called by what the part does to the outside: notifications, writes. */
export type MakePart = (act: (what: string) => void) => Part | Promise<Part>

/**
 * Runs `start()` again and again, each time with a `stop()` at another point: before anything, then after the first turn of what the
 * start does (an await that goes on, an answer of I/O), after the second, and so on, until a start ends before its point, or waits
 * there for something that does not come (then it is stopped in that wait). Asserts each time that stop and start end soon, that nothing stays at work, and that nothing is done any more. A start that rejects after the
 * stop is as good as one that resolves. Gives the number of points.
 */
export async function stopAnywhere(make: MakePart, options: StopOptions = {}): Promise<number> {
  const { points = Number.POSITIVE_INFINITY, stride = 1, patience = 1_000, still = 300 } = options
  for (let point = 0; point < points; point++) {
    if (!(await stopAt(make, point * stride, { patience, still }))) return point
  }
  return points
}

type Limits = Required<Pick<StopOptions, 'patience' | 'still'>>

/** One run; false when the start was over, or stood still, before the turn came. */
async function stopAt(make: MakePart, turn: number, { patience, still }: Limits): Promise<boolean> {
  const when = `stopped after turn ${turn}`
  const acts: string[] = []
  const part = await make((what) => acts.push(what))
  const before = resources()
  let stopped: Promise<unknown> | undefined
  const stop = (): Promise<unknown> => {
    stopped ??= part.stop()
    return stopped
  }
  let ended = false
  let moved = performance.now()
  const seen = (turns: number): void => {
    moved = performance.now()
    if (turns === turn) stop()
  }
  const started = followed(() => part.start(), seen).finally(() => {
    ended = true
  })
  started.catch(() => undefined)
  await until(() => ended || stopped !== undefined || performance.now() - moved > still)
  const early = stopped === undefined
  await inTime(stop(), patience, `${when}: the stop does not end`)
  await inTime(
    started.catch(() => undefined),
    patience,
    `${when}: the start does not end`,
  )
  const done = acts.length
  part.clock?.advance(3_600_000)
  const left = (): readonly string[] => [...excess(resources(), before), ...(part.left?.() ?? [])]
  await until(
    () => left().length === 0,
    patience,
    () => `${when}: still at work: ${left().join(', ')}`,
  )
  assert.equal(part.clock?.pending() ?? 0, 0, `${when}: timers of the clock`)
  assert.deepEqual(acts.slice(done), [], `${when}: done after the stop`)
  await part.dispose?.()
  return !early
}

/** Does `work` and calls `seen` after each turn of what it sets going, with their number; first with 0. */
function followed<T>(work: () => Promise<T>, seen: (turns: number) => void): Promise<T> {
  const own = new Set<number>()
  let turns = 0
  // The scope of the root itself is no turn.
  let begun = false
  const hook = createHook({
    init(id) {
      if (own.has(executionAsyncId())) own.add(id)
    },
    after(id) {
      if (begun && own.has(id)) seen(++turns)
    },
  })
  const root = new AsyncResource('start')
  own.add(root.asyncId())
  hook.enable()
  const result = root.runInAsyncScope(work)
  begun = true
  seen(0)
  return result.finally(() => hook.disable())
}

/** What keeps the event loop going, by kind. */
function resources(): string[] {
  return process.getActiveResourcesInfo().filter((kind) => kind !== 'Immediate' && kind !== 'TTYWrap')
}

function excess(now: readonly string[], before: readonly string[]): string[] {
  const rest = [...before]
  return now.filter((kind) => {
    const at = rest.indexOf(kind)
    if (at >= 0) rest.splice(at, 1)
    return at < 0
  })
}

/** By turns of the event loop: a timer would be one of the things that are looked for. */
async function until(check: () => boolean, ms = 60_000, otherwise: string | (() => string) = 'no end'): Promise<void> {
  const end = performance.now() + ms
  while (!check()) {
    if (performance.now() > end) assert.fail(typeof otherwise === 'string' ? otherwise : otherwise())
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
}

async function inTime(work: Promise<unknown>, ms: number, otherwise: string): Promise<void> {
  let over = false
  work.then(
    () => {
      over = true
    },
    () => {
      over = true
    },
  )
  await until(() => over, ms, otherwise)
  await work
}
