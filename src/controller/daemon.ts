import { setImmediate } from 'node:timers/promises'
import type { Key } from '../api/objects.ts'
import type { Log } from '../log/log.ts'
import { blankOutcome, type Failure, type Outcome } from '../status/outcome.ts'
import { concerned } from './app/desire.ts'
import { reconcile } from './app/reconcile.ts'
import type { Checks } from './checks/checks.ts'
import type { Context } from './context.ts'
import { createQueue, type Queue, type QueueHooks } from './queue/queue.ts'
import { schedule } from './schedule.ts'
import { sweep } from './sweep.ts'

/** Who hears how reconciles go. */
export interface Reporter {
  /** After each reconcile; never throws. */
  reconciled(outcome: Outcome): void
  /** A sweep began: the loop turns. */
  turned(): void
  /** Told when objects changed, before their apps are reconciled. */
  objectsChanged(): void
}

export interface DaemonOptions {
  context: Context
  reporter: Reporter
  log: Log
  workers: number
  sweepSchedule: string
  hooks: QueueHooks
  /** Looks at DNS and certificates beside the reconciles; undefined for never. */
  checks?: ((enqueue: (app: Key) => void) => Checks) | undefined
}

export interface Daemon {
  /** Reads the sources and follows them. Does no work yet: a standby stays here. */
  start(): Promise<void>
  /** Begins to work, when this process may. Resolves after the first sweep. */
  lead(): Promise<void>
  /** Stops taking work, lets what is under way end within `graceMs`, then aborts it. */
  stop(graceMs: number): Promise<void>
  /** Asks for a reconcile of one app now. */
  enqueue(app: Key): void
  queueDepth(): number
}

/** The daemon: sources and schedule put keys into the queue, workers reconcile them. Nothing else decides anything here. */
export function createDaemon(options: DaemonOptions): Daemon {
  const { context, reporter, log } = options
  const queue = createQueue({ clock: context.clock, hooks: options.hooks })
  const abort = new AbortController()
  const checks = options.checks?.((app) => queue.add(app, 'low'))
  const workers: Promise<void>[] = []
  let stopSchedule: (() => void) | undefined
  let leads = false
  let stopping = false

  const sweepNow = async (): Promise<void> => {
    reporter.turned()
    for (const { apps, failure } of await sweep(context, abort.signal)) {
      if (failure === undefined) for (const key of apps) queue.add(key, 'low')
      else sweepFailed(apps, failure)
    }
  }

  /** Every app of the account says so; one of them asks again by itself, with its own back-off, to notice the end of it. */
  const sweepFailed = (apps: readonly Key[], failure: Failure): void => {
    log.warn('Sweep failed', { reason: failure.reason, message: failure.message })
    const now = context.clock.now()
    const [first, ...others] = apps
    for (const key of others) {
      reporter.reconciled({ ...blankOutcome(key, context.objects.app(key), now), result: 'Failed', failure })
    }
    if (first !== undefined) queue.add(first, 'low')
  }

  return {
    async start() {
      await context.objects.start((apps) => {
        reporter.objectsChanged()
        // A standby queues nothing: its first sweep, once it leads, looks at everything.
        if (leads) for (const app of apps) queue.addCoalesced(app)
      })
      reporter.objectsChanged()
    },
    async lead() {
      leads = true
      reporter.objectsChanged()
      await sweepNow().catch((error: unknown) => {
        if (!abort.signal.aborted) log.warn('Sweep failed', { error })
      })
      // Stopped while an API that does not answer was waited for.
      if (stopping || abort.signal.aborted) return
      for (let worker = 0; worker < options.workers; worker++) {
        workers.push(work(options, queue, checks, abort.signal))
      }
      checks?.lead()
      stopSchedule = schedule(options.sweepSchedule, sweepNow, {
        name: 'sweep',
        onError: (error) => log.warn('Sweep failed', { error }),
      })
    },
    async stop(graceMs) {
      stopping = true
      stopSchedule?.()
      await checks?.stop()
      queue.shutDown()
      await context.objects.stop()
      const timer = setTimeout(() => abort.abort(new Error('stopping')), graceMs)
      await Promise.allSettled(workers)
      clearTimeout(timer)
      abort.abort(new Error('stopped'))
    },
    enqueue: (app) => queue.add(app),
    queueDepth: () => queue.depth(),
  }
}

async function work(
  options: DaemonOptions,
  queue: Queue,
  checks: Checks | undefined,
  signal: AbortSignal,
): Promise<void> {
  for (let key = await queue.get(); key !== undefined; key = await queue.get()) {
    try {
      const outcome = await reconcile(options.context, key, signal)
      handle(options, queue, outcome)
      checks?.noticed(outcome)
    } catch (error) {
      // Only an abort gets here; anything else would be a bug, and must not end the worker.
      if (!signal.aborted) {
        options.log.error('Reconcile broke off', { app: key, error })
        queue.addRateLimited(key)
      }
    } finally {
      queue.done(key)
    }
    // Reconciles that wait for no answer would follow one another without a break, and the Lease would not be renewed meanwhile.
    await setImmediate()
  }
}

/** What follows from an outcome: when to look again, and who else has to. */
function handle({ context, reporter, log }: DaemonOptions, queue: Queue, outcome: Outcome): void {
  const { key, failure } = outcome
  reporter.reconciled(outcome)
  if (failure?.retryable) {
    if (failure.retryAfter === undefined) queue.addRateLimited(key)
    else queue.addAfter(key, failure.retryAfter)
  } else {
    // A terminal failure waits for a change; the sweep looks at it anyway.
    queue.forget(key)
  }
  if (outcome.next !== undefined) queue.addAfter(key, Math.max(outcome.next - context.clock.now(), 0) + 10, 'low')
  const changed = [...outcome.added, ...outcome.removed]
  const account = outcome.record?.account
  if (changed.length > 0 && account !== undefined) {
    for (const other of concerned(context, key, account, changed)) queue.add(other, 'low')
  }
  if (changed.length > 0) {
    log.info('Applied', { app: key, added: outcome.added, removed: outcome.removed })
  }
}
