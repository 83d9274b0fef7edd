import { compareKey, type Host } from '../../domain/host.ts'
import { nextProbe, probed, startIsolation, undecided } from '../../plan/isolation.ts'
import type { ServerPilotError } from '../../serverpilot/errors.ts'
import type { Leave } from '../../serverpilot/serverpilot.ts'
import { ReconcileError } from '../context/errors.ts'
import { expect, post, type WriteJob, type Written } from './write-job.ts'

/**
 * The API refused the list: finds the names that it will not have, and gets the others in. Each probe stands on a fresh reading,
 * since a round may take minutes, and what somebody else adds meanwhile is not ours to overwrite.
 */
export async function isolate(
  job: WriteJob,
  firstBase: readonly string[],
  refusal: ServerPilotError,
): Promise<Written> {
  let base = firstBase
  let landed = false
  let failure: ServerPilotError | undefined

  /** The API's words for these additions on top of what is there; undefined when it took them, or failed otherwise. */
  const tryHosts = async (hosts: readonly Host[]): Promise<string | undefined> => {
    const leave = await job.account.leaveToWrite(job.signal)
    try {
      base = await freshBase(job, base, hosts, leave)
      const error = await post(job, [...base, ...hosts], leave)
      if (error === undefined) landed = true
      else if (error.reason !== 'Rejected') failure = error
      return error?.reason === 'Rejected' ? (error.words ?? error.message) : undefined
    } finally {
      leave.end()
    }
  }

  const additions = job.plan.additions.map((each) => each.host)
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
  if (failure === undefined && !landed && job.plan.removals.length > 0 && base.length > 0) await tryHosts([])
  if (failure?.outcome === 'none' && !landed) throw failure
  const { rejected, accepted } = state
  return { rejected, waiting: undecided(state), expected: expect(base, accepted), failure }
}

/** What is on the app now besides our removals and the additions that are to be tried. Throws when names went meanwhile. */
async function freshBase(
  { account, app, plan, signal }: WriteJob,
  before: readonly string[],
  hosts: readonly Host[],
  leave: Leave,
): Promise<readonly string[]> {
  const { domains } = await account.getApp(app.spec.appId, signal, leave)
  const out = new Set<string>([...plan.removals, ...hosts])
  const there = new Set(domains.map(compareKey))
  const lost = before.filter((name) => !there.has(compareKey(name)))
  if (lost.length > 0) {
    throw new ReconcileError(
      'ApiUnreachable',
      `ServerPilot's list of app ${app.key} lost ${lost.length} name(s) while rejected names were looked for. It is read again before the next write.`,
      { retryable: true },
    )
  }
  return domains.filter((name) => !out.has(compareKey(name)))
}
