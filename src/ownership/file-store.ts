import { createHash } from 'node:crypto'
import { join, resolve } from 'node:path'
import { type FileSystem, systemFiles } from '../files/file-system.ts'
import { NotAFileError, readRegularFile } from '../files/regular-file.ts'
import { messageOf } from '../log/message-of.ts'
import { createKeyedMutex } from '../time/mutex.ts'
import { decodeRecord, encodeRecord } from './decode.ts'
import { makeFolder, removeTemporaries, writeDurably } from './durable-file.ts'
import { type LockOptions, lockStateDir } from './lock.ts'
import { heldAgainst } from './record.ts'
import {
  type OwnershipStore,
  RecordConflictError,
  RecordCorruptError,
  RecordStoreLostError,
  RecordUnavailableError,
  type Stored,
} from './store.ts'

/** An open state folder. */
interface FileStore extends OwnershipStore {
  /** Waits for writes under way, takes no more of them, and gives the folder free. */
  close(): Promise<void>
}

/**
 * Opens a state folder for writing, makes it when there is none, and takes its lock. Records stand there as files, one per
 * account and app.
 * Throws `StateDirBusyError` when another process holds it, an error that names the folder when it cannot be used.
 */
export async function openFileStore(stateDir: string, options: LockOptions): Promise<FileStore> {
  const fs = options.fs ?? systemFiles
  const folder = resolve(stateDir)
  const lock = await unusable(stateDir, async () => {
    await makeFolder(folder, fs)
    const taken = await lockStateDir(folder, options)
    await removeTemporaries(folder, fs).catch(async (error: unknown) => {
      await taken.release()
      throw error
    })
    return taken
  })
  // Writes of one file go one after the other: each compares what the one before it has written.
  const exclusively = createKeyedMutex()
  const underWay = new Set<Promise<string>>()
  let closed = false

  return {
    load: (account, appId) => load(folder, account, appId, fs),

    async save(record, token) {
      if (closed) throw new RecordStoreLostError(`The state folder ${stateDir} is no longer ours: it was released.`)
      const file = join(folder, recordFile(record.account, record.appId))
      const text = encodeRecord(record)
      const saving = exclusively(file, async () => {
        await naming('write', file, lock.assertLocked)
        const before = await read(file, fs)
        if ((before === undefined ? undefined : digest(before)) !== token) {
          throw new RecordConflictError(`The ownership record ${file} was changed by somebody else meanwhile.`)
        }
        await naming('write', file, () => writeDurably(file, text, fs))
        // After the record: what a crash leaves in between is newer than its mark, and trusted. Without the mark nothing is lost.
        await fs.writeFile(markOf(file), String(record.serial ?? 0), { mode: 0o600 }).catch(() => undefined)
        return digest(text)
      })
      underWay.add(saving)
      return await saving.finally(() => underWay.delete(saving))
    },

    async close() {
      closed = true
      await Promise.allSettled(underWay)
      await lock.release()
    },
  }
}

/** The records of a state folder for reading alone: takes no lock and makes nothing, so it works beside a daemon. */
export function readFileStore(stateDir: string, fs: FileSystem = systemFiles): OwnershipStore {
  return {
    load: (account, appId) => load(resolve(stateDir), account, appId, fs),
    async save() {
      throw new Error(`The state folder ${stateDir} is open for reading only.`)
    },
  }
}

/** Name of a record's file: readable, another one for every account and app, also where the file system takes `a` for `A`, unlike ids. */
export function recordFile(account: string, appId: string): string {
  const clean = (text: string): string => text.replace(/[^A-Za-z0-9]+/g, '_').slice(0, 40)
  return `ownership-${clean(account)}-${clean(appId)}-${digest(JSON.stringify([account, appId])).slice(0, 16)}.json`
}

/** The file with the serial of the record that was saved last: a record that is put back does not bring it along. */
const markOf = (file: string): string => `${file}.newest`

async function load(folder: string, account: string, appId: string, fs: FileSystem): Promise<Stored | undefined> {
  const file = join(folder, recordFile(account, appId))
  // Before the record, which a daemon may save meanwhile.
  const mark = await fs.readFile(markOf(file), 'utf8').catch(() => '')
  const bytes = await read(file, fs)
  if (bytes === undefined) return undefined
  const record = heldAgainst(decodeRecord(bytes, file), Number.parseInt(mark, 10) || 0)
  if (record.account !== account || record.appId !== appId) {
    throw new RecordCorruptError(
      `The ownership record ${file} is that of another app (${record.appId} of account ${record.account}): it was copied or renamed. Put the right file in its place, or delete it; the app's hosts then count as foreign and none of them is removed.`,
    )
  }
  return { record, token: digest(bytes) }
}

async function read(file: string, fs: FileSystem): Promise<Buffer | undefined> {
  return await naming('read', file, () =>
    readRegularFile(file, fs).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    }),
  )
}

const digest = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex')

async function naming<Result>(verb: string, file: string, work: () => Promise<Result>): Promise<Result> {
  return await work().catch((cause: unknown) => {
    if (cause instanceof RecordStoreLostError) throw cause
    if (cause instanceof NotAFileError) {
      throw new RecordCorruptError(
        `The ownership record ${file} is not a file, but a pipe, a device or a folder. Put the right file in its place, or delete it; the app's hosts then count as foreign and none of them is removed.`,
      )
    }
    const cure = isFull(cause) ? 'Make room on its disk' : 'Let this user read and write it'
    throw new RecordUnavailableError(
      `Cannot ${verb} the ownership record ${file} (${messageOf(cause)}). ${cure}: until then nothing is written to its app. It is tried again.`,
      { cause },
    )
  })
}

/** The disk, or what this user may have of it, is used up. */
const isFull = (error: unknown): boolean =>
  ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException | undefined)?.code ?? '')

async function unusable<Result>(stateDir: string, work: () => Promise<Result>): Promise<Result> {
  return await work().catch((cause: unknown) => {
    // What is not an error of the system says by itself what to do.
    if ((cause as NodeJS.ErrnoException).code === undefined) throw cause
    const cure = isFull(cause) ? 'make room on its disk' : 'make it a folder that this user may write'
    const words = `${cure}, or name another one with --state-dir.`
    throw new Error(`The state folder ${stateDir} cannot be used (${messageOf(cause)}): ${words}`, { cause })
  })
}
