import { compareKey, type Host } from '../../domain/host.ts'
import type { Plan } from '../../plan/plan.ts'
import { ServerPilotError } from '../../serverpilot/errors.ts'
import type { Leave } from '../../serverpilot/serverpilot.ts'
import { ReconcileError } from '../context/errors.ts'
import type { Facts } from './facts.ts'
import type { AccountPass } from './pass.ts'

/** A plan that is to be written, on the reading that it stands on. */
export interface WriteJob extends AccountPass {
  facts: Facts
  plan: Plan
  /** Taken before that reading; undefined where nothing is to be written. */
  leave: Leave | undefined
}

/** How the write of a list ended, before it is read back. */
export interface Written {
  /** Canonical names that should be there now. */
  expected: ReadonlySet<string>
  /** Names that the API refused, with its words. */
  rejected: ReadonlyMap<Host, string>
  /** Additions that isolation did not get to. */
  waiting: readonly Host[]
  /** The write failed, and may have had an effect: reading back shows which. */
  failure: ServerPilotError | undefined
}

/** The names that should be there after a write of these. */
export const expect = (base: readonly string[], hosts: readonly Host[]): ReadonlySet<string> =>
  new Set([...base.map(compareKey), ...hosts])

/** One full-list write. Gives the API's error instead of throwing it: what it means is the caller's to judge. */
export async function post(
  { context, account, app, plan, signal }: WriteJob,
  list: readonly string[],
  leave: Leave | undefined,
): Promise<ServerPilotError | undefined> {
  if (list.length === 0 && !plan.approved && !app.spec.safety.allowEmpty) {
    // The guards see to that before; this is the last lock, as an empty list takes the app off the net.
    throw new ReconcileError('RemovalRefused', `The list of app ${app.key} would be empty; it is not written.`, {
      retryable: false,
    })
  }
  context.ports.assertMayWrite()
  try {
    await account.writeDomains(app.spec.appId, list, signal, leave)
    return undefined
  } catch (error) {
    if (error instanceof ServerPilotError) return error
    throw error
  } finally {
    context.memory.listings.written(app.key)
  }
}
