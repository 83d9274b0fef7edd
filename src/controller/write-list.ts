import type { App } from '../api/objects.ts'
import { compareKey, type Host } from '../domain/host.ts'
import { type Isolation, nextProbe, probed, startIsolation, undecided } from '../plan/isolation.ts'
import type { Plan } from '../plan/plan.ts'
import { ServerPilotError } from '../serverpilot/errors.ts'
import type { ServerPilot } from '../serverpilot/serverpilot.ts'
import type { Context } from './context.ts'

/** How the write of a list ended, before it is read back. */
export interface Wrote {
  /** Canonical names that should be there now. */
  expected: ReadonlySet<string>
  /** Names that the API refused, with its words. */
  rejected: ReadonlyMap<Host, string>
  /** Additions that isolation did not get to. */
  waiting: readonly Host[]
  /** The write failed with unknown outcome: reading back tells. */
  failure: ServerPilotError | undefined
}

/** Writes the plan's list; a list that the API refuses is taken apart until its good names are in. */
export async function writeList(
  context: Context,
  account: ServerPilot,
  app: App,
  plan: Plan,
  signal: AbortSignal,
): Promise<Wrote> {
  const base = plan.list.slice(0, plan.list.length - plan.additions.length)
  const additions = plan.additions.map((each) => each.host)
  const expect = (hosts: readonly Host[]): ReadonlySet<string> => new Set([...base.map(compareKey), ...hosts])
  const none = { rejected: new Map<Host, string>(), waiting: [] }
  const failure = await post(context, account, app, plan.list, signal)
  if (failure === undefined) return { ...none, expected: expect(additions), failure: undefined }
  if (failure.reason !== 'Rejected') {
    if (failure.outcome === 'none') throw failure
    return { ...none, expected: expect(additions), failure }
  }
  if (additions.length === 0) throw failure
  const state = await isolate(context, account, app, plan, base, failure, signal)
  return { expected: expect(state.accepted), rejected: state.rejected, waiting: undecided(state), failure: undefined }
}

/** One full-list write. Gives the error instead of throwing it: what it means is the caller's to judge. */
async function post(
  context: Context,
  account: ServerPilot,
  app: App,
  list: readonly string[],
  signal: AbortSignal,
): Promise<ServerPilotError | undefined> {
  context.assertMayWrite()
  try {
    await account.writeDomains(app.spec.appId, list, signal)
    return undefined
  } catch (error) {
    if (error instanceof ServerPilotError) return error
    throw error
  }
}

/** The API refused the list: finds the names that it will not have, and gets the others in. */
async function isolate(
  context: Context,
  account: ServerPilot,
  app: App,
  plan: Plan,
  base: readonly string[],
  refusal: ServerPilotError,
  signal: AbortSignal,
): Promise<Isolation> {
  const tryList = async (hosts: readonly Host[]): Promise<string | undefined> => {
    const failure = await post(context, account, app, [...base, ...hosts], signal)
    if (failure === undefined) return undefined
    if (failure.reason !== 'Rejected') throw failure
    return failure.words ?? failure.message
  }
  let state = startIsolation(
    plan.additions.map((each) => each.host),
    refusal.words ?? refusal.message,
  )
  for (let step = nextProbe(state); step !== undefined; step = nextProbe(state)) {
    const words = await tryList([...step.state.accepted, ...step.group])
    state = probed(step.state, step.group, words)
    const firstBlamed = words !== undefined && step.group.length === 1 && state.accepted.length === 0
    if (firstBlamed && base.length > 0 && (await tryList([])) !== undefined) {
      // Not even what is there already is accepted: no addition is to blame.
      throw refusal
    }
  }
  const nothingWritten = state.accepted.length === 0 && plan.removals.length > 0
  if (nothingWritten && base.length > 0) await tryList([])
  return state
}
