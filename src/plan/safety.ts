import { firstOf } from '../domain/first-of.ts'
import type { Host } from '../domain/host.ts'
import { removalShare } from '../ownership/budget.ts'
import type { PlanInput } from './input.ts'

/** The removals that a plan would make, and what it would leave. */
interface RemovalCase {
  removals: readonly Host[]
  /** Those of `removals` that are not ours (policy Exclusive). */
  foreign: readonly Host[]
  /** How many hosts become ours by this plan: the next one would count them, so this one does. */
  joining: number
  /** Names that would be left on the app, additions included. */
  left: number
}

/** Why removals are held back: a reason of status/reasons.ts and a message with its figures. */
export interface Refusal {
  reason: 'RemovalRefused'
  message: string
}

type Guard = (removal: RemovalCase, input: PlanInput) => string | undefined

const percent = (share: number): string => `${Math.floor(share * 10) / 10} %`

/** Names that nobody here put on the app go when somebody says yes to that: once under `Exclusive`, else to each such plan. */
const foreignNeedsApproval: Guard = ({ foreign }, { app, record }) => {
  if (foreign.length === 0) return undefined
  if (app.spec.policy !== 'Exclusive')
    return `${foreign.length} host(s) that domainpilot did not add would be removed, as was asked for; this needs approval`
  return record.exclusiveApproved === true
    ? undefined
    : `policy Exclusive would remove ${foreign.length} host(s) that domainpilot did not add; the first time this needs approval`
}

const budget: Guard = ({ removals, foreign, joining }, { app, record, owned, finalizing, now }) => {
  if (finalizing) return undefined
  const { safety } = app.spec
  const others = new Set(foreign)
  const ours = removals.filter((host) => !others.has(host))
  const share = removalShare(record, ours, now, safety.window, owned.length + joining)
  if (share.base < safety.minDomains || share.percent <= safety.maxRemovalPercent) return undefined
  const earlier = share.removed - new Set(ours).size
  const before = earlier > 0 ? `, ${earlier} of them earlier in the window` : ''
  return `${percent(share.percent)} of this app's hosts would be gone (${share.removed} of ${share.base}${before}); the limit is ${safety.maxRemovalPercent} %`
}

/** Of an app whose object is being deleted, only an app without any host is too much. */
const neverAll: Guard = ({ removals, left }, { app, desired, finalizing }) => {
  if (removals.length === 0 || app.spec.safety.allowEmpty) return undefined
  if (left === 0) return 'the app would be left without a single host and could not receive requests'
  return desired.hosts.size === 0 && !finalizing
    ? `no mapping is left at all: all ${removals.length} host(s) of ours would go`
    : undefined
}

/** The guards in the order in which they speak; the first that objects decides. */
const GUARDS: readonly Guard[] = [foreignNeedsApproval, budget, neverAll]

/** Judges removals that have settled. Undefined: they may go. */
export function refuseRemovals(removal: RemovalCase, input: PlanInput): Refusal | undefined {
  const message = removal.removals.length === 0 ? undefined : firstOf(GUARDS, removal, input)
  return message === undefined ? undefined : { reason: 'RemovalRefused', message }
}
