import { posix } from 'node:path'
import type { FileSystem } from '../../src/files/file-system.ts'
import { watcherOf } from './daemon.ts'
import { type Disk, errno } from './disk.ts'
import type { Life } from './life.ts'
import type { WorldTime } from './world-time.ts'

/** What goes wrong with a disk at present. */
export interface DiskTrouble {
  /** Every write fails with this code (`ENOSPC`, `EIO`); undefined: none does. */
  writes: string | undefined
  /** Share of readings of a file that fail with `EIO`. */
  readsFailing: number
  /** Files that nobody may read. */
  unreadable: ReadonlySet<string>
  /** Share of events that a watch loses. */
  eventsLost: number
  /** Called at each operation that changes something, before and after it took effect: a process may end there. */
  onWrite(path: string, moment: 'before' | 'after'): void
}

export const noDiskTrouble = (): DiskTrouble => ({
  writes: undefined,
  readsFailing: 0,
  unreadable: new Set(),
  eventsLost: 0,
  onWrite: () => undefined,
})

/** The longest time that a write takes; ms. */
const WRITE_MS = 3

/** A disk as one process sees it through `node:fs`. */
export function createFiles(disk: Disk, trouble: DiskTrouble, life: Life, time: WorldTime): FileSystem {
  /** Of a path that has nothing to resolve, it is that path. */
  const isPlace = (path: unknown): string => {
    const text = String(path)
    return text.startsWith('/') && !/\/[./]|\/$/.test(text) ? text : posix.resolve('/', text)
  }

  /** An operation that changes something: takes time, may fail, may be the last that the process does. */
  function change<Result>(path: string, act: () => Result): Promise<Result> {
    return life.ask(async () => {
      await time.wait(life.random.next() * WRITE_MS)
      trouble.onWrite(path, 'before')
      if (!life.alive) return await new Promise<never>(() => undefined)
      if (trouble.writes !== undefined) throw errno(trouble.writes, path)
      const result = act()
      trouble.onWrite(path, 'after')
      return result
    })
  }

  /** Reading takes no time: nothing of ours happens in between. */
  async function look<Result>(act: () => Result): Promise<Result> {
    if (!life.alive) return await new Promise<never>(() => undefined)
    return act()
  }

  /** One folder, in one that is there, unless it is asked for those above it too: what nobody made, nobody would sync. */
  function makeFolder(path: string, recursive: boolean): string | undefined {
    if (!recursive && disk.node(posix.dirname(path)) !== undefined && disk.find(path) !== undefined)
      throw errno('EEXIST', path)
    return disk.makeFolder(path)
  }

  function bytesOf(path: string): Buffer {
    const node = disk.node(path)
    if (node.kind === 'folder') throw errno('EISDIR', path)
    if (trouble.unreadable.has(path)) throw errno('EACCES', path)
    if (trouble.readsFailing > 0 && life.random.chance(trouble.readsFailing)) throw errno('EIO', path)
    return node.bytes
  }

  function statOf(path: string) {
    const node = disk.node(path)
    const { kind, changedAt } = node
    if (trouble.readsFailing > 0 && life.random.chance(trouble.readsFailing)) throw errno('EIO', path)
    return {
      isFile: () => kind === 'file',
      isDirectory: () => kind === 'folder',
      isSymbolicLink: () => false,
      mtimeMs: changedAt,
      size: node.kind === 'file' ? node.bytes.length : 0,
    }
  }

  function handleOf(path: string) {
    const write = (text: string): Promise<void> =>
      change(path, () => {
        const node = disk.node(path)
        if (node.kind === 'folder') throw errno('EISDIR', path)
        node.bytes = Buffer.from(text)
        disk.changed(path)
      })
    return {
      writeFile: write,
      write,
      sync: () => change(path, () => disk.sync(path)),
      close: async () => undefined,
    }
  }

  const files = {
    mkdir: (path: string, options?: { recursive?: boolean }) =>
      change(path, () => makeFolder(isPlace(path), options?.recursive === true)),
    readdir: (path: string) => look(() => disk.names(isPlace(path))),
    realpath: (path: string) =>
      look(() => {
        disk.node(isPlace(path))
        return isPlace(path)
      }),
    readlink: (path: string) => look(() => Promise.reject(errno('EINVAL', path))),
    stat: (path: string) => look(() => statOf(isPlace(path))),
    lstat: (path: string) => look(() => statOf(isPlace(path))),
    readFile: (path: string, encoding?: string) =>
      look(() => (encoding === undefined ? bytesOf(isPlace(path)) : bytesOf(isPlace(path)).toString('utf8'))),
    writeFile: (path: string, text: string) => change(path, () => disk.write(isPlace(path), Buffer.from(text))),
    rename: (from: string, to: string) => change(to, () => disk.rename(isPlace(from), isPlace(to))),
    link: (from: string, to: string) => change(to, () => disk.link(isPlace(from), isPlace(to))),
    copyFile: (from: string, to: string) => change(to, () => disk.write(isPlace(to), bytesOf(isPlace(from)))),
    readFileSync: (path: string) => bytesOf(isPlace(path)).toString('utf8'),
    statSync(path: string, { throwIfNoEntry = true } = {}) {
      const place = isPlace(path)
      return throwIfNoEntry || disk.find(place) !== undefined ? statOf(place) : undefined
    },
    watch: (folder: string) =>
      watcherOf((emit) =>
        disk.watch(isPlace(folder), (type, name) => {
          if (trouble.eventsLost > 0 && life.random.chance(trouble.eventsLost)) return
          time.after(life.random.next() * WRITE_MS, () => life.deliver(() => emit(type, name)))
        }),
      ),
    rm: (path: string) =>
      change(path, () => {
        if (disk.find(isPlace(path)) !== undefined) disk.remove(isPlace(path))
      }),
    open(path: string, flags: string) {
      const place = isPlace(path)
      if (flags === 'wx')
        return change(place, () => {
          if (disk.find(place) !== undefined) throw errno('EEXIST', place)
          disk.create(place)
          return handleOf(place)
        })
      return look(() => {
        disk.node(place)
        return handleOf(place)
      })
    },
  }
  // What of `node:fs/promises` the program uses; the rest of its many signatures nobody asks for.
  return files as unknown as FileSystem
}
