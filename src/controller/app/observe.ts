import type { App } from '../../api/objects.ts'
import type { Host } from '../../domain/host.ts'
import { doubt } from '../../plan/doubt.ts'
import type { ServerPilot, ServerPilotApp } from '../../serverpilot/serverpilot.ts'
import type { Context } from '../context.ts'
import { ReconcileError } from './errors.ts'

/**
 * Reads the app's list for a write to stand on. A list that lost names since `lastSeen` is read again before it is believed.
 * Throws a retryable `ReconcileError` when the answers contradict each other.
 */
export async function readForWrite(
  context: Context,
  account: ServerPilot,
  app: App,
  lastSeen: readonly Host[] | undefined,
  signal: AbortSignal,
): Promise<ServerPilotApp> {
  const first = await account.getApp(app.spec.appId, signal)
  const look = doubt(lastSeen, first.domains, app.spec.safety)
  if (look === undefined) return first
  for (let read = 0; read < look.reads; read++) {
    await context.clock.sleep(look.over / look.reads, signal)
    const again = await account.getApp(app.spec.appId, signal)
    if (differs(first.domains, again.domains)) {
      // The first answer does not stand. What came now is believed only if it raises no doubt itself.
      if (doubt(lastSeen, again.domains, app.spec.safety) === undefined) return again
      throw new ReconcileError('ApiUnreachable', `${look.message}, and repeated reads contradict each other.`, {
        retryable: true,
      })
    }
  }
  return first
}

function differs(a: readonly string[], b: readonly string[]): boolean {
  const left = new Set(a)
  return left.size !== new Set(b).size || b.some((name) => !left.has(name))
}
