import type { Key } from '../api/objects.ts'
import { reconcile } from '../controller/app/reconcile.ts'
import type { Io } from '../setup/io.ts'
import type { Setup } from '../setup/setup.ts'
import type { Outcome } from '../status/outcome.ts'
import { systemClock } from '../time/clock.ts'
import { startProgress } from './progress.ts'

/** Tries of one app while its failure may pass by itself, and how long a pass waits for that at most (ms). */
const TRIES = 5
const PATIENCE = 60_000

/** Reconciles every app once, a few at a time; what may pass by itself is tried again for a while. In the order of keys. */
export async function passOver(io: Io, setup: Setup, what: string): Promise<Outcome[]> {
  const keys = setup.objects
    .apps()
    .map((app) => app.key)
    .sort()
  const outcomes = new Map<Key, Outcome>()
  const progress = startProgress(io, `${what} ${keys.length} app(s)`)
  const waiting = [...keys]
  const worker = async (): Promise<void> => {
    for (let key = waiting.shift(); key !== undefined; key = waiting.shift()) {
      progress.say(`${what} ${key} (${outcomes.size} of ${keys.length} done)`)
      outcomes.set(key, await persist(setup, key, io.signal))
    }
  }
  try {
    await Promise.all(Array.from({ length: setup.settings.workers }, worker))
  } finally {
    progress.stop()
  }
  return keys.flatMap((key) => outcomes.get(key) ?? [])
}

async function persist(setup: Setup, key: Key, signal: AbortSignal): Promise<Outcome> {
  const deadline = systemClock.now() + PATIENCE
  let done: Outcome | undefined
  for (let attempt = 0; ; attempt++) {
    const outcome = await reconcile(setup.context, key, signal)
    done = done === undefined ? outcome : carry(done, outcome)
    const wait = outcome.failure?.retryAfter ?? 500 * 2 ** attempt
    const hopeless = outcome.failure?.retryable !== true || attempt + 1 >= TRIES
    if (hopeless || systemClock.now() + wait > deadline) return done
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
