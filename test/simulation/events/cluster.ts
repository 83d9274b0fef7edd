import { type EventKind, MINUTE } from './kind.ts'

/** What the API server does. */
export const cluster: readonly EventKind[] = [
  {
    name: 'api-server-away',
    happen(world, random) {
      const { trouble, cutWatches } = world.cluster!
      const seconds = random.pick([3, 20, 90, 900])
      trouble.away = true
      cutWatches()
      world.heal(seconds * 1000, () => {
        trouble.away = false
      })
      return `the API server is away for ${seconds} s`
    },
  },
  {
    name: 'api-server-fails',
    happen(world, random) {
      const { trouble } = world.cluster!
      trouble.failing = random.pick([0.1, 0.5])
      world.heal(random.whole(1, 10) * MINUTE, () => {
        trouble.failing = 0
      })
      return `${100 * trouble.failing} % of the calls to the API server fail`
    },
  },
  {
    name: 'api-server-slow',
    happen(world, random) {
      const { trouble } = world.cluster!
      trouble.slowMs = random.pick([500, 4_000])
      world.heal(random.whole(1, 10) * MINUTE, () => {
        trouble.slowMs = 4
      })
      return `the API server takes up to ${2 * trouble.slowMs} ms a call`
    },
  },
  {
    name: 'stand-still-at-a-claim',
    happen(world, random) {
      const { trouble } = world.cluster!
      const seconds = random.whole(5, 120)
      trouble.onWrite = (life, resource) => {
        if (!resource.endsWith('/configmaps') || !life.alive) return
        trouble.onWrite = () => undefined
        life.stop()
        world.heal(seconds * 1000, () => life.goOn())
      }
      return `the daemon stands still for ${seconds} s once it has noted its next claim`
    },
  },
  {
    name: 'watches-end',
    happen(world) {
      world.cluster!.cutWatches()
      return 'every watch ends'
    },
  },
  {
    name: 'compaction',
    happen(world) {
      world.cluster!.objects.compact()
      if (world.random.chance(0.5)) world.cluster!.cutWatches()
      return 'the API server forgets old versions'
    },
  },
]
