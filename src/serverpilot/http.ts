import http, { type ClientRequest, type IncomingMessage } from 'node:http'
import https from 'node:https'
import { addAbortSignal, type Readable } from 'node:stream'
import axios, { type AxiosResponse } from 'axios'
import { HttpsProxyAgent } from 'https-proxy-agent'
import type { Clock } from '../time/clock.ts'

/** One request as it goes out. */
export interface HttpRequest {
  method: 'GET' | 'POST' | 'PUT'
  url: URL
  /** Value of the header. Secret. */
  authorization: string
  /** JSON text. */
  body?: string | undefined
  /** A good answer that is longer is given up. */
  maxBytes: number
  signal?: AbortSignal | undefined
}

/** What came back, whatever its status. */
export interface HttpAnswer {
  kind: 'answer'
  status: number
  location: string | undefined
  retryAfter: string | undefined
  /** Of a status other than 2xx: empty when it is longer than `maxBytes`. */
  text: string
}

/**
 * No answer. `at` says how far it came: `proxy` and `connect` mean that ServerPilot never saw the request, `sent` that it may have.
 * Holds nothing of the request.
 */
export interface HttpFailure {
  kind: 'failure'
  at: 'proxy' | 'connect' | 'sent'
  /** A code such as `ECONNREFUSED`; ours are `CONNECT_TIMEOUT`, `TIMEOUT` and `TOO_LONG`. */
  code: string
  /** Milliseconds, for a time-out of ours. */
  after?: number
  /** Where the answer was given up, for `TOO_LONG`. */
  maxBytes?: number
  /** What the proxy answered to CONNECT, where it refused. */
  proxyStatus?: number
}

/** Sends one request. Rejects with the signal's reason when that aborts, and with nothing else. */
export type Http = (request: HttpRequest) => Promise<HttpAnswer | HttpFailure>

// An idle connection is closed by us before a server would: a write on a connection that is just being closed fails with an outcome
// that nobody knows.
const IDLE_MS = 4_000

/** Makes a way for requests. */
export type CreateHttp = (options: Parameters<typeof createHttp>[0]) => Http

/** How far a request came. */
interface Progress {
  connected: boolean
  proxyStatus?: number
}

/** Makes the transport. `timeoutMs`: for a whole request; `connectTimeoutMs`: up to its connection, proxy and TLS included. */
export function createHttp(options: {
  clock: Clock
  timeoutMs: number
  connectTimeoutMs: number
  proxy: URL | undefined
  userAgent: string
}): Http {
  const { clock, proxy } = options
  const httpAgent = new http.Agent({ keepAlive: true, timeout: IDLE_MS })
  const httpsAgent = new https.Agent({ keepAlive: true, timeout: IDLE_MS })
  const client = axios.create({
    adapter: 'http',
    proxy: false,
    maxRedirects: 0,
    validateStatus: () => true,
    // Bytes in, bytes out: what the body is gets decided after its status was looked at.
    responseType: 'stream',
    transformRequest: [(data: unknown) => data],
    transformResponse: [(data: unknown) => data],
    // The body that goes out is ours.
    maxBodyLength: Number.POSITIVE_INFINITY,
    httpAgent,
  })

  return async (request) => {
    request.signal?.throwIfAborted()
    const progress: Progress = { connected: false }
    const stop = new AbortController()
    const finished = new AbortController()
    let timeout: { code: string; after: number } | undefined
    const expire = (code: string, after: number, applies: () => boolean) => {
      const onTime = () => {
        if (!applies()) return
        timeout ??= { code, after }
        stop.abort()
      }
      clock.sleep(after, finished.signal).then(onTime, () => undefined)
    }
    expire('TIMEOUT', options.timeoutMs, () => true)
    expire('CONNECT_TIMEOUT', options.connectTimeoutMs, () => !progress.connected)
    const abort = () => stop.abort()
    request.signal?.addEventListener('abort', abort, { once: true })
    try {
      const response = await client.request<Readable>({
        method: request.method,
        url: request.url.href,
        headers: headersOf(request, options.userAgent),
        data: request.body,
        signal: stop.signal,
        httpsAgent: proxy === undefined ? httpsAgent : tunnel(proxy, progress, stop.signal),
        transport: watchedTransport(progress),
      })
      // Not left to flow: somebody would have to take its data or its errors.
      if (refusedByProxy(progress) !== undefined) response.data.destroy()
      return refusedByProxy(progress) ?? (await answerOf(response, request.maxBytes, stop.signal))
    } catch (error) {
      request.signal?.throwIfAborted()
      // Only the code goes on: an axios error carries the request with its Authorization header.
      return (
        refusedByProxy(progress) ?? {
          kind: 'failure',
          at: stageOf(progress, proxy),
          ...(timeout ?? { code: codeOf(error) }),
        }
      )
    } finally {
      finished.abort()
      request.signal?.removeEventListener('abort', abort)
    }
  }
}

