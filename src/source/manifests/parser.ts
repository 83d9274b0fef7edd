import type { ParsedFile } from '../../api/yaml.ts'
import type { Clock } from '../../time/clock.ts'
import type { FileToParse, ParseThread } from './parse-thread.ts'

/** Files up to these sizes are parsed on the event loop, larger ones in a thread; bytes. */
export const ON_THE_LOOP = {
  /** Whatever it says, one of this size holds the event loop for a moment only. */
  daemon: 2048,
  /** A command has nothing else to do: the start of a thread would cost it more than the worst file of this size, about a second. */
  command: 64 * 1024,
} as const

/**
 * Parses the files of one reading: those of up to `onTheLoop` bytes here, others in a thread that all of them share. The parser is loaded
 * where it is needed.
 */
export function createParser(clock: Pick<Clock, 'after' | 'turn'>, onTheLoop: number = ON_THE_LOOP.daemon) {
  let thread: ParseThread | undefined
  return {
    /** What a file declares, or why it cannot be read. Rejects only with the signal's reason. */
    async parse(file: FileToParse, signal?: AbortSignal): Promise<ParsedFile | string> {
      if (file.bytes.length <= onTheLoop) {
        // Many small ones in a row would hold the event loop as one large one does.
        await clock.turn()
        const { parseBytes } = await import('./parse.ts')
        return parseBytes(file.bytes, file.file)
      }
      thread ??= (await import('./parse-thread.ts')).createParseThread(clock)
      return await thread.parse(file, signal)
    },
    async close(): Promise<void> {
      await thread?.close()
    },
  }
}
