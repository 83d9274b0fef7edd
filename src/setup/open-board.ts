import { type Board, type BoardOptions, createBoard } from '../report/board.ts'
import { systemClock } from '../time/clock.ts'
import type { Io } from './io.ts'
import type { Setup } from './setup.ts'

/** The status of everything that a setup reconciles, empty at first; with a cluster that is led, statuses go there too. */
export function openBoard(
  { version }: Pick<Io, 'version'>,
  { settings, objects, metrics, cluster }: Pick<Setup, 'settings' | 'objects' | 'metrics' | 'cluster'>,
  { leader, log }: Pick<BoardOptions, 'leader' | 'log'>,
): Board {
  return createBoard({
    version,
    dryRun: settings.dryRun,
    objects,
    metrics,
    log,
    now: systemClock.now,
    leader,
    ...(cluster === undefined ? {} : { publish: cluster.publish }),
  })
}
