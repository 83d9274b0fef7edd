import { join } from 'node:path'
import { createDatabases } from '../database/server.ts'
import { firstApps, type Ground, type Setting } from '../ground.ts'
import { createRandom } from '../random.ts'
import { createServerPilotModel } from '../serverpilot.ts'
import { realFiles } from './files.ts'
import { createProcessLauncher, setClock, type WallClock } from './process.ts'
import { createRealTime } from './time.ts'

/** So much shorter are troubles in real time. */
const HASTE = 20

/** A ground of real processes in a folder: real files, HTTP on loopback, a wall clock that can be set, the time of this machine. */
export function createRealGround({ seed, apps }: Setting, folder: string, faketime: string): Ground {
  const random = createRandom(seed)
  const time = createRealTime()
  const clock: WallClock = { library: faketime, file: join(folder, 'clock') }
  let offset = 0
  setClock(clock, offset)
  const now = (): number => Date.now()
  const ground = {
    time,
    random,
    haste: HASTE,
    machine: {
      time,
      epoch: Date.now() - time.now(),
      get offset() {
        return offset
      },
      set offset(ms: number) {
        offset = ms
        setClock(clock, ms)
      },
    },
    serverpilot: createServerPilotModel({ apps: firstApps(apps), now }, time, random.fork('serverpilot')),
    databases: createDatabases([], now, time, random),
    files: realFiles,
    disk: undefined,
    cluster: undefined,
    manifests: join(folder, 'domains'),
    state: join(folder, 'state'),
    namespace: 'domainpilot',
    log: [],
  }
  return { ...ground, ...createProcessLauncher(ground, clock) }
}
