import { createHash } from 'node:crypto'
import { renameSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { draftOf } from '../files/draft.ts'
import { type FileSystem, systemFiles } from '../files/file-system.ts'
import type { Log } from '../log/log.ts'
import { statusJson } from '../report/status-json.ts'
import type { Status } from '../status/status.ts'
import type { StatusStore } from '../status/store.ts'
import { type Cancel, type Clock, every } from '../time/clock.ts'
import type { Io } from './io.ts'

/**
 * How `apply --approve` reaches a daemon that holds the state folder: the hash goes into a file there, and the daemon looks. An
 * approval fits one plan and serves once, so that the file may stay.
 */
const APPROVALS = 'approval'
/** Approvals that are kept: each fits one plan, and old ones fit none. */
const KEPT = 20

/** Hands an approval to the daemon that holds the folder. */
export function handOver(stateDir: string, hash: string): void {
  const path = join(stateDir, APPROVALS)
  const hashes = [...handedApprovals(stateDir).filter((each) => each !== hash), hash].slice(-KEPT)
  const draft = draftOf(path)
  writeFileSync(draft, `${hashes.join('\n')}\n`, { mode: 0o600 })
  renameSync(draft, path)
}

/** The approvals that were handed over, the latest last; none when there is no file. */
export function handedApprovals(
  stateDir: string,
  fs: Pick<FileSystem, 'readFileSync' | 'statSync'> = systemFiles,
): string[] {
  try {
    const path = join(stateDir, APPROVALS)
    // A pipe would be waited for without an end.
    if (fs.statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return []
    const lines = fs.readFileSync(path, 'utf8').split('\n')
    return lines.filter((line) => /^[0-9a-f]{16}$/.test(line))
  } catch {
    return []
  }
}

/** How often it is looked whether another approval was handed over, and whether the status changed; ms. */
const APPROVALS_EVERY = 1_000
const STATUS_EVERY = 2_000

/** A state folder, and the world that it is in. */
export interface StateFolder {
  dir: string
  files: FileSystem
  clock: Pick<Clock, 'after' | 'turn'>
}

/** Calls `changed` when another approval was handed over. Gives a function that ends it. */
export function watchApprovals({ dir, files, clock }: StateFolder, changed: () => void): Cancel {
  let last = 0
  /** A folder that cannot be looked into now says nothing: the next look does. */
  const stamp = (): number => {
    try {
      return files.statSync(join(dir, APPROVALS), { throwIfNoEntry: false })?.mtimeMs ?? 0
    } catch {
      return last
    }
  }
  last = stamp()
  return every(clock, APPROVALS_EVERY, () => {
    const now = stamp()
    if (now !== last) changed()
    last = now
  })
}

/** Name of the file in the state folder that the daemon writes, and `status` and `explain` read. */
const STATUS_FILE = 'status.json'

const object = z.looseObject({
  key: z.string(),
  conditions: z.array(z.looseObject({ type: z.string() })),
  hosts: z.array(z.looseObject({})),
})
const shape = z.looseObject({
  version: z.string(),
  generatedAt: z.number(),
  source: z.looseObject({ name: z.string(), faults: z.array(z.looseObject({})) }),
  apps: z.array(object.extend({ domains: z.looseObject({}) })),
  mappings: z.array(object),
})

/** The file that the daemon keeps; undefined where there is none, or none that can be read: then a fresh look is taken. */
export function readStatusFile(io: Pick<Io, 'readFile'>, dir: string): Status | undefined {
  try {
    const path = join(dir, STATUS_FILE)
    if (!systemFiles.statSync(path).isFile()) return undefined
    const value: unknown = JSON.parse(io.readFile(path))
    return shape.safeParse(value).success ? (value as Status) : undefined
  } catch {
    return undefined
  }
}

/** Takes it away: it says what was so before, and no daemon runs that would write it again. */
export async function forgetStatusFile(dir: string): Promise<void> {
  await rm(join(dir, STATUS_FILE), { force: true })
}

/** Keeps the folder while the daemon runs: status out, and `approved` is called for approvals in. Gives a function that ends it. */
export function keepFolder(
  folder: StateFolder,
  statuses: Pick<StatusStore, 'status' | 'changes'>,
  log: Log,
  approved: () => void,
): () => Promise<void> {
  const { dir, files, clock } = folder
  let last = ''
  let seen = -1
  async function write(): Promise<void> {
    // Of 30,000 mappings it is many megabytes: made only when something changed, and once.
    const changes = statuses.changes()
    if (changes === seen) return
    const { generatedAt, ...rest } = await statuses.status()
    const pieces: string[] = []
    const hash = createHash('sha256')
    for (const piece of statusJson(rest)) {
      hash.update(piece)
      pieces.push(piece)
      await clock.turn()
    }
    const digest = hash.digest('base64')
    if (digest !== last) {
      const path = join(dir, STATUS_FILE)
      const draft = draftOf(path)
      try {
        await files.writeFile(draft, `{"generatedAt":${generatedAt},${pieces.join('').slice(1)}`, { mode: 0o600 })
        await files.rename(draft, path)
      } catch (error) {
        await files.rm(draft, { force: true }).catch(() => undefined)
        throw error
      }
    }
    last = digest
    seen = changes
  }
  // One after another: they write into the same file.
  let written: Promise<void> = Promise.resolve()
  const attempt = (): Promise<void> => {
    written = written.then(write).catch((error: unknown) => log.warn('Status file not written', { error }))
    return written
  }
  const ends = [watchApprovals(folder, approved), every(clock, STATUS_EVERY, attempt)]
  return async () => {
    for (const end of ends) end()
    await attempt()
  }
}
