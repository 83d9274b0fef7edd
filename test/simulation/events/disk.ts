import { type EventKind, MINUTE } from './kind.ts'
import { restartAtOnce, restartSoon } from './processes.ts'

/** What becomes of the disk that the daemons write to. */
export const disk: readonly EventKind[] = [
  {
    name: 'crash-at-a-write',
    happen(world, random) {
      let left = random.whole(1, 12)
      const moment = random.pick(['before', 'after'] as const)
      world.disk!.trouble.onWrite = (_path, at) => {
        if (at !== moment || --left > 0) return
        world.disk!.trouble.onWrite = () => undefined
        const slot = world.fleet.slots[0]!
        slot.daemon?.life.kill()
        restartSoon(world, slot, random)
      }
      return `the daemon crashes ${moment} its ${left}th write to the disk from now`
    },
  },
  {
    name: 'power-cut',
    happen(world, random) {
      world.fleet.killAll()
      world.disk!.cutPower()
      for (const slot of world.fleet.slots) restartSoon(world, slot, random)
      return 'the power is cut'
    },
  },
  {
    name: 'disk-full',
    happen(world, random) {
      world.disk!.trouble.writes = random.pick(['ENOSPC', 'EIO', 'EROFS'])
      world.heal(random.whole(1, 30) * MINUTE, () => {
        world.disk!.trouble.writes = undefined
      })
      return `writing to the disk fails: ${world.disk!.trouble.writes}`
    },
  },
  {
    name: 'reads-fail',
    happen(world, random) {
      world.disk!.trouble.readsFailing = 0.3
      world.heal(random.whole(1, 10) * MINUTE, () => {
        world.disk!.trouble.readsFailing = 0
      })
      return 'every third reading of a file fails'
    },
  },
  {
    name: 'a-manifest-that-nobody-may-read',
    happen(world, random) {
      const names = world.files.names(world.manifests)
      if (names.length === 0) return undefined
      const name = random.pick(names)
      const restarts = random.chance(0.5)
      world.disk!.trouble.unreadable = new Set([`${world.manifests}/${name}`])
      const minutes = random.whole(1, 40)
      world.heal(minutes * MINUTE, () => {
        world.disk!.trouble.unreadable = new Set()
      })
      if (restarts) restartAtOnce(world, world.fleet.slots[0]!)
      return `nobody may read ${name} for ${minutes} minutes${restarts ? ', and the daemon starts anew' : ''}`
    },
  },
  {
    name: 'watches-lose-events',
    happen(world, random) {
      world.disk!.trouble.eventsLost = 1
      world.heal(random.whole(1, 20) * MINUTE, () => {
        world.disk!.trouble.eventsLost = 0
      })
      return 'watches of folders say nothing'
    },
  },
]
