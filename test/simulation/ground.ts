import { createApiObjects } from './api-objects.ts'
import { type ApiServer, createApiServer } from './api-server.ts'
import type { RunningDaemon } from './daemon.ts'
import { createDatabases, type Databases } from './database/server.ts'
import { NAMESPACE } from './declared.ts'
import { createDisk, type Disk, type FilesByHand } from './disk.ts'
import { type DiskTrouble, noDiskTrouble } from './files.ts'
import { createLauncher } from './launch.ts'
import type { Machine } from './life.ts'
import { createRandom, type Random } from './random.ts'
import { createServerPilotModel, type ServerPilotModel } from './serverpilot.ts'
import { createVirtualTime, type WorldTime } from './world-time.ts'

/** What a seed decides of a world before it begins. */
export interface Setting {
  seed: string
  /** Where the objects are, and the records. */
  place: 'files' | 'cluster'
  apps: number
  /** So many of the apps, the first ones, take their mappings from a database. */
  databases: number
  daemons: number
}

/** What the processes of a world stand on. */
export interface Stage {
  readonly time: WorldTime
  readonly random: Random
  /** Troubles end so many times sooner than they say: a world in real time cannot wait for hours. */
  readonly haste: number
  readonly machine: Machine
  readonly serverpilot: ServerPilotModel
  readonly databases: Databases
  /** What people write, and read of the daemon's status. */
  readonly files: FilesByHand
  /** Undefined where it is a real one. */
  readonly disk: (Disk & { trouble: DiskTrouble }) | undefined
  /** Undefined in a world of files. */
  readonly cluster: ApiServer | undefined
  /** Folders of the daemon. */
  readonly manifests: string
  readonly state: string
  /** Namespace of the daemon. */
  readonly namespace: string
  readonly log: string[]
}

/** A stage, and how processes come onto it. */
export interface Ground extends Stage {
  /** Starts a daemon; `number` is another one each time. */
  launch(name: string, number: number): RunningDaemon
  /** What `explain HOST --output json` prints. */
  explain(host: string): Promise<string>
}

/** The apps of a world as ServerPilot has them at first, each with a host of somebody else. */
export const firstApps = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ name: `app${n}`, domains: [`f${n + 1}.example.org`] }))

const EPOCH = Date.UTC(2026, 0, 15, 12)

/** A ground of models on virtual time. */
export function createGround({ seed, place, apps, databases }: Setting): Ground {
  const random = createRandom(seed)
  const time = createVirtualTime(random.fork('time'))
  const now = (): number => EPOCH + time.now()
  let uids = 0
  const objects = createApiObjects({ uid: () => `uid-${++uids}`, now })
  const disk = { ...createDisk(now), trouble: noDiskTrouble() }
  const serverpilot = createServerPilotModel({ apps: firstApps(apps), now }, time, random.fork('serverpilot'))
  const withDatabase = serverpilot.core.apps.slice(0, databases)
  const ground = {
    time,
    random,
    haste: 1,
    machine: { time, epoch: EPOCH, offset: 0 },
    serverpilot,
    databases: createDatabases(withDatabase, now, time, random.fork('databases')),
    files: disk,
    disk,
    cluster: place === 'cluster' ? createApiServer(objects, time) : undefined,
    manifests: '/etc/domains',
    state: '/var/lib/domainpilot',
    namespace: 'domainpilot',
    log: [],
  }
  for (const name of [ground.namespace, NAMESPACE])
    objects.create(
      { resource: '/api/v1/namespaces', namespace: undefined, name, status: false },
      { metadata: { name } },
    )
  return { ...ground, ...createLauncher(ground) }
}
