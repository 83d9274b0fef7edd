import { dirname, join, normalize, parse, resolve } from 'node:path'
import { listNames } from '../../domain/list-names.ts'
import type { FileSystem } from '../../files/file-system.ts'
import { messageOf } from '../../log/message-of.ts'

/** Something that keeps a part of the source from being read. */
export interface Trouble {
  /** The file or folder, as the user would name it. Files at or below it keep the objects of their last good read. */
  place: string
  message: string
}

/** A folder to watch; with `names`, only what happens to those of its entries matters. */
export interface WatchPoint {
  folder: string
  names?: ReadonlySet<string>
}

/** What there is to read under the given paths, in a fixed order; made until the signal aborts. */
interface Listing {
  files: string[]
  troubles: Trouble[]
  watch: WatchPoint[]
  fs: FileSystem
  signal: AbortSignal | undefined
  /** What stands at the paths that were asked for so far: many ways go through the same folders. */
  steps: Map<string, Promise<Step | undefined>>
}

/** One step of a way: a link with what it leads to, or something else. */
type Step = { link?: string }

const MANIFEST = /\.(?:ya?ml|json)$/i

/** Entries that say nothing about whether a folder is complete: they hold an otherwise empty folder in git. */
const PLACEHOLDERS = new Set(['.gitkeep', '.keep', '.gitignore'])

/** Finds manifest files of files and folders, following links. What cannot be read is a trouble; rejects only with the signal's reason. */
export async function list(paths: readonly string[], fs: FileSystem, signal?: AbortSignal): Promise<Listing> {
  const listing: Listing = { files: [], troubles: [], watch: [], fs, signal, steps: new Map() }
  for (const path of paths) await listRoot(normalize(path), listing)
  // A file that two of the paths lead to is read once.
  return { ...listing, files: [...new Map(listing.files.map((path) => [resolve(path), path])).values()] }
}

/** Whether an entry of a watched folder can matter: hidden files and editors' scraps do not, the links of a mount do. */
export function matters(name: string): boolean {
  if (name.startsWith('..')) return true
  return !name.startsWith('.') && !name.endsWith('~') && !name.endsWith('#')
}

async function listRoot(root: string, listing: Listing): Promise<void> {
  await watchWay(root, listing)
  const kind = await kindOf(root, listing.fs)
  if (kind === 'file') listing.files.push(root)
  else if (kind === 'folder' && !MANIFEST.test(root)) {
    const before = sizeOf(listing)
    const others = await listFolder(root, [], listing)
    if (sizeOf(listing) > before || others.length === 0) return
    const message = `there is no manifest (.yaml, .yml, .json) in this folder, only ${listNames(others, 3)}; is the clone or mount complete?`
    listing.troubles.push({ place: root, message })
  } else await addUnreadable(root, kind, listing)
}

const sizeOf = ({ files, troubles }: Listing): number => files.length + troubles.length

/** Lists one folder and those below it; gives the names of its entries that are not manifests. */
async function listFolder(folder: string, above: readonly string[], listing: Listing): Promise<string[]> {
  const others: string[] = []
  let real: string
  let names: string[]
  try {
    real = await listing.fs.realpath(folder)
    names = (await listing.fs.readdir(folder)).sort()
  } catch (error) {
    listing.troubles.push({ place: folder, message: `the folder cannot be read: ${reason(error)}` })
    return others
  }
  if (above.includes(real)) {
    listing.troubles.push({ place: folder, message: `the link leads back to ${real}: remove it` })
    return others
  }
  listing.watch.push({ folder: real })
  for (const name of names) {
    // Links of a ConfigMap mount (`..data`): what they lead to is listed through the links beside them.
    if (name.startsWith('..') || PLACEHOLDERS.has(name)) continue
    if (!matters(name) || name === 'lost+found') others.push(name)
    else if (!(await listEntry(join(folder, name), [...above, real], listing))) others.push(name)
  }
  return others
}

