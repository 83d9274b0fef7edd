import { type EventKind, MINUTE } from './kind.ts'
import { restartSoon } from './processes.ts'

/** What becomes of the daemon's disk and of the manifests. */
export const disk: readonly EventKind[] = [
  {
    name: 'crash-at-a-write',
    happen(world, random) {
      let left = random.whole(1, 12)
      const moment = random.pick(['before', 'after'] as const)
      world.diskTrouble.onWrite = (_path, at) => {
        if (at !== moment || --left > 0) return
        world.diskTrouble.onWrite = () => undefined
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
      world.disk.cutPower()
      for (const slot of world.fleet.slots) restartSoon(world, slot, random)
      return 'the power is cut'
    },
  },
  {
    name: 'disk-full',
    happen(world, random) {
      world.diskTrouble.writes = random.pick(['ENOSPC', 'EIO', 'EROFS'])
      world.heal(random.whole(1, 30) * MINUTE, () => {
        world.diskTrouble.writes = undefined
      })
      return `writing to the disk fails: ${world.diskTrouble.writes}`
    },
  },
  {
    name: 'reads-fail',
    happen(world, random) {
      world.diskTrouble.readsFailing = 0.3
      world.heal(random.whole(1, 10) * MINUTE, () => {
        world.diskTrouble.readsFailing = 0
      })
      return 'every third reading of a file fails'
    },
  },
  {
    name: 'watches-lose-events',
    happen(world, random) {
      world.diskTrouble.eventsLost = 1
      world.heal(random.whole(1, 20) * MINUTE, () => {
        world.diskTrouble.eventsLost = 0
      })
      return 'watches of folders say nothing'
    },
  },
  {
    name: 'a-half-written-manifest',
    happen(world, random) {
      const file = random.pick(world.disk.names(world.manifests))
      const path = `${world.manifests}/${file}`
      const text = world.disk.text(path)
      if (text === undefined) return undefined
      world.disk.write(path, Buffer.from(text.slice(0, random.whole(0, text.length - 1))), true)
      world.heal(random.whole(10, 5 * MINUTE), () => world.declared.writeAgain())
      return `${file} is half written`
    },
  },
  {
    name: 'an-empty-folder',
    happen(world, random) {
      for (const file of world.disk.names(world.manifests)) world.disk.remove(`${world.manifests}/${file}`)
      world.heal(random.whole(10, 4 * MINUTE), () => world.declared.writeAgain())
      return 'the folder of manifests is empty for a while'
    },
  },
]
