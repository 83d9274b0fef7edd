import { apps } from './events/apps.ts'
import { clock } from './events/clock.ts'
import { cluster } from './events/cluster.ts'
import { databases } from './events/database.ts'
import { disk } from './events/disk.ts'
import type { EventKind } from './events/kind.ts'
import { manifests } from './events/manifests.ts'
import { others } from './events/others.ts'
import { processes } from './events/processes.ts'
import { clusterRestores, restores } from './events/restores.ts'
import { serverpilot } from './events/serverpilot.ts'
import { users } from './events/users.ts'

/** Everything that can happen, by what it happens to. */
export const EVENTS: Readonly<Record<string, readonly EventKind[]>> = {
  users,
  apps,
  others,
  serverpilot,
  processes,
  clock,
  disk,
  manifests,
  restores,
  clusterRestores,
  cluster,
  database: databases,
}

/** The groups of a place; `processes`: files, with a daemon that is a real process. */
export const GROUPS = {
  files: ['users', 'apps', 'others', 'serverpilot', 'processes', 'clock', 'disk', 'manifests', 'restores'],
  processes: ['users', 'apps', 'others', 'serverpilot', 'processes', 'clock', 'manifests'],
  cluster: ['users', 'apps', 'others', 'serverpilot', 'processes', 'clock', 'cluster', 'clusterRestores'],
} as const
