import type { NameTrouble } from '../dns.ts'
import type { Random } from '../random.ts'
import type { World } from '../world.ts'
import { anApp, type EventKind, HOUR, MINUTE, userName } from './kind.ts'

/** Something is wrong with a name that may be mapped, for minutes, or for hours that nobody waits for. */
function spoiled(name: string, trouble: NameTrouble, words: string): EventKind {
  return {
    name,
    happen(world, random) {
      const host = aName(world, random)
      const end = world.hosts!.dns.spoil(host, trouble)
      const minutes = random.chance(0.7) ? random.whole(1, 90) : random.whole(120, 16 * 60)
      if (minutes <= 90) world.heal(minutes * MINUTE, end)
      else world.time.after(minutes * MINUTE, end)
      return `${host} ${words} for ${minutes} minutes`
    },
  }
}

/** Mostly one that is mapped. */
function aName({ declared, serverpilot }: World, random: Random): string {
  const mapped = [...declared.mappings.values()].map(({ domain }) => domain)
  if (mapped.length > 0 && random.chance(0.7)) return random.pick(mapped)
  const listed = [...declared.apps.values()].flatMap(({ appId }) => serverpilot.listed(appId))
  return listed.length > 0 && random.chance(0.3) ? random.pick(listed) : userName(random)
}

/** A fault of the calls that switch AutoSSL on. */
function sslFault(kind: 'status' | 'droppedWrite' | 'timeoutAfter' | 'actionStuck' | 'actionError', words: string) {
  return {
    name: `autossl-${kind}`,
    happen({ serverpilot }: World, random: Random) {
      const times = random.whole(1, 6)
      serverpilot.core.faults.add({ kind, path: 'postSsl', times })
      return `${words}, ${times} time(s)`
    },
  }
}

/** What becomes of DNS, of certificates and of the servers that show them. */
export const dns: readonly EventKind[] = [
  spoiled('points-elsewhere', 'Elsewhere', 'points elsewhere'),
  spoiled('points-elsewhere-too', 'AlsoElsewhere', 'points elsewhere too'),
  spoiled('ipv6-elsewhere', 'IPv6Elsewhere', 'has an AAAA record that points elsewhere'),
  spoiled('is-missing', 'Missing', 'has no records'),
  spoiled('server-failure', 'ServerFailure', 'ends in SERVFAIL'),
  spoiled('caa-refuses', 'RefusedByCaa', 'has a CAA record for another authority'),
  {
    name: 'map-before-dns',
    happen(world, random) {
      const domain = userName(random)
      if ([...world.declared.mappings.values()].some((each) => each.domain === domain)) return undefined
      const trouble = random.pick(['Elsewhere', 'IPv6Elsewhere', 'Missing', 'ServerFailure'] as const)
      const minutes = random.whole(1, 120)
      world.heal(minutes * MINUTE, world.hosts!.dns.spoil(domain, trouble))
      const app = anApp(world, random).name
      world.declared.putMapping({ name: `d-${domain.split('.')[0]}-${random.whole(1, 9999)}`, app, domain })
      return `${domain} is mapped to ${app}, and its DNS is wrong for ${minutes} minutes: ${trouble}`
    },
  },
  {
    name: 'resolver-down',
    happen(world, random) {
      const { trouble } = world.hosts!.dns
      const why = random.pick(['Timeout', 'Unreachable', 'ServerFailure', 'Refused'] as const)
      const mine = { why, knowsRoot: random.chance(0.3) }
      const minutes = random.whole(1, 120)
      trouble.resolver = mine
      world.heal(minutes * MINUTE, () => {
        if (trouble.resolver === mine) trouble.resolver = undefined
      })
      return `the resolver gives no answers${mine.knowsRoot ? ' but for the root' : ''} for ${minutes} minutes (${why})`
    },
  },
  {
    name: 'resolver-slow',
    happen(world, random) {
      const { trouble } = world.hosts!.dns
      trouble.slowMs = 6_000
      world.heal(random.whole(1, 30) * MINUTE, () => {
        trouble.slowMs = 40
      })
      return 'the resolver takes up to 6 s a question'
    },
  },
  {
    name: 'require',
    happen(world, random) {
      const app = anApp(world, random)
      const requireSince = app.requireSince === undefined ? world.time.now() : undefined
      world.declared.putApp({ ...app, requireSince, quarantineSince: undefined })
      return `${app.name} ${requireSince === undefined ? 'takes every host' : 'takes hosts only once they lead to the server'}`
    },
  },
  {
    name: 'quarantine',
    happen(world, random) {
      const app = anApp(world, random)
      const quarantineSince = app.quarantineSince === undefined ? world.time.now() : undefined
      world.declared.putApp({ ...app, quarantineSince, requireSince: undefined })
      return `${app.name} ${quarantineSince === undefined ? 'keeps every host' : 'loses hosts whose DNS is wrong for an hour'}`
    },
  },
  {
    name: 'autossl-off',
    happen(world, random) {
      const { appId, name } = anApp(world, random)
      if (world.serverpilot.core.world.model.apps.get(appId)?.ssl === null) return undefined
      world.serverpilot.core.account.setCertificate(appId, null)
      return `somebody else switches AutoSSL of ${name} off`
    },
  },
  {
    name: 'certificates-late',
    happen(world, random) {
      const { issuance } = world.serverpilot.core.world
      const usual = world.setting.hosts!.serverpilot.issuance!
      Object.assign(issuance, { delay: random.whole(1, 3) * HOUR, installDelay: random.whole(0, 20) * MINUTE })
      world.heal(random.whole(10, 180) * MINUTE, () => void Object.assign(issuance, usual))
      return `certificates take ${issuance.delay / HOUR} h, and ${issuance.installDelay / MINUTE} minutes to be installed`
    },
  },
  sslFault('status', 'ServerPilot fails to switch AutoSSL on'),
  sslFault('droppedWrite', 'ServerPilot says that AutoSSL is on, and it is not'),
  sslFault('timeoutAfter', 'ServerPilot does not answer when it switches AutoSSL on'),
  sslFault('actionStuck', 'the action that switches AutoSSL on never ends'),
  sslFault('actionError', 'the action that switches AutoSSL on ends in an error'),
  {
    name: 'servers-closed',
    happen(world, random) {
      const { trouble } = world.hosts!.servers
      trouble.closed = true
      world.heal(random.whole(1, 60) * MINUTE, () => {
        trouble.closed = false
      })
      return 'a firewall closes the servers off'
    },
  },
  {
    name: 'servers-do-not-reload',
    happen(world, random) {
      world.heal(random.whole(1, 60) * MINUTE, world.hosts!.servers.stopReloading())
      return 'the servers go on with the certificates that they have'
    },
  },
]
