import { parentPort, Worker, workerData } from 'node:worker_threads'
import type { ParsedFile } from '../../api/yaml.ts'
import type { Clock } from '../../time/clock.ts'
import { parseBytes } from './parse.ts'

/** What a thread is given. */
interface Job {
  parse: { bytes: Uint8Array; file: string }
}

const MIB = 1024 * 1024

/** Time that a thread may take: to start, and for each MiB of the file; s. Far more than it needs: a container may have a tenth of a processor. */
const OWN_TIME = 30
const TIME_PER_MIB = 15

/** Memory that a thread may take: for itself, and for each MiB of the file; MiB. */
const OWN_MEMORY = 64
const MEMORY_PER_MIB = 64

/** The part of it for what is young: V8 would take several times as much; MiB. */
const YOUNG_MEMORY = 16

/** Objects and faults that one message carries: what is received at once holds the event loop for as long. */
const MESSAGE_ITEMS = 500

/**
 * Parses a file in a thread of its own, so that nothing it says holds the event loop. Gives a message in place of what the file
 * declares when that takes too much time or memory. Rejects only with the signal's reason.
 */
export function parseApart(
  { bytes, file }: Job['parse'],
  clock: Pick<Clock, 'after'>,
  signal?: AbortSignal,
): Promise<ParsedFile | string> {
  const size = bytes.length / MIB
  const memory = Math.ceil(OWN_MEMORY + size * MEMORY_PER_MIB)
  const time = Math.ceil(OWN_TIME + size * TIME_PER_MIB)
  const workerData: Job = { parse: { bytes, file } }
  const worker = new Worker(new URL(import.meta.url), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: memory, maxYoungGenerationSizeMb: YOUNG_MEMORY },
  })
  const parsed: ParsedFile = { apps: [], mappings: [], secrets: [], faults: [], passedOver: [] }
  return new Promise<ParsedFile | string>((resolve, reject) => {
    const cancel = clock.after(time * 1000, () => end(`it takes more than ${time} s to read; divide it`))
    const abort = (): void => end(undefined)
    function end(result: ParsedFile | string | undefined): void {
      cancel()
      signal?.removeEventListener('abort', abort)
      worker.terminate().then(() => (result === undefined ? reject(signal?.reason) : resolve(result)), reject)
    }
    signal?.addEventListener('abort', abort, { once: true })
    if (signal?.aborted) abort()
    worker.on('message', (part: Partial<ParsedFile> | 'done') => {
      if (part === 'done') end(parsed)
      else for (const key of KEYS) (parsed[key] as unknown[]).push(...(part[key] ?? []))
    })
    worker.on('error', (error) => {
      const full = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
      end(
        full ? `it takes more than ${memory} MiB of memory to read; divide it` : `it cannot be read: ${error.message}`,
      )
    })
  })
}

const KEYS = ['apps', 'mappings', 'secrets', 'faults', 'passedOver'] as const

/** In the thread: parses, and hands over in parts. */
function answer({ bytes, file }: Job['parse'], post: (part: Partial<ParsedFile> | 'done') => void): void {
  // The parser makes an error for each fault that it meets, and nobody looks at where it was made.
  Error.stackTraceLimit = 0
  const parsed = parseBytes(bytes, file)
  for (const key of KEYS) {
    for (let start = 0; start < parsed[key].length; start += MESSAGE_ITEMS) {
      post({ [key]: parsed[key].slice(start, start + MESSAGE_ITEMS) })
    }
  }
  post('done')
}

const job = (workerData as Partial<Job> | null)?.parse
if (parentPort !== null && job !== undefined) answer(job, (part) => parentPort?.postMessage(part))
