import type { App, Key } from '../api/objects.ts'
import type { ServerPilot } from '../serverpilot/serverpilot.ts'
import type { Failure } from '../status/outcome.ts'
import { failureOf } from './app/errors.ts'
import { resolveAccounts } from './app/records.ts'
import { type Context, memoryOf } from './context.ts'

/** What a sweep of one account found. */
export interface Swept {
  /** Apps to reconcile, with what was listed of them in memory. */
  apps: Key[]
  failure: Failure | undefined
}

/**
 * Compares everything with ServerPilot: one `GET /apps` per account. What it lists is handed to the reconciles that follow, which
 * ask again only where something is to be written. An app that is not listed is asked for by id, so that its own reconcile
 * says what is wrong.
 */
export async function sweep(context: Context, signal: AbortSignal): Promise<Swept[]> {
  const accounts = new Map<ServerPilot, App[]>()
  const swept: Swept[] = []
  await resolveAccounts(context)
  for (const app of context.objects.apps()) {
    // Nothing is asked for it, but it has to say so; and it may be waiting to be let go.
    if (app.spec.suspend) {
      swept.push({ apps: [app.key], failure: undefined })
      continue
    }
    try {
      const account = await context.accountOf(app)
      memoryOf(context, app.key).account = account.account
      accounts.set(account, [...(accounts.get(account) ?? []), app])
    } catch {
      swept.push({ apps: [app.key], failure: undefined })
    }
  }
  for (const [account, apps] of accounts) swept.push(await sweepAccount(context, account, apps, signal))
  return swept
}

async function sweepAccount(
  context: Context,
  account: ServerPilot,
  apps: readonly App[],
  signal: AbortSignal,
): Promise<Swept> {
  try {
    const writes = new Map(apps.map(({ key }) => [key, memoryOf(context, key).writes]))
    const listed = new Map((await account.listApps(signal)).map((each) => [each.id, each]))
    for (const { key, spec } of apps) {
      const app = listed.get(spec.appId)
      memoryOf(context, key).listed = app && { app, writes: writes.get(key) ?? 0 }
    }
    return { apps: apps.map((app) => app.key), failure: undefined }
  } catch (error) {
    signal.throwIfAborted()
    // The reconciles that would follow could only fail the same way, one call each.
    return { apps: apps.map((app) => app.key), failure: failureOf(error) }
  }
}
