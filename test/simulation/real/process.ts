import { execFile, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { systemClock } from '../../../src/time/clock.ts'
import type { Ground, Stage } from '../ground.ts'
import { environmentOf, noteLine } from '../launch.ts'
import type { Life } from '../life.ts'
import { type Door, openDoor } from './door.ts'

/** The program as users start it. */
const PROGRAM = join(import.meta.dirname, '../../../dist/main.js')

const run = promisify(execFile)

/** How the wall clock of a process is set: libfaketime reads a file, again each second. The steady clock stays what it is. */
export interface WallClock {
  library: string
  file: string
}

/** Sets the wall clock of all processes, by so many milliseconds. */
export function setClock({ file }: WallClock, ms: number): void {
  writeFileSync(file, `${ms < 0 ? '-' : '+'}${Math.abs(ms / 1000)}`)
}

const environmentOfClock = ({ library, file }: WallClock): Record<string, string> => ({
  LD_PRELOAD: library,
  DONT_FAKE_MONOTONIC: '1',
  FAKETIME_TIMESTAMP_FILE: file,
  FAKETIME_CACHE_DURATION: '1',
})

/** Starts processes of the program on a real ground. */
export function createProcessLauncher(ground: Stage, clock: WallClock): Pick<Ground, 'launch' | 'explain'> {
  const environment = (name: string, door: Door) => ({
    ...(process.env.PATH && { PATH: process.env.PATH }),
    ...environmentOf(ground, name),
    ...environmentOfClock(clock),
    DOMAINPILOT_SERVERPILOT_URL: door.url,
  })

  async function explain(host: string): Promise<string> {
    const door = await openDoor(ground.serverpilot, createProcessLife('person', ground))
    const { stdout } = await run(process.execPath, [PROGRAM, 'explain', host, '--output', 'json'], {
      env: environment('person', door),
    }).finally(() => door.close())
    return stdout
  }

  const launch: Ground['launch'] = (name, number) => {
    const life = createProcessLife(`${name}.${number}`, ground)
    const ended = openDoor(ground.serverpilot, life).then(
      (door) =>
        new Promise<number>((resolve) => {
          if (!life.alive) return door.close()
          const child = spawn(process.execPath, [PROGRAM, 'run'], {
            env: environment(name, door),
            stdio: ['ignore', 'ignore', 'pipe'],
          })
          life.child = child
          createInterface({ input: child.stderr }).on('line', (line) => noteLine(ground.log, life.name, line))
          child.once('close', (status) => {
            door.close()
            if (life.alive) resolve(status ?? 1)
          })
        }),
    )
    let told = false
    return {
      life,
      ended,
      told: () => told,
      terminate() {
        told = true
        life.child?.kill('SIGTERM')
      },
    }
  }
  return { launch, explain }
}

interface ProcessLife extends Life {
  child: ReturnType<typeof spawn> | undefined
}

function createProcessLife(name: string, { random }: Pick<Ground, 'random'>): ProcessLife {
  let alive = true
  const begun = systemClock.steady()
  const life: ProcessLife = {
    name,
    child: undefined,
    clock: systemClock,
    random: random.fork(name),
    get alive() {
      return alive
    },
    deliver(fire) {
      if (alive) fire()
    },
    ask: (work) => work(),
    // A real one does not tell for how long it stood still.
    awake: () => systemClock.steady() - begun,
    kill() {
      alive = false
      life.child?.kill('SIGKILL')
    },
    stop: () => void life.child?.kill('SIGSTOP'),
    goOn: () => void life.child?.kill('SIGCONT'),
  }
  return life
}
