import { API_VERSION } from '../../src/api/objects.ts'
import type { Status } from '../../src/status/status.ts'
import { createApiObjects } from './api-objects.ts'
import { type ApiServer, createApiServer } from './api-server.ts'
import { createDeclared, type Declared, inCluster, inFiles, NAMESPACE, type ObjectStore } from './declared.ts'
import { createDisk, type Disk } from './disk.ts'
import { type DiskTrouble, noDiskTrouble } from './files.ts'
import { createFleet, type Fleet } from './fleet.ts'
import { createLedger, type Ledger } from './ledger.ts'
import type { Machine } from './life.ts'
import { createRandom, type Random } from './random.ts'
import { createServerPilotModel, type ServerPilotModel } from './serverpilot.ts'
import { createVirtualTime, type VirtualTime } from './virtual-time.ts'

/** What a seed decides of a world before it begins. */
export interface Setting {
  seed: string
  /** Where the objects are, and the records. */
  place: 'files' | 'cluster'
  apps: number
  daemons: number
}

/** What one app says of itself, wherever it says it. */
export interface Said {
  name: string
  appId: string
  synced: { status: string; reason: string; message: string } | undefined
  /** Of the plan that waits for approval. */
  hash: string | undefined
}

/** Everything that there is, with the daemons in it. */
export interface World extends Ground {
  readonly setting: Setting
  readonly declared: Declared
  readonly ledger: Ledger
  readonly fleet: Fleet
  /** Hashes that somebody approved. */
  readonly approved: Set<string>
  /** What the apps say of themselves. */
  said(): Said[]
  approve(app: string, hash: string): void
  /** In so many milliseconds a trouble is over. */
  heal(ms: number, end: () => void): void
  /** Whether some trouble is not over. */
  healing(): boolean
}

/** What the daemons stand on. */
export interface Ground {
  readonly time: VirtualTime
  readonly random: Random
  readonly machine: Machine
  readonly disk: Disk
  readonly diskTrouble: DiskTrouble
  readonly serverpilot: ServerPilotModel
  /** Undefined in a world of files. */
  readonly cluster: ApiServer | undefined
  /** Folders of the daemon. */
  readonly manifests: string
  readonly state: string
  /** Namespace of the daemon. */
  readonly namespace: string
  readonly log: string[]
}

const EPOCH = Date.UTC(2026, 0, 15, 12)

/** A world in which nothing has begun. */
export function createWorld(setting: Setting): World {
  const ground = createGround(setting)
  const { time, serverpilot, cluster, disk, state } = ground
  const declared = createDeclared(storeOf(ground))
  const ledger = createLedger({ time, now: clockOf(ground.machine), serverpilot, declared, leader: cluster?.leader })
  const approved = new Set<string>()
  let open = 0
  return {
    ...ground,
    setting,
    declared,
    ledger,
    fleet: createFleet(ground, setting.daemons),
    approved,
    said: () => (cluster === undefined ? saidInFile(disk.text(`${state}/status.json`)) : saidInCluster(cluster)),
    approve(app, hash) {
      approved.add(hash)
      const found = declared.apps.get(app)
      if (cluster !== undefined && found !== undefined) declared.putApp({ ...found, approval: hash })
      const text = `${[...approved].slice(-20).join('\n')}\n`
      if (cluster === undefined) disk.write(`${state}/approval`, Buffer.from(text), true)
    },
    healing: () => open > 0,
    heal(ms, end) {
      open++
      time.after(ms, () => {
        open--
        end()
      })
    },
  }
}

function createGround({ seed, place, apps }: Setting): Ground {
  const random = createRandom(seed)
  const time = createVirtualTime(random.fork('time'))
  const now = (): number => EPOCH + time.now()
  const seeds = Array.from({ length: apps }, (_, n) => ({ name: `app${n}`, domains: [`f${n + 1}.example.org`] }))
  let uids = 0
  const objects = createApiObjects({ uid: () => `uid-${++uids}`, now })
  const ground: Ground = {
    time,
    random,
    machine: { time, epoch: EPOCH, offset: 0 },
    disk: createDisk(now),
    diskTrouble: noDiskTrouble(),
    serverpilot: createServerPilotModel({ apps: seeds, now }, time, random.fork('serverpilot')),
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
  return ground
}

/** What the clock of a machine shows. */
const clockOf =
  (machine: Machine): (() => number) =>
  () =>
    machine.epoch + machine.offset + machine.time.now()

const storeOf = ({ cluster, disk, manifests }: Ground): ObjectStore =>
  cluster === undefined ? inFiles(disk, manifests) : inCluster(cluster.objects, cluster.changed)

function saidInFile(text: string | undefined): Said[] {
  try {
    const { apps } = JSON.parse(text ?? '') as Status
    return apps.map(({ key, appId, conditions, plan }) => ({
      name: key.split('/')[1] ?? '',
      appId,
      synced: conditions.find(({ type }) => type === 'Synced'),
      hash: plan?.hash,
    }))
  } catch {
    return []
  }
}

function saidInCluster({ objects }: ApiServer): Said[] {
  const target = {
    resource: `/apis/${API_VERSION}/serverpilotapps`,
    namespace: undefined,
    name: undefined,
    status: false,
  }
  return objects.list(target).map(({ metadata, spec, status }) => {
    const { conditions = [], plan } = (status ?? {}) as { conditions?: Conditions; plan?: { hash: string } }
    return {
      name: metadata.name,
      appId: (spec as { appId: string }).appId,
      synced: conditions.find(({ type }) => type === 'Synced'),
      hash: plan?.hash,
    }
  })
}

type Conditions = { type: string; status: string; reason: string; message: string }[]
