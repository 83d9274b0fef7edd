import type { Clock } from '../time/clock.ts'
import type { ProxySettings } from './addresses.ts'
import type { CreateHttp } from './http.ts'
import type { CALLS, Credentials } from './serverpilot.ts'

/** One request, for metrics. */
export interface ObservedCall {
  method: string
  endpoint: (typeof CALLS)[keyof typeof CALLS]['endpoint']
  /** The HTTP status, or `error` when there was no answer. */
  code: string
  seconds: number
}

/** What a client is made of. Times are milliseconds. */
export interface ServerPilotOptions {
  /** Such as `https://api.serverpilot.io/v1`. */
  baseUrl: string | URL
  /** Allows plain http to other hosts than this one. */
  allowInsecureHttp?: boolean
  credentials: Credentials
  /** Where they come from, for the reader of an error: "Secret wordpress/serverpilot". */
  credentialsOrigin?: string
  updateMethod?: 'POST' | 'PUT'
  /** Requests a second (5), above 0, with a burst of twice that. One client per account, or the rate is exceeded. */
  qps?: number
  clock: Clock
  /** For a whole request (30 s). */
  timeoutMs?: number
  /** The longest time between two polls of an action (1 s), and how long it is followed in all (60 s). */
  actionPollMs?: number
  actionTimeoutMs?: number
  proxy?: ProxySettings
  /** Throws when no write may begin now. Asked after every wait, directly before the request; what it throws is passed on. */
  assertMayWrite?: () => void
  observe?: (call: ObservedCall) => void
  /** Of this program, for the `User-Agent`. */
  version: string
  /** Makes the way that requests go; over the network when not given. */
  createHttp?: CreateHttp
  /** [0, 1), for the jitter of retries. */
  random?: () => number
}
