import { byKey } from '../domain/by-key.ts'
import { visible } from '../log/visible.ts'
import { EXIT, endWith, type Io } from '../setup/io.ts'

/** A plan whose removals wait, of this app. */
export interface WaitingPlan {
  key: string
  hash: string
}

/** Says that no plan waits that an approval fits, and which do wait. Gives the exit status. */
export function noSuchPlan(io: Pick<Io, 'err'>, hash: string, waiting: readonly WaitingPlan[]): number {
  const plans = waiting.toSorted(byKey).map((plan) => `\n  ${visible(plan.key)}: ${visible(plan.hash)}`)
  const rest = plans.length === 0 ? 'None waits.' : `Those that wait:${plans.join('')}`
  return endWith(io, EXIT.failed, `No plan that waits has the hash ${visible(hash)}: nothing was approved. ${rest}`)
}

/** The plans that wait, of what carries one. */
export const waitingPlans = (apps: readonly { key: string; plan?: { hash: string } | undefined }[]): WaitingPlan[] =>
  apps.flatMap(({ key, plan }) => (plan === undefined ? [] : [{ key, hash: plan.hash }]))
