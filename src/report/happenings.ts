import type { Outcome } from './outcome.ts'
import type { EventReason } from './reasons.ts'
import type { AppStatus } from './status.ts'

/** Something worth an Event on the app: a reason of EVENTS, one sentence with figures, and the hosts that it speaks of. */
export interface AppHappening {
  reason: EventReason
  note: string
  names: readonly string[]
}

/** What a reconcile did and what changed by it since the status before. Pure; a state that lasts is told once. */
export function happenings(outcome: Outcome, before: AppStatus | undefined, after: AppStatus): AppHappening[] {
  const told: AppHappening[] = []
  const tell = (reason: EventReason, note: string, names: readonly string[] = []): void => {
    told.push({ reason, note, names })
  }
  const { added, removed, plan, ssl } = outcome
  if (added.length > 0) tell('DomainsAdded', `${added.length} host(s) added, read back and compared`, added)
  if (removed.length > 0) tell('DomainsRemoved', `${removed.length} host(s) removed, read back and compared`, removed)
  const toldBefore = before?.plan?.reason === 'RemovalRefused' && before.plan.hash === plan?.hash
  if (plan?.refused !== undefined && !toldBefore) {
    tell('RemovalRefused', plan.refused.message, plan.waiting)
  }
  const rejected = rejectedOf(after).filter((host) => !rejectedOf(before).includes(host))
  if (rejected.length > 0) tell('DomainRejected', `ServerPilot refuses ${rejected.length} host(s)`, rejected)
  if (ssl?.switched !== undefined && 'auto' in ssl.switched) tell('AutoSSLEnabled', 'AutoSSL was switched on.')
  const failed = outcome.failure?.reason
  if (failed !== undefined && failed !== syncReason(before)) {
    tell('SyncFailed', `${failed}: ${outcome.failure?.message ?? ''}`)
  }
  if (outcome.leftBehind !== undefined) tell('SyncFailed', outcome.leftBehind)
  if (failed === undefined && outcome.result !== 'Suspended' && before !== undefined && hadFailed(before)) {
    tell('SyncRecovered', 'The app is looked after again.')
  }
  return told
}

const rejectedOf = (status: AppStatus | undefined): string[] =>
  (status?.hosts ?? []).filter((host) => host.state === 'rejected').map((host) => host.name)

/** The attempt before had failed: its success lies further back than its attempt. */
const hadFailed = ({ lastAttempt = 0, lastSuccess = 0, plan }: AppStatus): boolean =>
  plan === undefined && lastSuccess > 0 && lastSuccess < lastAttempt

const syncReason = (status: AppStatus | undefined): string | undefined =>
  status?.conditions.find((each) => each.type === 'Synced')?.reason
