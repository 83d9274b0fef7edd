import { createHash } from 'node:crypto'
import type { ParsedFile } from '../../api/yaml.ts'
import type { FileSystem } from '../../files/file-system.ts'
import type { Clock } from '../../time/clock.ts'
import { codeOf, list, reason, type Trouble, type WatchPoint } from './listing.ts'
import { createParser } from './parser.ts'

/** One file as it was read. */
export interface FileRead {
  path: string
  /** Digest of its bytes, so that an unchanged file is not parsed again. */
  digest: string
  parsed: ParsedFile
}

/** One reading of all paths together. */
export interface FilesRead {
  files: FileRead[]
  troubles: Trouble[]
  watch: WatchPoint[]
}

/** How large files may be, in MiB. */
export interface SizeLimits {
  /** One file. */
  maxFileMib: number
  /** All files together. */
  maxFilesMib: number
}

/** What reading stands on. */
export interface ReadPorts {
  fs: FileSystem
  clock: Pick<Clock, 'after' | 'turn'>
  limits: SizeLimits
  /** Bytes up to which a file is parsed on the event loop; as a daemon does when not given. */
  onTheLoop?: number | undefined
}

/** Reads at once; more would only wait for one another in the thread pool. */
const PARALLEL = 16

/** A file that goes between listing and reading was most likely replaced; then all is looked at again, this many times. */
const ATTEMPTS = 3

/** Reads all manifest files. `before`: the last read by path. What cannot be read is a trouble; rejects only with the signal's reason. */
export async function readAll(
  paths: readonly string[],
  before: ReadonlyMap<string, FileRead>,
  ports: ReadPorts,
  signal?: AbortSignal,
): Promise<FilesRead> {
  const parser = createParser(ports.clock, ports.onTheLoop)
  try {
    return await readOnes(paths, before, { ...ports, parser }, signal)
  } finally {
    await parser.close()
  }
}

type Parser = Pick<ReturnType<typeof createParser>, 'parse'>

async function readOnes(
  paths: readonly string[],
  before: ReadonlyMap<string, FileRead>,
  ports: ReadPorts & { parser: Parser },
  signal?: AbortSignal,
): Promise<FilesRead> {
  for (let attempt = 1; ; attempt++) {
    const { files: names, troubles, watch } = await list(paths, ports.fs, signal)
    const files: FileRead[] = []
    const room = roomOf(ports.limits)
    let went = false
    for (let start = 0; start < names.length; start += PARALLEL) {
      signal?.throwIfAborted()
      const batch = names.slice(start, start + PARALLEL)
      const sizes = await Promise.all(batch.map((path) => sizeOf(path, ports.fs)))
      const wanted = batch.map((path, index) => ({ path, refusal: refusalOf(sizes[index] ?? 0, room) }))
      const contents = await Promise.all(wanted.map((each) => readOne(each, ports.fs)))
      for (const content of contents) {
        if ('trouble' in content) {
          troubles.push(content.trouble)
          went ||= content.went
          continue
        }
        const parsed = await parseOne(content, before.get(content.path), ports.parser, signal)
        if ('message' in parsed) troubles.push(parsed)
        else files.push(parsed)
      }
    }
    if (!went || attempt === ATTEMPTS) return { files, troubles, watch }
  }
}

const MIB = 1024 * 1024

/** What may still be read, in bytes. */
interface Room extends SizeLimits {
  left: number
}

const roomOf = (limits: SizeLimits): Room => ({ ...limits, left: limits.maxFilesMib * MIB })

/** The size of a file; undefined when it cannot be told, as reading it then says why. */
const sizeOf = (path: string, fs: FileSystem): Promise<number | undefined> =>
  fs.stat(path).then(
    ({ size }) => size,
    () => undefined,
  )

/** Why a file of this size is not read; undefined when it is, and then it takes its part of the room. */
function refusalOf(size: number, room: Room): string | undefined {
  const has = `the file has ${Math.ceil((size / MIB) * 100) / 100} MiB`
  if (size > room.maxFileMib * MIB) return `${has}, more than ${room.maxFileMib}; divide it, or raise --max-file-mib`
  if (size > room.left) {
    return `${has}, and all files together have more than ${room.maxFilesMib}; take out what is not needed, or raise --max-files-mib`
  }
  room.left -= size
  return undefined
}

type Content = { path: string; bytes: Buffer } | { trouble: Trouble; went: boolean }

async function readOne(
  { path, refusal }: { path: string; refusal: string | undefined },
  fs: FileSystem,
): Promise<Content> {
  if (refusal !== undefined) return { trouble: { place: path, message: refusal }, went: false }
  try {
    return { path, bytes: await fs.readFile(path) }
  } catch (error) {
    const trouble = { place: path, message: `the file cannot be read: ${reason(error)}` }
    return { trouble, went: codeOf(error) === 'ENOENT' }
  }
}

async function parseOne(
  { path, bytes }: { path: string; bytes: Buffer },
  before: FileRead | undefined,
  parser: Parser,
  signal?: AbortSignal,
): Promise<FileRead | Trouble> {
  const digest = createHash('sha256').update(bytes).digest('base64')
  if (before?.digest === digest) return before
  const parsed = await parser.parse({ bytes, file: path }, signal)
  return typeof parsed === 'string' ? { place: path, message: parsed } : { path, digest, parsed }
}
