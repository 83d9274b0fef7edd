import type { Key } from '../api/objects.ts'
import { reconcile } from '../controller/app/reconcile.ts'
import type { Io } from '../setup/io.ts'
import type { Given } from '../setup/option.ts'
import { type Setup, setUp } from '../setup/setup.ts'
import type { Outcome } from '../status/outcome.ts'
import { backOff } from '../time/back-off.ts'
import { systemClock } from '../time/clock.ts'
import { inParallel } from '../time/pool.ts'
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

/** Reads the objects once, without following them. Rejects with the signal's reason once that aborts. */
export async function readSource({ objects }: Pick<Setup, 'objects'>, signal: AbortSignal): Promise<void> {
  await unlessAborted(signal, () => objects.start(() => undefined)).catch((error: unknown) => {
    // A read that does not end would hold its own end up.
    objects.stop().catch(() => undefined)
    throw error
  })
  await objects.stop()
}

/**
 * Reads the objects and reconciles every app once, a few at a time, with its progress shown; what may pass by itself is tried again
 * for a while. In the order of keys. Once `io.signal` aborts it ends early, with the outcomes of the apps that were finished.
 */
export async function passWithProgress(io: Io, setup: Setup, what: string): Promise<Outcome[]> {
  const { signal } = io
  await readSource(setup, signal)
  const keys = setup.objects.apps().map(({ key }) => key)
  const outcomes = new Map<Key, Outcome>()
  const progress = startProgress(io, `${what} ${keys.length} app(s)`)
  await inParallel(keys.sort(), setup.settings.workers, async (key) => {
    if (signal.aborted) return
    progress.say(`${what} ${key} (${outcomes.size} of ${keys.length} done)`)
    try {
      outcomes.set(key, await persist(setup.context, key, signal))
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }).finally(() => progress.stop())
  return keys.flatMap((key) => outcomes.get(key) ?? [])
}

async function persist(context: Setup['context'], key: Key, signal: AbortSignal): Promise<Outcome> {
  const deadline = systemClock.steady() + PATIENCE
  let done: Outcome | undefined
  for (let failures = 1; ; failures++) {
    const outcome = await reconcile(context, key, signal)
    done = done === undefined ? outcome : carry(done, outcome)
    const wait = outcome.failure?.retryAfter ?? backOff(PAUSES, failures)
    const hopeless = outcome.failure?.retryable !== true || failures >= TRIES
    if (hopeless || systemClock.steady() + wait > deadline) return done
    await systemClock.sleep(wait, signal)
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
