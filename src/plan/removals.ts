import type { Key } from '../api/objects.ts'
import type { Host } from '../domain/host.ts'
import { MAX_HOSTS } from './capacity.ts'
import type { Desired } from './desired.ts'
import { approvalHash } from './hash.ts'
import type { Held } from './held.ts'
import type { Merged } from './merge.ts'
import type { PlanInput } from './plan.ts'
import { type Refusal, refuseRemovals, waitOf } from './safety.ts'

/** What became of the removals that the merge asks for. */
export interface JudgedRemovals {
  removals: Host[]
  waiting: Host[]
  hash: string
  refused: Refusal | undefined
  approved: boolean
}

/**
 * Judges removals in this order: held by a failed source or a move, approved, settling, then the guards. What is held back is
 * put into `held`.
 */
export function judgeRemovals(input: PlanInput, merged: Merged, held: Map<Host, Held>): JudgedRemovals {
  const { app, record, watch, now } = input
  const candidates: Host[] = []
  const invalid = invalidMappings(input.desired)
  for (const host of merged.remove) {
    const fixed = holdOf(host, input, invalid)
    if (fixed === undefined) candidates.push(host)
    else held.set(host, fixed)
  }
  candidates.sort()
  const hash = approvalHash(app.spec.appId, candidates, record.approvalsUsed)
  const nothing = { waiting: [], hash, refused: undefined, approved: false }
  if (candidates.length === 0) return { ...nothing, removals: [] }
  if (input.approvals.includes(hash) || input.handed?.includes(hash))
    return { ...nothing, removals: candidates, approved: true }

  const settled: Host[] = []
  let distrust: Refusal | undefined
  for (const host of candidates) {
    const wait = input.leaving ? undefined : waitOf(host, watch, input.distrusted, app.spec.safety, now)
    if (wait === undefined) settled.push(host)
    else if (wait.until === undefined) {
      distrust ??= { reason: 'RemovalRefused', message: `${host}: ${wait.message}` }
      held.set(host, { reason: 'RemovalRefused', message: wait.message })
    } else held.set(host, { reason: 'RemovalSettling', message: wait.message, until: wait.until })
  }
  const ours = (host: Host): boolean => Object.hasOwn(record.hosts, host)
  const refusal = refuseRemovals({
    removals: settled,
    foreign: settled.filter((host) => !ours(host)),
    safety: app.spec.safety,
    record,
    owned: input.owned.length,
    joining: joiningOf(input, merged),
    desired: input.desired.hosts.size,
    left: leftAfter(input, merged, settled),
    leaving: input.leaving,
    now,
  })
  if (refusal !== undefined) for (const host of settled) held.set(host, refusal)
  const removals = refusal === undefined ? settled : []
  const going = new Set(removals)
  return {
    removals,
    waiting: candidates.filter((host) => !going.has(host)),
    hash,
    refused: withApproval(refusal ?? distrust, input, candidates.length, hash),
    approved: false,
  }
}

/** Hosts that become ours by this plan: adopted, or added for the first time and fitting while nothing is removed. */
function joiningOf(input: PlanInput, merged: Merged): number {
  const fresh = merged.add.filter(({ host }) => !input.blocked.has(host) && !Object.hasOwn(input.record.hosts, host))
  return merged.adopt.length + Math.min(fresh.length, Math.max(MAX_HOSTS - input.observed.length, 0))
}

/** Names on the app once these hosts went: only additions that will really be made count. */
function leftAfter(input: PlanInput, merged: Merged, gone: readonly Host[]): number {
  const stay = input.observed.length - namesOf(input.observed, gone, merged)
  const open = merged.add.filter((each) => !input.blocked.has(each.host)).length
  return stay + Math.min(open, Math.max(MAX_HOSTS - stay, 0))
}

function withApproval(
  refusal: Refusal | undefined,
  input: PlanInput,
  count: number,
  hash: string,
): Refusal | undefined {
  if (refusal === undefined) return undefined
  const { approvals, record, app } = input
  if (app.spec.policy === 'Observe') return refusal // nothing is written, so there is nothing to approve
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

/** Mappings that exist but name no valid host: a slip of the pen takes nothing off the app. */
function invalidMappings(desired: Desired): ReadonlySet<Key> {
  return new Set(
    desired.rejected
      .filter((each) => each.reason === 'InvalidDomain' || each.undecided)
      .map((each) => each.mapping.key),
  )
}

/** What holds one removal back that neither time nor approval lifts. */
function holdOf(host: Host, { record, frozen, moving }: PlanInput, invalid: ReadonlySet<Key>): Held | undefined {
  const claim = record.hosts[host]
  const source = claim?.source
  const failure = frozen.size === 0 ? undefined : source === undefined ? first(frozen) : frozen.get(source)
  if (failure !== undefined) {
    return { reason: 'SourceUnavailable', message: `its source cannot be read in full: ${failure}` }
  }
  if (claim !== undefined && invalid.has(claim.mapping)) {
    return { reason: 'SourceUnavailable', message: `its mapping ${claim.mapping} names no valid host now` }
  }
  const to = moving.get(host)
  return to === undefined ? undefined : { reason: 'Progressing', message: `leaves once app ${to} serves it` }
}

const first = (map: ReadonlyMap<string, string>): string | undefined => map.values().next().value

/** How many observed names (spellings) the hosts stand for. */
export function namesOf(observed: readonly string[], hosts: readonly Host[], { respelled, plain }: Merged): number {
  if (plain) return hosts.length
  const gone = new Set<string>(hosts)
  let count = 0
  for (const name of observed) if (gone.has(respelled.get(name) ?? name)) count++
  return count
}
