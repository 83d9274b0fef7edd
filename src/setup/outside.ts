import type { Dns } from '../check/dns/ask.ts'
import { type FileSystem, systemFiles } from '../files/file-system.ts'
import type { Transport } from '../kubernetes/http.ts'
import type { LockOptions } from '../ownership/lock.ts'
import type { CreateHttp } from '../serverpilot/http.ts'
import type { Connect } from '../source/wordpress/connection.ts'
import { type Clock, systemClock } from '../time/clock.ts'

/** What a daemon touches of the world around its process. The program has the real one; a simulation puts its own in. */
export interface Outside {
  clock: Clock
  files: FileSystem
  /** This process among others, for the lock of the state folder; the system says when not given. */
  processes?: Pick<LockOptions, 'self' | 'isRunning'>
  /** Makes the way to ServerPilot; over the network when not given. */
  serverpilot?: CreateHttp
  /** How requests reach an API server, and the namespace of this pod; over the network when not given. */
  cluster?: { transport: Transport; namespace: string }
  /** Opens a resolver for some looks; one on the network when not given. */
  resolver?: (signal: AbortSignal) => Dns
  /** Connects with a WordPress database; over the network when not given. */
  database?: Connect
  /** Whether the metrics of Node and the process are exported. */
  processMetrics: boolean
}

/** The world as it is. */
export const REAL: Outside = { clock: systemClock, files: systemFiles, processMetrics: true }
