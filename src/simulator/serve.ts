/** One request to the API: authentication, rate limit, faults, effect, reply. Knows no network. */
import { type Answer, type ApiRequest, answer, changeDomains, refusal } from './api.ts'
import type { CallLog, CallRecord } from './calls.ts'
import { type FaultRule, type Faults, takesEffect } from './faults.ts'
import { routeOf } from './router.ts'
import { plainReply, type Reply, spoil } from './spoil.ts'
import type { AppState, World } from './state.ts'

/** What serving a request needs. */
export interface Service {
  world: World
  faults: Faults
  calls: CallLog
  /** Milliseconds per call. */
  latency: number
  /** Resolves after so many milliseconds; never once the simulator has stopped. */
  wait(ms: number): Promise<void>
  /** Makes a changed state durable. */
  save(): void
  /** Whether one more call is within the rate limit. */
  withinLimit(): boolean
  log(line: string): void
}

/** A request as it came in. */
export interface Incoming {
  method: string
  url: string
  authorization: string | undefined
  contentType: string
  /** Decoded JSON (`malformed`: it is none); undefined when it was too large to be read. */
  read: { body: unknown; malformed: boolean } | undefined
}

/** Serves a request under `/v1`. */
export async function serve(service: Service, request: Incoming): Promise<Reply> {
  const { world } = service
  const { method, read } = request
  const path = request.url.split('?')[0]!
  const { endpoint, id, allowed } = routeOf(method, path, world.behaviours.allowPut)
  const app = id !== undefined && path.startsWith('/v1/apps/') ? { app: id } : {}
  const record = service.calls.add({ time: world.now(), method, path, endpoint, status: 0, ...app })
  if (read?.body !== undefined) record.body = withoutKey(read.body)
  const early = read ? refusedEarly(service, request) : refusal(413, 'The request is too large.')
  if (early || !read) return finish(service, record, early!)

  const { modifiers, answering: rule } = service.faults.take(record)
  if (rule || modifiers.length > 0) record.faults = [...modifiers, ...(rule ? [rule] : [])].map(({ kind }) => kind)
  const slow = modifiers.reduce((sum, { kind, ms }) => sum + (kind === 'slow' ? (ms ?? 1000) : 0), 0)
  await service.wait(service.latency / 2 + slow)

  const api: ApiRequest = { endpoint, id, ...read, contentType: request.contentType }
  const act = () => (allowed ? wrongRoute(world, allowed) : takeEffect(service, api, modifiers))
  if (rule?.kind === 'timeoutLate') {
    const late = service.wait(rule.ms ?? 1000).then(act)
    late.catch((error: unknown) => service.log(`late effect failed: ${String(error)}`))
  }
  const clean = rule && !takesEffect(rule) ? refusal(500, 'Internal error.') : act()
  await service.wait(service.latency / 2)
  if (!rule) return finish(service, record, clean)
  const reply = spoil(world, rule, clean, request.url)
  record.status = 'status' in reply ? reply.status : 0
  service.log(`${method} ${path} ${record.status || 'unanswered'} (${record.faults?.join(', ')})`)
  return reply
}

/** Wrong credentials and calls beyond the rate limit reach no endpoint, and no fault. */
function refusedEarly(service: Service, { authorization }: Incoming): Answer | undefined {
  const { model, behaviours } = service.world
  const expected = `Basic ${Buffer.from(`${model.clientId}:${model.apiKey}`).toString('base64')}`
  if (authorization !== expected) return refusal(401, 'Invalid API credentials.')
  if (service.withinLimit()) return undefined
  return refusal(429, 'Too many requests.', { 'retry-after': String(behaviours.rateLimit?.retryAfter ?? 1) })
}

function wrongRoute(world: World, allowed: readonly string[]): Answer {
  if (allowed.length === 0 || world.behaviours.wrongMethod === 404) return refusal(404, 'Not found.')
  return refusal(405, 'Method not allowed.', { allow: allowed.join(', ') })
}

/** The call's own effect, with what other writers do right before and after it. */
function takeEffect(service: Service, api: ApiRequest, modifiers: readonly FaultRule[]): Answer {
  const { world } = service
  const reads = api.endpoint === 'getApp' || api.endpoint === 'listApps'
  const others = modifiers.filter(({ kind }) => kind === 'otherWriter')
  const momentOf = (rule: FaultRule) => rule.moment ?? (reads ? 'after' : 'before')
  for (const rule of others) if (momentOf(rule) === 'before') writeAsOther(world, api, rule)
  const dropped = modifiers.some(({ kind }) => kind === 'droppedWrite')
  const app = dropped ? world.model.apps.get(api.id ?? '') : undefined
  const kept: AppState | undefined = app && { ...app }
  const given = answer(world, api)
  if (app && kept) Object.assign(app, kept)
  for (const rule of others) if (momentOf(rule) === 'after') writeAsOther(world, api, rule)
  const action = world.model.actions.get(String((given.body as { actionid?: string }).actionid))
  if (action && modifiers.some(({ kind }) => kind === 'actionError')) action.outcome = 'error'
  if (action && modifiers.some(({ kind }) => kind === 'actionStuck')) action.endsAt = null
  service.save()
  return given
}

function writeAsOther(world: World, api: ApiRequest, rule: FaultRule): void {
  const named = world.model.apps.get(rule.app ?? api.id ?? '')
  const all = rule.app === undefined && api.endpoint === 'listApps'
  const gone = new Set(rule.remove)
  for (const app of all ? world.model.apps.values() : named ? [named] : []) {
    const stays = app.domains.filter((name) => !gone.has(name))
    changeDomains(world, app, [...new Set([...stays, ...(rule.add ?? [])])])
  }
}

function finish(service: Service, record: CallRecord, given: Answer): Reply {
  record.status = given.status
  service.log(`${record.method} ${record.path} ${given.status}`)
  return plainReply(given)
}

function withoutKey(body: unknown): unknown {
  return typeof body === 'object' && body !== null && 'key' in body ? { ...body, key: '(left out)' } : body
}
