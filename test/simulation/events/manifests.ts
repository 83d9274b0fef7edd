import type { World } from '../world.ts'
import { type EventKind, MINUTE } from './kind.ts'

/** The objects of apps are deleted: what stays at ServerPilot is nobody's, until it is mapped again. */
function letGo({ declared, ledger, serverpilot }: World): void {
  for (const { appId } of declared.apps.values())
    for (const host of serverpilot.listed(appId)) if (!ledger.foreign(appId).has(host)) ledger.unsure(appId, host)
}

/** What becomes of the folder of manifests. */
export const manifests: readonly EventKind[] = [
  {
    name: 'a-half-written-manifest',
    happen(world, random) {
      const file = random.pick(world.files.names(world.manifests))
      const path = `${world.manifests}/${file}`
      const text = world.files.text(path)
      if (text === undefined) return undefined
      world.files.put(path, text.slice(0, random.whole(0, text.length - 1)))
      world.heal(random.whole(10, 5 * MINUTE), () => world.declared.writeAgain())
      return `${file} is half written`
    },
  },
  {
    name: 'an-empty-folder',
    happen(world, random) {
      for (const file of world.files.names(world.manifests)) world.files.take(`${world.manifests}/${file}`)
      for (const { knowledge } of world.databases.servers.values()) knowledge.forget()
      letGo(world)
      world.heal(random.whole(10, 4 * MINUTE), () => {
        letGo(world)
        world.declared.writeAgain()
      })
      return 'the folder of manifests is empty for a while'
    },
  },
]
