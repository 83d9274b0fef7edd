import { existsSync, readFileSync } from 'node:fs'
import type { RequestOptions } from 'node:https'
import { delimiter, join } from 'node:path'
import {
  AuthorizationV1Api,
  type Configuration,
  CoordinationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  createConfiguration,
  EventsV1Api,
  KubeConfig,
  ResponseContext,
  ServerConfiguration,
  wrapHttpLibrary,
} from '@kubernetes/client-node'
import { systemClock } from '../serverpilot/clock.ts'
import { createLimiter } from '../serverpilot/limiter.ts'
import { type Access, createTransport, KubernetesError, type Purpose } from './http.ts'

/** How to find the API server and how hard to press it. */
export interface ConnectOptions {
  /** A kubeconfig file; else as kubectl: `KUBECONFIG`, `~/.kube/config`, then the pod's own service account. */
  kubeconfig?: string
  context?: string
  /** Use the pod's service account whatever else there is. */
  inCluster?: boolean
  /** `KUBECONFIG`, `HOME`, `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT` are read from it. */
  environment: Readonly<Record<string, string | undefined>>
  /** Where a pod finds its token, CA and namespace. */
  serviceAccountFolder?: string
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

const SERVICE_ACCOUNT_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount'

/** Stands in for the server in the typed APIs: the transport puts the real one, which may change, in its place. */
const PLACEHOLDER = 'http://api-server'

/** Reads the configuration and makes the connection. Throws `KubernetesError` with the reason `Misconfigured`. */
export function connect(options: ConnectOptions): Connection {
  const { timeoutMs = 20_000, urgentTimeoutMs = 5000, qps = 50, userAgent = 'domainpilot' } = options
  let config = load(options)

  // All who are refused at once wait for one reading. A fresh object: the old one's authenticators keep tokens for a minute.
  let refreshing: Promise<void> | undefined
  function refresh(): Promise<void> {
    refreshing ??= Promise.resolve().then(() => {
      refreshing = undefined
      config = load(options)
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
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined)
  return given.length === 0 ? '' : `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`
}

function load(options: ConnectOptions): KubeConfig {
  const config = new KubeConfig()
  const files = options.inCluster ? [] : kubeconfigs(options)
  try {
    if (files.length === 0) config.loadFromOptions(inCluster(options))
    for (const [place, file] of files.entries()) {
      if (place === 0) config.loadFromFile(file)
      else merge(config, file)
    }
  } catch (cause) {
    if (cause instanceof KubernetesError) throw cause
    // The parser's words quote the file, and so may its keys.
    const code = (cause as NodeJS.ErrnoException).code
    throw misconfigured(`the kubeconfig ${files.join(delimiter)} cannot be read: ${code ?? 'it is no kubeconfig'}`)
  }
  if (options.context !== undefined) config.setCurrentContext(options.context)
  contextOf(config)
  return config
}

function kubeconfigs({ kubeconfig, environment }: ConnectOptions): string[] {
  if (kubeconfig !== undefined) return [kubeconfig]
  const listed = (environment.KUBECONFIG ?? '').split(delimiter).filter((file) => file !== '')
  // As kubectl does: a list may name files that are not there.
  if (listed.length > 0) return listed.some((file) => existsSync(file)) ? listed.filter((file) => existsSync(file)) : listed
  const usual = environment.HOME === undefined ? undefined : join(environment.HOME, '.kube', 'config')
  return usual !== undefined && existsSync(usual) ? [usual] : []
}

/** As kubectl does: what two files both define counts as the first has it. */
function merge(config: KubeConfig, file: string): void {
  const more = new KubeConfig()
  more.loadFromFile(file)
  const unknown =
    <T extends { name: string }>(known: readonly T[]) =>
    (one: T) =>
      !known.some(({ name }) => name === one.name)
  config.clusters = [...config.clusters, ...more.clusters.filter(unknown(config.clusters))]
  config.users = [...config.users, ...more.users.filter(unknown(config.users))]
  config.contexts = [...config.contexts, ...more.contexts.filter(unknown(config.contexts))]
  config.currentContext ||= more.currentContext
}

function inCluster({ environment, context, serviceAccountFolder: folder = SERVICE_ACCOUNT_FOLDER }: ConnectOptions) {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = environment
  if (host === undefined || host === '' || !existsSync(join(folder, 'token')))
    throw misconfigured('there is no cluster to talk to: name a kubeconfig with --kubeconfig, or run in a pod')
  if (context !== undefined) throw misconfigured(`the context ${context} needs a kubeconfig: name it with --kubeconfig`)
  const namespaceFile = join(folder, 'namespace')
  const namespace = existsSync(namespaceFile) ? readFileSync(namespaceFile, 'utf8').trim() : 'default'
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`
  return {
    clusters: [{ name: 'pod', server, caFile: join(folder, 'ca.crt'), skipTLSVerify: false }],
    users: [{ name: 'pod', authProvider: { name: 'tokenFile', config: { tokenFile: join(folder, 'token') } } }],
    contexts: [{ name: 'pod', cluster: 'pod', user: 'pod', namespace }],
    currentContext: 'pod',
  }
}

function contextOf(config: KubeConfig): { server: string; namespace: string } {
  const context = config.getContextObject(config.currentContext)
  const names = config.contexts.map(({ name }) => name).join(', ') || 'none'
  if (context === null) {
    const named = config.currentContext ? `has no context ${config.currentContext}` : 'names no current context'
    throw misconfigured(`the kubeconfig ${named}: choose one of those in it with --context (${names})`)
  }
  const cluster = config.getCluster(context.cluster)
  if (cluster === null) throw misconfigured(`the kubeconfig has no cluster ${context.cluster}, which its context names`)
  if (cluster.proxyUrl?.startsWith('socks'))
    throw misconfigured(`the kubeconfig wants a SOCKS proxy, which is not supported: use an HTTP proxy`)
  return { server: cluster.server, namespace: context.namespace ?? 'default' }
}

/** Files that the kubeconfig names (CA, certificate, key, token) are read on each call, so that a renewed one counts. */
async function accessOf(config: KubeConfig): Promise<Access> {
  const { server } = contextOf(config)
  const options: RequestOptions = {}
  try {
    await config.applyToHTTPSOptions(options)
  } catch (cause) {
    // An exec plugin's output that is no JSON is quoted in the error, with the token.
    const words = cause instanceof Error && !(cause instanceof SyntaxError) ? cause.message : 'unusable answer'
    throw misconfigured(`the kubeconfig's credentials cannot be obtained: ${words}`)
  }
  const { ca, cert, key, passphrase, rejectUnauthorized, servername, auth } = options
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(options.headers ?? {})) headers[name.toLowerCase()] = String(value).trim()
  if (auth) headers.authorization = `Basic ${Buffer.from(auth).toString('base64')}`
  const proxy = config.getCurrentCluster()?.proxyUrl
  return {
    server,
    headers,
    tls: {
      ...bytes('ca', ca),
      ...bytes('cert', cert),
      ...bytes('key', key),
      ...(passphrase === undefined ? {} : { passphrase }),
      ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
      ...(servername === undefined ? {} : { servername }),
    },
    ...(proxy === undefined ? {} : { proxy }),
  }
}

function bytes<Name extends string>(name: Name, value: unknown): { [K in Name]?: Buffer } {
  if (typeof value !== 'string' && !Buffer.isBuffer(value)) return {}
  return { [name]: Buffer.from(value as string) } as { [K in Name]?: Buffer }
}

function misconfigured(message: string): KubernetesError {
  return new KubernetesError({ reason: 'Misconfigured', message })
}
