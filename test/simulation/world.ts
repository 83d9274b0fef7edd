import type { ProcessIdentity } from '../../src/ownership/process-identity.ts'
import { type RunningDaemon, startDaemon } from './daemon.ts'
import { createDeclared, type Declared, inFiles } from './declared.ts'
import { createDisk, type Disk } from './disk.ts'
import { createFiles, type DiskTrouble, noDiskTrouble } from './files.ts'
import { createLife, type Machine } from './life.ts'
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
  /** Lines of the daemons' logs, the last ones. */
  readonly log: string[]
  daemon: RunningDaemon | undefined
  start(): void
}

const MANIFESTS = '/etc/domains'
const STATE = '/var/lib/domainpilot'
const EPOCH = Date.UTC(2026, 0, 15, 12)
const LOG_LINES = 400

/** A world of files with one daemon, not yet started. */
export function createWorld(seed: string): World {
  const random = createRandom(seed)
  const time = createVirtualTime(random.fork('time'))
  const machine: Machine = { time, epoch: EPOCH, offset: 0 }
  const disk = createDisk(() => EPOCH + time.now())
  const diskTrouble = noDiskTrouble()
  const serverpilot = createServerPilotModel(
    { apps: [{ name: 'network', domains: ['foreign-0.example.org'] }], now: () => EPOCH + time.now() },
    time,
    random.fork('serverpilot'),
  )
  const declared = createDeclared(inFiles(disk, MANIFESTS))
  const log: string[] = []
  const running = new Set<string>()
  let started = 0
  const world: World = {
    time,
    random,
    machine,
    disk,
    diskTrouble,
    serverpilot,
    declared,
    log,
    daemon: undefined,
    start() {
      const number = ++started
      const life = createLife(`daemon-${number}`, machine, random.fork(`daemon-${number}`))
      const identity: ProcessIdentity = { pid: 1000 + number, started: String(number), host: 'host', scope: 'boot' }
      const name = `${identity.pid}`
      running.add(name)
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
        isRunning: ({ pid }) => running.has(`${pid}`),
        log(line) {
          log.push(line)
          if (log.length > LOG_LINES) log.shift()
        },
      })
      const kill = life.kill
      world.daemon = { ...daemon, life: Object.assign(life, { kill: () => (running.delete(name), kill()) }) }
      void daemon.ended.then(() => {
        running.delete(name)
        life.kill()
      })
    },
  }
  return world
}
