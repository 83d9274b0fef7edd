import type { Connect } from '../../../src/source/wordpress/connection.ts'
// Loaded with the world: the daemon loads it on the way, and no world waits for a real answer.
import '../../../src/source/wordpress/wordpress.ts'
import type { Life } from '../life.ts'
import type { Random } from '../random.ts'
import type { WorldTime } from '../world-time.ts'
import { driverError } from './errors.ts'
import { createKnowledge, type Knowledge } from './knowledge.ts'
import { createNetwork, type Network, type Plugin } from './network.ts'
import { openSession } from './session.ts'
import type { Tables } from './tables.ts'

/** What is the matter with a server. */
export interface DatabaseTrouble {
  /** Nobody reaches it. */
  away: boolean
  /** Accepts connections and says nothing. */
  silent: boolean
  /** Error by which it turns every account away. */
  refuses: number | undefined
  /** Milliseconds that a statement takes at most. */
  slowMs: number
  /** Breaks the next reading off at that statement. */
  breaks: { after: number; error: unknown } | undefined
  /** A replica that stands still: what is read is this. */
  lags: Tables | undefined
}

/** Nothing is the matter. */
export const noDatabaseTrouble = (): DatabaseTrouble => ({
  away: false,
  silent: false,
  refuses: undefined,
  slowMs: 10,
  breaks: undefined,
  lags: undefined,
})

/** The database server of one app, with its network. */
export interface DatabaseServer {
  /** What the object of the app is called now, or was last. */
  app: string
  readonly network: Network
  readonly knowledge: Knowledge
  readonly trouble: DatabaseTrouble
  readonly time: WorldTime
  /** Epoch milliseconds. */
  now(): number
  readonly random: Random
  readonly kind: 'mariadb' | 'mysql'
  /** Knows no limits for statements. */
  readonly isOld: boolean
  readonly user: string
  readonly password: string
  readonly url: string
  /** `spec.wordpress.mappings`. */
  readonly mappings: string
  readonly pollInterval: string
}

/** The databases of a world, by the id of the app that they belong to. */
export interface Databases {
  readonly servers: ReadonlyMap<string, DatabaseServer>
  connect(life: Life): Connect
}

const PLUGINS: readonly Plugin[] = ['UltimateMultisite', 'UltimateMultisite', 'Mercator', 'MuDomainMapping', 'Core']
const SETTINGS = {
  UltimateMultisite: 'UltimateMultisite',
  Mercator: 'Auto',
  MuDomainMapping: 'DomainMapping',
  Core: 'Core',
}

/** A database for each of these apps. `now`: epoch milliseconds. */
export function createDatabases(
  appIds: readonly string[],
  now: () => number,
  time: WorldTime,
  random: Random,
): Databases {
  const servers = new Map(
    appIds.map((id, number) => [id, createServer(number, now, time, random.fork(`server ${number}`))]),
  )
  return {
    servers,
    connect:
      (life) =>
      async ({ host, password }, ports) => {
        const server = [...servers.values()].find(({ url }) => url.includes(`@${host}:`))
        if (server === undefined) throw driverError('ENOTFOUND', `getaddrinfo ENOTFOUND ${host}`)
        return await openSession(server, life, ports, password)
      },
  }
}

function createServer(number: number, now: () => number, time: WorldTime, random: Random): DatabaseServer {
  const plugin = random.pick(PLUGINS)
  const network = createNetwork(`network${number}.example.net`, plugin, now, random.fork('network'))
  const password = 'secret-of-the-database'
  return {
    app: '',
    network,
    knowledge: createKnowledge(network, time.now),
    trouble: noDatabaseTrouble(),
    time,
    now,
    random: random.fork('statements'),
    kind: random.pick(['mariadb', 'mysql']),
    isOld: random.chance(0.2),
    user: 'reader',
    password,
    url: `mysql://reader:${password}@db${number}.example:3306/wordpress`,
    mappings: random.chance(0.5) ? 'Auto' : SETTINGS[plugin],
    pollInterval: random.pick(['60s', '2m']),
  }
}
