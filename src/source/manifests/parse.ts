import { decodeText } from '../../api/encoding.ts'
import { type ParsedFile, parseDocuments } from '../../api/yaml.ts'

/** What the bytes of one file declare. `file`: its name for messages. Never throws. */
export function parseBytes(bytes: Uint8Array, file: string): ParsedFile {
  // A full disk or a copy that was cut leaves an empty file, and "nothing" is not what it was meant to say.
  const empty = { ok: false, line: 1, message: 'the file is empty (0 bytes): write it again, or delete it' } as const
  const decoded = bytes.length === 0 ? empty : decodeText(bytes)
  if (decoded.ok) return parseDocuments(decoded.text, { file })
  const { message, line = 1 } = decoded
  const fault = { place: `${file}:${line}`, file, line, column: 1, message }
  return { apps: [], mappings: [], secrets: [], faults: [fault], passedOver: [] }
}
