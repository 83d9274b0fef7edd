import { parentPort, Worker, workerData } from 'node:worker_threads'
import type { ParsedFile } from '../../api/yaml.ts'
import type { Clock } from '../../time/clock.ts'
import { parseBytes } from './parse.ts'

/** The bytes of a file, and its name for messages. */
export interface FileToParse {
  bytes: Uint8Array
  file: string
}

/** A thread in which files are parsed, one after another: nothing that they say holds the event loop. */
export interface ParseThread {
  /**
   * What a file declares, or a message in place of it when that takes too much time or memory. Rejects only with the signal's reason.
   * To be called again once it is settled.
   */
  parse(file: FileToParse, signal?: AbortSignal): Promise<ParsedFile | string>
  /** Ends the thread. */
  close(): Promise<void>
}

const MIB = 1024 * 1024

/** Time that a file may take: for a thread to start, and for each MiB; s. Far more than it needs: a container may have a tenth of a processor. */
const OWN_TIME = 30
const TIME_PER_MIB = 15

/** Memory that a thread may take: for itself, and for each MiB of its largest file; MiB. */
const OWN_MEMORY = 64
const MEMORY_PER_MIB = 64

/** The part of it for what is young: V8 would take several times as much; MiB. */
const YOUNG_MEMORY = 16

/** Objects and faults that one message carries: what is received at once holds the event loop for as long. */
const MESSAGE_ITEMS = 500

/** Tells a worker that it is this thread. */
const ROLE = 'domainpilot-parse-thread'

type Part = Partial<ParsedFile> | 'done'

/** Makes a thread; it starts with the first file. */
export function createParseThread(clock: Pick<Clock, 'after'>): ParseThread {
  let worker: Worker | undefined
  /** MiB that it may take. */
  let memory = 0

  async function close(): Promise<void> {
    const ending = worker
    worker = undefined
    await ending?.terminate()
  }

  /** The thread, with enough memory for a file of so many MiB. */
  async function threadFor(size: number): Promise<Worker> {
    const wanted = Math.ceil(OWN_MEMORY + size * MEMORY_PER_MIB)
    if (worker !== undefined && wanted <= memory) return worker
    await close()
    memory = wanted
    worker = new Worker(new URL(import.meta.url), {
      workerData: ROLE,
      resourceLimits: { maxOldGenerationSizeMb: memory, maxYoungGenerationSizeMb: YOUNG_MEMORY },
    })
    // Without a listener, an error between two files would end the process.
    return worker.on('error', () => undefined)
  }

  return {
    close,
    async parse(file, signal) {
      const size = file.bytes.length / MIB
      const time = Math.ceil(OWN_TIME + size * TIME_PER_MIB)
      const thread = await threadFor(size)
      const result = await answerOf(thread, file, { clock, signal, time, memory })
      if (typeof result === 'string' || signal?.aborted) await close()
      signal?.throwIfAborted()
      return result
    },
  }
}

interface Bounds {
  clock: Pick<Clock, 'after'>
  signal: AbortSignal | undefined
  /** s */
  time: number
  /** MiB */
  memory: number
}

/** What the thread makes of a file; anything once the signal aborts. */
function answerOf(worker: Worker, file: FileToParse, bounds: Bounds): Promise<ParsedFile | string> {
  const { clock, signal, time, memory } = bounds
  const parsed: ParsedFile = { apps: [], mappings: [], secrets: [], faults: [], passedOver: [] }
  return new Promise((resolve) => {
    const end = (result: ParsedFile | string): void => {
      cancel()
      signal?.removeEventListener('abort', abort)
      worker.off('message', take).off('error', fail)
      resolve(result)
    }
    const cancel = clock.after(time * 1000, () => end(`it takes more than ${time} s to read; divide it`))
    const abort = (): void => end(parsed)
    const take = (part: Part): void => {
      if (part === 'done') end(parsed)
      else for (const key of KEYS) (parsed[key] as unknown[]).push(...(part[key] ?? []))
    }
    const fail = (error: Error): void => {
      const full = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
      end(
        full ? `it takes more than ${memory} MiB of memory to read; divide it` : `it cannot be read: ${error.message}`,
      )
    }
    worker.on('message', take).on('error', fail)
    if (signal?.aborted) return abort()
    signal?.addEventListener('abort', abort, { once: true })
    worker.postMessage(file)
  })
}

const KEYS = ['apps', 'mappings', 'secrets', 'faults', 'passedOver'] as const

/** In the thread: parses, and hands over in parts. */
function answer({ bytes, file }: FileToParse, post: (part: Part) => void): void {
  const parsed = parseBytes(bytes, file)
  for (const key of KEYS) {
    for (let start = 0; start < parsed[key].length; start += MESSAGE_ITEMS) {
      post({ [key]: parsed[key].slice(start, start + MESSAGE_ITEMS) })
    }
  }
  post('done')
}

if (parentPort !== null && workerData === ROLE) {
  const port = parentPort
  // The parser makes an error for each fault that it meets, and nobody looks at where it was made.
  Error.stackTraceLimit = 0
  port.on('message', (file: FileToParse) => answer(file, (part) => port.postMessage(part)))
}
