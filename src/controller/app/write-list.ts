import type { App } from '../../api/objects.ts'
import { compareKey, type Host } from '../../domain/host.ts'
import { type Isolation, nextProbe, probed, startIsolation, undecided } from '../../plan/isolation.ts'
import type { Plan } from '../../plan/plan.ts'
import { ServerPilotError } from '../../serverpilot/errors.ts'
import type { ServerPilot } from '../../serverpilot/serverpilot.ts'
import { type Context, memoryOf } from '../context.ts'
import { ReconcileError } from './errors.ts'

/** How the write of a list ended, before it is read back. */
export interface Wrote {
  /** Canonical names that should be there now. */
  expected: ReadonlySet<string>
  /** Names that the API refused, with its words. */
  rejected: ReadonlyMap<Host, string>
  /** Additions that isolation did not get to. */
  waiting: readonly Host[]
  /** The write failed, and may have had an effect: reading back tells. */
  failure: ServerPilotError | undefined
}

/**
 * Writes the plan's list; a list that the API refuses is taken apart until its good names are in.
 * Throws only while nothing can have had an effect.
 */
export async function writeList(
  context: Context,
  account: ServerPilot,
  app: App,
  plan: Plan,
  signal: AbortSignal,
): Promise<Wrote> {
  const base = plan.list.slice(0, plan.list.length - plan.additions.length)
  const additions = plan.additions.map((each) => each.host)
  const failure = await post(context, account, app, plan, plan.list, signal)
  if (failure?.reason === 'Rejected' && additions.length > 0) {
    return await isolate({ context, account, app, plan, signal }, base, failure)
  }
  if (failure?.outcome === 'none') throw failure
  return { expected: expect(base, additions), rejected: new Map(), waiting: [], failure }
}

const expect = (base: readonly string[], hosts: readonly Host[]): ReadonlySet<string> =>
  new Set([...base.map(compareKey), ...hosts])

/** One full-list write. Gives the API's error instead of throwing it: what it means is the caller's to judge. */
async function post(
  context: Context,
  account: ServerPilot,
  app: App,
  plan: Plan,
  list: readonly string[],
  signal: AbortSignal,
): Promise<ServerPilotError | undefined> {
  if (list.length === 0 && !plan.approved && !app.spec.safety.allowEmpty) {
    // The guards see to that before; this is the last lock, as an empty list takes the app off the net.
    throw new ReconcileError('RemovalRefused', `The list of app ${app.key} would be empty; it is not written.`, {
      retryable: false,
    })
  }
  context.assertMayWrite()
  try {
    await account.writeDomains(app.spec.appId, list, signal)
    return undefined
  } catch (error) {
    if (error instanceof ServerPilotError) return error
    throw error
  } finally {
    memoryOf(context, app.key).writes++
  }
}

interface Round {
  context: Context
  account: ServerPilot
  app: App
  plan: Plan
  signal: AbortSignal
}

/**
 * The API refused the list: finds the names that it will not have, and gets the others in. Each probe stands on a fresh reading,
 * since a round may take minutes, and what somebody else adds meanwhile is not ours to overwrite.
 */
async function isolate(round: Round, firstBase: readonly string[], refusal: ServerPilotError): Promise<Wrote> {
  let base = firstBase
  let landed = false
  let failure: ServerPilotError | undefined
  /** The API's words for these additions on top of what is there; undefined when it took them, or failed otherwise. */
  const tryHosts = async (hosts: readonly Host[]): Promise<string | undefined> => {
    base = await freshBase(round, base, hosts)
    const error = await post(round.context, round.account, round.app, round.plan, [...base, ...hosts], round.signal)
    if (error === undefined) landed = true
    else if (error.reason !== 'Rejected') failure = error
    return error?.reason === 'Rejected' ? (error.words ?? error.message) : undefined
  }
  const additions = round.plan.additions.map((each) => each.host)
  let state = startIsolation(additions, refusal.words ?? refusal.message)
  for (let step = nextProbe(state); step !== undefined; step = nextProbe(state)) {
    const words = await tryHosts([...step.state.accepted, ...step.group])
    if (failure !== undefined) break
    state = probed(step.state, step.group, words)
    const firstBlamed = words !== undefined && step.group.length === 1 && !landed
    // Not even what is there already is accepted: no addition is to blame.
    if (firstBlamed && base.length > 0 && (await tryHosts([])) !== undefined) throw refusal
    if (failure !== undefined) break
  }
  if (failure === undefined && !landed && round.plan.removals.length > 0 && base.length > 0) await tryHosts([])
  if (failure?.outcome === 'none' && !landed) throw failure
  return { ...settledBy(state), expected: expect(base, state.accepted), failure }
}

const settledBy = (state: Isolation) => ({ rejected: state.rejected, waiting: undecided(state) })

/** What is on the app now besides our removals and the additions that are to be tried. Throws when names went meanwhile. */
async function freshBase(round: Round, before: readonly string[], hosts: readonly Host[]): Promise<readonly string[]> {
  const { domains } = await round.account.getApp(round.app.spec.appId, round.signal)
  const out = new Set<string>([...round.plan.removals, ...hosts])
  const there = new Set(domains.map(compareKey))
  const lost = before.filter((name) => !there.has(compareKey(name)))
  if (lost.length > 0) {
    throw new ReconcileError(
      'ApiUnreachable',
      `ServerPilot's list of app ${round.app.key} lost ${lost.length} name(s) while rejected names were looked for. It is read afresh before the next write.`,
      { retryable: true },
    )
  }
  return domains.filter((name) => !out.has(compareKey(name)))
}
