import type { Key } from '../api/objects.ts'
import type { Host } from '../domain/host.ts'

/**
 * State of a claim. `Pending`: recorded, the write not yet read back. `Uncertain`: the write's outcome is unknown (time-out,
 * reset, 5xx, crash). `Held`: read back.
 */
export type ClaimState = 'Pending' | 'Uncertain' | 'Held'

/** Our claim on one host of the app. Times are epoch milliseconds. */
export interface Claim {
  /** The mapping that wants or last wanted it. */
  mapping: Key
  /** The source of that mapping: while it has failed, the host is not removed. */
  source: string
  state: ClaimState
  since: number
  /** A `www.X` that appeared by itself with our own write of `X`: goes when X goes. */
  implied?: true
  /** First read at which it was neither wanted nor observed; see plan/merge.ts, release. */
  absentSince?: number
  /** We took it off, and read back that it is gone. */
  gone?: true
}

/** One host that we took off the app. */
export interface Removal {
  host: Host
  at: number
  /** Approved removals do not count against the budget. */
  approved?: true
}

/** A name that the API refused, in its words. Not tried again before `retryAt` unless its mapping's generation changes. */
export interface Rejection {
  words: string
  at: number
  retryAt: number
  attempts: number
  generation: number
}

/** Attempts of one kind. */
export interface SslTries {
  /** On the same grounds. */
  attempts: number
  /** Epoch ms; 0 for never. */
  lastAt: number
  /** Failures in a row, whatever the grounds; none after a success. */
  failed?: number
}

/** Attempts to turn AutoSSL on, and ForceSSL, for the bound on them. */
export interface SslAttempts extends SslTries {
  /** Digest of the sorted hosts that the attempts were for. */
  hosts: string
  force?: SslTries
  /** Hosts whose DNS was wrong at the last attempt: once one is right, attempts begin anew. */
  wrong?: Host[]
  /** The request to reconcile that stood on the object then. */
  requested?: string | undefined
}

/** A certificate that AutoSSL installed, as `check/limits.ts` counts them. */
export interface IssuedCertificate {
  /** When it was issued; epoch ms. */
  at: number
  /** Registrable domains among its names, sorted. */
  domains: readonly string[]
  /** Digest of its set of names. */
  set: string
}

/** What we own of one app at ServerPilot. One per account and appId; the same JSON in a file or a ConfigMap. */
export interface OwnershipRecord {
  version: 1
  account: string
  appId: string
  /** Key of the `ServerPilotApp` in charge. */
  owner: Key
  writer: {
    /** Version of the program that wrote last. */
    version: string
    /** Digest of its selectors and namespaces: another one infers other removals. */
    filters: string
    /** Leader epoch: a deposed leader's claim fails. */
    epoch?: number
  }
  policy?: string
  hosts: Record<Host, Claim>
  removals: Removal[]
  approvalsUsed: number
  /** Hash of the approval used last, so that a stale annotation is told apart from a wrong one. */
  lastApproval?: string
  /** Somebody approved that policy Exclusive removes hosts that we did not add. */
  exclusiveApproved?: true
  /** When the last write of ours began whose end is not known: it may still land. Epoch ms. */
  unsureSince?: number
  rejected: Record<Host, Rejection>
  ssl?: SslAttempts
  /** Certificates that AutoSSL installed within the last week, for the authority's limits. */
  issued?: IssuedCertificate[]
  /** The list that we saw last, canonical, for doubt about a list that shrank: what the next read is held against. */
  lastSeen?: Host[]
}

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

/** When a host was claimed or taken off last; epoch ms, 0 for never. */
export function lastChange({ hosts, removals }: Pick<OwnershipRecord, 'hosts' | 'removals'>): number {
  const times = [...Object.values(hosts).map(({ since }) => since), ...removals.map(({ at }) => at)]
  return times.reduce((last, at) => Math.max(last, at), 0)
}

/** True when the record was last written by this version with these filters: what it lacks was then really gone. */
export function writerMatches(record: OwnershipRecord, writer: OwnershipRecord['writer']): boolean {
  return record.writer.version === writer.version && record.writer.filters === writer.filters
}
