import type { Failure } from '../../status/outcome.ts'
import { failureOf } from '../context/errors.ts'

/**
 * Runs steps and puts together what they give, the later over the earlier. One that throws ends them: what came before stands, with
 * the failure beside it. Rejects with the abort reason of `signal` alone.
 */
export async function collect<T extends { failure?: Failure | undefined }>(
  steps: AsyncIterable<Partial<T>>,
  signal: AbortSignal,
  start: T,
): Promise<T> {
  let found = start
  try {
    for await (const more of steps) found = { ...found, ...more }
    return found
  } catch (error) {
    signal.throwIfAborted()
    return { ...found, failure: failureOf(error) }
  }
}
