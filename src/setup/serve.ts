import { createDaemon, type Daemon, type DaemonOptions } from '../controller/daemon.ts'
import { type HealthFacts, liveness, readiness } from '../report/health.ts'
import { startHttp } from '../report/http.ts'
import type { StatusStore } from '../status/store.ts'
import { aborted } from '../time/within.ts'
import { type Io, outsideOf } from './io.ts'
import { openStatuses, type Setup } from './setup.ts'
import { keepFolder } from './state-folder.ts'

/**
 * Work counts as stuck that has not got on for so long; ms. The longest that is not: a pass that takes a refused list apart waits a minute
 * for each of 12 writes.
 */
const MAX_SILENCE = 30 * 60_000
/** How long a stop waits for writes under way; ms. Kubernetes gives 30 s. */
const GRACE = 20_000
/** How long a stop waits for statuses that are not written yet; ms. */
const STATUS_GRACE = 5_000

/** Called once the daemon runs, with the address of its page. */
export type Started = (url: string | undefined) => void

/**
 * Runs the daemon until the signal of `io` aborts, in whatever phase of its start, or leadership is lost. Gives false when it was
 * lost: then the process has to end. Everything that it started has ended when it resolves or rejects.
 */
export async function serve(io: Io, setup: Setup, started?: Started): Promise<boolean> {
  const { settings, objects, cluster, metrics, log } = setup
  const { clock, files } = outsideOf(io)
  const elector = cluster?.elector
  const leads = (): boolean => elector?.isLeading() ?? true
  const statuses = openStatuses(io, setup, { leader: leads, log })
  const daemon = await openDaemon(io, setup, statuses)
  /** Ends what was started, the last first. */
  const ends: (() => Promise<void> | undefined)[] = []
  let lost: string | undefined
  let endKeeping: (() => Promise<void>) | undefined
  try {
    const facts = (): HealthFacts => ({
      silence: daemon.silence(),
      synced: objects.synced(),
      leader: leads(),
      stopping: io.signal.aborted,
    })
    const server =
      settings.listen &&
      (await startHttp({
        ...settings.listen,
        allowedHosts: settings.allowedHosts,
        status: statuses.status,
        changes: statuses.changes,
        watch: statuses.watch,
        metrics,
        live: () => liveness(facts(), MAX_SILENCE),
        ready: () => readiness(facts()),
        failed: (error) => log.error('Answering a request failed', { error }),
        clock,
      }))
    ends.push(async () => server?.stop())
    log.info('Started', { version: io.version, source: objects.name, dryRun: settings.dryRun, page: server?.url })
    // A leader whose Lease is lost writes no more: there is nothing to wait for.
    ends.push(async () => elector?.stop())
    ends.push(async () => (lost === undefined ? cluster?.flush(STATUS_GRACE) : undefined))
    ends.push(async () => endKeeping?.())
    ends.push(() => daemon.stop(lost === undefined ? GRACE : 0))
    await begin(io, setup, daemon)
    started?.(server?.url)
    if (cluster === undefined && !io.signal.aborted) {
      endKeeping = keepFolder({ dir: settings.stateDir, files, clock }, statuses, log, () => {
        for (const { key } of objects.apps()) daemon.enqueue(key)
      })
    }
    lost = await Promise.race([aborted(io.signal), elector?.lost ?? new Promise<never>(() => undefined)])
    if (lost !== undefined) log.error('Leadership is lost: this process ends', { reason: lost })
    log.info('Stopping')
  } finally {
    for (const end of ends.reverse()) await end()
  }
  log.info('Stopped')
  return lost === undefined
}

async function openDaemon(io: Io, setup: Setup, statuses: StatusStore): Promise<Daemon> {
  const { context, settings, metrics, log } = setup
  return createDaemon({
    ...settings,
    context,
    reporter: statuses,
    log,
    checks: await openChecks(io, setup),
    hooks: {
      onAdd: () => metrics.note('workqueue_adds_total', 1),
      onRetry: () => metrics.note('workqueue_retries_total', 1),
      onGet(secondsInQueue, depth) {
        metrics.note('workqueue_queue_duration_seconds', secondsInQueue)
        metrics.note('workqueue_depth', depth)
      },
    },
  })
}

/** The checks of DNS and certificates, loaded only where they are wanted. */
async function openChecks(io: Io, setup: Setup): Promise<DaemonOptions['checks']> {
  const { settings, context, cluster, metrics, log } = setup
  const { checkSchedule } = settings
  if (checkSchedule === undefined) return undefined
  const [{ createChecks }, { createResolver, createShake }] = await Promise.all([
    import('../controller/checks/checks.ts'),
    import('./resolver.ts'),
  ])
  return (enqueue) => {
    const checks = createChecks({
      context,
      schedule: checkSchedule,
      served: settings.checkServed,
      resolver: createResolver(io, settings),
      shake: createShake(io),
      enqueue,
      resolverAnswers: (answers) => metrics.note('dns_resolver_failing', answers ? 0 : 1),
      log,
    })
    cluster?.onDnsRead(({ app, hosts, rightSince }) => checks.recall(app, hosts, rightSince))
    return checks
  }
}

/** Reads the sources, and leads once that is done and the Lease is held. Resolves after that, or when it is stopped meanwhile. */
async function begin({ signal }: Io, { cluster, metrics, log }: Setup, daemon: Daemon): Promise<void> {
  if (signal.aborted) return
  const elector = cluster?.elector
  const lead = async (): Promise<void> => {
    if (signal.aborted) return
    metrics.note('leader', 1)
    await daemon.lead()
  }
  const read = daemon.start()
  // The Lease of a leader that is gone runs out meanwhile.
  elector?.start(read)
  elector?.onLeading(() => {
    log.info('Leading')
    lead().catch((error: unknown) => log.error('Could not begin to work', { error }))
  })
  // Reading and the first sweep may wait for something that does not answer: that keeps nobody from stopping.
  await Promise.race([elector === undefined ? read.then(lead) : read, aborted(signal)])
}
