import { posix } from 'node:path'
import type { Cancel } from '../../src/time/clock.ts'

/** A file of the world: what it says, and what of that would outlive a power cut. */
interface FileNode {
  kind: 'file'
  bytes: Buffer
  /** Undefined: never synced. */
  safe: Buffer | undefined
  changedAt: number
}

interface FolderNode {
  kind: 'folder'
  entries: Map<string, FileNode | FolderNode>
  /** The entries that would outlive a power cut. */
  safe: Map<string, FileNode | FolderNode>
  changedAt: number
}

type Node = FileNode | FolderNode

/** What happened to an entry of a folder, for those that watch it. */
export type FolderListener = (type: 'rename' | 'change', name: string) => void

/** What people do with files. Throws errors with a `code`, as `node:fs` does. */
export interface FilesByHand {
  makeFolder(path: string): void
  /** Writes a whole file at once, safe from a power cut. */
  put(path: string, text: string): void
  /** Removes a file, for good; nothing when there is none. */
  take(path: string): void
  names(path: string): string[]
  text(path: string): string | undefined
}

/** The disk of one machine: what processes and people have written. Knows no process, no faults and no time of its own. */
export interface Disk extends FilesByHand {
  node(path: string): Node
  find(path: string): Node | undefined
  makeFolder(path: string): string | undefined
  write(path: string, bytes: Buffer): void
  create(path: string): FileNode
  changed(path: string): void
  link(from: string, to: string): void
  rename(from: string, to: string): void
  remove(path: string): void
  sync(path: string): void
  watch(folder: string, listener: FolderListener): Cancel
  /** What was not synced is gone. */
  cutPower(): void
}

/** An error as `node:fs` throws it. */
export function errno(code: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${path}`), { code })
}

/** An empty disk; `now` in milliseconds. */
export function createDisk(now: () => number): Disk {
  const folder = (): FolderNode => ({ kind: 'folder', entries: new Map(), safe: new Map(), changedAt: now() })
  const root = folder()
  const watchers = new Map<string, Set<FolderListener>>()

  function find(path: string): Node | undefined {
    let at: Node = root
    for (const name of path.split('/')) {
      if (name === '') continue
      const next: Node | undefined = at.kind === 'folder' ? at.entries.get(name) : undefined
      if (next === undefined) return undefined
      at = next
    }
    return at
  }

  function node(path: string): Node {
    const found = find(path)
    if (found === undefined) throw errno('ENOENT', path)
    return found
  }

  function folderOf(path: string): FolderNode {
    const found = node(posix.dirname(path))
    if (found.kind !== 'folder') throw errno('ENOTDIR', path)
    return found
  }

  function tell(path: string, type: 'rename' | 'change'): void {
    for (const listener of watchers.get(posix.dirname(path)) ?? []) listener(type, posix.basename(path))
  }

  function put(path: string, entry: Node): void {
    const before = folderOf(path).entries.get(posix.basename(path))
    folderOf(path).entries.set(posix.basename(path), entry)
    tell(path, before === entry ? 'change' : 'rename')
  }

  function create(path: string): FileNode {
    const made: FileNode = { kind: 'file', bytes: Buffer.alloc(0), safe: undefined, changedAt: now() }
    put(path, made)
    return made
  }

  function write(path: string, bytes: Buffer): void {
    const found = find(path)
    if (found?.kind === 'folder') throw errno('EISDIR', path)
    const file = found ?? create(path)
    file.bytes = bytes
    file.changedAt = now()
    tell(path, 'change')
  }

  function remove(path: string): void {
    node(path)
    folderOf(path).entries.delete(posix.basename(path))
    tell(path, 'rename')
  }

  function sync(path: string): void {
    const found = node(path)
    if (found.kind === 'file') found.safe = found.bytes
    else found.safe = new Map(found.entries)
  }

  function cut(at: FolderNode): void {
    at.entries = new Map(at.safe)
    for (const entry of at.entries.values()) {
      if (entry.kind === 'folder') cut(entry)
      // A file whose name was synced but whose bytes were not is there, and empty.
      else entry.bytes = entry.safe ?? Buffer.alloc(0)
    }
  }

  return {
    node,
    find,
    create,
    makeFolder(path) {
      let first: string | undefined
      let at = ''
      for (const name of path.split('/')) {
        if (name === '') continue
        at += `/${name}`
        const found = find(at)
        if (found?.kind === 'file') throw errno('ENOTDIR', at)
        if (found !== undefined) continue
        put(at, folder())
        first ??= at
      }
      return first
    },
    write,
    put(path, text) {
      write(path, Buffer.from(text))
      for (let at = path; at !== '/'; at = posix.dirname(at)) sync(at)
      sync('/')
    },
    take(path) {
      if (find(path) !== undefined) remove(path)
      sync(posix.dirname(path))
    },
    changed(path) {
      const found = find(path)
      if (found !== undefined) found.changedAt = now()
      tell(path, 'change')
    },
    link(from, to) {
      if (find(to) !== undefined) throw errno('EEXIST', to)
      put(to, node(from))
    },
    rename(from, to) {
      const moved = node(from)
      folderOf(from).entries.delete(posix.basename(from))
      tell(from, 'rename')
      put(to, moved)
    },
    remove,
    sync,
    names(path) {
      const found = node(path)
      if (found.kind !== 'folder') throw errno('ENOTDIR', path)
      return [...found.entries.keys()]
    },
    text(path) {
      const found = find(path)
      return found?.kind === 'file' ? found.bytes.toString('utf8') : undefined
    },
    watch(path, listener) {
      if (node(path).kind !== 'folder') throw errno('ENOTDIR', path)
      const all = watchers.get(path) ?? new Set()
      watchers.set(path, all.add(listener))
      return () => all.delete(listener)
    },
    cutPower: () => cut(root),
  }
}
