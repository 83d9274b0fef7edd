import { createHash } from 'node:crypto'
import { writesUnder } from '../api/policy.ts'
import type { Host } from '../domain/host.ts'
import { type Additions, fitting } from './capacity.ts'
import type { Held, HeldChange } from './held.ts'
import { holdsOf, waitOf } from './holds.ts'
import type { PlanInput } from './input.ts'
import type { Merged } from './merge.ts'
import { type Refusal, refuseRemovals } from './safety.ts'

/** What became of the removals that the merge asks for. */
export interface JudgedRemovals {
  removals: readonly Host[]
  /** Held back until time or an approval lets them go, sorted: what `hash` stands for. */
  waiting: readonly Host[]
  /** Changes that are held back. */
  held: ReadonlyMap<Host, HeldChange>
  /** What an approval of the waiting removals has to name. */
  hash: string
  refused: Refusal | undefined
  /** The approval given fits, and these removals are let through by it. */
  approved: boolean
}

/** Judges removals in this order: held by what neither time nor approval lifts, approved, settling, then the guards. */
export function judgeRemovals(input: PlanInput, merged: Merged, open: Additions): JudgedRemovals {
  const held = new Map<Host, HeldChange>()
  const candidates = sift(merged.remove, holdsOf(input), held).sort()
  const hash = approvalHash(input.app.spec.appId, candidates, input.record.approvalsUsed)
  const approved = candidates.length > 0 && (input.approvals.includes(hash) || input.handed?.includes(hash) === true)
  if (approved || candidates.length === 0) {
    return { removals: candidates, waiting: [], held, hash, refused: undefined, approved }
  }
  // Who deletes the app's object has said what he wants.
  const settled = input.finalizing ? candidates : sift(candidates, (host) => waitOf(host, input), held)
  const refusal = guard(settled, input, merged, open)
  if (refusal !== undefined) for (const host of settled) held.set(host, { ...refusal, of: 'removal' })
  const reason = refusal ?? distrust(candidates, held)
  return {
    removals: refusal === undefined ? settled : [],
    waiting: candidates.filter((host) => held.has(host)),
    held,
    hash,
    refused: reason === undefined ? undefined : withApproval(reason, input, candidates.length, hash),
    approved: false,
  }
}

/** The hash that approves exactly these removals (sorted) of this app, once: the count of approvals used so far is part of it. */
function approvalHash(appId: string, removals: readonly Host[], approvalsUsed: number): string {
  const text = JSON.stringify([appId, approvalsUsed, removals])
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

/** The removals that nothing holds back; the others are noted in `held`. */
function sift(
  removals: readonly Host[],
  holdOf: (host: Host) => Held | undefined,
  held: Map<Host, HeldChange>,
): Host[] {
  const free: Host[] = []
  for (const host of removals) {
    const hold = holdOf(host)
    if (hold === undefined) free.push(host)
    else held.set(host, { ...hold, of: 'removal' })
  }
  return free
}

/** What the first of the removals waits for a person for, if one does. */
function distrust(candidates: readonly Host[], held: ReadonlyMap<Host, HeldChange>): Refusal | undefined {
  for (const host of candidates) {
    const { reason, message } = held.get(host) ?? {}
    if (reason === 'RemovalRefused') return { reason, message: `${host}: ${message}` }
  }
  return undefined
}

/** Asks the guards about removals that have settled. */
function guard(settled: readonly Host[], input: PlanInput, merged: Merged, open: Additions): Refusal | undefined {
  const { record, observed } = input
  const ours = (host: Host): boolean => Object.hasOwn(record.hosts, host)
  const foreign = settled.filter((host) => !ours(host))
  const fresh = open.hosts.filter(({ host }) => !ours(host)).length
  // As long as nothing is removed, additions fit only beside all that is there.
  const joining = merged.adopt.length + fitting(fresh, observed.length)
  const stay = observed.length - namesOf(observed, settled, merged)
  const left = stay + fitting(open.hosts.length, stay)
  return refuseRemovals({ removals: settled, foreign, joining, left }, input)
}

function withApproval(refusal: Refusal, input: PlanInput, count: number, hash: string): Refusal {
  const { approvals, record, app } = input
  if (!writesUnder(app.spec.policy)) return refusal // nothing is written, so there is nothing to approve
  const stale = approvals.find((each) => each !== record.lastApproval)
  const note =
    stale !== undefined
      ? ` The approval ${stale} no longer fits: the plan has changed.`
      : approvals.length === 0
        ? ''
        : ` The approval ${approvals[0]} was used already: an approval serves once.`
  return {
    reason: refusal.reason,
    message: `${count} removal(s) held back: ${refusal.message}.${note} To let exactly these go, approve ${hash}.`,
  }
}

/** How many observed names (spellings) the hosts stand for. */
export function namesOf(observed: readonly string[], hosts: readonly Host[], { respelled, plain }: Merged): number {
  if (plain) return hosts.length
  const gone = new Set<string>(hosts)
  let count = 0
  for (const name of observed) if (gone.has(respelled.get(name) ?? name)) count++
  return count
}
