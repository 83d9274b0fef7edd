import type { App, Key } from '../../api/objects.ts'
import { writesUnder } from '../../api/policy.ts'
import { messageOf } from '../../log/message-of.ts'
import { LATE_WRITE_MS } from '../../ownership/record.ts'
import { invalidApp } from '../../source/source.ts'
import type { Failure, Found } from '../../status/outcome.ts'
import type { Context } from '../context/context.ts'
import { failureOf, ReconcileError } from '../context/errors.ts'
import type { Finalizable } from '../context/ports.ts'
import type { Pass, Stage } from './pass.ts'

/**
 * What `deletionPolicy` asks for. An app with `Delete` gets a finalizer before anything is added to it. When its object is deleted,
 * what is ours is removed from ServerPilot, and then the finalizer goes. Every other app goes at once: its hosts stay.
 */

/** Holds an object until what is ours was removed from its app. */
export const FINALIZER = 'domainpilot.dev/remove-hosts'

/** How long credentials may stay away before an app that is being deleted is let go with its hosts left behind; ms. */
const PATIENCE = 3_600_000

/** The stage of an app. */
export function stageOf(context: Context, app: App): Stage {
  if (app.deletionTimestamp === undefined) return 'serve'
  const removes = app.fault === undefined && asksForRemoval(app) && hasFinalizer(app) && !app.spec.suspend
  return removes && !hasHeir(context, app) ? 'finalize' : 'let go'
}

const asksForRemoval = ({ spec }: App): boolean => spec.deletionPolicy === 'Delete' && writesUnder(spec.policy)
const hasFinalizer = ({ finalizers = [] }: Finalizable): boolean => finalizers.includes(FINALIZER)

/** Another object for the same app is there to go on with the hosts. */
const hasHeir = ({ ports }: Context, app: App): boolean =>
  ports.objects
    .apps()
    .some((each) => each.key !== app.key && each.spec.appId === app.spec.appId && each.deletionTimestamp === undefined)

/** Brings the finalizer to what the object says now. Throws `ReconcileError` when it cannot be set; a dry run sets none. */
export async function bringFinalizer(context: Context, app: App, stage: Stage): Promise<void> {
  // What is suspended is left as it is until it goes.
  if (stage === 'finalize' || (stage === 'serve' && app.spec.suspend)) return
  const wanted = stage === 'serve' && asksForRemoval(app)
  if (wanted !== hasFinalizer(app)) await change(context, app, wanted ? 'add' : 'remove')
}

/**
 * What becomes of an app whose newest version has a fault. Nobody knows what it asks for, so nothing is written for it; one that is
 * being deleted is let go, and its hosts stay. Throws `ReconcileError`.
 */
export async function refuse({ context, app, stage }: Pass, fault: string): Promise<Found> {
  if (stage === 'serve') return { failure: { reason: 'InvalidSpec', message: fault, retryable: false } }
  return await letFaultyGo(context, app)
}

/** The same for one that never could be read. */
export async function letUnreadableGo(context: Context, key: Key): Promise<Found> {
  const object = invalidApp(context.ports.objects, key)
  if (object === undefined) return {}
  return await letFaultyGo(context, object).catch((error: unknown) => ({ failure: failureOf(error) }))
}

async function letFaultyGo(context: Context, object: Finalizable): Promise<Found> {
  if (object.deletionTimestamp === undefined || !hasFinalizer(object)) return {}
  await change(context, object, 'remove')
  return {
    leftBehind: `ServerPilotApp ${object.key} was deleted while it had a fault, and let go: hosts that domainpilot added stay on its app.`,
  }
}

async function change({ ports, mode }: Context, object: Finalizable, how: 'add' | 'remove'): Promise<void> {
  if (ports.finalizers === undefined || mode.dryRun) return
  ports.assertMayWrite()
  try {
    await ports.finalizers[how](object)
  } catch (cause) {
    const words = messageOf(cause)
    const task = how === 'add' ? 'put on' : 'taken off'
    const message = `The finalizer ${FINALIZER} (spec.deletionPolicy) cannot be ${task} ServerPilotApp ${object.key}: ${words}`
    throw new ReconcileError('Progressing', message, { cause })
  }
}

/**
 * After a pass over an app that is being finalized: takes the finalizer off once nothing of ours is left on it, or can still arrive by
 * a write whose end nobody saw. Gives what was left behind, or when to look again. Throws `ReconcileError`.
 */
export async function* finalize({ context, app }: Pass, found: Found): AsyncGenerator<Found> {
  const { failure } = found
  if (context.mode.dryRun) return
  if (failure?.reason === 'CredentialsInvalid') return yield await withoutCredentials(context, app, failure)
  const gone = failure?.reason === 'AppNotFound'
  if (!gone && (failure !== undefined || found.plan === undefined)) return
  const open = gone ? undefined : openUntil(found, context.ports.clock.now())
  if (open === undefined) await change(context, app, 'remove')
  else if (open > 0) yield { next: open }
}

/** Undefined: all is done. Else when to look again, epoch ms; 0 when something else than time has to happen. */
function openUntil({ plan, record }: Found, now: number): number | undefined {
  if (plan !== undefined && plan.removals.length + plan.waiting.length > 0) return 0
  if ((plan?.held.size ?? 0) > 0) return 0
  const unproven = Object.values(record?.hosts ?? {}).filter((claim) => claim.state !== 'Held')
  const until = Math.max(0, ...unproven.map((claim) => claim.since + LATE_WRITE_MS))
  return until > now ? until : undefined
}

async function withoutCredentials(context: Context, app: App, failure: Failure): Promise<Found> {
  const now = context.ports.clock.now()
  const since = app.deletionTimestamp ?? now
  if (now - since < PATIENCE) return { failure: { ...failure, message: `${failure.message} ${WAYS_OUT}` } }
  await change(context, app, 'remove')
  return {
    leftBehind: `${failure.message} The object was let go: hosts that domainpilot added stay on app ${app.spec.appId}.`,
  }
}

const WAYS_OUT =
  'The object is being deleted with deletionPolicy Delete and waits until its hosts are removed: put the credentials right, or set spec.deletionPolicy: Retain to leave the hosts where they are.'
