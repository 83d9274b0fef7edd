import type { ProcessIdentity } from '../../src/ownership/process-identity.ts'
import { type RunningDaemon, startDaemon } from './daemon.ts'
import { createDeclared, type Declared, inFiles } from './declared.ts'
import { createDisk, type Disk } from './disk.ts'
import { createFiles, type DiskTrouble, noDiskTrouble } from './files.ts'
import { createLedger, type Ledger } from './ledger.ts'
import { createLife, type Life, type Machine } from './life.ts'
import { createRandom, type Random } from './random.ts'
import { createServerPilotModel, type ServerPilotModel } from './serverpilot.ts'
import { createVirtualTime, type VirtualTime } from './virtual-time.ts'

/** Everything that there is, with the daemon on its machine. */
export interface World {
  readonly time: VirtualTime
  readonly random: Random
  readonly machine: Machine
  readonly disk: Disk
  readonly diskTrouble: DiskTrouble
  readonly serverpilot: ServerPilotModel
  readonly declared: Declared
  readonly ledger: Ledger
  /** Folders of the daemon. */
  readonly manifests: string
  readonly state: string
  /** Hashes that somebody approved. */
  readonly approved: Set<string>
  /** Lines of the daemons' logs, the last ones. */
  readonly log: string[]
  daemon: RunningDaemon | undefined
  start(): void
  /** In so many milliseconds a trouble is over. */
  heal(ms: number, end: () => void): void
  /** Whether some trouble is not over. */
  healing(): boolean
}

const MANIFESTS = '/etc/domains'
const STATE = '/var/lib/domainpilot'
const EPOCH = Date.UTC(2026, 0, 15, 12)
const LOG_LINES = 400
const RESTART_MS = 10_000

/** A world of files with one daemon, not yet started. */
export function createWorld(seed: string, apps: number): World {
  const random = createRandom(seed)
  const time = createVirtualTime(random.fork('time'))
  const machine: Machine = { time, epoch: EPOCH, offset: 0 }
  const disk = createDisk(() => EPOCH + time.now())
  const diskTrouble = noDiskTrouble()
  const serverpilot = createServerPilotModel(
    {
      apps: Array.from({ length: apps }, (_, n) => ({ name: `app${n}`, domains: [`f${n + 1}.example.org`] })),
      now: () => EPOCH + time.now(),
    },
    time,
    random.fork('serverpilot'),
  )
  const declared = createDeclared(inFiles(disk, MANIFESTS))
  const ledger = createLedger(time, serverpilot, declared)
  const log: string[] = []
  let open = 0
  const lives = new Map<number, Life>()
  let started = 0
  const world: World = {
    time,
    random,
    machine,
    disk,
    diskTrouble,
    serverpilot,
    declared,
    ledger,
    manifests: MANIFESTS,
    state: STATE,
    approved: new Set(),
    log,
    daemon: undefined,
    healing: () => open > 0,
    heal(ms, end) {
      open++
      time.after(ms, () => {
        open--
        end()
      })
    },
    start() {
      const number = ++started
      const life = createLife(`daemon-${number}`, machine, random.fork(`daemon-${number}`))
      const identity: ProcessIdentity = { pid: 1000 + number, started: String(number), host: 'host', scope: 'boot' }
      lives.set(identity.pid, life)
      const daemon = startDaemon(life, {
        environment: {
          SERVERPILOT_CLIENT_ID: serverpilot.core.world.model.clientId,
          SERVERPILOT_API_KEY: serverpilot.core.world.model.apiKey,
          DOMAINPILOT_MANIFESTS: MANIFESTS,
          DOMAINPILOT_STATE_DIR: STATE,
          DOMAINPILOT_LISTEN: 'off',
          DOMAINPILOT_CHECK_SCHEDULE: 'off',
        },
        files: createFiles(disk, diskTrouble, life, time),
        serverpilot: serverpilot.connect(life),
        identity,
        isRunning: ({ pid }) => lives.get(pid)?.alive === true,
        log(line) {
          log.push(line)
          if (log.length > LOG_LINES) log.shift()
        },
      })
      world.daemon = daemon
      // Whoever keeps it running starts it again when it ends by itself.
      void daemon.ended.then(() => {
        const wasAlive = life.alive
        life.kill()
        if (wasAlive && !daemon.told()) time.after(RESTART_MS, () => world.daemon === daemon && world.start())
      })
    },
  }
  return world
}
