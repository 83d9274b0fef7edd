import { EventEmitter } from 'node:events'
import { explainCommand } from '../../src/cli/explain.ts'
import { runCommand } from '../../src/cli/run.ts'
import type { FileSystem } from '../../src/files/file-system.ts'
import type { Transport } from '../../src/kubernetes/http.ts'
import type { ProcessIdentity } from '../../src/ownership/process-identity.ts'
import type { CreateHttp } from '../../src/serverpilot/http.ts'
import type { Io } from '../../src/setup/io.ts'
import type { Connect } from '../../src/source/wordpress/connection.ts'
import type { Life } from './life.ts'

/** How a daemon of the world is started. */
export interface DaemonWorld {
  environment: Record<string, string>
  files: FileSystem
  serverpilot: CreateHttp
  database: Connect
  cluster?: { transport: Transport; namespace: string }
  identity: ProcessIdentity
  isRunning(identity: ProcessIdentity): boolean
  /** Gets each line of the log. */
  log(line: string): void
}

/** A daemon that runs. */
export interface RunningDaemon {
  readonly life: Life
  /** SIGTERM. */
  terminate(): void
  /** Whether it was told to end. */
  told(): boolean
  /** Resolves with the exit status; never for one that is killed. */
  readonly ended: Promise<number>
}

/** A process of the world as commands see it. */
function ioOf(life: Life, world: DaemonWorld, out: (text: string) => void, signal: AbortSignal): Io {
  return {
    environment: world.environment,
    out,
    err: (text) => world.log(text),
    outIsTerminal: false,
    errIsTerminal: false,
    colour: false,
    width: 80,
    readFile: (path) => world.files.readFileSync(path, 'utf8'),
    signal,
    version: '0.1.0',
    outside: {
      clock: life.clock,
      files: world.files,
      serverpilot: world.serverpilot,
      database: world.database,
      ...(world.cluster === undefined ? {} : { cluster: world.cluster }),
      processes: { self: world.identity, isRunning: async (identity) => world.isRunning(identity) },
      processMetrics: false,
    },
  }
}

/** What `domainpilot explain HOST --output json` prints, run in a life. */
export async function explain(life: Life, world: DaemonWorld, host: string): Promise<string> {
  let printed = ''
  const print = (text: string): void => {
    printed += text
  }
  await explainCommand(ioOf(life, world, print, new AbortController().signal), { output: 'json' }, host)
  return printed
}

/** Starts `domainpilot run` in a life. */
export function startDaemon(life: Life, world: DaemonWorld): RunningDaemon {
  const stop = new AbortController()
  const io = ioOf(life, world, () => undefined, stop.signal)
  const ended = runCommand(io, {}).catch((error: unknown) => {
    world.log(`ended: ${error instanceof Error ? error.stack : String(error)}\n`)
    return 1
  })
  return {
    life,
    ended,
    told: () => stop.signal.aborted,
    terminate: () => life.deliver(() => stop.abort(new Error('SIGTERM'))),
  }
}

/** What `fs.watch` gives, over a watch of the world. */
export function watcherOf(start: (emit: (type: string, name: string) => void) => () => void) {
  const emitter = new EventEmitter()
  const cancel = start((type, name) => emitter.emit('change', type, name))
  return Object.assign(emitter, { close: cancel })
}
