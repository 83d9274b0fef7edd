import type { FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { draftOf } from '../files/draft.ts'
import type { FileSystem } from '../files/file-system.ts'

/** Name of a file that a write has not finished: after a crash it can go. */
const TEMPORARY = /^\..+\.tmp$/

/**
 * Replaces a file as a whole: at any moment, also after a crash or a power cut, it has its old content or its new one. When
 * this resolves the new one is safe on the disk. When it rejects before the file was replaced, the old one stands.
 */
export async function writeDurably(path: string, text: string, fs: FileSystem): Promise<void> {
  const folder = dirname(path)
  const temporary = draftOf(path)
  try {
    const file = await fs.open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await fs.rename(temporary, path)
  } catch (error) {
    await fs.rm(temporary, { force: true }).catch(() => undefined)
    throw error
  }
  await syncFolder(folder, fs)
}

/** Makes a folder, for its owner alone, with those above it that are missing, and makes that last. */
export async function makeFolder(path: string, fs: FileSystem): Promise<void> {
  const above = dirname(path)
  const make = (): Promise<unknown> => fs.mkdir(path, { mode: 0o700 })
  try {
    await make()
  } catch (error) {
    // Whoever made it may have ended before the folder above was safe. One that may not be opened is somebody else's to keep.
    if (await isFolder(path, fs)) return await syncFolder(above, fs).catch(() => undefined)
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || above === path) throw error
    await makeFolder(above, fs)
    // Once more and not for ever, as Node's own recursion does where ENOENT is said though the folder above is there: in /proc.
    await make()
  }
  await syncFolder(above, fs)
}

const isFolder = async (path: string, fs: FileSystem): Promise<boolean> =>
  (await fs.stat(path).catch(() => undefined))?.isDirectory() === true

/** Deletes what crashed writes left in a folder. Only for the holder of the folder. */
export async function removeTemporaries(folder: string, fs: FileSystem): Promise<void> {
  for (const name of await fs.readdir(folder)) {
    if (TEMPORARY.test(name)) await fs.rm(join(folder, name), { force: true })
  }
}

/** File systems that do not know how to sync a folder say one of these. */
const CANNOT = new Set<unknown>(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'EISDIR', 'EPERM'])

async function syncFolder(path: string, fs: FileSystem): Promise<void> {
  let folder: FileHandle | undefined
  try {
    folder = await fs.open(path, 'r')
    await folder.sync()
  } catch (error) {
    if (!CANNOT.has((error as NodeJS.ErrnoException).code)) throw error
  } finally {
    await folder?.close()
  }
}
