import type { Slot } from '../fleet.ts'
import type { Random } from '../random.ts'
import type { Write } from '../serverpilot.ts'
import type { World } from '../world.ts'
import { type EventKind, HOUR, MINUTE } from './kind.ts'

/** What becomes of the daemons. */
export const processes: readonly EventKind[] = [
  {
    name: 'kill',
    happen(world, random) {
      const slot = world.fleet.pick(random)
      slot.daemon?.life.kill()
      restartSoon(world, slot, random)
      return `${slot.daemon?.life.name} is killed`
    },
  },
  {
    name: 'terminate',
    happen(world, random) {
      const slot = world.fleet.pick(random)
      slot.daemon?.terminate()
      restartSoon(world, slot, random)
      return `${slot.daemon?.life.name} is told to end`
    },
  },
  {
    name: 'crash-at-a-post',
    happen(world, random) {
      let open = true
      const forget = random.chance(0.5)
      const crash = ({ life, appId, before, after }: Write): void => {
        if (!open || !life.alive) return
        open = false
        const slot = world.fleet.slots.find(({ daemon }) => daemon?.life === life)
        life.kill()
        if (slot !== undefined) restartSoon(world, slot, random)
        // What it was about to note is wanted by nobody any more when the next one comes.
        for (const mapping of [...world.declared.mappings.values()]) {
          const isNew = after.includes(mapping.domain) && !before.includes(mapping.domain)
          if (forget && isNew && world.declared.apps.get(mapping.app)?.appId === appId)
            world.declared.removeMapping(mapping.name)
        }
      }
      world.serverpilot.onWrite((write) => crash(write))
      world.heal(random.whole(1, 30) * MINUTE, () => {
        open = false
      })
      return `the daemon crashes as its next write takes effect${forget ? ', and what it added is unmapped' : ''}`
    },
  },
  { name: 'a-second-one-by-mistake', happen: startAnother },
  {
    name: 'a-late-write-and-second-thoughts',
    happen(world, random) {
      let open = true
      world.serverpilot.onRequest((_, { method, url, body }) => {
        const appId = method === 'POST' ? /^\/v1\/apps\/([^/]+)$/.exec(url.pathname)?.[1] : undefined
        if (!open || appId === undefined) return () => undefined
        open = false
        world.serverpilot.core.faults.add({ kind: 'timeoutLate', ms: random.whole(40_000, 100_000), times: 1, method })
        unmapNew(world, appId, body ?? '')
        return () => undefined
      })
      world.heal(random.whole(1, 30) * MINUTE, () => {
        open = false
      })
      return 'the next write lands late, and what it adds is unmapped meanwhile'
    },
  },
  {
    name: 'stand-still',
    happen(world, random) {
      const life = world.fleet.pick(random).daemon?.life
      if (life === undefined) return undefined
      const seconds = random.whole(1, 600)
      life.stop()
      world.heal(seconds * 1000, () => life.goOn())
      return `${life.name} stands still for ${seconds} s`
    },
  },
]

/** Somebody starts a daemon on a state folder that has one. */
function startAnother(world: World, random: Random): string | undefined {
  const { fleet, cluster, ledger, serverpilot } = world
  const first = fleet.slots[0]?.daemon
  if (cluster !== undefined || first === undefined || !first.life.alive || first.told()) return undefined
  const { life } = fleet.startAnother()
  serverpilot.onRequest((each) => {
    if (each === life && first.life.alive && !first.told())
      ledger.violate('lock', `${life.name} works beside ${first.life.name} on one state folder`)
    return () => undefined
  })
  world.heal(random.whole(5, 60) * 1000, () => life.kill())
  return 'somebody starts a second daemon on the same state folder'
}

/** Nobody wants any more what this write adds. */
function unmapNew({ declared, serverpilot }: World, appId: string, body: string): void {
  for (const { name, app, domain } of [...declared.mappings.values()]) {
    const isNew = body.includes(JSON.stringify(domain)) && !serverpilot.listed(appId).includes(domain)
    if (isNew && declared.apps.get(app)?.appId === appId) declared.removeMapping(name)
  }
}

/** The daemon in the place is killed, and another one is there a second later. */
export function restartAtOnce(world: World, slot: Slot): void {
  slot.daemon?.life.kill()
  world.heal(1_000, () => {
    if (slot.daemon?.life.alive !== true) slot.start()
  })
}

/** Another daemon takes the place: after seconds or hours, and 25 s after the one that is there was told to end. */
export function restartSoon(world: World, slot: Slot, random: Random): void {
  const { daemon } = slot
  world.heal(random.chance(0.5) ? random.whole(1, 60_000) : random.whole(1, 2 * HOUR), () => {
    if (daemon?.life.alive) daemon.terminate()
    world.time.after(25_000, () => {
      if (slot.daemon !== daemon) return
      daemon?.life.kill()
      slot.start()
    })
  })
}
