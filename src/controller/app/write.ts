import { compareKey, type Host } from '../../domain/host.ts'
import * as claims from '../../ownership/claims.ts'
import type { OwnershipRecord } from '../../ownership/record.ts'
import { type Plan, writes } from '../../plan/plan.ts'
import { ServerPilotError } from '../../serverpilot/errors.ts'
import type { ServerPilotApp } from '../../serverpilot/serverpilot.ts'
import { isolate } from './isolate.ts'
import { afterReading, claimed, noteRejected, readBack, withWriter } from './record-changes.ts'
import { expect, post, type WriteJob, type Written } from './write-job.ts'

/** What writes changed. */
export interface Changes {
  added: readonly Host[]
  removed: readonly Host[]
  /** Changes of the record alone. */
  adopted: number
  released: number
}

/** How one write ended, proven by reading back. */
export interface WriteResult extends Changes {
  record: OwnershipRecord
  /** The list as read back; the plan's own input when nothing was written. */
  observed: ServerPilotApp
  /** False when what was written is not (wholly) there. */
  taken: boolean
}

/**
 * Claims durably, writes the complete list, waits for the action, reads again and compares; a plan that writes nothing changes the
 * record alone. Whatever happens after the claim, the record knows of it: a crash orphans nothing of ours.
 */
export async function writePlan(job: WriteJob): Promise<WriteResult> {
  const { facts, plan, context } = job
  const record = afterReading({ ...facts, record: withWriter(facts.record, plan, context.mode.writer) }, plan)
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
  return { ...(await conclude(job, written, open, observed)), ...changes }
}

const save = ({ context, app }: WriteJob, record: OwnershipRecord): Promise<void> =>
  context.memory.records.save(app.key, record)

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
  if (isAsExpected(first.domains, expected)) return first
  await context.ports.clock.sleep(1_000, signal)
  return await account.getApp(app.spec.appId, signal)
}

function isAsExpected(domains: readonly string[], expected: ReadonlySet<string>): boolean {
  const there = new Set(domains.map(compareKey))
  return there.size === expected.size && [...expected].every((host) => there.has(host))
}

async function conclude(
  job: WriteJob,
  { expected, failure }: Written,
  open: OwnershipRecord,
  after: ServerPilotApp,
): Promise<Omit<WriteResult, 'adopted' | 'released'>> {
  const { plan, facts, context } = job
  const wanted = plan.additions.map(({ host }) => host).filter((host) => expected.has(host))
  const proof = { before: facts.observed, after, wanted, removals: plan.removals, certain: failure === undefined }
  const { taken, ...result } = readBack(open, proof, context.ports.clock.now())
  await save(job, result.record)
  if (!taken && failure !== undefined) throw failure
  return { ...result, observed: after, taken }
}
