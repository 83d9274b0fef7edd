import { approveWaiting } from '../approvals.ts'
import type { DeclaredApp } from '../declared.ts'
import type { Random } from '../random.ts'
import type { World } from '../world.ts'
import { anApp, type EventKind, MINUTE, userName } from './kind.ts'

const aMapping = ({ declared }: World, random: Random) => {
  const all = [...declared.mappings.values()]
  return all.length === 0 ? undefined : random.pick(all)
}
const isMapped = ({ declared }: World, domain: string): boolean =>
  [...declared.mappings.values()].some((each) => each.domain === domain)

function map(world: World, random: Random): string | undefined {
  const domain = userName(random)
  if (isMapped(world, domain)) return undefined
  const { name } = anApp(world, random)
  world.declared.putMapping({ name: `m-${domain.split('.')[0]}-${random.whole(1, 9999)}`, app: name, domain })
  return `${domain} is mapped to ${name}`
}

/** What users do to what they want. */
export const users: readonly EventKind[] = [
  { name: 'map', happen: map },
  {
    name: 'map-many',
    happen(world, random) {
      const told = Array.from({ length: random.whole(2, 8) }, () => map(world, random)).filter((each) => each)
      return told.length === 0 ? undefined : told.join('; ')
    },
  },
  {
    name: 'unmap',
    happen(world, random) {
      const mapping = aMapping(world, random)
      if (mapping === undefined) return undefined
      world.declared.removeMapping(mapping.name)
      return `${mapping.domain} is unmapped from ${mapping.app}`
    },
  },
  {
    name: 'unmap-many',
    happen(world, random) {
      const all = [...world.declared.mappings.values()].filter(() => random.chance(0.6))
      for (const { name } of all) world.declared.removeMapping(name)
      return all.length === 0 ? undefined : `${all.map(({ domain }) => domain).join(', ')} are unmapped`
    },
  },
  {
    name: 'unmap-and-map-again',
    happen(world, random) {
      const mapping = aMapping(world, random)
      if (mapping === undefined) return undefined
      const appId = world.declared.apps.get(mapping.app)?.appId
      world.declared.removeMapping(mapping.name)
      world.time.after(random.whole(10, 90_000), () => {
        // It may have another name meanwhile.
        const app = [...world.declared.apps.values()].find((each) => each.appId === appId)?.name
        if (!isMapped(world, mapping.domain)) world.declared.putMapping({ ...mapping, app: app ?? mapping.app })
      })
      return `${mapping.domain} is unmapped, and mapped again soon`
    },
  },
  { name: 'an-agency-comes-and-goes', happen: agency },
  {
    name: 'move',
    happen(world, random) {
      const mapping = aMapping(world, random)
      const app = anApp(world, random).name
      if (mapping === undefined || mapping.app === app) return undefined
      world.declared.putMapping({ ...mapping, app })
      return `${mapping.domain} moves from ${mapping.app} to ${app}`
    },
  },
  {
    name: 'rename-the-object',
    happen(world, random) {
      const mapping = aMapping(world, random)
      if (mapping === undefined) return undefined
      world.declared.removeMapping(mapping.name)
      world.declared.putMapping({ ...mapping, name: `${mapping.name}-x`.slice(-60) })
      return `the object of ${mapping.domain} gets another name`
    },
  },
  {
    name: 'suspend',
    happen(world, random) {
      const app = anApp(world, random)
      world.declared.putApp({ ...app, suspend: true })
      world.heal(random.whole(1, 20) * MINUTE, () => resume(world, app))
      return `${app.name} is suspended`
    },
  },
  {
    name: 'approve',
    happen: (world) => approveWaiting(world).join('; ') || undefined,
  },
  {
    name: 'observe',
    happen(world, random) {
      const app = anApp(world, random)
      world.declared.putApp({ ...app, policy: 'Observe' })
      world.heal(random.whole(1, 20) * MINUTE, () => resume(world, app))
      return `${app.name} is only observed`
    },
  },
  {
    name: 'upsert-only',
    happen(world, random) {
      const app = anApp(world, random)
      world.declared.putApp({ ...app, policy: 'UpsertOnly' })
      world.heal(random.whole(1, 20) * MINUTE, () => resume(world, app))
      return `${app.name} loses nothing for a while (UpsertOnly)`
    },
  },
]

/** Somebody with many domains comes, and goes again in three steps: each one is little, together they are much. */
function agency(world: World, random: Random): string {
  const app = anApp(world, random)
  const first = random.whole(1, 90)
  const names = Array.from({ length: 12 }, (_, n) => `a${first + n}.example.com`).filter(
    (each) => !isMapped(world, each),
  )
  for (const domain of names)
    world.declared.putMapping({ name: `m-${domain.split('.')[0]}-agency`, app: app.name, domain })
  const begin = random.whole(2 * MINUTE, 6 * MINUTE)
  const pause = random.whole(2 * MINUTE, 8 * MINUTE)
  for (const step of [0, 1, 2])
    world.heal(begin + step * pause, () => {
      for (const domain of names.slice(4 * step, 4 * step + 4)) {
        const mapping = [...world.declared.mappings.values()].find((each) => each.domain === domain)
        if (mapping !== undefined) world.declared.removeMapping(mapping.name)
      }
    })
  return `an agency maps ${names.length} domains to ${app.name}, and takes them away again in three steps`
}

/** By its id: it may have another name meanwhile. */
function resume({ declared }: World, { appId }: DeclaredApp): void {
  const app = [...declared.apps.values()].find((each) => each.appId === appId)
  if (app !== undefined) declared.putApp({ ...app, suspend: false, policy: 'Sync' })
}
