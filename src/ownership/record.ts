import type { z } from 'zod'
import type { Key } from '../api/objects.ts'
import type { claim, ownershipRecord, removal, sslAttempts, sslTries } from './schema.ts'

export type Claim = z.infer<typeof claim>
export type ClaimState = Claim['state']
export type Removal = z.infer<typeof removal>
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

/** When a host was claimed or taken off last; epoch ms, 0 for never. */
export function lastChange({ hosts, removals }: Pick<OwnershipRecord, 'hosts' | 'removals'>): number {
  const times = [...Object.values(hosts).map(({ since }) => since), ...removals.map(({ at }) => at)]
  return times.reduce((last, at) => Math.max(last, at), 0)
}

/** True when the record was last written by this version with these filters: what it lacks was then really gone. */
export function writerMatches(record: OwnershipRecord, writer: OwnershipRecord['writer']): boolean {
  return record.writer.version === writer.version && record.writer.filters === writer.filters
}
