import { API_VERSION } from '../../src/api/objects.ts'
import type { Status } from '../../src/status/status.ts'
import type { ApiServer } from './api-server.ts'
import { inDatabases } from './database/store.ts'
import { createDeclared, type Declared, inCluster, inFiles, type ObjectStore } from './declared.ts'
import { createFleet, type Fleet } from './fleet.ts'
import type { Ground, Setting } from './ground.ts'
import { createLedger, type Ledger } from './ledger.ts'
import type { Machine } from './life.ts'

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

/** A world in which nothing has begun. */
export function createWorld(setting: Setting, ground: Ground): World {
  const { time, haste, serverpilot, databases, cluster, files, state } = ground
  const declared = createDeclared(inDatabases(storeOf(ground), databases.servers))
  const now = clockOf(ground.machine)
  const ledger = createLedger({ time, now, serverpilot, databases, declared, leader: cluster?.leader })
  const approved = new Set<string>()
  let open = 0
  return {
    ...ground,
    setting,
    declared,
    ledger,
    fleet: createFleet(ground, setting.daemons),
    approved,
    said: () => (cluster === undefined ? saidInFile(files.text(`${state}/status.json`)) : saidInCluster(cluster)),
    approve(app, hash) {
      approved.add(hash)
      const found = declared.apps.get(app)
      if (cluster !== undefined && found !== undefined) declared.putApp({ ...found, approval: hash })
      const text = `${[...approved].slice(-20).join('\n')}\n`
      if (cluster === undefined) files.put(`${state}/approval`, text)
    },
    healing: () => open > 0,
    heal(ms, end) {
      open++
      time.after(ms / haste, () => {
        open--
        end()
      })
    },
  }
}

/** What the clock of a machine shows. */
const clockOf =
  (machine: Machine): (() => number) =>
  () =>
    machine.epoch + machine.offset + machine.time.now()

const storeOf = ({ cluster, files, manifests }: Ground): ObjectStore =>
  cluster === undefined ? inFiles(files, manifests) : inCluster(cluster.objects, cluster.changed)

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
