import { createHash } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import { Agent, type Dispatcher, ProxyAgent } from 'undici'

/**
 * A failed call to the API server. Carries no request, no header, no body: nothing secret can be in it.
 * `reason` is the Status' own word (`NotFound`, `Conflict`, `Forbidden`, `Expired`, …); without an answer it is
 * `Unreachable` or `Timeout`, for a kubeconfig that cannot be used `Misconfigured`.
 * `outcome`: what a failed *write* may have done; `unknown` after a time-out, reset or 5xx: read back before judging.
 */
export class KubernetesError extends Error {
  override readonly name = 'KubernetesError'
  /** HTTP status; undefined when there was no answer. */
  readonly code: number | undefined
  readonly reason: string
  /** Milliseconds that the server asked us to wait. */
  readonly retryAfter: number | undefined
  readonly outcome: 'none' | 'unknown'

  constructor(fields: {
    reason: string
    message: string
    code?: number | undefined
    retryAfter?: number | undefined
    outcome?: 'none' | 'unknown'
    cause?: unknown
  }) {
    super(fields.message, fields.cause === undefined ? undefined : { cause: fields.cause })
    this.reason = fields.reason
    this.code = fields.code
    this.retryAfter = fields.retryAfter
    this.outcome = fields.outcome ?? 'none'
  }
}

/** Where the API server is and how to be let in, as of now: certificates and tokens change while the program runs. */
export interface Access {
  /** URL, with a path where a gateway serves several clusters. */
  server: string
  headers: Record<string, string>
  tls: {
    ca?: Buffer
    cert?: Buffer
    key?: Buffer
    passphrase?: string
    rejectUnauthorized?: boolean
    servername?: string
  }
  /** URL of an HTTP proxy. */
  proxy?: string
}

/** Watches have connections of their own: as many of them as there are connections for calls would block every call. */
export type Purpose = 'call' | 'watch'

/** One request, without what `Access` adds. */
export interface Call {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' | 'CONNECT' | 'OPTIONS' | 'TRACE' | 'PATCH'
  /** From the root of the API server, with the query. */
  path: string
  headers?: Record<string, string>
  body?: string
  signal?: AbortSignal | undefined
}

/** An answer below 400. */
export interface Answer {
  status: number
  headers: Record<string, string>
  text: string
}

/** Sends requests; throws `KubernetesError` for every failure and every answer from 400 on. */
export interface Transport {
  /** One call with its whole answer, within `timeoutMs` milliseconds. */
  call(call: Call, timeoutMs: number): Promise<Answer>
  /** A call whose answer is read bit by bit. No time-out: the caller's signal ends it. */
  stream(call: Call, purpose: Purpose): Promise<AsyncIterable<Uint8Array>>
  /** Ends all connections, also those in use. */
  close(): Promise<void>
}

const CALL_CONNECTIONS = 8

/** A dead peer shows by failed probes: the first after this time, then one a second, ten in all. */
const KEEP_ALIVE_MS = 15_000

/**
 * Makes the transport. `access` is asked before each request; `refresh` once when the server refuses the credentials or
 * its certificate is not trusted, as both may have been renewed; then the request is sent once more.
 */
export function createTransport(access: () => Promise<Access>, refresh: () => Promise<void>): Transport {
  let current: { id: string; call: Dispatcher; watch: Dispatcher } | undefined

  function dispatcher(to: Access, purpose: Purpose): Dispatcher {
    const id = fingerprint(to)
    if (current?.id !== id) {
      // What is under way on the old connections ends in peace; its failure would be the request's, and is told there.
      for (const old of [current?.call, current?.watch]) old?.close().catch(() => undefined)
      current = { id, call: open(to, CALL_CONNECTIONS), watch: open(to) }
    }
    return current[purpose]
  }

  async function attempt(call: Call, purpose: Purpose): Promise<Dispatcher.ResponseData> {
    const to = await access()
    const { origin, pathname } = new URL(to.server)
    const request: Dispatcher.RequestOptions<null> = {
      origin,
      path: pathname.replace(/\/$/, '') + call.path,
      method: call.method,
      headers: { ...call.headers, ...to.headers },
      body: call.body ?? null,
      ...(call.signal === undefined ? {} : { signal: call.signal }),
    }
    return await dispatcher(to, purpose).request(request)
  }

  async function send(call: Call, purpose: Purpose): Promise<Dispatcher.ResponseData> {
    try {
      let answer: Dispatcher.ResponseData
      try {
        answer = await attempt(call, purpose)
        if (answer.statusCode !== 401) return await accepted(answer, call)
        await answer.body.dump()
      } catch (error) {
        if (!isDistrust(error)) throw error
      }
      await refresh()
      return await accepted(await attempt(call, purpose), call)
    } catch (error) {
      throw failure(error, call)
    }
  }

  return {
    async call(call, timeoutMs) {
      const limit = new AbortController()
      const timer = setTimeout(() => limit.abort(new DOMException('no answer in time', 'TimeoutError')), timeoutMs)
      const signal = call.signal === undefined ? limit.signal : AbortSignal.any([call.signal, limit.signal])
      try {
        const { statusCode, headers, body } = await send({ ...call, signal }, 'call')
        return { status: statusCode, headers: flat(headers), text: await body.text() }
      } catch (error) {
        throw failure(error, call)
      } finally {
        clearTimeout(timer)
      }
    },
    async stream(call, purpose) {
      const { body } = await send(call, purpose)
      return body
    },
    async close() {
      await Promise.all([current?.call.destroy(), current?.watch.destroy()])
    },
  }
}

