import { compareKey, type Host } from '../../domain/host.ts'
import * as claims from '../../ownership/claims.ts'
import type { OwnershipRecord } from '../../ownership/record.ts'
import { doubtful } from '../../plan/doubt.ts'
import { MAX_PROBES, nextProbe, probed, startIsolation, undecided } from '../../plan/isolation.ts'
import { type Plan, writes } from '../../plan/plan.ts'
import { ServerPilotError } from '../../serverpilot/errors.ts'
import type { Leave, ServerPilotApp } from '../../serverpilot/serverpilot.ts'
import type { Outcome } from '../../status/outcome.ts'
import type { Context } from '../context/context.ts'
import { ReconcileError } from '../context/errors.ts'
import type { Facts } from './facts.ts'
import { sameNames } from './gather.ts'
import type { AccountPass, Pass } from './pass.ts'
import { afterReading, claimed, noteRejected, readBack } from './record-changes.ts'

/** A plan that is to be written, on the reading that it stands on. */
interface WriteJob extends AccountPass {
  facts: Facts
  plan: Plan
  /** Taken before that reading; undefined where nothing is to be written. */
  leave: Leave | undefined
}

/** How the write of a list ended, before it is read back. */
interface Written {
  /** Canonical names that should be there now. */
  expected: ReadonlySet<string>
  /** Names that the API refused, with its words. */
  rejected: ReadonlyMap<Host, string>
  /** Additions that isolation did not get to. */
  waiting: readonly Host[]
  /** The write failed, and may have had an effect: reading back shows which. */
  failure: ServerPilotError | undefined
}

/** What writes changed. */
export type Changes = Pick<Outcome, 'added' | 'removed' | 'adopted' | 'released'>

/** How one write ended, proven by reading back. */
export interface WriteResult extends Changes {
  record: OwnershipRecord
  /** The list as read back; the plan's own input when nothing was written. */
  observed: ServerPilotApp
  /** False when what was written is not (wholly) there. */
  taken: boolean
  /** Why isolation did not get to some additions; undefined when it got to all of them. */
  unfinished?: Error | undefined
}

/**
 * Claims durably, writes the complete list, waits for the action, reads again and compares; a plan that writes nothing changes the
 * record alone. Whatever happens after the claim, the record knows of it: a crash orphans nothing of ours.
 */
export async function writePlan(job: WriteJob): Promise<WriteResult> {
  const { facts, plan, context } = job
  const record = afterReading(facts, plan, context.mode.writer)
  const changes = { adopted: plan.adoptions.length, released: plan.releases.length }
  if (!writes(plan)) {
    await save(job, record)
    return { record, observed: facts.observed, added: [], removed: [], ...changes, taken: true }
  }
  const claim = claimed(record, facts, plan)
  await save(job, claim)
  const written = await writeList(job).catch(async (error: unknown) => {
    // What certainly had no effect uses no approval up.
    const unused = error instanceof ServerPilotError && error.outcome === 'none' && plan.approved
    if (unused) await save(job, claims.endWrite(claims.returnApproval(claim, record), record))
    throw error
  })
  const open = afterWrite(job, written, written.failure === undefined ? claims.endWrite(claim, record) : claim)
  const observed = await read(job, written.expected).catch(async (error: unknown) => {
    await save(job, claims.markUncertain(open, unknownHosts(plan, written)))
    throw written.failure ?? error
  })
  const wanted = plan.additions.map(({ host }) => host).filter((host) => written.expected.has(host))
  const certain = written.failure === undefined
  const proof = { before: facts.observed, after: observed, wanted, removals: plan.removals, certain }
  const result = readBack(open, proof, later(context, facts))
  await save(job, result.record)
  if (!result.taken && written.failure !== undefined) throw written.failure
  return { ...result, observed, ...changes, unfinished: unfinished(job, written) }
}

/** Why isolation left additions waiting: a try failed, or the tries of one go are spent. */
function unfinished({ app }: WriteJob, { waiting, failure }: Written): Error | undefined {
  if (waiting.length === 0) return undefined
  if (failure !== undefined) return failure
  const message = `ServerPilot refuses names among the additions to app ${app.spec.appId}. They are looked for in ${MAX_PROBES} tries at a time, and ${waiting.length} host(s) wait for the next ones.`
  return new ReconcileError('Progressing', message)
}

const save = ({ context, app, facts }: WriteJob, record: OwnershipRecord): Promise<void> =>
  context.memory.records.save(app.key, record, facts.wallOffset)

