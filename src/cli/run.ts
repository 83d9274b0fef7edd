import { createDaemon } from '../controller/daemon.ts'
import { liveness, readiness } from '../report/health.ts'
import { type HttpServer, startHttp } from '../report/http.ts'
import { type Given, text as optionText } from '../setup/flags.ts'
import { watchApprovals } from '../setup/handover.ts'
import { EXIT, type Io } from '../setup/io.ts'
import { openChecks } from '../setup/open-checks.ts'
import { type Setup, setUp } from '../setup/setup.ts'
import { keepStatus } from '../setup/status-file.ts'
import type { Status } from '../status/status.ts'
import { createStatusStore, type StatusStore } from '../status/store.ts'
import { systemClock } from '../time/clock.ts'

/** The loop counts as stuck after this long without a sweep or a reconcile; ms. The default sweep comes every minute. */
const MAX_SILENCE = 10 * 60_000
/** How long a stop waits for writes under way; ms. Kubernetes gives 30 s. */
const GRACE = 20_000
const APPROVALS_EVERY = 1_000
/** How long a stop waits for statuses that are not written yet; ms. */
const STATUS_GRACE = 5_000

/** `run`: the daemon, until SIGTERM or SIGINT. A changed wp-config.php makes it begin anew with what the file says then. */
export async function runCommand(io: Io, given: Given, started?: (url: string | undefined) => void): Promise<number> {
  for (;;) {
    const changed = new AbortController()
    const signal = AbortSignal.any([io.signal, changed.signal])
    const status = await runOnce({ ...io, signal }, given, changed, started)
    if (io.signal.aborted || !changed.signal.aborted) return status
  }
}

async function runOnce(
  io: Io,
  given: Given,
  changed: AbortController,
  started: ((url: string | undefined) => void) | undefined,
): Promise<number> {
  const setup = await setUp(io, given, { oneShot: false, writes: true })
  const stopLooking = await followWpConfig(io, given, setup, () => changed.abort())
  try {
    return await runWith(io, setup, started)
  } finally {
    stopLooking()
    await setup.close()
  }
}

/** Calls `changed` once the file of `--wp-config` says something else; one that cannot be read is told, and changes nothing. */
async function followWpConfig(io: Io, given: Given, { log }: Setup, changed: () => void): Promise<() => void> {
  const path = optionText('wpConfig', given, io.environment)
  if (path === undefined) return () => undefined
  const { watchWpConfig } = await import('../setup/wp-config-file.ts')
  return watchWpConfig(path, io, {
    changed() {
      log.info('The wp-config.php changed: beginning anew with it', { path })
      changed()
    },
    broken: (error) => log.warn('The wp-config.php cannot be read: what it said before goes on', { path, error }),
  })
}

async function runWith(io: Io, setup: Setup, started?: (url: string | undefined) => void): Promise<number> {
  const { settings, objects, context, cluster, metrics, log } = setup
  const elector = cluster?.elector
  const leads = (): boolean => elector?.isLeading() ?? true
  const statuses = createStatusStore({
    version: io.version,
    dryRun: settings.dryRun,
    objects,
    metrics,
    log,
    clock: systemClock,
    leader: leads,
    ...(cluster === undefined ? {} : { publish: cluster.publish }),
  })
  const daemon = createDaemon({
    context,
    reporter: statuses,
    log,
    workers: settings.workers,
    sweepSchedule: settings.sweepSchedule,
    checks: await openChecks(setup),
    hooks: {
      onAdd: () => metrics.queueAdded(),
      onRetry: () => metrics.queueRetried(),
      onGet: (seconds) => {
        metrics.queueWaited(seconds * 1000)
        metrics.queueDepth(daemon.queueDepth())
      },
    },
  })
  const facts = () => ({
    // A standby has no sweep that could turn: it is alive while it answers.
    lastTurn: leads() ? statuses.lastTurn() : systemClock.now(),
    synced: objects.synced(),
    leader: leads(),
    stopping: io.signal.aborted,
  })
  const server = settings.listen && (await listen(settings.listen, statuses.status, metrics, facts, log))
  log.info('Started', { version: io.version, source: objects.name, dryRun: settings.dryRun, page: server?.url })
  const lead = async (): Promise<void> => {
    metrics.leading()
    await daemon.lead()
  }
  const read = daemon.start()
  // The Lease of a leader that is gone runs out meanwhile.
  if (!io.signal.aborted) elector?.start(read)
  // Reading and the first sweep may wait for something that does not answer: that keeps nobody from stopping.
  await Promise.race([elector === undefined ? read.then(lead) : read, aborted(io.signal)])
  elector?.onLeading(() => {
    log.info('Leading')
    lead().catch((error: unknown) => log.error('Could not begin to work', { error }))
  })
  started?.(server?.url)
  const keepers = cluster === undefined ? keepFolder(setup, statuses, daemon.enqueue) : undefined
  const lost = await Promise.race([aborted(io.signal), elector?.lost ?? new Promise<never>(() => undefined)])
  if (lost !== undefined) log.error('Leadership is lost: this process ends', { reason: lost })
  log.info('Stopping')
  // Who leads no longer writes no more: there is nothing to wait for.
  await daemon.stop(lost === undefined ? GRACE : 0)
  await keepers?.()
  if (lost === undefined) await cluster?.flush(STATUS_GRACE)
  await elector?.stop()
  await server?.stop()
  log.info('Stopped')
  return lost === undefined ? EXIT.done : EXIT.failed
}

/** Keeps the state folder while the daemon runs: status out, approvals in. Gives a function that ends it. */
function keepFolder(
  { settings, objects, log }: Setup,
  statuses: Pick<StatusStore, 'status' | 'changes'>,
  enqueue: (app: string) => void,
): () => Promise<void> {
  const endApprovals = watchApprovals(settings.stateDir, APPROVALS_EVERY, () => {
    for (const app of objects.apps()) enqueue(app.key)
  })
  const keeper = keepStatus(settings.stateDir, statuses, log)
  return async () => {
    endApprovals()
    await keeper.stop()
  }
}

async function listen(
  address: { host: string; port: number },
  status: () => Status,
  metrics: Setup['metrics'],
  facts: () => Parameters<typeof readiness>[0],
  log: Setup['log'],
): Promise<HttpServer> {
  return await startHttp({
    ...address,
    status,
    metrics,
    live: () => liveness(facts(), MAX_SILENCE, systemClock.now()),
    ready: () => readiness(facts()),
    failed: (error) => log.error('Answering a request failed', { error }),
  })
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined)
    else signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
}
