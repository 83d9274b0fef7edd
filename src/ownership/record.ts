import { z } from 'zod'
import type { Key } from '../api/objects.ts'
import type { Host } from '../domain/host.ts'

/** Whether a name can be a canonical host. No closer look: what was valid when it was claimed stays ours. */
const host = z.custom<Host>(
  (name) => typeof name === 'string' && name.includes('.') && name.length <= 253 && !/[\sA-Z]/.test(name),
  'is not a host name',
)

/** Epoch milliseconds. */
const time = z.number()
const count = z.int().min(0)
const mark = z.literal(true).exactOptional()

/** Our claim on one host of the app. */
const claim = z.object({
  /** The mapping that wants or last wanted it. */
  mapping: z.string(),
  /** The source of that mapping: while it has failed, the host is not removed. */
  source: z.string(),
  /** `Pending`: recorded, not yet read back. `Uncertain`: the write's outcome is unknown (time-out, reset, 5xx, crash). `Held`: read back. */
  state: z.enum(['Pending', 'Uncertain', 'Held']),
  since: time,
  /** A `www.X` that appeared by itself with our own write of `X`: goes when X goes. */
  implied: mark,
  /** First read at which it was neither wanted nor observed; see plan/merge.ts, release. */
  absentSince: time.exactOptional(),
  /** We took it off, and read back that it is gone, while no write of unknown end was open: only somebody else can bring it back. */
  gone: mark,
})

/** One host that we took off the app. Approved removals do not count against the budget. */
const removal = z.object({ host, at: time, approved: mark })

/** A name that the API refused, in its words. Not tried again before `retryAt` unless its mapping's generation changes. */
const rejection = z.object({ words: z.string(), at: time, retryAt: time, attempts: count, generation: z.number() })

/** Attempts of one kind. */
const sslTries = z.object({
  /** On the same grounds. */
  attempts: count,
  /** Epoch ms; 0 for never. */
  lastAt: time,
  /** Failures in a row, whatever the grounds; none after a success. */
  failed: count.exactOptional(),
})

/** Attempts to turn AutoSSL on, and ForceSSL, for the bound on them. */
const sslAttempts = sslTries.extend({
  /** Digest of the sorted hosts that the attempts were for. */
  hosts: z.string(),
  force: sslTries.exactOptional(),
  /** Hosts whose DNS was wrong at the last attempt: once one is right, attempts start over. */
  wrong: z.array(host).exactOptional(),
  /** The request to reconcile that stood on the object then. */
  requested: z.string().optional(),
})

/** A certificate that AutoSSL installed, as `check/limits.ts` counts them. */
const issued = z.object({
  /** When it was issued. */
  at: time,
  /** Registrable domains among its names, sorted. */
  domains: z.array(z.string()).readonly(),
  /** Digest of its set of names. */
  set: z.string(),
})

/** A host whose DNS was found wrong, under `dns.policy: Quarantine`. */
const wrongDns = z.object({
  /** Since when, without a gap in which nobody knew for long. */
  since: time,
  /** When that was noted last. */
  seen: time,
  /** When it was taken off the list for that. */
  quarantined: time.exactOptional(),
})

/** What we own of one app at ServerPilot. One per account and appId; the same JSON in a file or a ConfigMap. */
export const ownershipRecord = z.object({
  version: z.literal(1),
  account: z.string(),
  appId: z.string().min(1),
  /** Key of the `ServerPilotApp` in charge. */
  owner: z.string(),
  writer: z.object({
    /** Version of the program that wrote last. */
    version: z.string(),
    /** Digest of its selectors and namespaces: another one infers other removals. */
    filters: z.string(),
    /** Leader epoch: a deposed leader's claim fails. */
    epoch: z.number().exactOptional(),
  }),
  policy: z.string().exactOptional(),
  /** How often the record was saved: tells an older one that is put back. */
  serial: count.exactOptional(),
  hosts: z.record(host, claim),
  removals: z.array(removal),
  approvalsUsed: count,
  /** Hash of the approval used last, so that a stale annotation is not taken for a wrong one. */
  lastApproval: z.string().exactOptional(),
  /** Somebody approved that policy Exclusive removes hosts that we did not add. */
  exclusiveApproved: mark,
  /** When the last write of ours began whose end is not known: it may still land. */
  unsureSince: time.exactOptional(),
  rejected: z.record(host, rejection),
  /** Wanted hosts whose DNS is wrong, and those of them that are off the list until it is right. */
  wrong: z.record(host, wrongDns).exactOptional(),
  ssl: sslAttempts.exactOptional(),
  /** Certificates that AutoSSL installed within the last week, for the authority's limits. */
  issued: z.array(issued).exactOptional(),
  /** The list that we saw last, canonical, for doubt about a list that shrank: what the next read is compared with. */
  lastSeen: z.array(z.custom<Host>((name) => typeof name === 'string', 'is not a name')).exactOptional(),
})

export type Claim = z.infer<typeof claim>
export type ClaimState = Claim['state']
export type Removal = z.infer<typeof removal>
export type WrongDns = z.infer<typeof wrongDns>
export type SslTries = z.infer<typeof sslTries>
export type SslAttempts = z.infer<typeof sslAttempts>
export type OwnershipRecord = z.infer<typeof ownershipRecord>

/** How long a write whose outcome we do not know may still land at ServerPilot, at the most. */
export const LATE_WRITE_MS = 120_000

/** A fresh record, for an app that has none: everything observed is foreign. */
export function emptyRecord(
  account: string,
  appId: string,
  owner: Key,
  writer: OwnershipRecord['writer'],
): OwnershipRecord {
  return { version: 1, account, appId, owner, writer, hosts: {}, removals: [], approvalsUsed: 0, rejected: {} }
}

/** Stands in the place of filters, which are a digest: no writer has these. */
const PUT_BACK = 'put back'

/**
 * A record that is held against the serial of the newest one known: an older one was put back, from a backup or a snapshot. What it
 * says of removals may be long over, so it is trusted as little as that of another writer, and it goes on from the newest serial.
 */
export function heldAgainst(record: OwnershipRecord, newest: number): OwnershipRecord {
  if ((record.serial ?? 0) >= newest) return record
  return { ...record, serial: newest, writer: { ...record.writer, filters: PUT_BACK } }
}

/** When a host was claimed or taken off last; epoch ms, 0 for never. */
export function lastChange({ hosts, removals }: Pick<OwnershipRecord, 'hosts' | 'removals'>): number {
  const times = [...Object.values(hosts).map(({ since }) => since), ...removals.map(({ at }) => at)]
  return times.reduce((last, at) => Math.max(last, at), 0)
}

/** True when the record is the newest, and was last written by this version with these filters: what it lacks was then really gone. */
export function writerMatches(record: OwnershipRecord, writer: OwnershipRecord['writer']): boolean {
  return record.writer.version === writer.version && record.writer.filters === writer.filters
}
