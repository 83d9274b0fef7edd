/** How a faulty call is answered, or not. */
import { type Answer, refusal, sslView } from './api.ts'
import type { FaultRule } from './faults.ts'
import type { World } from './state.ts'

const BAD_GATEWAY =
  '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><center><h1>502 Bad Gateway</h1></center></body>\r\n</html>\r\n'
const WELCOME =
  '<!doctype html>\n<html><head><title>Please log in</title></head><body>This network wants you to log in.</body></html>\n'

const HTML = { 'content-type': 'text/html' }

/** What goes out: a text, whole or cut off in the middle, nothing at all, or the end of the connection. */
export type Reply =
  | { kind: 'text'; status: number; text: string; headers: Record<string, string> }
  | { kind: 'cut'; status: number; text: string; sent: string }
  | { kind: 'silence' }
  | { kind: 'reset' }

const textReply = (status: number, text: string, headers: Record<string, string> = {}): Reply => ({
  kind: 'text',
  status,
  text,
  headers: { 'content-type': 'application/json', ...headers },
})

/** An answer as it is. */
export const plainReply = ({ status, body, headers }: Answer): Reply => textReply(status, JSON.stringify(body), headers)

/** The reply that the rule asks for, in place of what the API would have answered. `url`: of the request. */
export function spoil(world: World, rule: FaultRule, clean: Answer, url: string): Reply {
  const text = JSON.stringify(clean.body)
  const half = text.slice(0, Math.ceil(text.length / 2))
  const { status = 500, message = status >= 500 ? 'Internal error.' : `Refused with ${status}.` } = rule
  switch (rule.kind) {
    case 'status':
    case 'statusAfter':
      return plainReply(refusal(status, message))
    case 'rateLimited': {
      const headers = rule.retryAfter === null ? {} : { 'retry-after': String(rule.retryAfter ?? 1) }
      return plainReply(refusal(429, 'Too many requests.', headers))
    }
    case 'html502':
    case 'html502After':
      return textReply(502, BAD_GATEWAY, HTML)
    case 'html200':
      return textReply(200, WELCOME, HTML)
    case 'redirect':
      return textReply(rule.status ?? 302, '{}', { location: rule.location ?? url })
    case 'timeoutBefore':
    case 'timeoutAfter':
    case 'timeoutLate':
      return { kind: 'silence' }
    case 'resetBefore':
    case 'resetAfter':
      return { kind: 'reset' }
    case 'truncated':
      return { kind: 'cut', status: clean.status, text, sent: half }
    case 'malformed':
      return textReply(clean.status, half)
    case 'empty':
      if (rule.variant !== 'body' || clean.status !== 200) break
      return textReply(200, '')
  }
  if (clean.status !== 200) return plainReply(clean)
  const body = clean.body as { data: unknown }
  const data = rule.kind === 'stale' ? stale(world, rule, body.data) : emptied(rule, body.data)
  return plainReply({ ...clean, body: { ...body, data } })
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
