/**
 * Why a database could not be read, in words for the user. It has no cause: errors of the driver and of `new URL()` may carry the
 * connection with its password.
 */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError'
  /** The database was not reached or did not answer in time: asking again soon is of no use. */
  readonly unreachable: boolean

  constructor(message: string, unreachable = false) {
    super(message)
    this.unreachable = unreachable
  }
}
