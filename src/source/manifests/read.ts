import { createHash } from 'node:crypto'
import { decodeText } from '../../api/encoding.ts'
import { type ParsedFile, parseDocuments } from '../../api/yaml.ts'
import type { FileSystem } from '../../files/file-system.ts'
import { codeOf, list, reason, type Trouble, type WatchPoint } from './listing.ts'

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

/** Reads at once; more would only wait for one another in the thread pool. */
const PARALLEL = 16

const MAX_BYTES = 64 * 1024 * 1024

/** A file that goes between listing and reading was most likely replaced; then all is looked at again, this many times. */
const ATTEMPTS = 3

/** Reads all manifest files. `before`: the last read by path. What cannot be read is a trouble; rejects only with the signal's reason. */
export async function readAll(
  paths: readonly string[],
  before: ReadonlyMap<string, FileRead>,
  fs: FileSystem,
  signal?: AbortSignal,
): Promise<FilesRead> {
  for (let attempt = 1; ; attempt++) {
    const { files: names, troubles, watch } = await list(paths, fs, signal)
    const files: FileRead[] = []
    let went = false
    for (let start = 0; start < names.length; start += PARALLEL) {
      signal?.throwIfAborted()
      const batch = names.slice(start, start + PARALLEL).map((path) => readOne(path, before.get(path), fs))
      for (const result of await Promise.all(batch)) {
        if ('path' in result) files.push(result)
        else {
          troubles.push(result.trouble)
          went ||= result.went
        }
      }
    }
    if (!went || attempt === ATTEMPTS) return { files, troubles, watch }
  }
}

async function readOne(
  path: string,
  before: FileRead | undefined,
  fs: FileSystem,
): Promise<FileRead | { trouble: Trouble; went: boolean }> {
  let bytes: Buffer
  try {
    const { size } = await fs.stat(path)
    if (size > MAX_BYTES) {
      const message = `the file has ${size} bytes, more than ${MAX_BYTES}; divide it`
      return { trouble: { place: path, message }, went: false }
    }
    bytes = await fs.readFile(path)
  } catch (error) {
    const trouble = { place: path, message: `the file cannot be read: ${reason(error)}` }
    return { trouble, went: codeOf(error) === 'ENOENT' }
  }
  const digest = createHash('sha256').update(bytes).digest('base64')
  if (before?.digest === digest) return before
  return { path, digest, parsed: parseBytes(bytes, path) }
}

function parseBytes(bytes: Buffer, file: string): ParsedFile {
  // A full disk or a copy that was cut leaves an empty file, and "nothing" is not what it was meant to say.
  const empty = { ok: false, line: 1, message: 'the file is empty (0 bytes): write it again, or delete it' } as const
  const decoded = bytes.length === 0 ? empty : decodeText(bytes)
  if (decoded.ok) return parseDocuments(decoded.text, { file })
  const { message, line = 1 } = decoded
  const fault = { place: `${file}:${line}`, file, line, column: 1, message }
  return { apps: [], mappings: [], secrets: [], faults: [fault], passedOver: [] }
}
