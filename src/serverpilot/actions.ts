import { backOff } from '../time/back-off.ts'
import type { Clock } from '../time/clock.ts'
import { ServerPilotError } from './errors.ts'
import type { ActionStatus } from './serverpilot.ts'

/** Short, since most actions take less than a second. */
const FIRST_POLL_MS = 100

/**
 * Follows an action until it ended or `timeoutMs` have passed, then `unknown`. `poll` gives the action's status once; what it throws is
 * ignored, since the write is done and its result is read from the app anyway: a failure that would stay ends the wait.
 * Rejects only with the signal's reason.
 */
export async function waitForAction(
  poll: () => Promise<string>,
  options: { clock: Clock; pollMs: number; timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<ActionStatus> {
  const { clock, pollMs, timeoutMs, signal } = options
  const end = clock.steady() + timeoutMs
  let asked = 0
  for (let polls = 1; ; polls++) {
    const wait = Math.max(asked, backOff({ first: FIRST_POLL_MS, longest: pollMs }, polls))
    if (clock.steady() + wait > end) return 'unknown'
    await clock.sleep(wait, signal)
    asked = 0
    try {
      const status = await poll()
      if (status === 'success' || status === 'error') return status
    } catch (error) {
      signal?.throwIfAborted()
      if (!(error instanceof ServerPilotError) || !error.retryable) return 'unknown'
      asked = error.retryAfter ?? 0
    }
  }
}
