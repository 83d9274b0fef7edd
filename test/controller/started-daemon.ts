import type { TestContext } from 'node:test'
import { createContext } from '../../src/controller/context/context.ts'
import { createDaemon } from '../../src/controller/daemon.ts'
import { createLogger } from '../../src/log/log.ts'
import { createMetrics } from '../../src/report/metrics.ts'
import { createManifestSource } from '../../src/source/manifests/manifests.ts'
import { createStatusStore } from '../../src/status/store.ts'
import { turnUntil } from '../time/turn-until.ts'
import type { World } from './world.ts'

/** A daemon on a world's folder, account, records and clock, that does nothing yet. */
export function openDaemon(t: TestContext, world: World, sweepSchedule = '* * * * * *') {
  const objects = createManifestSource({ paths: [world.folder] })
  const { clock } = world
  const ports = { ...world.context.ports, objects, mappingSources: [objects], clock }
  const context = createContext(ports, world.context.mode)
  const metrics = createMetrics({ version: 'test', sources: ['manifests'], process: false })
  metrics.note('leader', 1)
  const log = createLogger({
    logLevel: 'error',
    logFormat: 'json',
    destination: { write: () => true },
    secrets: () => [],
  })
  const statuses = createStatusStore({
    version: 'test',
    dryRun: false,
    objects,
    metrics,
    log,
    clock,
    leader: () => true,
  })
  const daemon = createDaemon({ context, reporter: statuses, log, workers: 2, sweepSchedule, hooks: {} })
  t.after(async () => {
    const stopped = daemon.stop(0)
    clock.advance(1)
    await stopped
  })
  const until = (what: string, holds: () => boolean | Promise<boolean>): Promise<void> => turnUntil(clock, what, holds)
  return { daemon, statuses, metrics, until }
}

/** One that leads. */
export async function startDaemon(t: TestContext, world: World, sweepSchedule?: string) {
  const opened = openDaemon(t, world, sweepSchedule)
  await opened.daemon.start()
  await opened.daemon.lead()
  return opened
}
