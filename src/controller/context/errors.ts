import {
  RecordConflictError,
  RecordCorruptError,
  RecordStoreLostError,
  RecordUnavailableError,
} from '../../ownership/store.ts'
import { ServerPilotError } from '../../serverpilot/errors.ts'
import type { Failure } from '../../status/outcome.ts'
import type { Reason } from '../../status/reasons.ts'

/** A reconcile that cannot go on, with the reason that its condition shows. Not retryable: only a change by somebody helps. */
export class ReconcileError extends Error {
  override readonly name = 'ReconcileError'
  readonly reason: Reason
  readonly retryable: boolean
  readonly retryAfter: number | undefined
  constructor(
    reason: Reason,
    message: string,
    options: { retryable?: boolean; retryAfter?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.reason = reason
    this.retryable = options.retryable ?? true
    this.retryAfter = options.retryAfter
  }
}

/** Turns whatever a reconcile threw into a failure. What is none of ours is a bug: it is said as such and tried again. */
export function failureOf(error: unknown): Failure {
  if (error instanceof ReconcileError || error instanceof ServerPilotError) {
    const { reason, message, retryable, retryAfter } = error
    return retryAfter === undefined ? { reason, message, retryable } : { reason, message, retryable, retryAfter }
  }
  if (error instanceof RecordCorruptError) return { reason: 'RecordCorrupt', message: error.message, retryable: false }
  if (error instanceof RecordStoreLostError)
    return { reason: 'StateFolderLost', message: error.message, retryable: false }
  if (error instanceof RecordConflictError || error instanceof RecordUnavailableError)
    return { reason: 'Progressing', message: error.message, retryable: true }
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return { reason: 'InternalError', message: `${text}. It is tried again.`, retryable: true }
}
