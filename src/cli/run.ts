import { createDaemon, type Daemon } from '../controller/daemon.ts'
import { type Board, createBoard } from '../report/board.ts'
import { type HealthFacts, liveness, readiness } from '../report/health.ts'
import { type HttpServer, startHttp } from '../report/http.ts'
import { watchApprovals } from '../setup/handover.ts'
import { EXIT, type Io } from '../setup/io.ts'
import { openChecks } from '../setup/open-checks.ts'
import type { Given } from '../setup/option.ts'
import { type Setup, setUp } from '../setup/setup.ts'
import { keepStatus } from '../setup/status-file.ts'
import { aborted } from '../setup/stop.ts'
import { systemClock } from '../time/clock.ts'

/** The loop counts as stuck after this long without a sweep or a reconcile; ms. The default sweep comes every minute. */
const MAX_SILENCE = 10 * 60_000
/** How long a stop waits for writes under way; ms. Kubernetes gives 30 s. */
const GRACE = 20_000
/** How long a stop waits for statuses that are not written yet; ms. */
const STATUS_GRACE = 5_000

/** Told once the daemon runs, with the address of its page. */
type Started = (url: string | undefined) => void

/** `run`: the daemon, until SIGTERM or SIGINT. A changed wp-config.php makes it begin again with what the file says then. */
export async function runCommand(io: Io, given: Given, started?: Started): Promise<number> {
  for (;;) {
    const changed = new AbortController()
    const signal = AbortSignal.any([io.signal, changed.signal])
    const status = await runOnce({ ...io, signal }, given, changed, started).catch((error: unknown) => {
      // To be stopped is how it ends, however far it had come.
      if (io.signal.aborted) return EXIT.done
      throw error
    })
    if (io.signal.aborted || !changed.signal.aborted) return status
  }
}

async function runOnce(io: Io, given: Given, changed: AbortController, started?: Started): Promise<number> {
  io.signal.throwIfAborted()
  const setup = await setUp(io, given, { oneShot: false, writes: true })
  try {
    const endFollowing = await followWpConfig(io, setup, () => changed.abort())
    try {
      return await runWith(io, setup, started)
    } finally {
      endFollowing()
    }
  } finally {
    await setup.close()
  }
}

/** Calls `changed` once the file of `--wp-config` says something else; one that cannot be read is logged, and changes nothing. */
async function followWpConfig(io: Io, { log, settings }: Setup, changed: () => void): Promise<() => void> {
  const path = settings.wpConfig
  if (path === undefined) return () => undefined
  const { watchWpConfig } = await import('../setup/wp-config-file.ts')
  return watchWpConfig(path, io, {
    changed() {
      log.info('The wp-config.php changed: starting again with it', { path })
      changed()
    },
    broken: (error) => log.warn('The wp-config.php cannot be read: what it said before goes on', { path, error }),
  })
}

async function runWith(io: Io, setup: Setup, started?: Started): Promise<number> {
  const { settings, objects, cluster, log } = setup
  const elector = cluster?.elector
  const leads = (): boolean => elector?.isLeading() ?? true
  const board = openBoard(io, setup, leads)
  const daemon = await openDaemon(setup, board)
  /** Ends what was started, the last first. */
  const ends: (() => Promise<void> | undefined)[] = []
  let lost: string | undefined
  let endKeeping: (() => Promise<void>) | undefined
  try {
    const facts = (): HealthFacts => ({
      // A standby has no sweep that could turn: it is alive while it answers.
      lastTurn: leads() ? board.lastTurn() : systemClock.now(),
      synced: objects.synced(),
      leader: leads(),
      stopping: io.signal.aborted,
    })
    const server = await listen(setup, board, facts)
    ends.push(async () => server?.stop())
    log.info('Started', { version: io.version, source: objects.name, dryRun: settings.dryRun, page: server?.url })
    // A leader whose Lease is lost writes no more: there is nothing to wait for.
    ends.push(async () => elector?.stop())
    ends.push(async () => (lost === undefined ? cluster?.flush(STATUS_GRACE) : undefined))
    ends.push(async () => endKeeping?.())
    ends.push(() => daemon.stop(lost === undefined ? GRACE : 0))
    await begin(io, setup, daemon)
    started?.(server?.url)
    if (cluster === undefined && !io.signal.aborted) endKeeping = keepFolder(setup, board, daemon.enqueue)
    lost = await Promise.race([aborted(io.signal), elector?.lost ?? new Promise<never>(() => undefined)])
    if (lost !== undefined) log.error('Leadership is lost: this process ends', { reason: lost })
    log.info('Stopping')
  } finally {
    for (const end of ends.reverse()) await end()
  }
  log.info('Stopped')
  return lost === undefined ? EXIT.done : EXIT.failed
}

function openBoard(io: Io, { settings, objects, metrics, log, cluster }: Setup, leads: () => boolean): Board {
  return createBoard({
    version: io.version,
    dryRun: settings.dryRun,
    objects,
    metrics,
    log,
    clock: systemClock,
    leader: leads,
    ...(cluster === undefined ? {} : { publish: cluster.publish }),
  })
}

async function openDaemon(setup: Setup, board: Board): Promise<Daemon> {
  const { context, settings, metrics, log } = setup
  const daemon: Daemon = createDaemon({
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
  return daemon
}

/** Reads the sources, and leads once that is done and the Lease is held. Resolves after that, or when it is stopped meanwhile. */
async function begin({ signal }: Io, { cluster, metrics, log }: Setup, daemon: Daemon): Promise<void> {
  if (signal.aborted) return
  const elector = cluster?.elector
  const lead = async (): Promise<void> => {
    if (signal.aborted) return
    metrics.leading()
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

/** Keeps the state folder while the daemon runs: status out, approvals in. Gives a function that ends it. */
function keepFolder(
  { settings, objects, log }: Setup,
  statuses: Pick<StatusStore, 'status' | 'changes'>,
  enqueue: (app: string) => void,
): () => Promise<void> {
  const endApprovals = watchApprovals(settings.stateDir, () => {
    for (const app of objects.apps()) enqueue(app.key)
  })
  const keeper = keepStatus(settings.stateDir, statuses, log)
  return async () => {
    endApprovals()
    await keeper.stop()
  }
}

async function listen(
  { settings, metrics, log }: Setup,
  { status }: Pick<Board, 'status'>,
  facts: () => HealthFacts,
): Promise<HttpServer | undefined> {
  if (settings.listen === undefined) return undefined
  return await startHttp({
    ...settings.listen,
    status,
    metrics,
    live: () => liveness(facts(), MAX_SILENCE, systemClock.now()),
    ready: () => readiness(facts()),
    failed: (error) => log.error('Answering a request failed', { error }),
  })
}
