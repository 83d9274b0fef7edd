import type { App } from '../../api/objects.ts'
import { LATE_WRITE_MS } from '../../ownership/record.ts'
import type { Failure, Outcome } from '../../status/outcome.ts'
import type { Context } from '../context.ts'
import { ReconcileError } from './errors.ts'

/**
 * What `deletionPolicy` asks for. An app with `Delete` gets a finalizer before anything is added to it. When its object is deleted,
 * what is ours is removed from ServerPilot, and then the finalizer goes. Every other app goes at once: its hosts stay.
 */

/** Holds an object until what is ours was removed from its app. */
export const FINALIZER = 'domainpilot.dev/remove-hosts'

/** Puts our finalizer on objects and takes it off. Both may be repeated; both throw when it cannot be done. */
export interface Finalizers {
  add(app: App): Promise<void>
  remove(app: App): Promise<void>
}

/** How long credentials may stay away before an app that is being deleted is let go with its hosts left behind; ms. */
const PATIENCE = 3_600_000

/**
 * `stays`: not being deleted. `leaving`: what is ours is removed before it goes. `gone`: it goes with its hosts left as they are, and
 * nothing is done for it any more.
 */
export type Farewell = 'stays' | 'leaving' | 'gone'

/** How far the object's deletion is. */
export function farewellOf(context: Context, app: App): Farewell {
  if (app.deletionTimestamp === undefined) return 'stays'
  const removes = asksForRemoval(app) && hasFinalizer(app) && !app.spec.suspend
  return removes && !hasHeir(context, app) ? 'leaving' : 'gone'
}

const asksForRemoval = ({ spec }: App): boolean => spec.deletionPolicy === 'Delete' && spec.policy !== 'Observe'

const hasFinalizer = ({ finalizers = [] }: App): boolean => finalizers.includes(FINALIZER)

/** Another object for the same app is there to go on with the hosts. */
const hasHeir = (context: Context, app: App): boolean =>
  context.objects
    .apps()
    .some((each) => each.key !== app.key && each.spec.appId === app.spec.appId && each.deletionTimestamp === undefined)

/** Brings the finalizer to what the object says now. Throws `ReconcileError` when it cannot be set; a dry run sets none. */
export async function bringFinalizer(context: Context, app: App, farewell: Farewell): Promise<void> {
  if (context.finalizers === undefined || context.dryRun || farewell === 'leaving') return
  const wanted = farewell === 'stays' && asksForRemoval(app)
  // What is suspended is left as it is until it goes.
  if (wanted === hasFinalizer(app) || (farewell === 'stays' && app.spec.suspend)) return
  await change(context, app, wanted ? 'add' : 'remove')
}

async function change(context: Context, app: App, how: 'add' | 'remove'): Promise<void> {
  context.assertMayWrite()
  try {
    await context.finalizers?.[how](app)
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause)
    const task = how === 'add' ? 'put on' : 'taken off'
    const message = `The finalizer ${FINALIZER} (spec.deletionPolicy) cannot be ${task} ServerPilotApp ${app.key}: ${words}`
    throw new ReconcileError('Progressing', message, { retryable: true, cause })
  }
}

/**
 * After a reconcile of an app that is leaving: takes the finalizer off once nothing of ours is left on it, or can still arrive by a
 * write whose end nobody saw. Writes into the outcome what was left behind, or when to look again. Throws `ReconcileError`.
 */
export async function concludeFarewell(context: Context, app: App, outcome: Outcome): Promise<void> {
  const { failure } = outcome
  if (context.dryRun) return
  if (failure?.reason === 'AppNotFound') return await change(context, app, 'remove')
  if (failure?.reason === 'CredentialsInvalid') return await withoutCredentials(context, app, outcome, failure)
  if (failure !== undefined || outcome.plan === undefined) return
  const open = openUntil(outcome, context.clock.now())
  if (open === undefined) await change(context, app, 'remove')
  else if (open > 0) outcome.next = Math.min(open, outcome.next ?? open)
}

/** Undefined: all is done. Else when to look again, epoch ms; 0 when something else than time has to happen. */
function openUntil({ plan, record }: Outcome, now: number): number | undefined {
  if (plan !== undefined && plan.removals.length + plan.waiting.length > 0) return 0
  if ((plan?.held.size ?? 0) > 0) return 0
  const unproven = Object.values(record?.hosts ?? {}).filter((claim) => claim.state !== 'Held')
  const until = Math.max(0, ...unproven.map((claim) => claim.since + LATE_WRITE_MS))
  return until > now ? until : undefined
}

async function withoutCredentials(context: Context, app: App, outcome: Outcome, failure: Failure): Promise<void> {
  const since = app.deletionTimestamp ?? context.clock.now()
  if (context.clock.now() - since < PATIENCE) {
    outcome.failure = { ...failure, message: `${failure.message} ${WAYS_OUT}` }
    return
  }
  await change(context, app, 'remove')
  outcome.leftBehind = `${failure.message} The object was let go: hosts that domainpilot added stay on app ${app.spec.appId}.`
}

const WAYS_OUT =
  'The object is being deleted with deletionPolicy Delete and waits until its hosts are removed: put the credentials right, or set spec.deletionPolicy: Retain to leave the hosts where they are.'
