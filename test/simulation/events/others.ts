import type { Random } from '../random.ts'
import { anApp, type EventKind, userName } from './kind.ts'

const foreignName = (random: Random): string => `f${random.whole(1, 6)}.example.org`

/** What others do to the lists at ServerPilot. */
export const others: readonly EventKind[] = [
  {
    name: 'foreign-adds',
    happen(world, random) {
      const { appId, name } = anApp(world, random)
      const host = foreignName(random)
      if (world.serverpilot.listed(appId).includes(host)) return undefined
      world.serverpilot.change(appId, (names) => [...names, host])
      world.ledger.foreignPut(appId, host)
      return `somebody else adds ${host} to ${name}`
    },
  },
  {
    name: 'foreign-takes-its-own',
    happen(world, random) {
      const { appId, name } = anApp(world, random)
      const theirs = world.serverpilot.listed(appId).filter((each) => world.ledger.foreign(appId).has(each))
      if (theirs.length === 0) return undefined
      const host = random.pick(theirs)
      world.serverpilot.change(appId, (names) => names.filter((each) => each !== host))
      world.ledger.foreignTook(appId, host)
      return `somebody else takes ${host} off ${name}, which is theirs`
    },
  },
  {
    name: 'foreign-takes-ours',
    happen(world, random) {
      const { appId, name } = anApp(world, random)
      const ours = world.serverpilot.listed(appId).filter((each) => !world.ledger.foreign(appId).has(each))
      if (ours.length === 0) return undefined
      const host = random.pick(ours)
      world.serverpilot.change(appId, (names) => names.filter((each) => each !== host))
      world.ledger.foreignTook(appId, host)
      return `somebody else takes ${host} off ${name}, which is ours`
    },
  },
  {
    name: 'foreign-adds-what-may-be-wanted',
    happen(world, random) {
      const { appId, name } = anApp(world, random)
      const host = userName(random)
      if (world.serverpilot.listed(appId).includes(host)) return undefined
      world.serverpilot.change(appId, (names) => [...names, host])
      world.ledger.foreignPut(appId, host)
      return `somebody else adds ${host} to ${name}`
    },
  },
  {
    name: 'foreign-replaces-the-list',
    happen(world, random) {
      const { appId, name } = anApp(world, random)
      const stale = [...world.serverpilot.listed(appId)]
      world.time.after(random.whole(100, 20_000), () => {
        world.serverpilot.change(appId, (names) => {
          for (const each of names) if (!stale.includes(each)) world.ledger.foreignTook(appId, each)
          for (const each of stale) if (!names.includes(each)) world.ledger.foreignPut(appId, each)
          return stale
        })
      })
      return `somebody else writes an old list of ${name}`
    },
  },
]
