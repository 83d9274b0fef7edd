import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isSafeHost } from '../domain/network.ts'
import type { Status } from '../status/status.ts'
import { type Clock, systemClock } from '../time/clock.ts'
import { boundConnections, TIME_LIMITS } from './connections.ts'
import type { HealthVerdict } from './health.ts'
import { renderPage } from './page.ts'
import { readQuery } from './page-query.ts'
import { PAGE_SCRIPT } from './page-script.ts'
import { PAGE_STYLE } from './page-style.ts'
import { createPageViews, type PageViews } from './page-views.ts'
import { statusJson } from './status-json.ts'

export interface HttpOptions {
  /** Address to listen on, for instance `127.0.0.1` or `0.0.0.0`. */
  host: string
  /** 0 lets the system choose. */
  port: number
  /** Names that a request may ask for besides addresses and localhost, in lower-case ASCII; without any, all of them where it is not loopback. */
  allowedHosts?: readonly string[]
  status: () => Status | Promise<Status>
  /** Grows whenever `status` may have become another one, but for its time; without it each request may be another one. */
  changes?: () => number
  /** Takes what is to be called after each change. */
  watch?: (changed: () => void) => void
  metrics: { text(turn: () => Promise<void>): Promise<string>; readonly contentType: string }
  live: () => HealthVerdict
  ready: () => HealthVerdict
  /** Called for a fault while answering; the client gets a plain 500. */
  failed?: (error: unknown) => void
  /** The most connections at a time; default 100. */
  maxConnections?: number
  clock?: Pick<Clock, 'after' | 'turn' | 'now' | 'steady'>
}

export interface HttpServer {
  /** `http://127.0.0.1:8080`, with the port that the system chose and without a final slash. */
  url: string
  /** Resolves when the port is free again; connections that are still open are cut. */
  stop(): Promise<void>
}

interface Answer {
  code: number
  type: string
  /** In pieces where it may be long; other work goes on in between. */
  body: string | Iterator<string>
}

const sha256 = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** The page has no external part, and nothing that was not in it when it was built may run. */
const POLICY = [
  "default-src 'none'",
  `style-src ${sha256(PAGE_STYLE)}`,
  `script-src ${sha256(PAGE_SCRIPT)}`,
  "connect-src 'self'",
  'img-src data:',
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

const HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': POLICY,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
}

/**
 * Serves the status page, `/status.json`, `/metrics`, `/healthz` and `/readyz`; read only, without authentication. Resolves
 * when it listens; rejects with the system's error when it cannot (`EADDRINUSE`).
 */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const { maxConnections = 100, clock = systemClock, status } = options
  let asked = 0
  const views = createPageViews({ status, changes: options.changes ?? (() => ++asked) }, clock)
  options.watch?.(views.changed)
  const fault = (error: unknown): void => options.failed?.(error)
  const server = createServer(TIME_LIMITS, (request, response) => {
    if (request.socket.destroyed) return
    answer(request, { ...options, clock, views })
      .catch((error: unknown): Answer => {
        fault(error)
        return text(500, 'This page could not be made; the log says why.')
      })
      .then((made) => send(request, response, made, clock.turn))
      .catch((error: unknown) => {
        fault(error)
        response.destroy()
      })
  })
  boundConnections(server, maxConnections, clock)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  })
  server.removeAllListeners('error').on('error', fault)
  const { address, port, family } = server.address() as AddressInfo
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    stop: () =>
      new Promise((resolve) => {
        views.stop()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

type Asked = HttpOptions & { clock: Pick<Clock, 'turn' | 'now'>; views: PageViews }

async function answer(request: IncomingMessage, options: Asked): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return text(405, 'Only GET and HEAD: this page changes nothing.')
  // A web page whose name resolves to 127.0.0.1 (DNS rebinding) could otherwise read us through its visitor's browser.
  const { host, allowedHosts = [] } = options
  if ((isLoopback(host) || allowedHosts.length > 0) && !isSafeHost(request.headers.host, allowedHosts))
    return text(421, MISDIRECTED)
  const target = `http://local${request.url?.startsWith('/') ? request.url : '/'}`
  const url = URL.canParse(target) ? new URL(target) : undefined
  const route = ROUTES[url?.pathname ?? '']
  if (url !== undefined && route !== undefined) return await route(options, url.searchParams)
  // In kind: JSON for clients that ask for JSON, text for the rest. The path is not repeated.
  const known = Object.keys(ROUTES)
  if (request.headers.accept?.includes('json') || request.url?.split('?')[0]?.endsWith('.json'))
    return json(404, { error: 'not found', known })
  return text(404, `Not found. There are: ${known.join(' ')}`)
}

const MISDIRECTED =
  'domainpilot does not answer to this host name. Ask by address or as localhost; or, as behind a proxy, start it with --allowed-hosts NAME (DOMAINPILOT_ALLOWED_HOSTS).'

/** What stands at which path. */
const ROUTES: Record<string, (options: Asked, query: URLSearchParams) => Answer | Promise<Answer>> = {
  async '/'({ views, clock }, query) {
    const body = renderPage(await views.current(), readQuery(query), clock.now())
    return { code: 200, type: 'text/html; charset=utf-8', body }
  },
  '/status.json': async ({ status }) => ({ code: 200, type: JSON_TYPE, body: statusJson(await status()) }),
  '/metrics': async ({ metrics, clock }) => ({
    code: 200,
    type: metrics.contentType,
    body: await metrics.text(clock.turn),
  }),
  '/healthz': ({ live }) => verdict(live()),
  '/readyz': ({ ready }) => verdict(ready()),
}

const verdict = ({ ok, message }: HealthVerdict): Answer => text(ok ? 200 : 503, message)

const text = (code: number, line: string): Answer => ({ code, type: 'text/plain; charset=utf-8', body: `${line}\n` })

const JSON_TYPE = 'application/json; charset=utf-8'

const json = (code: number, value: unknown): Answer => ({
  code,
  type: JSON_TYPE,
  body: `${JSON.stringify(value)}\n`,
})

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  { code, type, body }: Answer,
  turn: () => Promise<void>,
): Promise<void> {
  response.writeHead(code, {
    ...HEADERS,
    ...(code === 405 && { Allow: 'GET, HEAD', Connection: 'close' }),
    'Content-Type': type,
    ...(typeof body === 'string' && { 'Content-Length': Buffer.byteLength(body) }),
  })
  if (request.method === 'HEAD') return void response.end()
  if (typeof body === 'string') return void response.end(body)
  // The next piece is made when the one before was taken: a slow reader keeps one of them in memory, not all.
  for (let next = body.next(); !next.done && !response.destroyed; next = body.next()) {
    if (!response.write(next.value)) await taken(response)
    await turn()
  }
  response.end()
}

/** Resolves once there is room for more, or nobody is there to take it. */
function taken(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      response.off('drain', go).off('close', go)
      resolve()
    }
    response.on('drain', go).on('close', go)
    if (response.destroyed) go()
  })
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('127.')
