/** How a faulty call is answered, or not. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Answer, type ApiRequest, refusal, sslView } from './api.ts'
import type { FaultRule } from './faults.ts'
import { sendAnswer, sendText } from './http.ts'
import type { World } from './state.ts'

const BAD_GATEWAY =
  '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><center><h1>502 Bad Gateway</h1></center></body>\r\n</html>\r\n'
const WELCOME =
  '<!doctype html>\n<html><head><title>Please log in</title></head><body>This network wants you to log in.</body></html>\n'

/** A call that falls under a rule. `clean`: what the API would have answered; undefined when it took no effect. */
export interface SpoiledCall {
  world: World
  rule: FaultRule
  api: ApiRequest
  clean: Answer | undefined
  request: IncomingMessage
  response: ServerResponse
}

/** Answers as the rule says. Returns the status that was sent, 0 when none was. */
export function spoil(call: SpoiledCall): number {
  const { rule, request, response } = call
  const clean = call.clean ?? refusal(500, 'Internal error.')
  const text = JSON.stringify(clean.body)
  const half = text.slice(0, Math.ceil(text.length / 2))
  const { status = 500 } = rule
  switch (rule.kind) {
    case 'status':
    case 'statusAfter':
      return sendAnswer(response, refusal(status, rule.message ?? wordsFor(status)))
    case 'rateLimited':
      return sendAnswer(response, refusal(429, 'Too many requests.', retryAfter(rule)))
    case 'html502':
    case 'html502After':
      return sendText(response, { status: 502, contentType: 'text/html', text: BAD_GATEWAY })
    case 'html200':
      return sendText(response, { status: 200, contentType: 'text/html', text: WELCOME })
    case 'redirect': {
      const location = rule.location ?? request.url ?? '/'
      return sendAnswer(response, { status: rule.status ?? 302, body: {}, headers: { location } })
    }
    case 'timeoutBefore':
    case 'timeoutAfter':
    case 'timeoutLate':
      return 0 // the socket stays open until the client or stop() ends it
    case 'resetBefore':
    case 'resetAfter':
      request.socket.resetAndDestroy()
      return 0
    case 'truncated':
      response.writeHead(clean.status, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
      })
      response.write(half, () => request.socket.destroy())
      return clean.status
    case 'malformed':
      return sendText(response, { status: clean.status, contentType: 'application/json', text: half })
    case 'empty':
      if (rule.variant !== 'body' || clean.status !== 200) break
      return sendText(response, { status: 200, contentType: 'application/json', text: '' })
  }
  if (clean.status !== 200) return sendAnswer(response, clean)
  const body = clean.body as { data: unknown }
  const data = rule.kind === 'stale' ? stale(call, body.data) : emptied(call, body.data)
  return sendAnswer(response, { ...clean, body: { ...body, data } })
}

function wordsFor(status: number): string {
  return status >= 500 ? 'Internal error.' : `Refused with ${status}.`
}

function retryAfter(rule: FaultRule): Record<string, string> {
  return rule.retryAfter === null ? {} : { 'retry-after': String(rule.retryAfter ?? 1) }
}

/** The answer as it was before the last change of each app. */
function stale(call: SpoiledCall, data: unknown): unknown {
  return eachApp(call, data, (app) => {
    const previous = call.world.model.apps.get(String(app.id))?.previous
    return previous ? { ...app, domains: [...previous.domains], ssl: sslView(previous.ssl) } : app
  })
}

function emptied(call: SpoiledCall, data: unknown): unknown {
  const { variant = 'domains' } = call.rule
  if (variant === 'null') return null
  if (variant === 'list') return Array.isArray(data) ? [] : {}
  return eachApp(call, data, (app) => {
    const { domains, ...rest } = app
    if (!Array.isArray(domains) || variant === 'missing') return rest
    if (variant === 'wrongType') return { ...rest, domains: { ...domains } }
    return { ...rest, domains: variant === 'halved' ? domains.slice(0, Math.floor(domains.length / 2)) : [] }
  })
}

type App = Record<string, unknown>

/** Changes each app of an answer, or only the one that the rule names; data that is not an app stays as it is. */
function eachApp(call: SpoiledCall, data: unknown, change: (app: App) => App): unknown {
  if (Array.isArray(data)) return data.map((item: unknown) => eachApp(call, item, change))
  if (typeof data !== 'object' || data === null || !('domains' in data) || !('id' in data)) return data
  return call.rule.app === undefined || call.rule.app === data.id ? change(data as App) : data
}
