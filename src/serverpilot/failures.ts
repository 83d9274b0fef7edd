import type { RedactText } from '../log/redact.ts'
import { shorten } from '../log/scrub.ts'
import { proxyName } from './addresses.ts'
import { decodeErrorMessage, readableWords } from './decode.ts'
import { type Failure, ServerPilotError, type ServerPilotReason } from './errors.ts'
import type { HttpAnswer, HttpFailure } from './http.ts'
import { parseRetryAfter } from './retry.ts'

/** What an error has to know of the call that it is about; nothing in it is secret. */
export interface CallContext {
  /** "app abc", "the list of apps": what the call is about. */
  subject: string
  /** What a 404 means. */
  missing: 'app' | 'server' | 'api'
  write: boolean
  /** The client id as it may be shown. */
  account: string
  /** Where the credentials came from. */
  credentialsOrigin: string
  /** Scheme, host and port of the API. */
  api: string
  proxy: URL | undefined
  scrub: RedactText
}

// The words are for the isolation of rejected names, so they are long enough for a list of 20 or so; a message is read by a person.
const WORDS_LENGTH = 2_000
const QUOTE_LENGTH = 300

/** Of an error that is longer, nothing is read: what people write is shorter, and looking for what is secret in it takes its time. */
const LONGEST_READ = 256 * 1024

const MEBIBYTE = 1024 * 1024

/** The longest wait, in milliseconds, that is believed of a `Retry-After`. */
const LONGEST_RETRY_AFTER_MS = 15 * 60_000

/** The error for a request that got no answer. */
export function failureError(failure: HttpFailure, call: CallContext): ServerPilotError {
  const message = `${describeFailure(failure, call)}${cureOf(failure)}`
  return failure.at === 'sent' ? unsure(call, message) : unreachable(call, { message })
}

const READ_BACK = ' Whether the write took effect is not known: the app has to be read again.'

function describeFailure(failure: HttpFailure, { api, proxy, subject }: CallContext): string {
  if (failure.at === 'proxy' && proxy !== undefined) {
    const name = proxyName(proxy)
    return failure.proxyStatus === undefined
      ? `The proxy ${name} cannot be reached for ${subject}: ${reasonOf(failure)}.`
      : `The proxy ${name} refused the way to ${api} for ${subject}: it answered ${failure.proxyStatus} to CONNECT.`
  }
  const way = proxy === undefined ? '' : ` through the proxy ${proxyName(proxy)}`
  const what = failure.at === 'sent' ? 'gave no answer' : 'cannot be reached'
  return `ServerPilot (${api})${way} ${what} for ${subject}: ${reasonOf(failure)}.`
}

const REASONS: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was closed',
  ENOTFOUND: 'DNS knows no such host',
  EAI_AGAIN: 'DNS did not answer',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ETIMEDOUT: 'the connection timed out',
  ERR_BAD_RESPONSE: 'the answer broke off',
}

function reasonOf({ code, after = 0, maxBytes = 0 }: HttpFailure): string {
  if (code === 'TOO_LONG') return `the answer is longer than ${maxBytes / MEBIBYTE} MiB, and was not read to its end`
  if (code === 'TIMEOUT') return `nothing complete within ${after / 1000} s`
  if (code === 'CONNECT_TIMEOUT') return `no connection within ${after / 1000} s`
  if (code.startsWith('HPE_')) return `the answer is not HTTP (${code})`
  const reason = REASONS[code]
  return reason === undefined ? code : `${reason} (${code})`
}

function cureOf({ at, code, proxyStatus }: HttpFailure): string {
  if (proxyStatus === 407) return ' Check user and password in HTTPS_PROXY.'
  if (at === 'proxy') return ' Check HTTPS_PROXY and NO_PROXY, and what the proxy allows.'
  if (/CERT|SELF_SIGNED|VERIFY_LEAF|ALTNAME/.test(code)) {
    return ' Its certificate is not trusted: behind a proxy that opens TLS, name its CA in NODE_EXTRA_CA_CERTS.'
  }
  return code === 'ENOTFOUND' || code === 'ECONNREFUSED' || code.startsWith('HPE_') ? ' Check --serverpilot-url.' : ''
}

/** The error for an answer of a good status with a body that cannot be used; `problem` says what came. */
export function unusableError({ status, text }: HttpAnswer, problem: string, call: CallContext): ServerPilotError {
  const quoted = quote(wordsOf(text, call), call)
  const message = `ServerPilot (${call.api}) answered ${status} for ${call.subject} with ${problem}${quoted}. If this stays, check --serverpilot-url.`
  return unsure(call, message, { status })
}

/** The error for a request that was not sent, because ServerPilot asked for a pause that lasts `ms` milliseconds yet. */
export function pausedError(ms: number, call: CallContext): ServerPilotError {
  return new ServerPilotError({
    reason: 'RateLimited',
    message: `ServerPilot asked for fewer requests: nothing was sent for ${call.subject}, the next try is due in ${seconds(ms)}.`,
    retryAfter: ms,
  })
}

/** What an answer says besides its body. */
type Fields = Pick<Failure, 'status' | 'words' | 'retryAfter'>

