import {
  AuthorizationV1Api,
  type Configuration,
  CoordinationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  createConfiguration,
  EventsV1Api,
  ResponseContext,
  ServerConfiguration,
  wrapHttpLibrary,
} from '@kubernetes/client-node'
import { systemClock } from '../serverpilot/clock.ts'
import { createLimiter } from '../serverpilot/limiter.ts'
import { createTransport, KubernetesError, type Purpose } from './http.ts'
import { accessOf, type ConfigOptions, contextOf, loadConfig } from './kubeconfig.ts'

/** How to find the API server and how hard to press it. */
export interface ConnectOptions extends ConfigOptions {
  /** Requests a second, 50 when not given, with a burst of twice that. */
  qps?: number
  /** Milliseconds that a call may take, 20000 when not given. */
  timeoutMs?: number
  /** Milliseconds that an urgent call may take, 5000 when not given: less than the slack of a Lease. */
  urgentTimeoutMs?: number
  /** `User-Agent`; `domainpilot` when not given. */
  userAgent?: string
}

/** The typed APIs of the client library, over our transport: they throw `KubernetesError`, never `ApiException`. */
export interface Apis {
  custom: CustomObjectsApi
  core: CoreV1Api
  coordination: CoordinationV1Api
  events: EventsV1Api
  authorization: AuthorizationV1Api
}

/** A request outside the typed APIs. */
export interface RawOptions {
  /** `call` when not given. */
  dispatcher?: Purpose
  query?: Record<string, string | number | boolean | undefined>
  signal?: AbortSignal
}

/** A connection to one API server. Opens nothing before the first call. */
export interface Connection extends Apis {
  /** URL of the API server. */
  readonly server: string
  /** Namespace of the context, or of the pod. */
  readonly namespace: string
  /** The same APIs past the limit on requests, for Lease and claim: behind a queue of statuses they would come too late. */
  readonly urgent: Apis
  /** GET whose answer is read bit by bit, without a time-out. Throws `KubernetesError`. */
  raw(path: string, options?: RawOptions): Promise<AsyncIterable<Uint8Array>>
  /** GET of a JSON object. Throws `KubernetesError`. */
  json(path: string, options?: Omit<RawOptions, 'dispatcher'>): Promise<unknown>
  close(): Promise<void>
}

/** Stands in for the server in the typed APIs: the transport puts the real one, which may change, in its place. */
const PLACEHOLDER = 'http://api-server'

/** Reads the configuration and makes the connection. Throws `KubernetesError` with the reason `Misconfigured`. */
export function connect(options: ConnectOptions): Connection {
  const { timeoutMs = 20_000, urgentTimeoutMs = 5000, qps = 50, userAgent = 'domainpilot' } = options
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

  const transport = createTransport(() => accessOf(config), refresh)
  const limiter = createLimiter({
    rate: { qps, burst: qps * 2 },
    clock: systemClock,
    patience: { read: Number.POSITIVE_INFINITY, write: Number.POSITIVE_INFINITY },
  })

  function apis(lane: { urgent: boolean; timeoutMs: number }): Apis {
    // An HTTP library rather than a middleware: options of a single call replace every middleware.
    const httpApi = wrapHttpLibrary({
      async send(request) {
        const method = request.getHttpMethod()
        const { pathname, search } = new URL(request.getUrl())
        const body = request.getBody()
        const signal = request.getSignal()
        if (!lane.urgent) await limiter.acquire(method === 'GET' ? 'read' : 'write', signal)
        const headers = { ...request.getHeaders(), 'user-agent': userAgent }
        const call = { method, path: pathname + search, headers, signal }
        const answer = await transport.call(typeof body === 'string' ? { ...call, body } : call, lane.timeoutMs)
        const bytes = Buffer.from(answer.text)
        const { text } = answer
        return new ResponseContext(answer.status, answer.headers, {
          text: async () => text,
          binary: async () => bytes,
          stream: () => null,
        })
      },
    })
    return typed(createConfiguration({ baseServer: new ServerConfiguration(PLACEHOLDER, {}), httpApi }))
  }

  const headers = { accept: 'application/json', 'user-agent': userAgent }
  const current = contextOf(config)
  return {
    ...apis({ urgent: false, timeoutMs }),
    server: current.server,
    namespace: current.namespace,
    urgent: apis({ urgent: true, timeoutMs: urgentTimeoutMs }),
    async raw(path, { dispatcher = 'call', query, signal } = {}) {
      await limiter.acquire('read', signal)
      return await transport.stream({ method: 'GET', path: path + search(query), headers, signal }, dispatcher)
    },
    async json(path, { query, signal } = {}) {
      await limiter.acquire('read', signal)
      const answer = await transport.call({ method: 'GET', path: path + search(query), headers, signal }, timeoutMs)
      try {
        return JSON.parse(answer.text) as unknown
      } catch {
        const message = 'the API server answered with something other than JSON'
        throw new KubernetesError({ reason: 'Undecodable', message, code: answer.status })
      }
    },
    close: () => transport.close(),
  }
}

function typed(configuration: Configuration): Apis {
  return {
    custom: new CustomObjectsApi(configuration),
    core: new CoreV1Api(configuration),
    coordination: new CoordinationV1Api(configuration),
    events: new EventsV1Api(configuration),
    authorization: new AuthorizationV1Api(configuration),
  }
}

function search(query: RawOptions['query']): string {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(query ?? {})) if (value !== undefined) params.set(name, String(value))
  return params.size === 0 ? '' : `?${params}`
}
