// Read beforehand: a daemon that waits for the disk of this machine would let the time of its world pass by chance.
import '../../src/controller/checks/checks.ts'
import '../../src/setup/resolver.ts'
import type { SimulatorOptions } from '../../src/simulator/options.ts'
import { createDns, type DnsModel } from './dns.ts'
import type { Random } from './random.ts'
import type { ServerPilotModel } from './serverpilot.ts'
import { createServers, type ServersModel } from './servers.ts'
import type { WorldTime } from './world-time.ts'

/** What a seed decides of a world in which hosts are looked at. */
export interface HostsSetting {
  /** Cron. */
  schedule: string
  /** How certificates come about at ServerPilot. */
  serverpilot: Pick<SimulatorOptions, 'issuance' | 'behaviours'>
  /** Seconds for which an answer of DNS holds. */
  ttl: number
}

/** Where hosts lead, and what is shown there. */
export interface HostsModel {
  readonly schedule: string
  readonly dns: DnsModel
  readonly servers: ServersModel
}

/** What hosts stand on. */
export interface HostsGround {
  time: WorldTime
  serverpilot: ServerPilotModel
  random: Random
}

const MINUTE = 60_000

/** Whether hosts are looked at in the world of a seed, and how. */
export function hostsSettingOf(random: Random): HostsSetting | undefined {
  if (random.chance(0.5)) return undefined
  return {
    schedule: random.pick(['*/5 * * * *', '*/15 * * * *']),
    serverpilot: {
      issuance: { delay: random.pick([1, 6, 15]) * MINUTE, installDelay: random.pick([0, 0, 2]) * MINUTE },
      behaviours: {
        unresolvedName: random.pick(['block', 'skip']),
        reissue: random.pick(['onPost', 'onPost', 'automatic']),
        availableDuringChange: random.pick(['none', 'earlier']),
      },
    },
    ttl: random.pick([0, 60, 300, 3_600]),
  }
}

/** DNS and servers, all of them well. */
export function createHosts({ schedule, ttl }: HostsSetting, ground: HostsGround): HostsModel {
  return { schedule, dns: createDns(ttl, ground), servers: createServers(ground) }
}
