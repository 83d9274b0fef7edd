import { createHash } from 'node:crypto'
import http, { type Agent, type ClientRequest, type IncomingMessage, STATUS_CODES } from 'node:http'
import https from 'node:https'
import { HttpsProxyAgent } from 'https-proxy-agent'
import { messageOf } from '../log/message-of.ts'
import type { Clock } from '../time/clock.ts'
import { createBytes, MOST_MIB } from './bytes.ts'

/**
 * A failed call to the API server. Carries no request, no header, no body: nothing secret can be in it.
 * `reason` is the Status' own word (`NotFound`, `Conflict`, `Forbidden`, `Expired`, …); without an answer it is
 * `Unreachable` or `Timeout`, for a kubeconfig that cannot be used `Misconfigured`, for an answer that cannot be `Undecodable`, and for
 * one that is larger than is read `TooLarge`.
 * A failed *write* without an answer, or with a 5xx, may have been done: read back before judging.
 */
export class KubernetesError extends Error {
  override readonly name = 'KubernetesError'
  /** Logged without a stack. */
  readonly expected = true
  /** HTTP status; undefined when there was no answer. */
  readonly code: number | undefined
  readonly reason: string
  /** Milliseconds that the server asked us to wait. */
  readonly retryAfter: number | undefined

  constructor({ reason, message, code, retryAfter, cause }: Fields) {
    super(message, cause === undefined ? undefined : { cause })
    this.reason = reason
    this.code = code
    this.retryAfter = retryAfter
  }
}

type Fields = Pick<KubernetesError, 'reason' | 'message'> &
  Partial<Pick<KubernetesError, 'code' | 'retryAfter' | 'cause'>>

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

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** One request, without what `Access` adds. */
interface Call {
  method: Method
  /** From the root of the API server, with the query. */
  path: string
  headers: Record<string, string>
  body?: string
  signal?: AbortSignal | undefined
}

const CALL_CONNECTIONS = 8

/** A dead peer shows by failed probes: the first after this time, then one a second, ten in all. */
const KEEP_ALIVE_MS = 15_000

/** An idle connection is closed by us before a server would: a write on one that is just being closed fails. */
const IDLE_MS = 4_000

/** How long the words of a refusal are waited for. */
const WORDS_MS = 5000

/** The way to an API server. */
export type Transport = ReturnType<typeof createTransport>

/** Watches have connections of their own: as many of them as there are connections for calls would block every call. */
type Pool = 'calls' | 'watches'

/**
 * Makes the transport, over HTTP/1.1: HTTP/2 puts calls and watches on one connection, where a GOAWAY fails writes in flight and flow
 * control stops calls. `access` is asked before each request; `refresh` once when the server refuses the credentials or its
 * certificate is not trusted, as both may have been renewed; then the request is sent once more.
 *
 * It throws `KubernetesError` for every failure and every answer from 400 on, and the reason of the call's signal once that aborts.
 */
export function createTransport(options: { access(): Promise<Access>; refresh(): Promise<void>; clock: Clock }) {
  const { access, refresh, clock } = options
  let pools: ({ id: string } & Record<Pool, Agent>) | undefined
  const underWay = new Set<(reason: Error) => void>()
  let closed: Error | undefined

  function agentFor(to: Access, pool: Pool): Agent {
    const id = fingerprint(to)
    // What is under way on the old connections ends as it would; they are closed when they have been idle.
    if (pools?.id !== id) pools = { id, calls: openPool(to, CALL_CONNECTIONS), watches: openPool(to) }
    return pools[pool]
  }

  async function attempt(call: Call, pool: Pool): Promise<IncomingMessage> {
    const to = await access()
    if (closed !== undefined) throw closed
    call.signal?.throwIfAborted()
    const request = open(to, call, agentFor(to, pool))
    return await new Promise((resolve, reject) => {
      // A request that waits for a connection says nothing of its end before it has one.
      const giveUp = (reason: unknown): void => {
        request.destroy()
        reject(reason)
      }
      const abort = (): void => giveUp(call.signal?.reason)
      call.signal?.addEventListener('abort', abort, { once: true })
      underWay.add(giveUp)
      request.once('response', resolve)
      request.on('error', reject)
      request.once('close', () => {
        underWay.delete(giveUp)
        call.signal?.removeEventListener('abort', abort)
      })
      request.end(call.body)
    })
  }

  async function send(call: Call, pool: Pool): Promise<IncomingMessage> {
    try {
      const answer = await attempt(call, pool)
      if (answer.statusCode !== 401) return await accepted(answer, clock)
      // Not read on: it may have no end.
      answer.destroy()
    } catch (error) {
      if (!isDistrust(error)) throw error
    }
    await refresh()
    return await accepted(await attempt(call, pool), clock)
  }

  return {
    /** The text of a whole answer, within `timeoutMs` milliseconds, and of `MOST_MIB` at most. */
    async call(call: Call, timeoutMs: number): Promise<string> {
      const limit = new AbortController()
      const signal = call.signal === undefined ? limit.signal : AbortSignal.any([call.signal, limit.signal])
      const cancel = clock.after(timeoutMs, () => {
        limit.abort(new KubernetesError({ reason: 'Timeout', message: 'the API server did not answer in time' }))
      })
      try {
        return await textOf(await send({ ...call, signal }, 'calls'))
      } catch (error) {
        throw failure(error, signal)
      } finally {
        cancel()
      }
    },
    /** A call whose answer is read bit by bit. No time-out: the caller's signal ends it. */
    async stream(call: Call): Promise<AsyncIterable<Uint8Array>> {
      try {
        return chunks(await send(call, 'watches'), call.signal)
      } catch (error) {
        throw failure(error, call.signal)
      }
    },
    /** Ends all connections, also those in use; calls under way fail, and so does every later one. */
    close(): void {
      closed ??= new Error('the connection was closed')
      for (const giveUp of underWay) giveUp(closed)
      pools?.calls.destroy()
      pools?.watches.destroy()
    },
  }
}

