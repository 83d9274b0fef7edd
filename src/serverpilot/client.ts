import { createScrub } from '../log/scrub.ts'
import { createLimiter } from '../time/limiter.ts'
import { createKeyedMutex } from '../time/mutex.ts'
import { waitForAction } from './actions.ts'
import { checkBaseUrl, chooseProxy } from './addresses.ts'
import { basicAuthorization, cleanCredentials, secretForms, shownClientId } from './credentials.ts'
import { type Decoder, decodeAction, decodeApp, decodeApps, decodeServer, decodeWrite } from './decode.ts'
import {
  type CallContext,
  failureError,
  malformedIdError,
  pausedError,
  statusError,
  unusableError,
} from './failures.ts'
import { createHttp, type HttpRequest } from './http.ts'
import { LONGEST } from './json.ts'
import type { ObservedCall, ServerPilotOptions } from './options.ts'
import { PATIENCE_MS, withRetries } from './retry.ts'
import { type ActionStatus, CALLS, type Credentials, type Leave, type ServerPilot } from './serverpilot.ts'

/** One call: what goes out, and what the reader of its error has to know. */
interface Call extends Pick<CallContext, 'subject' | 'missing'> {
  method: HttpRequest['method']
  endpoint: ObservedCall['endpoint']
  /** In place of `:id`. */
  id?: string
  body?: unknown
  /** The longest answer; when not given, that of one app. */
  maxBytes?: number
  leave?: Leave | undefined
  signal: AbortSignal | undefined
}

// A write was computed from what was just read. One that sits out a pause would overwrite what came in between.
const WRITE_PATIENCE_MS = 1_000

const CONNECT_TIMEOUT_MS = 10_000

// 1,000 apps of 300 domains with a certificate each stay well below this; a stream without an end does not. In bytes.
const LONGEST_LIST = 64 * 1024 * 1024

// For a 429 that names no time.
const DEFAULT_PAUSE_MS = 1_000

/**
 * Makes the client of one account. Starts nothing and sends nothing. Throws an `Error` for the reader when the address of the API or
 * of the proxy cannot be used; faulty credentials show with the first call, as `CredentialsInvalid`.
 */
