import type { Key } from '../api/objects.ts'
import { reconcile } from '../controller/app/reconcile.ts'
import type { Outcome } from '../status/outcome.ts'
import { backOff } from '../time/back-off.ts'
import { systemClock } from '../time/clock.ts'
import { inParallel } from '../time/pool.ts'
import { unlessAborted } from '../time/within.ts'
import type { Setup } from './setup.ts'

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

/** Called when an app's turn comes; `done` of `all` were finished by then. */
type Begun = (key: Key, done: number, all: number) => void

/**
 * Reconciles every app once, a few at a time; what may pass by itself is tried again for a while. In the order of keys. Once the
 * signal aborts it ends early, with the outcomes of the apps that were finished.
 */
export async function passOver(
  { objects, settings, context }: Pick<Setup, 'objects' | 'settings' | 'context'>,
  signal: AbortSignal,
  begun: Begun,
): Promise<Outcome[]> {
  const keys = objects
    .apps()
    .map((app) => app.key)
    .sort()
  const outcomes = new Map<Key, Outcome>()
  await inParallel(untilAborted(keys, signal), settings.workers, async (key) => {
    begun(key, outcomes.size, keys.length)
    try {
      outcomes.set(key, await persist(context, key, signal))
    } catch (error) {
      if (!signal.aborted) throw error
    }
  })
  return keys.flatMap((key) => outcomes.get(key) ?? [])
}

function* untilAborted(keys: readonly Key[], signal: AbortSignal): Generator<Key> {
  for (const key of keys) {
    if (signal.aborted) return
    yield key
  }
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
