import { StateDirBusyError } from '../ownership/lock.ts'
import type { Cluster } from '../setup/cluster.ts'
import { calledAs, EXIT, endWith, type Io } from '../setup/io.ts'
import type { Given } from '../setup/option.ts'
import { readSettings } from '../setup/settings.ts'
import { type Setup, setUp } from '../setup/setup.ts'
import { forgetStatusFile, handOver, readStatusFile } from '../setup/state-folder.ts'
import type { Outcome } from '../status/outcome.ts'
import { systemClock } from '../time/clock.ts'
import { sayNotForeign } from './foreign.ts'
import { noSuchPlan, type WaitingPlan, waitingPlans } from './no-such-plan.ts'
import { failed, print, rejected, unaccepted } from './outcomes.ts'
import { passWithProgress } from './pass.ts'
import { startProgress } from './progress.ts'

/** `apply`: one pass over every app: prints the plan, applies it, waits for the result. Stopped, it prints what it has done. */
export async function applyCommand(io: Io, given: Given): Promise<number> {
  const approval = typeof given.approve === 'string' ? given.approve : undefined
  let setup: Setup
  try {
    setup = await setUp(io, given, { oneShot: true, writes: true, approval })
  } catch (error) {
    const handed = approval !== undefined && given.removeForeign === undefined
    if (!(error instanceof StateDirBusyError) || !handed) throw error
    return approveByDaemon(io, given, approval)
  }
  try {
    if (setup.cluster !== undefined && !(await lead(io, setup.cluster))) return await leftToDaemon(io, given, approval)
    const outcomes = await passWithProgress(io, setup, 'Applying')
    if (setup.cluster === undefined) await forgetStatusFile(setup.settings.stateDir)
    if (outcomes.length > 0 || !io.signal.aborted) print(io, given, { objects: setup.objects, outcomes, applied: true })
    io.signal.throwIfAborted()
    const strangers = sayNotForeign(io, given, outcomes)
    if (strangers || failed(setup, outcomes)) return EXIT.failed
    if (approval !== undefined && !outcomes.some((each) => fits(each, approval)))
      return noSuchPlan(io, approval, plansOf(outcomes))
    if (rejected(outcomes) || unaccepted(setup, outcomes)) return EXIT.failed
    return outcomes.some((each) => each.result === 'Refused') ? EXIT.refused : EXIT.done
  } finally {
    await setup.cluster?.elector?.stop()
    await setup.close()
  }
}

/** Whether the approval was for a plan of this pass. */
const fits = ({ plan, applied }: Outcome, approval: string): boolean =>
  [plan, applied].some((each) => each?.approved === true && each.hash === approval)

const plansOf = (outcomes: readonly Outcome[]): WaitingPlan[] =>
  waitingPlans(outcomes.map(({ key, plan }) => ({ key, plan: plan?.waiting.length ? plan : undefined })))

/** The daemon writes its status every two seconds, and looks at a change of the objects within one; ms. */
const PATIENCE = 5_000
const LOOK_EVERY = 250

/** A daemon is at work on that state folder: it is the one to apply what is approved. */
async function approveByDaemon(io: Io, given: Given, hash: string): Promise<number> {
  const { stateDir } = readSettings(given, io.environment, io.readFile)
  const waiting = await plansOfDaemon(io, stateDir, hash)
  if (waiting?.every((plan) => plan.hash !== hash)) return noSuchPlan(io, hash, waiting)
  handOver(stateDir, hash)
  const words = `A daemon holds ${stateDir}: the approval was handed to it. \`domainpilot status\` shows what became of it.`
  return endWith(io, EXIT.done, words)
}

/** The plans that wait at the daemon, as soon as one has the hash; undefined when it has not said anything yet. */
async function plansOfDaemon(io: Io, stateDir: string, hash: string): Promise<WaitingPlan[] | undefined> {
  const progress = startProgress(io, 'Waiting for the daemon to report a plan with that hash')
  const deadline = systemClock.steady() + PATIENCE
  try {
    for (;;) {
      const status = readStatusFile(io, stateDir)
      const waiting = status && waitingPlans(status.apps)
      if (waiting?.some((plan) => plan.hash === hash) || systemClock.steady() >= deadline) return waiting
      await systemClock.sleep(LOOK_EVERY, io.signal)
    }
  } finally {
    progress.stop()
  }
}

async function lead(io: Io, cluster: Cluster): Promise<boolean> {
  const { takeLead } = await import('../setup/leadership.ts')
  const progress = startProgress(io, `Waiting for the Lease ${cluster.lease?.name}`)
  return await takeLead(io, cluster).finally(() => progress.stop())
}

/** A daemon leads in the cluster: nobody writes beside it. */
async function leftToDaemon(io: Io, given: Given, approval: string | undefined): Promise<number> {
  if (given.removeForeign !== undefined) {
    const words =
      'Nothing was applied: a daemon leads in this cluster. --remove-foreign works where none runs; spec.policy Exclusive removes every foreign host, after approval.'
    return endWith(io, EXIT.failed, words)
  }
  if (approval !== undefined) {
    const { approveWaiting } = await import('./approve.ts')
    return await approveWaiting(io, given, approval)
  }
  return endWith(
    io,
    EXIT.failed,
    `Nothing was applied: a daemon leads in this cluster and applies by itself. \`${calledAs(io)} status\` shows where it stands; \`${calledAs(io)} approve APP\` lets removals go that wait.`,
  )
}
