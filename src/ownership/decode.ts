import { isUtf8 } from 'node:buffer'
import { z } from 'zod'
import { type OwnershipRecord, ownershipRecord } from './record.ts'
import { RecordCorruptError } from './store.ts'

// Loose: a field that a later program of the same version added survives a step back to this one.
const record = ownershipRecord.loose()

const CURE =
  'Nothing is written to its app until then: delete it; its hosts then count as foreign and none of them is removed. Or restore it from a backup: what that would remove then needs approval.'

/**
 * Reads an ownership record. `place`: where the text stands, for the message.
 * Throws `RecordCorruptError` for text that is not a complete record, and for one of a newer version.
 */
export function decodeRecord(text: string | Buffer, place: string): OwnershipRecord {
  let json: unknown
  try {
    // A decoder would put a substitute where bytes are damaged, and the rest would still be JSON.
    if (typeof text !== 'string' && !isUtf8(text)) throw new SyntaxError('not UTF-8')
    json = JSON.parse(text.toString())
  } catch (cause) {
    const what = text.length === 0 ? 'it is empty' : 'it is not complete JSON'
    throw new RecordCorruptError(`The ownership record ${place} cannot be read: ${what}. ${CURE}`, { cause })
  }
  const version = z.object({ version: z.number() }).safeParse(json).data?.version
  if (version !== undefined && version > 1) {
    throw new RecordCorruptError(
      `The ownership record ${place} has version ${version}: a newer domainpilot wrote it, this one reads version 1. Run that newer domainpilot again. Or give this one a record of its own: restore an older backup, or delete the record; its hosts then count as foreign and none of them is removed.`,
    )
  }
  const parsed = record.safeParse(json)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const field = issue?.path.map(String).join(' → ') ?? ''
  const what = `${field === '' ? 'it' : `its field ${field}`} is not as it must be (${issue?.message ?? 'invalid'})`
  throw new RecordCorruptError(`The ownership record ${place} cannot be read: ${what}. ${CURE}`)
}

/** The text of a record: what `decodeRecord` reads, for people too. Throws for a record that could not be read again. */
export function encodeRecord(value: OwnershipRecord): string {
  const text = `${JSON.stringify(value, null, 1)}\n`
  decodeRecord(text, `of app ${value.appId}, about to be written,`)
  return text
}
