import type { Key } from '../api/objects.ts'
import type { Log } from '../log/log.ts'
import type { Failure, Outcome } from '../status/outcome.ts'
import type { StatusStore } from '../status/store.ts'
import type { Cancel } from '../time/clock.ts'
import { createPulse } from '../time/pulse.ts'
import { schedule } from '../time/schedule.ts'
import { reconcile } from './app/reconcile.ts'
import { notLookedAt } from './app/report.ts'
import type { Checks } from './checks/checks.ts'
import type { Context } from './context/context.ts'
import { createQueue, type QueueHooks } from './queue/queue.ts'
import { sweep } from './sweep.ts'

export interface DaemonOptions {
  context: Context
  /** Gets what reconciles come to. */
  reporter: Pick<StatusStore, 'reconciled' | 'objectsChanged'>
  log: Log
  workers: number
  sweepSchedule: string
  hooks: QueueHooks
  /** Checks DNS and certificates beside the reconciles; undefined for never. */
  checks?: ((enqueue: (app: Key) => void) => Checks) | undefined
}

export interface Daemon {
  /** Reads the sources and follows them. Does no work yet: a standby stays here. */
  start(): Promise<void>
  /** Begins to work, when this process may. Resolves after the first sweep. */
  lead(): Promise<void>
  /** Stops taking work, lets what is under way end within `graceMs`, then aborts it. May be called at any moment of a start. */
  stop(graceMs: number): Promise<void>
  /** Asks for a reconcile of one app now. */
  enqueue(app: Key): void
  /** How long no pass, or no sweep, that is under way has got on; ms. 0 while none is. */
  silence(): number
}

/** The daemon: sources and schedule put keys into the queue, workers reconcile them. Nothing else decides anything here. */
export function createDaemon(options: DaemonOptions): Daemon {
  const { context, reporter, log } = options
  const { clock, objects } = context.ports
  const queue = createQueue({ clock, hooks: options.hooks })
  const abort = new AbortController()
  const checks = options.checks?.((app) => queue.add(app, 'low'))
  const workers: Promise<void>[] = []
  const pulse = { sweeps: createPulse(clock), passes: createPulse(clock) }
  /** Apps of an account that could not be asked, by the one of them that asks again. */
  const behind = new Map<Key, readonly Key[]>()
  let stopSchedule: Cancel | undefined
  let leads = false
  let stopping = false

  const sweepNow = (): Promise<void> =>
    pulse.sweeps.during(async () => {
      for await (const { apps, failure } of sweep(context, abort.signal)) {
        pulse.sweeps.beat()
        if (failure === undefined) for (const key of apps) queue.add(key, 'low')
        else sweepFailed(apps, failure)
      }
    })

  /**
   * Every app of the account says so; one of them asks again by itself, with its own back-off, to notice the end of it: then the others
   * follow, however far off the next sweep is.
   */
  function sweepFailed([first, ...others]: readonly Key[], failure: Failure): void {
    log.warn('Sweep failed', { reason: failure.reason, message: failure.message })
    for (const key of others) reporter.reconciled(notLookedAt(context, key, failure))
    if (first === undefined) return
    behind.set(first, others)
    queue.add(first, 'low')
  }

  function changed(apps: ReadonlySet<Key>): void {
    if (stopping) return
    reporter.objectsChanged()
    // A standby queues nothing: its first sweep, once it leads, looks at everything.
    if (leads) for (const app of apps) queue.addCoalesced(app)
  }

  async function work(): Promise<void> {
    for (let key = await queue.get(); key !== undefined; key = await queue.get()) {
      try {
        const outcome = await pulse.passes.during(() => reconcile(context, key, abort.signal))
        followUp(outcome)
        checks?.observe(outcome)
      } catch (error) {
        // Only an abort gets here; anything else would be a bug, and must not end the worker.
        if (!abort.signal.aborted) {
          log.error('Reconcile broke off', { app: key, error })
          queue.addRateLimited(key)
        }
      } finally {
        queue.done(key)
      }
      // Reconciles that wait for no answer would follow one another without a break, and the Lease would not be renewed meanwhile.
      await clock.turn()
    }
  }

  /** What follows from an outcome: when to look again, and which other apps have to. */
  function followUp(outcome: Outcome): void {
    const { key, failure, next, added, removed } = outcome
    reporter.reconciled(outcome)
    if (failure === undefined) letFollow(key)
    if (failure?.retryable) {
      if (failure.retryAfter === undefined) queue.addRateLimited(key)
      else queue.addAfter(key, failure.retryAfter)
    } else {
      // A terminal failure waits for a change; the sweep looks at it anyway.
      queue.forget(key)
    }
    if (next !== undefined) queue.addAfter(key, Math.max(next - clock.now(), 0) + 10, 'low')
    const changed = [...added, ...removed]
    const account = outcome.record?.account
    if (changed.length === 0) return
    log.info('Applied', { app: key, added, removed })
    if (account === undefined) return
    for (const other of context.memory.desires.concerned(key, account, changed)) queue.add(other, 'low')
  }

  function letFollow(first: Key): void {
    for (const key of behind.get(first) ?? []) queue.add(key, 'low')
    behind.delete(first)
  }

  return {
    async start() {
      if (stopping) return
      await objects.start(changed)
      if (!stopping) reporter.objectsChanged()
    },
    async lead() {
      if (stopping) return
      leads = true
      reporter.objectsChanged()
      await sweepNow().catch((error: unknown) => {
        if (!abort.signal.aborted) log.warn('Sweep failed', { error })
      })
      // Stopped while an API that does not answer was waited for.
      if (stopping) return
      for (let worker = 0; worker < options.workers; worker++) workers.push(work())
      checks?.lead()
      stopSchedule = schedule(options.sweepSchedule, sweepNow, {
        clock,
        onError: (error) => log.warn('Sweep failed', { error }),
      })
    },
    async stop(graceMs) {
      stopping = true
      stopSchedule?.()
      queue.shutDown()
      const cancel = clock.after(graceMs, () => abort.abort(new Error('stopping')))
      await Promise.allSettled([checks?.stop(), objects.stop(), ...workers])
      cancel()
      abort.abort(new Error('stopped'))
    },
    enqueue: (app) => queue.add(app),
    silence: () => Math.max(pulse.sweeps.silence(), pulse.passes.silence()),
  }
}
