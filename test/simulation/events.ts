import { clock } from './events/clock.ts'
import { cluster } from './events/cluster.ts'
import { disk } from './events/disk.ts'
import type { EventKind } from './events/kind.ts'
import { others } from './events/others.ts'
import { processes } from './events/processes.ts'
import { serverpilot } from './events/serverpilot.ts'
import { users } from './events/users.ts'

/** Everything that can happen, by what it happens to. */
export const EVENTS: Readonly<Record<string, readonly EventKind[]>> = {
  users,
  others,
  serverpilot,
  processes,
  clock,
  disk,
  cluster,
}

/** The groups of a place. */
export const GROUPS = {
  files: ['users', 'others', 'serverpilot', 'processes', 'clock', 'disk'],
  cluster: ['users', 'others', 'serverpilot', 'processes', 'clock', 'cluster'],
} as const
