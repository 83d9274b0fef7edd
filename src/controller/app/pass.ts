import type { App } from '../../api/objects.ts'
import type { ServerPilot } from '../../serverpilot/serverpilot.ts'
import type { Failure } from '../../status/outcome.ts'
import type { Context } from '../context/context.ts'
import { failureOf } from '../context/errors.ts'

/**
 * The four cases of (has our finalizer, is being deleted), distinguished by what the object asks for:
 *
 *     finalizer  deleted
 *     any        no       serve         brought in line; the finalizer is put on or taken off as `deletionPolicy` says
 *     yes        yes      finalize      what is ours is removed, then the finalizer goes
 *     yes        yes      let go        it may not be removed any more, or another object goes on with it: the finalizer goes
 *     no         yes      let go        nothing is done
 */
export type Stage = 'serve' | 'finalize' | 'let go'

/** One pass over one app: what every step of it needs. */
export interface Pass {
  context: Context
  /** The object as it was when the pass began. */
  app: App
  stage: Stage
  /** Aborts at the end of the process; every wait of the pass ends with its reason. */
  signal: AbortSignal
}

/** A pass that knows the account whose credentials the app may use. */
export interface AccountPass extends Pass {
  account: ServerPilot
}

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
