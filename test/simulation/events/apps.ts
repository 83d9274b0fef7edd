import type { DeclaredApp } from '../declared.ts'
import type { World } from '../world.ts'
import { anApp, type EventKind, MINUTE } from './kind.ts'

/** The app comes back as it is usually. */
function bringBack(world: World, app: DeclaredApp): void {
  world.declared.putApp({ ...app, policy: 'Sync', suspend: false })
}

const oursOn = ({ ledger, serverpilot }: World, appId: string): string[] =>
  serverpilot.listed(appId).filter((host) => !ledger.foreign(appId).has(host))

/** What becomes of the objects of apps. */
export const apps: readonly EventKind[] = [
  {
    name: 'delete-the-app',
    happen(world, random) {
      const app = anApp(world, random)
      if (world.declared.apps.size === 1) return undefined
      // What stays at ServerPilot is nobody's now.
      for (const host of oursOn(world, app.appId)) world.ledger.unsure(app.appId, host)
      world.declared.removeApp(app.name)
      world.heal(random.whole(1, 30) * MINUTE, () => bringBack(world, app))
      return `the object of ${app.name} is deleted, and will be back`
    },
  },
  {
    name: 'rename-the-app',
    happen(world, random) {
      const app = anApp(world, random)
      const name = `${app.name.split('-')[0]}-${random.whole(1, 999)}`
      if (world.declared.apps.has(name)) return undefined
      for (const host of oursOn(world, app.appId)) world.ledger.unsure(app.appId, host)
      world.declared.removeApp(app.name)
      world.declared.putApp({ ...app, name })
      for (const mapping of [...world.declared.mappings.values()])
        if (mapping.app === app.name) world.declared.putMapping({ ...mapping, app: name })
      return `the object of ${app.name} is called ${name} from now on`
    },
  },
]
