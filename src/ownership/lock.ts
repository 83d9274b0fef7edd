import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { type FileSystem, systemFiles } from '../files/file-system.ts'
import { NotAFileError, readRegularFile } from '../files/regular-file.ts'
import { type Clock, every, systemClock } from '../time/clock.ts'
import { identifySelf, type ProcessIdentity, isRunning as runs } from './process-identity.ts'
import { RecordStoreLostError } from './store.ts'

/** The state folder is held by another process. */
export class StateDirBusyError extends Error {
  override readonly name = 'StateDirBusyError'
}

/** A hold on the state folder. */
export interface StateLock {
  /**
   * Throws `RecordStoreLostError` when the folder is no longer ours: taken over while this process stood still, or deleted; the error of
   * the system when that cannot be seen.
   */
  assertLocked(): Promise<void>
  /** Gives the folder free; to be called again is harmless. */
  release(): Promise<void>
}

/** How to take the lock. All but `version` is for tests. */
export interface LockOptions {
  /** Version of the program, for the message to a process that is refused. */
  version: string
  clock?: Pick<Clock, 'now' | 'after'>
  self?: ProcessIdentity
  /** Whether a process of our own scope still runs. */
  isRunning?: (identity: ProcessIdentity) => Promise<boolean>
  fs?: FileSystem
  /** After how much silence a holder that we cannot see counts as dead, ms. */
  silence?: number
}

/** How often the holder gives a sign of life. */
const BEAT_MS = 5_000
const SILENCE_MS = 30_000
/** Each try that comes to nothing means that another process got on. So many in a row mean that something else is in the way. */
const MOST_TRIES = 100
const LOCK_FILE = /^lock\.(\d{1,15})$/

const holderSchema = z.object({
  pid: z.int().min(1),
  started: z.string().exactOptional(),
  host: z.string(),
  scope: z.string(),
  since: z.string(),
  version: z.string(),
  /** Tells this hold from every other. */
  id: z.string(),
  released: z.boolean(),
})
type Holder = z.infer<typeof holderSchema>

/**
 * Takes the state folder for this process. A process that is dead holds nothing, however it ended.
 *
 * The file `lock.N` with the highest N says who holds the folder. A process that finds that holder dead creates `lock.N+1`, which
 * only one can, so no two take over the same dead holder. A number never comes back: on release the file stays and says so.
 * A holder that runs where we cannot see its process (another machine, another container) counts as dead once its
 * signs of life stop.
 *
 * Throws `StateDirBusyError`, which says who holds it and what to do; an `Error` when what is in the folder lets nobody take it.
 */
export async function lockStateDir(stateDir: string, options: LockOptions): Promise<StateLock> {
  const self = options.self ?? (await identifySelf())
  const { clock = systemClock, fs = systemFiles, isRunning = runs, silence = SILENCE_MS, version } = options
  const since = new Date(clock.now()).toISOString()
  const holder: Holder = { ...self, since, version, id: randomUUID(), released: false }
  const draft = join(stateDir, `.lock-${holder.id}.tmp`)
  try {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      await fs.writeFile(draft, encode(holder), { mode: 0o600 })
      const [top = 0] = await generations(stateDir, fs)
      if (top > 0) await assertFree(stateDir, top, draft, { self, fs, isRunning, silence })
      const path = join(stateDir, `lock.${top + 1}`)
      if (!(await createExclusively(draft, path, fs))) continue
      const [highest = 0, ...older] = await generations(stateDir, fs)
      if (highest === top + 1) {
        // What is left of them, as a folder of that name, is in nobody's way.
        for (const each of older) await fs.rm(join(stateDir, `lock.${each}`), { force: true }).catch(() => undefined)
        return await hold(path, holder, { clock, fs })
      }
      // We listed the folder in the very moment in which others took it, released it and tidied up.
      await fs.rm(path, { force: true })
    }
    throw new Error(
      `The state folder ${stateDir} cannot be locked: files in it are named like locks, and are not. Delete lock.* there (in whatever case) once no domainpilot uses the folder.`,
    )
  } finally {
    await fs.rm(draft, { force: true })
  }
}

/** Numbers of the lock files, highest first. */
async function generations(stateDir: string, fs: FileSystem): Promise<number[]> {
  const numbers = (await fs.readdir(stateDir)).flatMap((name) => Number(LOCK_FILE.exec(name)?.[1] ?? []))
  return numbers.sort((a, b) => b - a)
}

