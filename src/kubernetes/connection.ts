import { type Clock, systemClock } from '../time/clock.ts'
import { createLimiter } from '../time/limiter.ts'
import { createTransport, KubernetesError, type Method, type Transport } from './http.ts'
import { accessOf, type ConfigOptions, contextOf, loadConfig } from './kubeconfig.ts'

/** How hard to press an API server. */
interface Pressure {
  /** Requests a second, 50 when not given, with a burst of twice that. */
  qps?: number
  /** Milliseconds that a call may take, 20000 when not given. */
  timeoutMs?: number
  /** Milliseconds that an urgent call may take, 5000 when not given: less than the slack of a Lease. */
  urgentTimeoutMs?: number
  /** `User-Agent`; `domainpilot` when not given. */
  userAgent?: string
  /** The system's when not given. */
  clock?: Clock
}

/** How to find the API server, and how hard to press it. */
export interface ConnectOptions extends ConfigOptions, Pressure {}

/** A request with JSON. */
export interface JsonCall {
  method: Method
  /** From the root of the API server, without a query. */
  path: string
  query?: Record<string, string | number | boolean | undefined> | undefined
  body?: unknown
  /** Of the body; JSON when not given. */
  contentType?: string
  signal?: AbortSignal | undefined
}

/** Sends JSON and gives the JSON of the answer. */
export interface Caller {
  /** Throws `KubernetesError`, or the signal's reason. */
  call(call: JsonCall): Promise<unknown>
}

type ReadOptions = Pick<JsonCall, 'query' | 'signal'>

/** A connection to one API server. Opens nothing before the first call. */
export type Connection = ReturnType<typeof connectOver>

/** Reads the configuration and makes the connection. Throws `KubernetesError` with the reason `Misconfigured`. */
export function connect(options: ConnectOptions): Connection {
  const { clock = systemClock } = options
  let config = loadConfig(options)

  // All who are refused at once wait for one reading. A fresh object: the old one's authenticators keep tokens for a minute.
  let refreshing: Promise<void> | undefined
  function refresh(): Promise<void> {
    refreshing ??= Promise.resolve().then(() => {
      refreshing = undefined
      config = loadConfig(options)
    })
    return refreshing
  }

  const transport = createTransport({ access: () => accessOf(config), refresh, clock })
  return connectOver(transport, { ...contextOf(config), ...options })
}

/** A connection that goes a given way; `server` and `namespace` as a context has them. */
export function connectOver(
  transport: Transport,
  { server, namespace, ...pressure }: Pressure & { server: string; namespace: string },
) {
  const { timeoutMs = 20_000, urgentTimeoutMs = 5000, qps = 50, userAgent = 'domainpilot' } = pressure
  const { clock = systemClock } = pressure
  const limiter = createLimiter({
    rate: { qps, burst: qps * 2 },
    clock,
    patience: { read: Number.POSITIVE_INFINITY, write: Number.POSITIVE_INFINITY },
  })
  const headers = { accept: 'application/json', 'user-agent': userAgent }

  async function send(call: JsonCall, ms: number): Promise<unknown> {
    const { method, path, query, body, contentType = 'application/json', signal } = call
    const json = { headers: { ...headers, 'content-type': contentType }, body: JSON.stringify(body) }
    const sent = body === undefined ? { headers } : json
    return parsed(await transport.call({ method, path: path + search(query), signal, ...sent }, ms))
  }

  async function call(call: JsonCall): Promise<unknown> {
    await limiter.acquire(call.method === 'GET' ? 'read' : 'write', call.signal)
    return await send(call, timeoutMs)
  }

  return {
    /** URL of the API server. */
    server,
    /** Namespace of the context, or of the pod. */
    namespace,
    call,
    /** Calls past the limit on requests, for Lease and claim: behind a queue of statuses they would come too late. */
    urgent: { call: (call: JsonCall): Promise<unknown> => send(call, urgentTimeoutMs) },
    /** GET of a JSON value. Throws `KubernetesError`, or the signal's reason. */
    json: (path: string, options?: ReadOptions): Promise<unknown> => call({ method: 'GET', path, ...options }),
    /** GET whose answer is read bit by bit, on a connection of its own and without a time-out. Throws as `json`. */
    async raw(path: string, { query, signal }: ReadOptions = {}): Promise<AsyncIterable<Uint8Array>> {
      await limiter.acquire('read', signal)
      return await transport.stream({ method: 'GET', path: path + search(query), headers, signal })
    },
    /** Ends everything at once; every later call fails. */
    close: async (): Promise<void> => transport.close(),
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    const message = 'the API server answered with something other than JSON'
    throw new KubernetesError({ reason: 'Undecodable', message })
  }
}

function search(query: JsonCall['query'] = {}): string {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) params.set(name, String(value))
  return params.size === 0 ? '' : `?${params}`
}
