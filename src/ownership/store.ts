import type { OwnershipRecord } from './record.ts'

/** A record as loaded, with the store's token for compare-and-swap (a resourceVersion, a file's digest). */
export interface Stored {
  record: OwnershipRecord
  token: string
}

/** Keeps ownership records. Two implementations: a file of the state folder, a ConfigMap. */
export interface OwnershipStore {
  /** The record, or undefined when there is none. Throws `RecordCorruptError` for one that cannot be trusted. */
  load(account: string, appId: string): Promise<Stored | undefined>
  /**
   * Writes durably: when it resolves, the record survives a crash. `token` is that of the record it replaces, undefined for the
   * first. Throws `RecordConflictError` when somebody else wrote in between, `RecordStoreLostError` when the store is not ours any more.
   * Returns the new token.
   */
  save(record: OwnershipRecord, token: string | undefined): Promise<string>
}

/** The record cannot be read: corrupt, or written by a newer version. Writes to its app stop until a person looks. */
export class RecordCorruptError extends Error {
  override readonly name = 'RecordCorruptError'
}

/** Somebody else changed the record since it was loaded: load again and plan again. Retryable. */
export class RecordConflictError extends Error {
  override readonly name = 'RecordConflictError'
}

/** The store does not answer, or does not let us: nothing is written to the app meanwhile. Retryable. */
export class RecordUnavailableError extends Error {
  override readonly name = 'RecordUnavailableError'
}

/** The store was this process's own, and is not any more: it never will be again. Whoever has it now writes, this process does not. */
export class RecordStoreLostError extends Error {
  override readonly name = 'RecordStoreLostError'
}