/** Lists one entry of a folder; false when it is nothing of ours. */
async function listEntry(path: string, above: readonly string[], listing: Listing): Promise<boolean> {
  listing.signal?.throwIfAborted()
  const kind = await kindOf(path, listing.fs)
  const manifest = MANIFEST.test(path)
  if ((await stepAt(path, listing))?.link !== undefined) await watchWay(path, listing)
  if (kind === 'folder' && !manifest) {
    const before = sizeOf(listing)
    await listFolder(path, above, listing)
    return sizeOf(listing) > before
  }
  if (kind === 'file') {
    if (manifest) listing.files.push(path)
    return manifest
  }
  // A link without an extension that leads nowhere may well be a folder whose mount is missing.
  if (!manifest && (kind === 'special' || parse(path).ext !== '')) return false
  await addUnreadable(path, kind, listing)
  return true
}

type EntryKind = 'file' | 'folder' | 'special' | 'missing' | { error: unknown }

async function kindOf(path: string, fs: FileSystem): Promise<EntryKind> {
  try {
    const found = await fs.stat(path)
    return found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'special'
  } catch (error) {
    return ['ENOENT', 'ENOTDIR'].includes(codeOf(error)) ? 'missing' : { error }
  }
}

async function addUnreadable(path: string, kind: EntryKind, listing: Listing): Promise<void> {
  const target = kind === 'missing' ? await listing.fs.readlink(path).catch(() => undefined) : undefined
  listing.troubles.push({ place: path, message: whyNot(kind, target) })
}

function whyNot(kind: EntryKind, target: string | undefined): string {
  if (typeof kind === 'object') return `it cannot be read: ${reason(kind.error)}`
  if (kind === 'folder') {
    return 'this is a folder where a file is expected; container runtimes make one for a mount whose source is missing'
  }
  if (kind === 'special') return 'this is neither a file nor a folder'
  if (target !== undefined) return `the link leads to ${target}, which does not exist`
  return 'there is no such file or folder; create it, or name another'
}

/** Links on one way, at most: the system follows no more either, and a circle has no end. */
const MAX_LINKS = 40

/**
 * Watches the way to a path: its own entry, each link on the way, whatever that leads to, and the first part that is missing: whatever
 * comes below it comes with it.
 */
async function watchWay(path: string, listing: Listing): Promise<void> {
  let at = parse(resolve(path)).root
  const ahead = partsOf(resolve(path))
  for (let links = 0; ahead.length > 0 && links <= MAX_LINKS; ) {
    const name = ahead.shift() as string
    if (name === '..') at = dirname(at)
    if (name === '' || name === '.' || name === '..') continue
    const next = join(at, name)
    const step = await stepAt(next, listing)
    if (step?.link !== undefined || step === undefined || ahead.length === 0) {
      listing.watch.push({ folder: at, names: new Set([name]) })
    }
    if (step === undefined) return
    if (step.link === undefined) at = next
    else {
      links++
      // What it leads to counts from its own folder, or from the top.
      at = parse(step.link).root || at
      ahead.unshift(...partsOf(step.link))
    }
  }
}

const partsOf = (path: string): string[] => path.slice(parse(path).root.length).split(/[\\/]/)

/** What stands at a path; undefined when there is nothing. */
function stepAt(path: string, { fs, steps }: Listing): Promise<Step | undefined> {
  const known = steps.get(path)
  if (known !== undefined) return known
  const step = fs
    .lstat(path)
    .then(async (found) => (found.isSymbolicLink() ? { link: await fs.readlink(path) } : {}))
    .catch(() => undefined)
  steps.set(path, step)
  return step
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ELOOP: 'the links go round in a circle',
  ENOENT: 'it went while it was being read',
  EISDIR: 'it is a folder',
}

/** Why a file operation failed, in words. */
export const reason = (error: unknown): string => REASONS[codeOf(error)] ?? messageOf(error)

/** The code of a file operation's error; empty for another error. */
export const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '')
