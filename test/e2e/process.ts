import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Simulator } from '../../src/simulator/simulator.ts'

/** How a process of the command line ended. */
export interface Ended {
  /** Exit status; null when a signal ended it. */
  status: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

/** A process of the command line that runs. */
export interface Running {
  child: ChildProcess
  /** What it has printed so far. */
  stdout(): string
  stderr(): string
  /** Waits for its end; after `ms` it is killed and the wait fails. */
  ended(ms?: number): Promise<Ended>
}

export interface LaunchOptions {
  cwd?: string
  env?: Readonly<Record<string, string | undefined>>
  /** On a pseudo-terminal (with `script`), where standard output and standard error are one. */
  terminal?: boolean
  /** A file that takes its standard error. */
  stderr?: number
}

const MAIN = resolve(import.meta.dirname, '../../src/main.ts')

/** The names of tests are not in the DNS of the world. */
export const NO_CHECKS = { DOMAINPILOT_CHECK_SCHEDULE: 'off' } as const

/** Starts `domainpilot ARGS` in a clean environment; it is gone when the test ends. */
export function launch(t: TestContext, args: readonly string[], options: LaunchOptions = {}): Running {
  const line = [process.execPath, MAIN, ...args]
  return start(t, options.terminal ? ['script', '-qec', quoted(line), '/dev/null'] : line, options)
}

/** Runs a script of bash to its end, in which `$D` is `domainpilot`. */
export const shell = (t: TestContext, script: string, options: LaunchOptions = {}): Promise<Ended> =>
  start(t, ['bash', '-c', `D=${quoted([`${process.execPath} ${MAIN}`])}; ${script}`], options).ended()

const quoted = (line: readonly string[]): string => line.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')

function start(t: TestContext, [program = '', ...rest]: readonly string[], options: LaunchOptions): Running {
  const { PATH, HOME } = process.env
  const child: ChildProcess = spawn(program, rest, {
    cwd: options.cwd,
    env: { PATH, HOME, ...NO_CHECKS, ...options.env },
    stdio: ['ignore', 'pipe', options.stderr ?? 'pipe'],
  })
  const output = { stdout: '', stderr: '' }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text
  })
  const end = new Promise<Ended>((resolved, rejected) => {
    child.once('error', rejected)
    child.once('close', (status, signal) => resolved({ status, signal, ...output }))
  })
  end.catch(() => undefined)
  t.after(async () => {
    child.kill('SIGKILL')
    await end.catch(() => undefined)
  })
  return {
    child,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    async ended(ms = 20_000) {
      const late = new AbortController()
      const tooLate = pause(ms, undefined, { signal: late.signal }).then(() => {
        child.kill('SIGKILL')
        throw new Error(`still running after ${ms} ms: ${rest.join(' ')}\n${output.stderr}`)
      })
      tooLate.catch(() => undefined)
      try {
        return await Promise.race([end, tooLate])
      } finally {
        late.abort()
      }
    },
  }
}

/** Runs `domainpilot ARGS` to its end. */
export const execute = (t: TestContext, args: readonly string[], options: LaunchOptions = {}): Promise<Ended> =>
  launch(t, args, options).ended()

/** Looks until `condition` gives something, at the most for `ms`; then fails and says what was waited for. */
export async function until<T>(
  what: string,
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  ms = 15_000,
): Promise<T> {
  const deadline = performance.now() + ms
  for (;;) {
    const found = await condition()
    if (found !== undefined && found !== false) return found
    if (performance.now() > deadline) throw new Error(`not within ${ms} ms: ${what}`)
    await pause(15)
  }
}

/** A folder that is gone when the test ends. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'domainpilot-e2e-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** The variables that let a process into this simulator. */
export const credentialsOf = ({ clientId, apiKey }: Simulator) => ({
  SERVERPILOT_CLIENT_ID: clientId,
  SERVERPILOT_API_KEY: apiKey,
})

/** The fields of a JSON log line. */
export type LogLine = Record<string, unknown>

/** The log of a process that logs JSON; what is no JSON fails. */
export const logOf = (stderr: string): LogLine[] =>
  stderr
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LogLine)