export function createServerPilot(options: ServerPilotOptions): ServerPilot {
  const { clock, updateMethod = 'POST', timeoutMs = 30_000, qps = 5, observe, random = Math.random } = options
  const baseUrl = checkBaseUrl(options.baseUrl, options.allowInsecureHttp)
  const proxy = chooseProxy(baseUrl, options.proxy ?? {})
  const account = options.credentials.clientId.trim()
  const origin = options.credentialsOrigin ?? 'the configured credentials'
  if (!(qps > 0)) throw new Error(`--serverpilot-qps must be above 0, and is ${qps}`)
  const limiter = createLimiter({
    rate: { qps, burst: Math.max(1, 2 * qps) },
    clock,
    patience: { read: PATIENCE_MS, write: WRITE_PATIENCE_MS },
  })
  const http = (options.createHttp ?? createHttp)({
    clock,
    timeoutMs,
    connectTimeoutMs: Math.min(timeoutMs, CONNECT_TIMEOUT_MS),
    proxy,
    userAgent: `domainpilot/${options.version}`,
  })

  const ours = { account: shownClientId(account), credentialsOrigin: origin, api: baseUrl.origin, proxy }
  function contextOf({ subject, missing, method }: Call, secrets: readonly string[]): CallContext {
    return { ...ours, subject, missing, write: method !== 'GET', scrub: createScrub(secrets) }
  }

  /** One request, once. */
  async function send<T>(call: Call, decode: Decoder<T>, current: Credentials): Promise<T> {
    const context = contextOf(call, secretForms(current))
    const lane = context.write ? 'write' : 'read'
    const granted = call.leave?.use(lane) === true && limiter.stillGood()
    const pausedFor = granted ? 0 : await limiter.acquire(lane, call.signal)
    if (pausedFor > 0) throw pausedError(pausedFor, context)
    // The wait may have been long: of a process that was stopped in it, longer than its Lease.
    if (context.write) options.assertMayWrite?.()
    const started = clock.steady()
    let code = 'error'
    try {
      const answer = await http({
        method: call.method,
        url: urlOf(baseUrl, call),
        authorization: basicAuthorization(current),
        body: call.body === undefined ? undefined : JSON.stringify(call.body),
        maxBytes: call.maxBytes ?? LONGEST,
        signal: call.signal,
      })
      if (answer.kind === 'failure') throw failureError(answer, context)
      code = String(answer.status)
      if (answer.status < 200 || answer.status > 299) {
        const error = statusError(answer, context, clock.now())
        if (error.reason === 'RateLimited') limiter.pause(error.retryAfter ?? DEFAULT_PAUSE_MS)
        throw error
      }
      const decoded = await decode(answer.text, clock.turn)
      if (!decoded.ok) throw unusableError(answer, decoded.problem, context)
      return decoded.value
    } finally {
      const seconds = (clock.steady() - started) / 1000
      observe?.({ method: call.method, endpoint: call.endpoint, code, seconds })
    }
  }

  /** Everything that stands before a request: an id that is one, credentials that can be right. */
  function prepare(call: Call): Credentials {
    call.signal?.throwIfAborted()
    if (call.id !== undefined && !isId(call.id)) throw malformedIdError(contextOf(call, []))
    return cleanCredentials(options.credentials, origin)
  }

  async function read<T>(call: Call, decode: Decoder<T>): Promise<T> {
    const current = prepare(call)
    return withRetries(() => send(call, decode, current), { clock, random, signal: call.signal })
  }

  async function write(call: Call): Promise<ActionStatus> {
    const current = prepare(call)
    const id = await send(call, decodeWrite, current)
    // Without an action there was nothing to configure. (`actionid` stands in the answer only "if any server configuration was
    // required": official API documentation.)
    if (id === undefined) return 'success'
    if (!isId(id)) return 'unknown'
    const { subject, signal } = call
    const poll = { ...CALLS.getAction, id, subject, missing: 'api', signal } as const
    return waitForAction(() => send(poll, decodeAction, current), {
      clock,
      pollMs: options.actionPollMs ?? 1_000,
      timeoutMs: options.actionTimeoutMs ?? 60_000,
      signal,
    })
  }

  /** A pause that outlasts the patience for it is met by the call itself, which says so. */
  async function leaveToWrite(signal?: AbortSignal): Promise<Leave> {
    const granted = new Set<'read' | 'write'>()
    const end = (): void => {
      for (const _ of granted) limiter.giveBack()
      granted.clear()
    }
    try {
      for (const lane of ['read', 'write'] as const) if ((await limiter.acquire(lane, signal)) === 0) granted.add(lane)
    } catch (error) {
      end()
      throw error
    }
    return { use: (kind) => granted.delete(kind), end }
  }

  const appCall = (id: string) => ({ id, subject: `app ${id}`, missing: 'app' }) as const
  const serverCall = (id: string) => ({ id, subject: `server ${id}`, missing: 'server' }) as const
  return {
    account,
    listApps(signal) {
      const call = {
        ...CALLS.listApps,
        subject: 'the list of apps',
        missing: 'api',
        maxBytes: LONGEST_LIST,
        signal,
      } as const
      return read(call, decodeApps)
    },
    getApp: (id, signal, leave) => read({ ...CALLS.getApp, ...appCall(id), signal, leave }, ofId(id, decodeApp)),
    writeDomains(id, domains, signal, leave) {
      const body = { domains: [...domains] }
      return write({ ...CALLS.writeDomains, ...appCall(id), method: updateMethod, body, signal, leave })
    },
    changeSsl: (id, body, signal) => write({ ...CALLS.changeSsl, ...appCall(id), body, signal }),
    getServer: (id, signal) => read({ ...CALLS.getServer, ...serverCall(id), signal }, ofId(id, decodeServer)),
    leaveToWrite,
    exclusively: createKeyedMutex(),
  }
}

function urlOf(baseUrl: URL, { endpoint, id }: Call): URL {
  const url = new URL(baseUrl)
  // The path of a host alone is "/" even after its final slash was taken off.
  url.pathname = baseUrl.pathname.replace(/\/$/, '') + (id === undefined ? endpoint : endpoint.replace(':id', id))
  return url
}

// Ids are 16 alphanumerics [official API documentation]; other stand-ins of the API have them a little different.
function isId(text: string): boolean {
  return /^[\w-]{1,64}$/.test(text)
}

/** An answer about something else than what was asked for (a confused cache or proxy) must not be taken for it. */
function ofId<T extends { id: string }>(id: string, decode: Decoder<T>): Decoder<T> {
  return async (text, turn) => {
    const decoded = await decode(text, turn)
    return decoded.ok && decoded.value.id !== id ? { ok: false, problem: 'an answer about another id' } : decoded
  }
}