/** The time on the clock that the facts are by, whatever the wall clock was set to since; epoch ms. */
const later = ({ ports }: Context, { now, steady }: Facts): number => now + Math.floor(ports.clock.steady()) - steady

/**
 * Writes the plan's list; a list that the API refuses is taken apart until its good names are in.
 * Throws only while nothing can have had an effect.
 */
async function writeList(job: WriteJob): Promise<Written> {
  const { plan } = job
  const base = plan.list.slice(0, plan.list.length - plan.additions.length)
  const additions = plan.additions.map((each) => each.host)
  const failure = await post(job, plan.list, job.leave)
  if (failure?.reason === 'Rejected' && additions.length > 0) return await isolate(job, base, failure)
  if (failure?.outcome === 'none') throw failure
  return { expected: expect(base, additions), rejected: new Map(), waiting: [], failure }
}

/** What the write's own answers teach, before it is read back. */
function afterWrite({ facts, plan }: WriteJob, written: Written, claim: OwnershipRecord): OwnershipRecord {
  const noted = noteRejected(claim, plan, written.rejected, facts.now)
  const record = claims.release(noted, [...written.rejected.keys(), ...written.waiting])
  return written.failure === undefined ? record : claims.markUncertain(record, unknownHosts(plan, written))
}

/** Additions that may be there or not. */
function unknownHosts(plan: Plan, { rejected, waiting }: Written): Host[] {
  const out = new Set([...rejected.keys(), ...waiting])
  return plan.additions.map(({ host }) => host).filter((host) => !out.has(host))
}

/** Reads the app again; once more after a second when it is not as expected, since an answer may be stale. */
async function read(
  { context, account, app, signal }: WriteJob,
  expected: ReadonlySet<string>,
): Promise<ServerPilotApp> {
  const first = await account.getApp(app.spec.appId, signal)
  if (sameNames(first.domains.map(compareKey), expected)) return first
  await context.ports.clock.sleep(1_000, signal)
  return await account.getApp(app.spec.appId, signal)
}

/** The names that should be there after a write of these. */
const expect = (base: readonly string[], hosts: readonly Host[]): ReadonlySet<string> =>
  new Set([...base.map(compareKey), ...hosts])

/** One full-list write. */
async function post(
  job: WriteJob,
  list: readonly string[],
  leave: Leave | undefined,
): Promise<ServerPilotError | undefined> {
  const { account, app, plan, signal } = job
  if (list.length === 0 && !plan.approved && !app.spec.safety.allowEmpty) {
    // The guards see to that before; this is the last lock, as an empty list takes the app off the net.
    throw new ReconcileError('RemovalRefused', `The list of app ${app.key} would be empty; it is not written.`, {
      retryable: false,
    })
  }
  return await errorOf(job, () => account.writeDomains(app.spec.appId, list, signal, leave))
}

/** Makes a write to the app. Gives the API's error instead of throwing it: what it means is the caller's to judge. */
export async function errorOf(
  { context, app }: Pass,
  write: () => Promise<unknown>,
): Promise<ServerPilotError | undefined> {
  context.ports.assertMayWrite()
  try {
    await write()
    return undefined
  } catch (error) {
    if (error instanceof ServerPilotError) return error
    throw error
  } finally {
    context.memory.listings.written(app.key)
  }
}

/**
 * The API refused the list: finds the names that it will not have, and gets the others in. Each probe stands on a fresh reading,
 * since a round may take minutes, and what somebody else adds meanwhile is not ours to overwrite.
 */
async function isolate(job: WriteJob, firstBase: readonly string[], refusal: ServerPilotError): Promise<Written> {
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
  { account, app, facts, plan, signal }: WriteJob,
  before: readonly string[],
  hosts: readonly Host[],
  leave: Leave,
): Promise<readonly string[]> {
  const { domains } = await account.getApp(app.spec.appId, signal, leave)
  const out = new Set<string>([...plan.removals, ...hosts])
  const others = domains.filter((name) => !out.has(compareKey(name)))
  const known = { ...facts.record, lastSeen: before.map(compareKey) as Host[] }
  const doubt = before.length + others.length === 0 ? undefined : doubtful(known, others)
  if (doubt !== undefined) {
    const message = `${doubt}, while rejected names of app ${app.key} were looked for. It is read again before the next write.`
    throw new ReconcileError('ApiUnreachable', message)
  }
  return others
}
