import { execFile } from 'node:child_process'
import { readFile, readlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { promisify } from 'node:util'

/** What tells one process from every other one, also from a later one with the same number. */
export interface ProcessIdentity {
  pid: number
  /** When it started, in whatever form the system gives it; undefined where it does not. */
  started?: string
  host: string
  /** Within one scope (a boot and its process namespace) numbers are comparable; to other scopes we cannot see. */
  scope: string
}

const run = promisify(execFile)

/** The identity of this process. */
export async function identifySelf(): Promise<ProcessIdentity> {
  const { pid } = process
  const host = hostname()
  const started = await startOf(pid)
  return { pid, host, scope: await scopeOf(host), ...(started === undefined ? {} : { started }) }
}

/** Whether a process of our own scope is still running. In doubt it is. */
export async function isRunning(identity: ProcessIdentity): Promise<boolean> {
  try {
    process.kill(identity.pid, 0)
  } catch (error) {
    // EPERM: there is such a process, of another user.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const started = await startOf(identity.pid)
  if (started === 'ended') return false
  return started === undefined || identity.started === undefined || started === identity.started
}

async function scopeOf(host: string): Promise<string> {
  try {
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8')
    return `${boot.trim()} ${await readlink('/proc/self/ns/pid')}`
  } catch {
    // No /proc, as on macOS: no containers either, and a start by the calendar tells a process from one before a reboot.
    return host
  }
}

async function startOf(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    // The second field, the command in brackets, may hold anything; after it come the state (3) and, as 22nd, the start.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? 'ended' : fields[19]
  } catch {
    return await startByPs(pid)
  }
}

async function startByPs(pid: number): Promise<string | undefined> {
  try {
    // Local time would change with the environment of the process that asks.
    const env = { LC_ALL: 'C', TZ: 'UTC' }
    const { stdout } = await run('/bin/ps', ['-o', 'lstart=', '-p', String(pid)], { env })
    return stdout.trim() || undefined
  } catch {
    return undefined
  }
}
