import type { Key } from '../api/objects.ts'
import { reconcile } from '../controller/app/reconcile.ts'
import type { Io } from '../setup/io.ts'
import type { Given } from '../setup/option.ts'
import { type Setup, setUp } from '../setup/setup.ts'
import type { Outcome } from '../status/outcome.ts'
import { backOff } from '../time/back-off.ts'
import type { Clock } from '../time/clock.ts'
import { createGate, type Gate, inParallel } from '../time/pool.ts'
import { unlessAborted } from '../time/within.ts'
import { startProgress } from './progress.ts'

/** Does the work of a command that only looks, and gives back at its end what that stood on. */
export async function looking<T>(io: Io, given: Given, work: (setup: Setup) => Promise<T>): Promise<T> {
  const setup = await setUp(io, given, { oneShot: true, writes: false })
  try {
    return await work(setup)
  } finally {
    await setup.close()
  }
}

/** Tries of one app while its failure may pass by itself, and how long a pass waits for that at most (ms). */
const TRIES = 5
const PATIENCE = 60_000
const PAUSES = { first: 500, longest: PATIENCE }

/** Objects, as far as a pass needs them. */
type Readable = Pick<Setup['objects'], 'apps' | 'start' | 'stop'>

/** Reads the objects once, without following them. Rejects with the signal's reason once that aborts. */
export async function readSource({ objects }: { objects: Readable }, signal: AbortSignal): Promise<void> {
  await unlessAborted(signal, () => objects.start(() => undefined)).catch((error: unknown) => {
    // A read that does not end would hold its own end up.
    objects.stop().catch(() => undefined)
    throw error
  })
  await objects.stop()
}

/**
 * Reads the objects and reconciles every app once, a few at a time, with its progress shown; what may pass by itself is tried again
 * for a while, and the others go on meanwhile. In the order of keys. Once `io.signal` aborts it ends early, with the outcomes of the
 * apps that were finished.
 */
export async function passWithProgress(
  io: Io,
  setup: Pick<Setup, 'context'> & { objects: Readable; settings: Pick<Setup['settings'], 'workers'> },
  what: string,
): Promise<Outcome[]> {
  const { signal } = io
  await readSource(setup, signal)
  const keys = setup.objects.apps().map(({ key }) => key)
  const outcomes = new Map<Key, Outcome>()
  const progress = startProgress(io, `${what} ${keys.length} app(s)`)
  const gate = createGate(setup.settings.workers)
  const pass = (key: Key) => (): Promise<Outcome> => {
    signal.throwIfAborted()
    progress.say(`${what} ${key} (${outcomes.size} of ${keys.length} done)`)
    return reconcile(setup.context, key, signal)
  }
  await inParallel(keys.sort(), keys.length, async (key) => {
    if (signal.aborted) return
    try {
      outcomes.set(key, await persist(gate, pass(key), setup.context.ports.clock, signal))
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }).finally(() => progress.stop())
  return keys.flatMap((key) => outcomes.get(key) ?? [])
}

/** Makes passes over one app while its failure may pass by itself; between them it is outside of the gate. */
async function persist(gate: Gate, pass: () => Promise<Outcome>, clock: Clock, signal: AbortSignal): Promise<Outcome> {
  let deadline = Number.POSITIVE_INFINITY
  const begin = (): Promise<Outcome> => {
    deadline = Math.min(deadline, clock.steady() + PATIENCE)
    return pass()
  }
  let done: Outcome | undefined
  for (let failures = 1; ; failures++) {
    const outcome = await gate(begin)
    done = done === undefined ? outcome : carry(done, outcome)
    const wait = outcome.failure?.retryAfter ?? backOff(PAUSES, failures)
    const hopeless = outcome.failure?.retryable !== true || failures >= TRIES
    if (hopeless || clock.steady() + wait > deadline) return done
    await clock.sleep(wait, signal)
  }
}

/** What a later try found, with what the earlier ones did. */
function carry(before: Outcome, after: Outcome): Outcome {
  const added = [...before.added, ...after.added]
  const removed = [...before.removed, ...after.removed]
  const changed = added.length + removed.length > 0
  const result = after.result === 'Unchanged' && changed ? 'Applied' : after.result
  return { ...after, added, removed, result, applied: after.applied ?? before.applied }
}
