/** The reasons with which a call to ServerPilot fails; a subset of the condition reasons in status/reasons.ts. */
export type ServerPilotReason =
  | 'ApiUnreachable' // no usable answer: refused, reset, time-out, 5xx, HTML, malformed, proxy
  | 'RateLimited' // 429
  | 'CredentialsInvalid' // 401, 403
  | 'PaymentRequired' // 402
  | 'AppNotFound' // 404
  | 'Rejected' // 400, 409 and other 4xx: the API refuses this request as it is

/** A failed call. Carries no request, no header, no body: nothing secret can be in it. */
export class ServerPilotError extends Error {
  override readonly name = 'ServerPilotError'
  /** Logged without a stack. */
  readonly expected = true
  readonly reason: ServerPilotReason
  /** The same call may succeed later, without anybody changing anything. */
  readonly retryable: boolean
  /** What a failed *write* may have done; `unknown` after a time-out, reset or 5xx: read back before judging. */
  readonly outcome: 'none' | 'unknown'
  /** HTTP status, where there was an answer. */
  readonly status: number | undefined
  /** Milliseconds that the API asked us to wait. */
  readonly retryAfter: number | undefined
  /** The API's own words, without anything secret; for isolation of rejected names. */
  readonly words: string | undefined

  constructor({ reason, message, outcome = 'none', status, retryAfter, words }: Failure) {
    super(message)
    this.reason = reason
    this.retryable = reason === 'ApiUnreachable' || reason === 'RateLimited'
    this.outcome = outcome
    this.status = status
    this.retryAfter = retryAfter
    this.words = words
  }
}

/** What is known of a failed call. */
export type Failure = Pick<ServerPilotError, 'reason' | 'message'> &
  Partial<Pick<ServerPilotError, 'outcome' | 'status' | 'retryAfter' | 'words'>>
