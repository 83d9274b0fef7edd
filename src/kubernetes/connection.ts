import {
  AuthorizationV1Api,
  type Configuration,
  CoordinationV1Api,
  CustomObjectsApi,
  createConfiguration,
  EventsV1Api,
  ResponseContext,
  ServerConfiguration,
  wrapHttpLibrary,
} from '@kubernetes/client-node'
import { systemClock } from '../time/clock.ts'
import { createLimiter } from '../time/limiter.ts'
import { type Answer, type Call, createTransport, KubernetesError, type Purpose } from './http.ts'
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

/** A call outside the typed APIs. */
export interface JsonCall {
  method: 'GET' | 'POST' | 'PATCH'
  /** From the root of the API server, without a query. */
  path: string
  query?: RawOptions['query']
  body?: unknown
  /** Of the body; JSON when not given. */
  contentType?: string
}

/**
 * The typed APIs of the client library that are used here, over our transport: they throw `KubernetesError`, never `ApiException`.
 * The core API is not among them: it is a megabyte of code, for ConfigMaps alone.
 */
export interface Apis {
  /** For further typed APIs of the client library, over the same transport. */
  readonly configuration: Configuration
  /** Gives the JSON of the answer. Throws `KubernetesError`. */
  call(call: JsonCall): Promise<unknown>
  custom: CustomObjectsApi
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
    async function send(call: Call): Promise<Answer> {
      if (!lane.urgent) await limiter.acquire(call.method === 'GET' ? 'read' : 'write', call.signal)
      return await transport.call({ ...call, headers: { ...call.headers, 'user-agent': userAgent } }, lane.timeoutMs)
    }
    // An HTTP library rather than a middleware: options of a single call replace every middleware.
    const httpApi = wrapHttpLibrary({
      async send(request) {
        const { pathname, search } = new URL(request.getUrl())
        const body = request.getBody()
        const answer = await send({
          method: request.getHttpMethod(),
          path: pathname + search,
          headers: request.getHeaders(),
          signal: request.getSignal(),
          ...(typeof body === 'string' ? { body } : {}),
        })
        const bytes = Buffer.from(answer.text)
        const { text } = answer
        return new ResponseContext(answer.status, answer.headers, {
          text: async () => text,
          binary: async () => bytes,
          stream: () => null,
        })
      },
    })
    const configuration = createConfiguration({ baseServer: new ServerConfiguration(PLACEHOLDER, {}), httpApi })
    return {
      ...typed(configuration),
      configuration,
      async call({ method, path, query, body, contentType = 'application/json' }) {
        const sent = body === undefined ? {} : { body: JSON.stringify(body) }
        const headers = { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': contentType }) }
        return parsed(await send({ method, path: path + search(query), headers, ...sent }))
      },
    }
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
      return parsed(await transport.call({ method: 'GET', path: path + search(query), headers, signal }, timeoutMs))
    },
    close: () => transport.close(),
  }
}

function parsed({ status, text }: Answer): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    const message = 'the API server answered with something other than JSON'
    throw new KubernetesError({ reason: 'Undecodable', message, code: status })
  }
}

function typed(configuration: Configuration): Omit<Apis, 'call' | 'configuration'> {
  return {
    custom: new CustomObjectsApi(configuration),
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
