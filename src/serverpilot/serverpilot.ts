/** What the rest of the program knows of ServerPilot: decoded answers and a call for each of its uses. */

/** Certificate facts of an app. The private key of the API's answer is dropped while decoding. */
export interface Ssl {
  auto: boolean
  force: boolean
  /** PEM, without its chain; undefined while AutoSSL is on but nothing was issued yet. */
  cert?: string
}

export interface ServerPilotApp {
  id: string
  name: string
  serverId: string
  /** As listed: order and spelling untouched. */
  domains: string[]
  ssl: Ssl | null
  /** Only in the detail (`GET /apps/:id`). */
  autossl?: { available: boolean; domains?: string[] }
  /** What the answer says of SSL, or of AutoSSL, and cannot be read: why. The field itself is then as if nothing was said. */
  unread?: { ssl?: string; autossl?: string }
}

export interface Server {
  id: string
  name: string
  plan: string
  lastAddress?: string
}

/** State of an action; `unknown` when polling ended before it did. The API gives no reason for `error`. */
export type ActionStatus = 'open' | 'success' | 'error' | 'unknown'

/** One change of SSL, exactly one per call (API rule). */
export type SslChange = { auto: true } | { force: boolean }

/**
 * Leave to send one read and one write, taken beforehand: a write that stands on a read must not wait for the rate limit after it, as
 * what somebody else changes meanwhile would be lost. `end` gives back what was not used.
 */
export interface Leave {
  /** Whether there was leave of that kind, which is used up now. */
  use(kind: 'read' | 'write'): boolean
  end(): void
}

/** Every request that a client makes. `:id` stands for the id, so that a metric has one series for all of them. */
export const CALLS = {
  listApps: { method: 'GET', endpoint: '/apps' },
  getApp: { method: 'GET', endpoint: '/apps/:id' },
  writeDomains: { method: 'POST', endpoint: '/apps/:id' },
  changeSsl: { method: 'POST', endpoint: '/apps/:id/ssl' },
  getServer: { method: 'GET', endpoint: '/servers/:id' },
  getAction: { method: 'GET', endpoint: '/actions/:id' },
} as const

/** One account at ServerPilot. Every call throws `ServerPilotError` and nothing else (but the abort reason). */
export interface ServerPilot {
  /** Client id: identifies the account, and is not secret. */
  readonly account: string
  listApps(signal?: AbortSignal): Promise<ServerPilotApp[]>
  getApp(appId: string, signal?: AbortSignal, leave?: Leave): Promise<ServerPilotApp>
  /** Replaces the complete list. Returns when the action ended or the wait for it did. Never retries: the outcome of a failed write is for the caller to read back. */
  writeDomains(appId: string, domains: readonly string[], signal?: AbortSignal, leave?: Leave): Promise<ActionStatus>
  changeSsl(appId: string, change: SslChange, signal?: AbortSignal): Promise<ActionStatus>
  getServer(serverId: string, signal?: AbortSignal): Promise<Server>
  /** Waits until one read and one write may be sent. */
  leaveToWrite(signal?: AbortSignal): Promise<Leave>
  /** Runs `job` while no other write of this process to that server is under way. GET and POST run back to back inside it. */
  exclusively<T>(serverId: string, job: () => Promise<T>): Promise<T>
}

/** Where credentials come from is the caller's affair; this is what the client needs. */
export interface Credentials {
  clientId: string
  apiKey: string
}