/** False when there is such a file already, or our draft fell to the tidying of the one who holds the folder now. */
async function createExclusively(draft: string, path: string, fs: FileSystem): Promise<boolean> {
  const isTaken = ({ code }: NodeJS.ErrnoException): boolean => code === 'EEXIST' || code === 'ENOENT'
  try {
    await fs.link(draft, path).catch(async (error) => {
      if (isTaken(error)) throw error
      // A file system without links.
      await fs.copyFile(draft, path, constants.COPYFILE_EXCL)
    })
    return true
  } catch (error) {
    if (isTaken(error as NodeJS.ErrnoException)) return false
    throw error
  }
}

async function assertFree(
  stateDir: string,
  generation: number,
  draft: string,
  { self, fs, isRunning, silence }: Required<Pick<LockOptions, 'self' | 'fs' | 'isRunning' | 'silence'>>,
): Promise<void> {
  const path = join(stateDir, `lock.${generation}`)
  const holder = await readHolder(path, fs)
  if (holder?.released) return
  const visible = holder !== undefined && holder.scope === self.scope
  if (visible ? !(await isRunning(holder)) : await isSilent([path, draft], silence, fs)) return
  const who =
    holder === undefined
      ? `a process that has just begun (${path})`
      : `process ${holder.pid} on host ${holder.host}, since ${holder.since} (domainpilot ${holder.version})`
  const unseen = visible
    ? ''
    : ` It runs on another machine or in another container; if it is gone, the folder is free ${silence / 1000} s after its last sign of life.`
  throw new StateDirBusyError(
    `The state folder ${stateDir} is held by ${who}. One process at a time may hold it: stop that one, or give this one another --state-dir.${unseen}`,
  )
}

/** Compares two files, not a file with our clock: both got their time from the one that keeps the folder. */
async function isSilent([path, draft]: readonly [string, string], silence: number, fs: FileSystem): Promise<boolean> {
  try {
    const [sign, now] = await Promise.all([fs.stat(path), fs.stat(draft)])
    return Math.abs(now.mtimeMs - sign.mtimeMs) > silence
  } catch (error) {
    // Gone meanwhile: the attempt to create the next one shows who has it.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true
    throw error
  }
}

async function readHolder(path: string, fs: FileSystem): Promise<Holder | undefined> {
  return await readRegularFile(path, fs).then(holderIn, () => undefined)
}

/** The holder that a lock names; undefined when it names none. */
function holderIn(bytes: Buffer): Holder | undefined {
  try {
    return holderSchema.parse(JSON.parse(bytes.toString()))
  } catch {
    return undefined
  }
}

const encode = (holder: Holder): string => `${JSON.stringify(holder)}\n`

async function hold(
  path: string,
  holder: Holder,
  { clock, fs }: { clock: Pick<Clock, 'after'>; fs: FileSystem },
): Promise<StateLock> {
  const file = await fs.open(path, 'r+')
  // The same bytes again: the file is never seen in between. When it fails, the others are right to take this holder for dead.
  const endBeat = every(clock, BEAT_MS, () => void file.write(encode(holder), 0).catch(() => undefined), { idle: true })
  let released = false
  let releasing: Promise<void> | undefined

  /** Rejects with what keeps the lock from being read for now: a lock that is gone is not ours any more. */
  async function isOurs(): Promise<boolean> {
    if (released) return false
    const bytes = await readRegularFile(path, fs).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error instanceof NotAFileError) return undefined
      throw error
    })
    return bytes !== undefined && holderIn(bytes)?.id === holder.id
  }

  async function assertLocked(): Promise<void> {
    if (await isOurs()) return
    throw new RecordStoreLostError(
      `The lock ${path} is no longer ours: another process took the state folder over, or somebody deleted the lock. This process writes nothing any more. See to it that one domainpilot alone uses the folder, and start this one again.`,
    )
  }

  async function release(): Promise<void> {
    endBeat()
    const ours = await isOurs().catch(() => false)
    released = true
    try {
      if (ours) await giveFree()
    } finally {
      await file.close()
    }
  }

  async function giveFree(): Promise<void> {
    const draft = join(dirname(path), `.${basename(path)}.tmp`)
    const text = encode({ ...holder, released: true })
    try {
      await fs.writeFile(draft, text, { mode: 0o600 })
      await fs.rename(draft, path)
    } catch {
      await fs.rm(draft, { force: true })
      // A full disk has room where the holder stands, whose text is no shorter.
      await file.write(text.padEnd(encode(holder).length), 0)
    }
  }

  return {
    assertLocked,
    release() {
      releasing ??= release()
      return releasing
    },
  }
}
