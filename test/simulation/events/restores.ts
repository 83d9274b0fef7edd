import { API_VERSION } from '../../../src/api/objects.ts'
import { type DeclaredApp, NAMESPACE } from '../declared.ts'
import { claimedIn, recordOf } from '../records.ts'
import type { World } from '../world.ts'
import { anApp, type EventKind, MINUTE } from './kind.ts'

/** Whose the names of an app are is what this record says from now on: what it does not know may be taken for somebody else's. */
function doubtOwners({ ledger, serverpilot, time }: World, { appId }: DeclaredApp, text: string): void {
  const claimed = claimedIn(text)
  ledger.olderRecord(appId, claimed)
  for (const host of serverpilot.listed(appId))
    if (ledger.foreign(appId).has(host) === claimed.has(host)) ledger.unsure(appId, host)
  // Nor does it know of a write that is under way.
  const since = time.now()
  serverpilot.onWrite((write) => {
    if (write.appId !== appId || write.basis === undefined || write.basis.at > since) return
    for (const host of write.after) if (!write.before.includes(host)) ledger.unsure(appId, host)
  })
}

const withVersion = (text: string, version: number): string =>
  JSON.stringify({ ...(JSON.parse(text) as object), version })
const isNewer = (text: string): boolean => /"version": ?2\b/.test(text)

/** A record of the newer version, which a backup brought along, is not left there for good. */
function mendRecord(world: World, appId: string): void {
  const record = recordOf(world, appId)
  if (record !== undefined && isNewer(record.text)) record.put(withVersion(record.text, 1))
}

/** What people apply from their repository: all that is declared, and nothing else. */
function applyAll({ declared, cluster }: World): void {
  const { objects, changed } = cluster!
  const kinds = { serverpilotapps: declared.apps, domainmappings: declared.mappings }
  for (const [plural, wanted] of Object.entries(kinds)) {
    const all = { resource: `/apis/${API_VERSION}/${plural}`, namespace: NAMESPACE, name: undefined, status: false }
    for (const { metadata } of objects.list(all))
      if (!wanted.has(metadata.name)) objects.remove({ ...all, name: metadata.name })
  }
  declared.writeAgain()
  changed()
}

/** What is put back to an older state, or lost. */
export const restores: readonly EventKind[] = [
  {
    name: 'record-put-back',
    happen(world, random) {
      const app = anApp(world, random)
      const copy = recordOf(world, app.appId)?.text
      if (copy === undefined || isNewer(copy)) return undefined
      world.heal(random.whole(1, 30) * MINUTE, () => {
        doubtOwners(world, app, copy)
        recordOf(world, app.appId)?.put(copy)
      })
      return `the ownership record of ${app.name} as it is now will be put back later`
    },
  },
  {
    name: 'record-of-a-newer-version',
    happen(world, random) {
      const app = anApp(world, random)
      const record = recordOf(world, app.appId)
      if (record === undefined || isNewer(record.text)) return undefined
      record.put(withVersion(record.text, 2))
      world.heal(random.whole(1, 10) * MINUTE, () => mendRecord(world, app.appId))
      return `a newer version has written the ownership record of ${app.name}, for a while`
    },
  },
]

/** The same of a cluster, with etcd. */
export const clusterRestores: readonly EventKind[] = [
  ...restores,
  {
    name: 'etcd-put-back',
    happen(world, random) {
      const { objects, trouble, cutWatches } = world.cluster!
      const backup = objects.backup()
      world.heal(random.whole(1, 30) * MINUTE, () => {
        // Every API server ends before, as Kubernetes asks for.
        trouble.away = true
        cutWatches()
        objects.restore(backup)
        for (const app of world.declared.apps.values()) doubtOwners(world, app, recordOf(world, app.appId)?.text ?? '')
        world.heal(random.whole(5, 60) * 1000, () => {
          trouble.away = false
          world.heal(random.whole(0, 5) * MINUTE, () => {
            applyAll(world)
            // Also of apps that are not declared at present.
            for (const appId of world.serverpilot.core.apps) mendRecord(world, appId)
          })
        })
      })
      return 'etcd as it is now will be put back later'
    },
  },
]
