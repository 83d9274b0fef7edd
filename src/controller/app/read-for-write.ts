import { doubt } from '../../plan/doubt.ts'
import type { Leave, ServerPilotApp } from '../../serverpilot/serverpilot.ts'
import { ReconcileError } from '../context/errors.ts'
import type { Facts } from './facts.ts'
import type { AccountPass } from './pass.ts'

/**
 * Reads the app's list for a write to stand on. A list that lost names since it was last seen is read again before it is believed; the
 * last reading counts, so that the write follows it directly.
 * Throws a retryable `ReconcileError` when the answers contradict each other.
 */
export async function readForWrite(
  { context, account, app, signal }: AccountPass,
  { record }: Pick<Facts, 'record'>,
  leave: Leave,
): Promise<ServerPilotApp> {
  const first = await account.getApp(app.spec.appId, signal, leave)
  const doubted = doubt(record.lastSeen, first.domains, app.spec.safety)
  if (doubted === undefined) return first
  let last = first
  for (let read = 0; read < doubted.reads; read++) {
    await context.ports.clock.sleep(doubted.over / doubted.reads, signal)
    last = await account.getApp(app.spec.appId, signal)
    if (sameNames(first.domains, last.domains)) continue
    // The first answer does not stand. What came now is believed only if it raises no doubt itself.
    if (doubt(record.lastSeen, last.domains, app.spec.safety) === undefined) return last
    throw new ReconcileError('ApiUnreachable', `${doubted.message}, and repeated reads contradict each other.`)
  }
  return last
}

/** Whether two lists have the same names, in whatever order. */
export function sameNames(a: Iterable<string>, b: Iterable<string>): boolean {
  const [left, right] = [new Set(a), new Set(b)]
  return left.size === right.size && [...left].every((name) => right.has(name))
}