function headersOf(request: HttpRequest, userAgent: string): Record<string, string> {
  return {
    Authorization: request.authorization,
    Accept: 'application/json',
    'User-Agent': userAgent,
    ...(request.body === undefined ? {} : { 'Content-Type': 'application/json' }),
  }
}

/** A CONNECT tunnel for one request. Not pooled: else its socket would stay when it is given up before the proxy answers. */
function tunnel(proxy: URL, progress: Progress, stop: AbortSignal): HttpsProxyAgent<string> {
  const giveUp = new AbortController()
  stop.addEventListener('abort', () => progress.proxyStatus ?? giveUp.abort(), { once: true })
  return new HttpsProxyAgent<string>(proxy, { keepAlive: false, signal: giveUp.signal })
}

/** Node's own http and https, with an eye on how far a request comes; axios does not show that. */
function watchedTransport(progress: Progress) {
  return {
    request(options: https.RequestOptions, onAnswer: (answer: IncomingMessage) => void): ClientRequest {
      const secure = options.protocol === 'https:'
      const request = secure ? https.request(options, onAnswer) : http.request(options, onAnswer)
      request.once('proxyConnect', (answer: { statusCode: number }) => {
        progress.proxyStatus = answer.statusCode
      })
      request.once('socket', (socket) => {
        const connected = () => {
          progress.connected = true
        }
        if (request.reusedSocket) connected()
        else socket.once(secure ? 'secureConnect' : 'connect', connected)
      })
      return request
    },
  }
}

/** A proxy's refusal is replayed by the tunnel as if it were ServerPilot's answer: it must not be taken for one. */
function refusedByProxy({ proxyStatus }: Progress): HttpFailure | undefined {
  if (proxyStatus === undefined || proxyStatus === 200) return undefined
  return { kind: 'failure', at: 'proxy', code: 'PROXY_REFUSED', proxyStatus }
}

function stageOf({ connected, proxyStatus }: Progress, proxy: URL | undefined): HttpFailure['at'] {
  if (connected) return 'sent'
  return proxy !== undefined && proxyStatus === undefined ? 'proxy' : 'connect'
}

async function answerOf(
  { status, headers, data }: AxiosResponse<Readable>,
  maxBytes: number,
  stop: AbortSignal,
): Promise<HttpAnswer | HttpFailure> {
  const body = await readBody(addAbortSignal(stop, data), maxBytes)
  // What the status says holds without the body.
  if (body === undefined && status >= 200 && status <= 299)
    return { kind: 'failure', at: 'sent', code: 'TOO_LONG', maxBytes }
  // Node gives header names in lower case, and of these two one value at the most.
  const { location, 'retry-after': retryAfter } = headers as { location?: string; 'retry-after'?: string }
  return { kind: 'answer', status, location, retryAfter, text: body ?? '' }
}

/** All of its text; undefined when it is longer, and then the rest is not read. */
async function readBody(body: Readable, maxBytes: number): Promise<string | undefined> {
  const decoder = new TextDecoder()
  let text = ''
  let length = 0
  // Gives all that has gathered up to now as one part: a body of single bytes has few of them, too.
  for await (const part of body as AsyncIterable<Buffer>) {
    length += part.length
    if (length > maxBytes) return undefined
    text += decoder.decode(part, { stream: true })
  }
  return text + decoder.decode()
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'UNKNOWN'
  return 'code' in error && typeof error.code === 'string' && /^[A-Z0-9_]+$/.test(error.code) ? error.code : 'UNKNOWN'
}
