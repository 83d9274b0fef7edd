import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { CallRecord } from '../src/simulator/calls.ts'

const ROOT = resolve(import.meta.dirname, '..')

/** The program as it is run from its sources, and as it is shipped. */
export const PROGRAMS = { source: resolve(ROOT, 'src/main.ts'), bundle: resolve(ROOT, 'dist/main.js') } as const

/** Builds dist/, so that figures of the bundle belong to these sources. */
export async function build(): Promise<void> {
  const child = spawn(process.execPath, ['scripts/build.ts'], { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] })
  const [status] = (await once(child, 'exit')) as [number | null]
  if (status !== 0) throw new Error(`the build ended with status ${status}`)
}

/** A child process that is stopped in good order. */
export interface Running {
  child: ChildProcess
  stop(): Promise<void>
}

/** Starts `node ARGS`. What it says on standard error is shown only when it ends by itself. */
export function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  const child = spawn(process.execPath, args, {
    // The names of benches are not in the DNS of the world.
    env: { PATH: process.env.PATH, HOME: process.env.HOME, DOMAINPILOT_CHECK_SCHEDULE: 'off', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let words = ''
  let stopping = false
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-4_000)
  })
  const ended = once(child, 'exit').then(([status]) => {
    if (!stopping) process.stderr.write(`node ${args.join(' ')} ended with status ${String(status)}\n${words}`)
  })
  return {
    child,
    async stop() {
      stopping = true
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** A simulator in a process of its own, so that its work and memory are not taken for ours. */
export interface SimulatorProcess {
  url: string
  /** Flags and environment of a command that talks to it. */
  flags: string[]
  env: Record<string, string>
  /** Ids of the apps, in the order given. */
  apps: string[]
  /** The calls after a sequence number. */
  calls(after?: number): Promise<CallRecord[]>
  domains(app: string): Promise<string[]>
  control(method: string, path: string, body?: unknown): Promise<Record<string, unknown>>
  stop(): Promise<void>
}

/** @param apps name and domains of each */
export async function startSimulatorProcess(
  apps: Readonly<Record<string, readonly string[]>>,
  options: { latency?: number; actionDuration?: number } = {},
): Promise<SimulatorProcess> {
  const seeds = Object.entries(apps).flatMap(([name, domains]) => ['--app', `${name}=${domains.join(',')}`])
  const times = ['--latency', String(options.latency ?? 0), '--action-duration', String(options.actionDuration ?? 50)]
  const { child, stop } = start([
    PROGRAMS.source,
    'simulate',
    '--listen',
    '127.0.0.1:0',
    '-o',
    'json',
    ...seeds,
    ...times,
  ])
  const [line] = (await once(child.stdout?.setEncoding('utf8') ?? child, 'data')) as [string]
  const {
    url,
    clientId,
    apiKey,
    apps: ids,
  } = JSON.parse(line) as Record<'url' | 'clientId' | 'apiKey', string> & {
    apps: string[]
  }
  const control: SimulatorProcess['control'] = async (method, path, body) => {
    const answer = await fetch(new URL(`/_control/${path}`, url), {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!answer.ok) throw new Error(`${method} ${path}: ${await answer.text()}`)
    return (await answer.json()) as Record<string, unknown>
  }
  return {
    url,
    flags: ['--serverpilot-url', url],
    env: { SERVERPILOT_CLIENT_ID: clientId, SERVERPILOT_API_KEY: apiKey },
    apps: ids,
    calls: async (after = 0) => (await control('GET', `calls?after=${after}`)).calls as CallRecord[],
    domains: async (app) => (await control('GET', `apps/${app}`)).domains as string[],
    control,
    stop,
  }
}

/** Looks until `condition` gives something; fails after `ms` and says what was waited for. */
export async function until<T>(
  what: string,
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  { ms = 60_000, every = 15 } = {},
): Promise<T> {
  const deadline = performance.now() + ms
  for (;;) {
    const found = await condition()
    if (found !== undefined && found !== false) return found
    if (performance.now() > deadline) throw new Error(`not within ${ms} ms: ${what}`)
    await pause(every)
  }
}

/** A figure of memory of a process in MiB, as the kernel (Linux) counts it: resident now, or at its peak. */
export async function memoryOf(pid: number | undefined, field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024
}
