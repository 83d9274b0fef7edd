/** How a faulty call is answered, or not. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Answer, type ApiRequest, refusal } from './api.ts'
import type { EmptyVariant, FaultRule } from './faults.ts'
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
  switch (rule.kind) {
    case 'status':
    case 'statusAfter':
      return sendJson(response, refusal(rule.status ?? 500, rule.message ?? wordsFor(rule.status ?? 500)))
    case 'rateLimited':
      return sendJson(response, refusal(429, 'Too many requests.', retryAfter(rule)))
    case 'html502':
    case 'html502After':
      sendText(response, 502, 'text/html', BAD_GATEWAY)
      return 502
    case 'html200':
      sendText(response, 200, 'text/html', WELCOME)
      return 200
    case 'redirect': {
      const location = rule.location ?? request.url ?? '/'
      return sendJson(response, { status: rule.status ?? 302, body: {}, headers: { location } })
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
      response.write(text.slice(0, Math.ceil(text.length / 2)), () => request.socket.destroy())
      return clean.status
    case 'malformed':
      sendText(response, clean.status, 'application/json', text.slice(0, Math.ceil(text.length / 2)))
      return clean.status
    case 'empty':
      if (rule.variant !== 'body' || clean.status !== 200) break
      sendText(response, 200, 'application/json', '')
      return 200
  }
  if (clean.status !== 200) return sendJson(response, clean)
  const body = clean.body as { data: unknown }
  const data = rule.kind === 'stale' ? stale(call, body.data) : emptied(call, body.data)
  return sendJson(response, { ...clean, body: { ...body, data } })
}

function sendJson(response: ServerResponse, answer: Answer): number {
  sendAnswer(response, answer)
  return answer.status
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
    if (!previous) return app
    const { ssl } = previous
    const shown = ssl && { key: ssl.key, cert: ssl.cert, cacerts: ssl.cacerts, auto: ssl.auto, force: ssl.force }
    return { ...app, domains: [...previous.domains], ssl: shown }
  })
}

function emptied(call: SpoiledCall, data: unknown): unknown {
  const variant: EmptyVariant = call.rule.variant ?? 'domains'
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

/** Changes each app of an answer, or only the one that the rule names; data that is no app stays as it is. */
function eachApp(call: SpoiledCall, data: unknown, change: (app: App) => App): unknown {
  if (Array.isArray(data)) return data.map((item: unknown) => eachApp(call, item, change))
  if (typeof data !== 'object' || data === null || !('domains' in data) || !('id' in data)) return data
  return call.rule.app === undefined || call.rule.app === data.id ? change(data as App) : data
}
