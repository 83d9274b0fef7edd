import { isUtf8 } from 'node:buffer'
import { z } from 'zod'
import type { Host } from '../domain/host.ts'
import type { OwnershipRecord } from './record.ts'
import { RecordCorruptError } from './store.ts'

/** Whether a name can be a canonical host. No closer look: what was valid when it was claimed stays ours. */
const host = z.custom<Host>(
  (name) => typeof name === 'string' && name.includes('.') && name.length <= 253 && !/[\sA-Z]/.test(name),
  'is not a host name',
)
const time = z.number()
const count = z.int().min(0)

const claim = z.object({
  mapping: z.string(),
  source: z.string(),
  state: z.enum(['Pending', 'Uncertain', 'Held']),
  since: time,
  implied: z.literal(true).exactOptional(),
  absentSince: time.exactOptional(),
  gone: z.literal(true).exactOptional(),
})
const removal = z.object({ host, at: time, approved: z.literal(true).exactOptional() })
const rejection = z.object({ words: z.string(), at: time, retryAt: time, attempts: count, generation: z.number() })

const tries = { attempts: count, lastAt: time, failed: count.exactOptional() }

// Loose: a field that a later program of the same version added survives a step back to this one.
const record = z.looseObject({
  version: z.literal(1),
  account: z.string(),
  appId: z.string().min(1),
  owner: z.string(),
  writer: z.object({ version: z.string(), filters: z.string(), epoch: z.number().exactOptional() }),
  policy: z.string().exactOptional(),
  hosts: z.record(host, claim),
  removals: z.array(removal),
  approvalsUsed: count,
  lastApproval: z.string().exactOptional(),
  exclusiveApproved: z.literal(true).exactOptional(),
  unsureSince: time.exactOptional(),
  rejected: z.record(host, rejection),
  issued: z.array(z.object({ at: time, domains: z.array(z.string()), set: z.string() })).exactOptional(),
  ssl: z
    .object({
      hosts: z.string(),
      ...tries,
      force: z.object(tries).exactOptional(),
      wrong: z.array(host).exactOptional(),
      requested: z.string().optional(),
    })
    .exactOptional(),
  lastSeen: z.array(z.custom<Host>((name) => typeof name === 'string', 'is not a name')).exactOptional(),
})

const CURE =
  'Nothing is written to its app until then: restore it from a backup, or delete it; its hosts then count as foreign and none of them is removed.'

/**
 * Reads an ownership record.
 * @param place where the text stands, for the message: a file, a ConfigMap
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
  const version = versionOf(json)
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

function versionOf(json: unknown): number | undefined {
  const parsed = z.object({ version: z.number() }).safeParse(json)
  return parsed.success ? parsed.data.version : undefined
}
