import type { App, Key } from '../api/objects.ts'
import type { ServerPilot } from '../serverpilot/serverpilot.ts'
import type { Failure } from '../status/outcome.ts'
import type { Context } from './context/context.ts'
import { failureOf } from './context/errors.ts'

/** Apps to reconcile, with what was listed of them in memory; `failure`: why nothing was listed. */
interface Swept {
  apps: Key[]
  failure?: Failure
}

/**
 * Compares everything with ServerPilot: one `GET /apps` per account, one after the other. What it lists is handed to the reconciles that follow, which
 * ask again only where something is to be written. An app that is not listed is asked for by id, so that its own reconcile
 * says what is wrong.
 */
export async function* sweep({ ports, memory }: Context, signal: AbortSignal): AsyncGenerator<Swept> {
  const accounts = new Map<ServerPilot, App[]>()
  const unlisted: Key[] = []
  await memory.accounts.findAll()
  for (const app of ports.objects.apps()) {
    // Nothing is asked for one that is suspended or has a fault, but it has to say so; and it may be waiting to be let go.
    const account =
      app.spec.suspend || app.fault !== undefined ? undefined : await memory.accounts.find(app).catch(() => undefined)
    if (account === undefined) unlisted.push(app.key)
    else accounts.set(account, [...(accounts.get(account) ?? []), app])
  }
  const invalid = ports.objects.invalid().filter(({ kind }) => kind === 'ServerPilotApp')
  const unreadable = invalid.map(({ key }) => key).filter((key) => ports.objects.app(key) === undefined)
  yield { apps: [...unlisted, ...unreadable] }
  for (const [account, apps] of accounts) yield await sweepAccount(memory, account, apps, signal)
}

async function sweepAccount(
  { listings }: Context['memory'],
  account: ServerPilot,
  apps: readonly App[],
  signal: AbortSignal,
): Promise<Swept> {
  const keys = apps.map(({ key }) => key)
  try {
    const asked = apps.map(({ key, spec }) => ({ appId: spec.appId, take: listings.ask(key) }))
    const listed = new Map((await account.listApps(signal)).map((each) => [each.id, each]))
    for (const { appId, take } of asked) take(listed.get(appId))
    return { apps: keys }
  } catch (error) {
    signal.throwIfAborted()
    // The reconciles that would follow could only fail the same way, one call each.
    return { apps: keys, failure: failureOf(error) }
  }
}
