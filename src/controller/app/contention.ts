import type { App } from '../../api/objects.ts'
import type { Host } from '../../domain/host.ts'
import type { OwnershipRecord } from '../../ownership/record.ts'
import type { Plan } from '../../plan/plan.ts'
import type { Contention } from '../context.ts'
import { ReconcileError } from './errors.ts'

/** Undoing somebody this often within the window, for one host, is a fight. */
const MAX_REVERSALS = 3
const WINDOW = 10 * 60_000
const BACKOFF = 60_000
const BACKOFF_MAX = 15 * 60_000

/** Writes of one reconcile that may fail to read back before it backs off. */
export const MAX_WRITES = 3

/**
 * Hosts of the plan that undo what somebody else did: an addition that we had proven in place, a removal that we had
 * made of a host that is not ours.
 * A first write never is one.
 */
export function reversalsOf(plan: Plan, record: OwnershipRecord, now: number): Host[] {
  const recent = new Set(record.removals.filter((each) => now - each.at < WINDOW).map((each) => each.host))
  const undone = plan.additions.map((each) => each.host).filter((host) => isProven(record, host))
  return [...undone, ...plan.removals.filter((host) => recent.has(host) && record.hosts[host] === undefined)]
}

/** Notes reversals that are about to be written; true when one of the hosts has been reversed too often already. */
export function noteReversals(contention: Contention, hosts: readonly Host[], now: number): boolean {
  let fight = false
  for (const [host, times] of contention.reversals) {
    if (times.every((at) => now - at >= WINDOW)) contention.reversals.delete(host)
  }
  for (const host of hosts) {
    const recent = (contention.reversals.get(host) ?? []).filter((at) => now - at < WINDOW)
    if (recent.length >= MAX_REVERSALS) fight = true
    contention.reversals.set(host, [...recent, now])
  }
  return fight
}

/** Backs off from writing: a minute, doubled each time up to 15. Returns the wait in ms. */
export function backOff(contention: Contention, now: number): number {
  const wait = Math.min(BACKOFF * 2 ** contention.level, BACKOFF_MAX)
  contention.level++
  contention.until = now + wait
  return wait
}

/** A write stayed. */
export function calm(contention: Contention): void {
  contention.level = 0
  contention.until = 0
}

/** The error of a loop of writes that do not stay. */
export function notTaken(app: App, writesDone: number, changedMeanwhile: boolean): ReconcileError {
  return changedMeanwhile
    ? new ReconcileError(
        'Contended',
        `${writesDone} writes to app ${app.spec.appId} did not stay: somebody else changes its domains. Find the other writer (the plugin, a second installation, the panel).`,
        { retryable: true },
      )
    : new ReconcileError(
        'WriteNotTaken',
        `ServerPilot accepted ${writesDone} writes to app ${app.spec.appId}, yet its list shows none of them.`,
        { retryable: true },
      )
}

/** Proven in place, and not known to be gone since: a host that we took off ourselves keeps its claim for a while. */
function isProven(record: OwnershipRecord, host: Host): boolean {
  const claim = record.hosts[host]
  return claim?.state === 'Held' && claim.absentSince === undefined
}
