import type { Log } from '../log/log.ts'
import { createStatusStore, type StatusStore } from '../status/store.ts'
import { systemClock } from '../time/clock.ts'
import type { Io } from './io.ts'
import type { Setup } from './setup.ts'

/** The status of everything that a setup reconciles, empty at first; with a cluster that is led, statuses go there too. */
export function openStatuses(
  { version }: Pick<Io, 'version'>,
  { settings, objects, metrics, cluster }: Pick<Setup, 'settings' | 'objects' | 'metrics' | 'cluster'>,
  { leader, log }: { leader(): boolean; log: Log },
): StatusStore {
  return createStatusStore({
    version,
    dryRun: settings.dryRun,
    objects,
    metrics,
    log,
    clock: systemClock,
    leader,
    ...(cluster === undefined ? {} : { publish: cluster.publish }),
  })
}
