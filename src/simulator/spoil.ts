/** How a faulty call is answered, or not. */
import type { ServerResponse } from 'node:http'
import { type Answer, refusal, sslView } from './api.ts'
import type { FaultRule } from './faults.ts'
import { sendAnswer, sendText } from './http.ts'
import type { World } from './state.ts'

const BAD_GATEWAY =
  '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><center><h1>502 Bad Gateway</h1></center></body>\r\n</html>\r\n'
const WELCOME =
  '<!doctype html>\n<html><head><title>Please log in</title></head><body>This network wants you to log in.</body></html>\n'

const HTML = { 'content-type': 'text/html' }

/** Answers as the rule says, in place of what the API would have answered. Returns the status that was sent, 0 when none was. */
export function spoil(world: World, rule: FaultRule, clean: Answer, response: ServerResponse): number {
  const { url = '/', socket } = response.req
  const text = JSON.stringify(clean.body)
  const half = text.slice(0, Math.ceil(text.length / 2))
  const { status = 500, message = status >= 500 ? 'Internal error.' : `Refused with ${status}.` } = rule
  switch (rule.kind) {
    case 'status':
    case 'statusAfter':
      return sendAnswer(response, refusal(status, message))
    case 'rateLimited': {
      const headers = rule.retryAfter === null ? {} : { 'retry-after': String(rule.retryAfter ?? 1) }
      return sendAnswer(response, refusal(429, 'Too many requests.', headers))
    }
    case 'html502':
    case 'html502After':
      return sendText(response, 502, BAD_GATEWAY, HTML)
    case 'html200':
      return sendText(response, 200, WELCOME, HTML)
    case 'redirect':
      return sendText(response, rule.status ?? 302, '{}', { location: rule.location ?? url })
    case 'timeoutBefore':
    case 'timeoutAfter':
    case 'timeoutLate':
      return 0 // the socket stays open until the client or stop() ends it
    case 'resetBefore':
    case 'resetAfter':
      socket.resetAndDestroy()
      return 0
    case 'truncated':
      response.writeHead(clean.status, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
      })
      response.write(half, () => socket.destroy())
      return clean.status
    case 'malformed':
      return sendText(response, clean.status, half)
    case 'empty':
      if (rule.variant !== 'body' || clean.status !== 200) break
      return sendText(response, 200, '')
  }
  if (clean.status !== 200) return sendAnswer(response, clean)
  const body = clean.body as { data: unknown }
  const data = rule.kind === 'stale' ? stale(world, rule, body.data) : emptied(rule, body.data)
  return sendAnswer(response, { ...clean, body: { ...body, data } })
}

/** The answer as it was before the last change of each app. */
function stale(world: World, rule: FaultRule, data: unknown): unknown {
  return eachApp(rule, data, (app) => {
    const previous = world.model.apps.get(String(app.id))?.previous
    return previous ? { ...app, domains: [...previous.domains], ssl: sslView(previous.ssl) } : app
  })
}

function emptied(rule: FaultRule, data: unknown): unknown {
  const { variant = 'domains' } = rule
  if (variant === 'null') return null
  if (variant === 'list') return Array.isArray(data) ? [] : {}
  return eachApp(rule, data, (app) => {
    const { domains, ...rest } = app
    if (!Array.isArray(domains) || variant === 'missing') return rest
    if (variant === 'wrongType') return { ...rest, domains: { ...domains } }
    return { ...rest, domains: variant === 'halved' ? domains.slice(0, Math.floor(domains.length / 2)) : [] }
  })
}

type App = Record<string, unknown>

/** Changes each app of an answer, or only the one that the rule names; data that is not an app stays as it is. */
function eachApp(rule: FaultRule, data: unknown, change: (app: App) => App): unknown {
  if (Array.isArray(data)) return data.map((item: unknown) => eachApp(rule, item, change))
  if (typeof data !== 'object' || data === null || !('domains' in data) || !('id' in data)) return data
  return rule.app === undefined || rule.app === data.id ? change(data as App) : data
}
