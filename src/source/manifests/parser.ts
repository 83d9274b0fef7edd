import type { ParsedFile } from '../../api/yaml.ts'
import type { Clock } from '../../time/clock.ts'
import type { FileToParse, ParseThread } from './parse-thread.ts'

/** A larger file is parsed in a thread: whatever it says, one of this size holds the event loop for a moment only. */
const SMALL_BYTES = 2048

/** Parses the files of one reading: small ones here, others in a thread that all of them share. The parser is loaded where it is needed. */
export function createParser(clock: Pick<Clock, 'after' | 'turn'>) {
  let thread: ParseThread | undefined
  return {
    /** What a file declares, or why it cannot be read. Rejects only with the signal's reason. */
    async parse(file: FileToParse, signal?: AbortSignal): Promise<ParsedFile | string> {
      if (file.bytes.length <= SMALL_BYTES) {
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
