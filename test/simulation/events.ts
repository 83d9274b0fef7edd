import type { FaultRule } from '../../src/simulator/faults.ts'
import type { DeclaredApp } from './declared.ts'
import type { Slot } from './fleet.ts'
import type { Random } from './random.ts'
import type { World } from './world.ts'

/** One kind of thing that can happen to the world. `happen` gives what to tell of it; undefined: there was nothing to do. */
export interface EventKind {
  name: string
  happen(world: World, random: Random): string | undefined
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const NAMES = 24

const userName = (random: Random): string => `u${random.whole(1, NAMES)}.example.com`
const foreignName = (random: Random): string => `f${random.whole(1, 6)}.example.org`
const anApp = ({ declared }: World, random: Random): DeclaredApp => random.pick([...declared.apps.values()])
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

const users: EventKind[] = [
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
      world.declared.removeMapping(mapping.name)
      world.time.after(random.whole(10, 90_000), () => {
        if (!isMapped(world, mapping.domain)) world.declared.putMapping(mapping)
      })
      return `${mapping.domain} is unmapped, and mapped again soon`
    },
  },
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
      world.heal(random.whole(1, 20) * MINUTE, () => resume(world, app.name))
      return `${app.name} is suspended`
    },
  },
  {
    name: 'observe',
    happen(world, random) {
      const app = anApp(world, random)
      world.declared.putApp({ ...app, policy: 'Observe' })
      world.heal(random.whole(1, 20) * MINUTE, () => resume(world, app.name))
      return `${app.name} is only observed`
    },
  },
  {
    name: 'upsert-only',
    happen(world, random) {
      const app = anApp(world, random)
      world.declared.putApp({ ...app, policy: 'UpsertOnly' })
      world.heal(random.whole(1, 20) * MINUTE, () => resume(world, app.name))
      return `${app.name} loses nothing for a while (UpsertOnly)`
    },
  },
]

function resume({ declared }: World, name: string): void {
  const app = declared.apps.get(name)
  if (app !== undefined) declared.putApp({ ...app, suspend: false, policy: 'Sync' })
}

const others: EventKind[] = [
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

/** A fault of ServerPilot for some calls. */
function fault(name: string, rule: FaultRule, most = 6): EventKind {
  return {
    name,
    happen(world, random) {
      const times = random.whole(1, most)
      const narrowed = random.chance(0.5) ? { method: random.pick(['GET', 'POST']) } : {}
      world.serverpilot.core.faults.add({ ...rule, times, after: random.whole(0, 3), ...narrowed })
      return `${times} call(s) at ServerPilot: ${JSON.stringify({ ...rule, ...narrowed })}`
    },
  }
}

const serverpilot: EventKind[] = [
  fault('status-500', { kind: 'status' }),
  fault('status-503', { kind: 'status', status: 503 }),
  fault('status-404', { kind: 'status', status: 404 }, 2),
  fault('status-401', { kind: 'status', status: 401 }, 2),
  fault('status-after', { kind: 'statusAfter' }),
  fault('html-502', { kind: 'html502' }),
  fault('html-502-after', { kind: 'html502After' }),
  fault('html-200', { kind: 'html200' }, 3),
  fault('redirect', { kind: 'redirect' }, 3),
  fault('rate-limited', { kind: 'rateLimited', retryAfter: 20 }),
  fault('timeout-before', { kind: 'timeoutBefore' }),
  fault('timeout-after', { kind: 'timeoutAfter' }),
  fault('timeout-late', { kind: 'timeoutLate', ms: 45_000 }),
  fault('reset-before', { kind: 'resetBefore' }),
  fault('reset-after', { kind: 'resetAfter' }),
  fault('truncated', { kind: 'truncated' }),
  fault('malformed', { kind: 'malformed' }),
  fault('stale', { kind: 'stale', method: 'GET' }, 1),
  fault('empty', { kind: 'empty', method: 'GET' }, 2),
  fault('empty-halved', { kind: 'empty', variant: 'halved', method: 'GET' }, 2),
  fault('empty-null', { kind: 'empty', variant: 'null' }, 2),
  fault('empty-list', { kind: 'empty', variant: 'list', method: 'GET' }, 2),
  fault('dropped-write', { kind: 'droppedWrite' }, 3),
  fault('slow', { kind: 'slow', ms: 12_000 }),
  fault('action-error', { kind: 'actionError' }, 2),
  fault('action-stuck', { kind: 'actionStuck' }, 2),
  {
    name: 'serverpilot-away',
    happen(world, random) {
      const minutes = random.whole(1, 30)
      world.serverpilot.trouble.away = true
      world.heal(minutes * MINUTE, () => {
        world.serverpilot.trouble.away = false
      })
      return `ServerPilot is away for ${minutes} minutes`
    },
  },
  {
    name: 'serverpilot-slow',
    happen(world, random) {
      world.serverpilot.trouble.slowMs = 10_000
      world.heal(random.whole(1, 10) * MINUTE, () => {
        world.serverpilot.trouble.slowMs = 60
      })
      return 'ServerPilot takes up to 20 s a call'
    },
  },
]

const processes: EventKind[] = [
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

function restartSoon(world: World, slot: Slot, random: Random): void {
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

const clock: EventKind[] = [
  {
    name: 'clock-forward',
    happen(world, random) {
      const ms = random.pick([90_000, HOUR, 30 * 24 * HOUR])
      world.machine.offset += ms
      return `the clock is set forward by ${ms / 1000} s`
    },
  },
  {
    name: 'clock-back',
    happen(world, random) {
      const ms = random.pick([90_000, HOUR, 24 * HOUR])
      world.machine.offset -= ms
      return `the clock is set back by ${ms / 1000} s`
    },
  },
]

const disk: EventKind[] = [
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

const cluster: EventKind[] = [
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

/** Everything that can happen, by what it happens to. */
export const EVENTS: Readonly<Record<string, readonly EventKind[]>> = {
  users,
  others,
  serverpilot,
  processes,
  clock,
  disk,
  cluster,
}

/** The groups of a place. */
export const GROUPS = {
  files: ['users', 'others', 'serverpilot', 'processes', 'clock', 'disk'],
  cluster: ['users', 'others', 'serverpilot', 'processes', 'clock', 'cluster'],
} as const