function open({ server, headers, tls, proxy }: Access, call: Call, agent: Agent): ClientRequest {
  const { protocol, pathname } = new URL(server)
  const request = (protocol === 'https:' ? https : http).request(server, {
    ...tls,
    agent,
    method: call.method,
    path: pathname.replace(/\/$/, '') + call.path,
    headers: { ...call.headers, ...headers },
  })
  request.setSocketKeepAlive(true, KEEP_ALIVE_MS)
  // A proxy's refusal is replayed by the tunnel as if it were the API server's answer.
  if (proxy !== undefined)
    request.once('proxyConnect', ({ statusCode }: { statusCode: number }) => {
      if (statusCode !== 200) request.destroy(new Error(`the proxy ${new URL(proxy).host} answered ${statusCode}`))
    })
  return request
}

function openPool({ server, proxy }: Access, maxSockets = Number.POSITIVE_INFINITY): Agent {
  const options = { keepAlive: true, timeout: IDLE_MS, maxSockets }
  if (proxy === undefined) return server.startsWith('https:') ? new https.Agent(options) : new http.Agent(options)
  const tunnels = new HttpsProxyAgent(proxy, { keepAlive: true, maxSockets })
  // It passes on no time-out of idle connections.
  Object.assign(tunnels.options, { timeout: IDLE_MS })
  return tunnels
}

/** The bytes of an answer. Reading on after the signal aborted throws its reason. */
async function* chunks(answer: IncomingMessage, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  try {
    yield* answer
  } catch (error) {
    throw signal?.aborted ? signal.reason : error
  }
}

function fingerprint({ server, proxy, tls }: Access): string {
  const { ca, cert, key, ...rest } = tls
  const hash = createHash('sha256').update(JSON.stringify([server, proxy, rest]))
  for (const bytes of [ca, cert, key]) hash.update(`\n${bytes?.length ?? -1}:`).update(bytes ?? '')
  return hash.digest('base64')
}

/** Throws `KubernetesError` for an answer that is too large; what is left of it is not read. */
async function textOf(answer: IncomingMessage): Promise<string> {
  const bytes = createBytes()
  for await (const chunk of answer as AsyncIterable<Uint8Array>) if (!bytes.add(chunk)) throw tooLarge()
  return new TextDecoder().decode(bytes.take())
}

function tooLarge(): KubernetesError {
  const message =
    `the API server's answer is larger than ${MOST_MIB} MiB: if these are not that many objects, ` +
    'see what stands between (a proxy, a gateway)'
  return new KubernetesError({ reason: 'TooLarge', message })
}

async function accepted(answer: IncomingMessage, clock: Clock): Promise<IncomingMessage> {
  const { statusCode: code = 0, headers } = answer
  if (code < 400) return answer
  const status = statusOf(await wordsOf(answer, clock))
  const words = STATUS_CODES[code] ?? 'error'
  const seconds = Number(headers['retry-after'])
  throw new KubernetesError({
    code,
    reason: status.reason || words.replaceAll(' ', ''),
    message: status.message || `${code} ${words}`,
    retryAfter: Number.isFinite(seconds) ? seconds * 1000 : undefined,
  })
}

/** The text of a refusal; empty where it does not come to its end soon, as the refusal itself is known already. */
async function wordsOf(answer: IncomingMessage, clock: Clock): Promise<string> {
  const cancel = clock.after(WORDS_MS, () => answer.destroy())
  try {
    return await textOf(answer)
  } catch {
    return ''
  } finally {
    cancel()
  }
}

/** Reason and message of a `Status`; nothing of any other text, as that may be a proxy's page. */
function statusOf(body: string): { reason?: string; message?: string } {
  const words = (value: unknown): string => (typeof value === 'string' ? value : '')
  try {
    const { kind, reason, message } = JSON.parse(body) as Record<string, unknown>
    return kind === 'Status' ? { reason: words(reason), message: words(message) } : {}
  } catch {
    return {}
  }
}

function failure(error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason
  if (error instanceof KubernetesError) return error
  const code = codeOf(error)
  const words = messageOf(error)
  const shown = words === '' || (code !== '' && !words.includes(code)) ? `${words} ${code}`.trim() : words
  const message = `the API server cannot be reached: ${shown}`
  return new KubernetesError({ reason: 'Unreachable', message, cause: error })
}

function isDistrust(error: unknown): boolean {
  return /CERT|SIGNATURE/.test(codeOf(error))
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  const own = (error as NodeJS.ErrnoException).code
  return typeof own === 'string' ? own : codeOf(error.cause)
}