function open({ tls, proxy }: Access, connections?: number): Dispatcher {
  const options = {
    // HTTP/2 puts calls and watches on one connection: its GOAWAY fails writes in flight, its flow control stops calls.
    allowH2: false,
    bodyTimeout: 0,
    // A watch on which nothing happens may answer late; calls have their own time-out.
    headersTimeout: 0,
    ...(connections === undefined ? {} : { connections }),
  }
  const keepAlive = { keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS }
  if (proxy !== undefined) return new ProxyAgent({ ...options, uri: proxy, requestTls: tls, connect: keepAlive })
  return new Agent({ ...options, connect: { ...tls, ...keepAlive } })
}

function fingerprint({ server, proxy, tls }: Access): string {
  const { ca, cert, key, ...rest } = tls
  const hash = createHash('sha256').update(JSON.stringify([server, proxy, rest]))
  for (const bytes of [ca, cert, key]) hash.update(`\n${bytes?.length ?? -1}:`).update(bytes ?? '')
  return hash.digest('base64')
}

async function accepted(answer: Dispatcher.ResponseData, call: Call): Promise<Dispatcher.ResponseData> {
  const { statusCode: code, headers, body } = answer
  if (code < 400) return answer
  const status = parse(await body.text().catch(() => ''))
  const words = STATUS_CODES[code] ?? 'error'
  const seconds = Number(flat(headers)['retry-after'])
  throw new KubernetesError({
    code,
    reason: status?.reason ?? words.replaceAll(' ', ''),
    message: status?.message ?? `${code} ${words}`,
    retryAfter: Number.isFinite(seconds) ? seconds * 1000 : undefined,
    outcome: call.method !== 'GET' && code >= 500 ? 'unknown' : 'none',
  })
}

/** Reason and message of a `Status`; undefined for any other text, as that may be a proxy's page. */
function parse(text: string): { reason?: string; message?: string } | undefined {
  try {
    const { kind, reason, message } = JSON.parse(text) as Record<string, unknown>
    if (kind !== 'Status') return undefined
    return {
      ...(typeof reason === 'string' && reason !== '' ? { reason } : {}),
      ...(typeof message === 'string' && message !== '' ? { message } : {}),
    }
  } catch {
    return undefined
  }
}

/** Failures before a single byte of the request left. */
const NOT_SENT = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT']

function failure(error: unknown, call: Call): unknown {
  if (error instanceof KubernetesError) return error
  // Whoever aborts knows why.
  if (call.signal?.aborted && error === call.signal.reason && !isTimeout(error)) return error
  const code = codeOf(error)
  const outcome = call.method === 'GET' || NOT_SENT.includes(code) || isDistrust(error) ? 'none' : 'unknown'
  if (isTimeout(error)) {
    const message = 'the API server did not answer in time'
    return new KubernetesError({ reason: 'Timeout', message, outcome, cause: error })
  }
  const words = error instanceof Error ? error.message : String(error)
  const shown = words === '' || (code !== '' && !words.includes(code)) ? `${words} ${code}`.trim() : words
  const message = `the API server cannot be reached: ${shown}`
  return new KubernetesError({ reason: 'Unreachable', message, outcome, cause: error })
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError'
}

function isDistrust(error: unknown): boolean {
  return /CERT|SIGNATURE/.test(codeOf(error))
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  const own = (error as NodeJS.ErrnoException).code
  return typeof own === 'string' ? own : codeOf(error.cause)
}

function flat(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const result: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) result[name] = String(value)
  return result
}
