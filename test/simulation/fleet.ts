import type { ProcessIdentity } from '../../src/ownership/process-identity.ts'
import { type RunningDaemon, startDaemon } from './daemon.ts'
import { NAMESPACE } from './declared.ts'
import { createFiles } from './files.ts'
import { createLife, type Life } from './life.ts'
import type { Random } from './random.ts'
import type { Ground } from './world.ts'

/** A place for a daemon, in which one runs after the other. */
export interface Slot {
  readonly daemon: RunningDaemon | undefined
  start(): void
}

/** The daemons of the world, kept running: one that ends by itself is started again. */
export interface Fleet {
  readonly slots: readonly Slot[]
  /** One of the places. */
  pick(random: Random): Slot
  /** Sees to it that there is a living daemon in each place. */
  startAll(): void
  killAll(): void
}

const RESTART_MS = 10_000
const LOG_LINES = 400
/** What a daemon calls itself in the Lease: another one each time. */
const IDENTITY = /domainpilot-[0-9a-f-]{36}/g

/** Places for so many daemons, all of them empty. */
export function createFleet(ground: Ground, size: number): Fleet {
  const lives = new Map<number, Life>()
  let started = 0

  function launch(name: string): RunningDaemon {
    const number = ++started
    const { machine, random, disk, diskTrouble, time, serverpilot, cluster, log } = ground
    const life = createLife(`${name}.${number}`, machine, random.fork(`daemon ${number}`))
    const identity: ProcessIdentity = { pid: 1000 + number, started: String(number), host: 'host', scope: 'boot' }
    lives.set(identity.pid, life)
    return startDaemon(life, {
      environment: environmentOf(ground, name),
      files: createFiles(disk, diskTrouble, life, time),
      serverpilot: serverpilot.connect(life),
      ...(cluster && { cluster: { transport: cluster.connect(life), namespace: ground.namespace } }),
      identity,
      isRunning: ({ pid }) => lives.get(pid)?.alive === true,
      log(line) {
        log.push(`${life.name} ${line.replaceAll(IDENTITY, life.name)}`)
        if (log.length > LOG_LINES) log.shift()
      },
    })
  }

  function createSlot(name: string): Slot {
    let daemon: RunningDaemon | undefined
    const slot = {
      get daemon() {
        return daemon
      },
      start() {
        const next = launch(name)
        daemon = next
        void next.ended.then(() => {
          const byItself = next.life.alive && !next.told()
          next.life.kill()
          if (byItself) ground.time.after(RESTART_MS, () => void (daemon === next && slot.start()))
        })
      },
    }
    return slot
  }

  const slots = Array.from({ length: size }, (_, n) => createSlot(`daemon-${'abc'[n]}`))
  return {
    slots,
    pick: (random) => random.pick(slots),
    startAll() {
      for (const slot of slots) if (slot.daemon?.life.alive !== true) slot.start()
    },
    killAll() {
      for (const { daemon } of slots) daemon?.life.kill()
    },
  }
}

function environmentOf({ serverpilot, cluster, manifests, state, namespace }: Ground, name: string) {
  const { clientId, apiKey } = serverpilot.core.world.model
  return {
    SERVERPILOT_CLIENT_ID: clientId,
    SERVERPILOT_API_KEY: apiKey,
    DOMAINPILOT_LISTEN: 'off',
    DOMAINPILOT_CHECK_SCHEDULE: 'off',
    HOSTNAME: name,
    ...(cluster === undefined
      ? { DOMAINPILOT_MANIFESTS: manifests, DOMAINPILOT_STATE_DIR: state }
      : {
          DOMAINPILOT_SOURCE: 'kubernetes',
          DOMAINPILOT_RECORD_NAMESPACE: namespace,
          DOMAINPILOT_AMBIENT_CREDENTIALS_NAMESPACES: NAMESPACE,
        }),
  }
}