/** The error for an answer of any status but 2xx; `now` in epoch ms. */
export function statusError(answer: HttpAnswer, call: CallContext, now: number): ServerPilotError {
  const { status } = answer
  const { subject, api, account, credentialsOrigin } = call
  const said = answer.text.length > LONGEST_READ ? undefined : decodeErrorMessage(answer.text)
  const words = said === undefined ? undefined : shorten(call.scrub(said), WORDS_LENGTH)
  const quoted = quote(said ?? wordsOf(answer.text, call), call)
  const asked = parseRetryAfter(answer.retryAfter, now)
  const retryAfter = asked === undefined ? undefined : Math.min(asked, LONGEST_RETRY_AFTER_MS)
  const fields: Fields = { status, words, retryAfter }
  const error = (reason: ServerPilotReason, message: string) => new ServerPilotError({ ...fields, reason, message })

  if (status >= 300 && status < 400) {
    const where = originOf(answer.location, call)
    const message = `${api} answered ${status} for ${subject}, a redirect${where}, which is not followed: check --serverpilot-url.`
    return unsure(call, message, fields)
  }
  if (status === 401 || status === 403) {
    const message = `ServerPilot refused the credentials of client ${account} (${credentialsOrigin}) for ${subject} with ${status}${quoted}. One API key is active per account: if it was rotated, put the new one there.`
    return error('CredentialsInvalid', message)
  }
  if (status === 402) {
    const message = `ServerPilot wants a valid card for the account of client ${account} (402 for ${subject})${quoted}. Settle it at ServerPilot, Account, Billing.`
    return error('PaymentRequired', message)
  }
  if (status === 429) {
    const when = retryAfter === undefined ? '' : `, the next try is due in ${seconds(retryAfter)}`
    const message = `ServerPilot asked for fewer requests (429 for ${subject})${quoted}${when}. If it stays, lower --serverpilot-qps.`
    return error('RateLimited', message)
  }
  if (status === 404) return missingError(answer, call, quoted, fields)
  if (status >= 500 || status === 408 || status < 200) {
    return unsure(call, `ServerPilot (${api}) failed with ${status} for ${subject}${quoted}.`, fields)
  }
  return error('Rejected', `ServerPilot rejected the request for ${subject} with ${status}${quoted}.`)
}

/** A 404 from something that is not the API says nothing about the app. */
function missingError(answer: HttpAnswer, call: CallContext, quoted: string, fields: Fields): ServerPilotError {
  const fromApi = fields.words !== undefined || answer.text.trim() === ''
  if (call.missing === 'api' || !fromApi) {
    const message = `${call.api} has no ServerPilot API at this address (404 for ${call.subject})${quoted}: check --serverpilot-url.`
    return unreachable(call, { ...fields, message })
  }
  const { reason, id } = MISSING[call.missing]
  const message = `ServerPilot knows no ${call.subject} in the account of client ${call.account} (404)${quoted}. Check ${id}, and that the credentials (${call.credentialsOrigin}) are those of its account.`
  return new ServerPilotError({ ...fields, reason, message })
}

const MISSING = {
  app: { reason: 'AppNotFound', id: 'appId' },
  server: { reason: 'Rejected', id: 'the server id' },
  api: { reason: 'Rejected', id: 'the server id' },
} as const

/** No usable answer to a request that may have reached ServerPilot: what a write did is not known. */
function unsure(call: CallContext, message: string, fields: Fields = {}): ServerPilotError {
  if (!call.write) return unreachable(call, { ...fields, message })
  return unreachable(call, { ...fields, message: `${message}${READ_BACK}`, outcome: 'unknown' })
}

function unreachable(call: CallContext, failure: Omit<Failure, 'reason'>): ServerPilotError {
  return new ServerPilotError({ ...failure, message: call.scrub(failure.message), reason: 'ApiUnreachable' })
}

function quote(words: string | undefined, { scrub }: CallContext): string {
  // Scrubbed before it is cut: the first half of a key is a secret as well.
  const clean = words === undefined ? '' : shorten(scrub(words), QUOTE_LENGTH)
  return clean === '' ? '' : `: "${clean}"`
}

function wordsOf(text: string, call: CallContext): string | undefined {
  return text.length > LONGEST_READ ? undefined : readableWords(call.scrub(text))
}

/** Only where a redirect leads, not its path and query: those may hold tokens. */
function originOf(location: string | undefined, call: CallContext): string {
  if (location === undefined || !URL.canParse(location, call.api)) return ''
  const { protocol, host } = new URL(location, call.api)
  return ` to ${call.scrub(`${protocol}//${host}`)}`
}

/** The error for an id that cannot be one, before any call: in a path it could mean something else. */
export function malformedIdError(call: CallContext): ServerPilotError {
  const { reason, id } = MISSING[call.missing]
  const message = `${shorten(call.scrub(call.subject), 80)}: ids at ServerPilot are letters and digits. No call was made. Check ${id}.`
  return new ServerPilotError({ reason, message })
}

function seconds(ms: number): string {
  return `${Math.ceil(ms / 1000)} s`
}
