/** The endpoints: a request in, the state changed, an answer out. What the API's documentation does not say is a behaviour. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { advanceAutoSsl, availableNames, turnOnAutoSsl } from './autossl.ts'
import { appearingWww, inOrder, judgeDomains } from './domains.ts'
import type { Endpoint } from './router.ts'
import {
  type ActionState,
  type AppState,
  actionStatus,
  isBusy,
  randomId,
  type SslState,
  sameNames,
  startAction,
  type World,
} from './state.ts'

/** A request that found its endpoint. `body` is the decoded JSON; `malformed` says that there was none where one was sent. */
export interface ApiRequest {
  endpoint: Endpoint
  id: string | undefined
  body: unknown
  malformed: boolean
  contentType: string
}

/** What the API answers, before any fault spoils it. */
export interface Answer {
  status: number
  body: unknown
  headers?: Record<string, string> | undefined
}

/** An error in the API's shape. */
export function refusal(status: number, message: string, headers: Record<string, string> = {}): Answer {
  return { status, body: { error: { message } }, headers }
}

/** Does what the request asks for and answers it. Changes the world's state; throws nothing. */
export function answer(world: World, request: ApiRequest): Answer {
  const { model } = world
  const id = request.id ?? ''
  switch (request.endpoint) {
    case 'listApps':
      for (const app of model.apps.values()) advanceAutoSsl(world, app)
      return found([...model.apps.values()].map((app) => appView(world, app)))
    case 'getServers':
      return found([...model.servers.values()])
    case 'getServer':
      return foundOrNot(model.servers.get(id), 'server')
    case 'getSysusers':
      return found([...model.sysusers.values()])
    case 'getSysuser':
      return foundOrNot(model.sysusers.get(id), 'system user')
    case 'getAction':
      return foundOrNot(actionView(world, model.actions.get(id)), 'action')
    case 'other':
      return refusal(404, 'Not found.')
  }
  const app = model.apps.get(id)
  if (!app) return refusal(404, 'No such app.')
  advanceAutoSsl(world, app)
  if (request.endpoint === 'getApp') {
    const domains = availableNames(world, app)
    const autossl = domains ? { available: true, domains } : { available: false }
    return found({ ...appView(world, app), autossl })
  }
  if (world.behaviours.whileActionOpen === 'conflict' && isBusy(world, app.serverid)) {
    return refusal(409, 'The server is being configured. Try again later.')
  }
  if (request.endpoint === 'deleteSsl') return deleteSsl(world, app)
  const post = POSTS[request.endpoint]
  const given = fieldsOf(world, request, post.fields)
  return 'status' in given ? given : post.answer(world, app, given.fields)
}

type Fields = Record<string, unknown>

/** What is posted: the fields that are known, and what becomes of them. */
const POSTS = {
  postDomains: { fields: ['runtime', 'domains'], answer: postApp },
  postSsl: { fields: ['auto', 'force', 'key', 'cert', 'cacerts'], answer: postSsl },
}

/** The API's view of an app, as in the list: no `autossl`. */
function appView(world: World, app: AppState) {
  const { id, datecreated, name, sysuserid, serverid, runtime, ssl } = app
  const { order } = world.behaviours
  const domains = order === 'shuffledEachRead' ? inOrder(app.domains, order, randomId()) : [...app.domains]
  return { id, datecreated, name, sysuserid, domains, ssl: sslView(ssl), serverid, runtime }
}

function actionView(world: World, action: ActionState | undefined) {
  if (!action) return undefined
  const { id, serverid, datecreated } = action
  return { id, serverid, status: actionStatus(action, world.now()), datecreated }
}

/** Replaces the list of domains, for the API and past it. Keeps what was there for readers of a stale copy. */
export function changeDomains(world: World, app: AppState, domains: readonly string[]): void {
  keepPrevious(world, app)
  if (!sameNames(app.domains, domains)) {
    app.availableBefore = availableNames(world, app) ?? app.availableBefore
    app.changedAt = world.now()
  }
  app.domains = [...domains]
}

function postApp(world: World, app: AppState, fields: Fields): Answer {
  const { behaviours } = world
  const { runtime, domains } = fields
  if (runtime === undefined && domains === undefined) return refusal(400, 'One of runtime and domains is required.')
  const known = world.model.servers.get(app.serverid)?.available_runtimes ?? []
  if (runtime !== undefined && (typeof runtime !== 'string' || !known.includes(runtime))) {
    return refusal(400, 'runtime is not available on this server.')
  }
  let listed = app.domains
  if (domains !== undefined) {
    const verdict = judgeDomains(domains, app.domains, behaviours)
    if ('refused' in verdict) return refusal(400, verdict.refused)
    const www = behaviours.wwwAppears ? appearingWww(verdict.domains, app.domains, behaviours.maxDomains) : []
    listed = inOrder([...verdict.domains, ...www], behaviours.order)
  }
  const configured = !sameNames(listed, app.domains) || (runtime !== undefined && runtime !== app.runtime)
  if (domains !== undefined) changeDomains(world, app, listed)
  if (typeof runtime === 'string') app.runtime = runtime
  return changed(world, app, configured, appView(world, app))
}

function postSsl(world: World, app: AppState, fields: Fields): Answer {
  switch (POSTS.postSsl.fields.filter((name) => Object.hasOwn(fields, name)).join()) {
    case 'auto':
      return postAuto(world, app, fields.auto)
    case 'force':
      return postForce(world, app, fields.force)
    case 'key,cert,cacerts':
      return postCustom(world, app, fields)
  }
  return refusal(400, 'Exactly one of auto, force, or key with cert and cacerts is required.')
}

function postAuto(world: World, app: AppState, auto: unknown): Answer {
  const { behaviours } = world
  if (auto !== true) return refusal(400, 'auto must be true.')
  if (app.ssl && !app.ssl.auto) return refusal(behaviours.sslErrorStatus, 'A custom certificate is installed.')
  const ready = availableNames(world, app)
  if (app.ssl) {
    const renewable = behaviours.reissue === 'onPost' && ready !== undefined && !sameNames(ready, app.ssl.names)
    if (!renewable || app.ssl.dueAt !== null) return repeated(world, sslView(app.ssl), 'AutoSSL is already enabled.')
  }
  if (!ready) return refusal(behaviours.sslErrorStatus, 'AutoSSL is not available for this app.')
  keepPrevious(world, app)
  turnOnAutoSsl(world, app, ready)
  return changed(world, app, true, sslView(app.ssl))
}

function postForce(world: World, app: AppState, force: unknown): Answer {
  if (typeof force !== 'boolean') return refusal(400, 'force must be a boolean.')
  if (!app.ssl) return refusal(world.behaviours.sslErrorStatus, 'SSL is not enabled for this app.')
  if (app.ssl.force === force) {
    return repeated(world, sslView(app.ssl), `ForceSSL is already ${force ? 'enabled' : 'disabled'}.`)
  }
  keepPrevious(world, app)
  app.ssl = { ...app.ssl, force }
  return changed(world, app, true, sslView(app.ssl))
}

function postCustom(world: World, app: AppState, fields: Fields): Answer {
  const { key, cert, cacerts } = fields
  if (typeof key !== 'string' || typeof cert !== 'string') return refusal(400, 'key and cert must be strings.')
  if (cacerts !== null && typeof cacerts !== 'string') return refusal(400, 'cacerts must be a string or null.')
  const facts = certificateFacts(key, cert)
  if (!facts) return refusal(400, 'key and cert do not belong together.')
  keepPrevious(world, app)
  app.ssl = { key, cert, cacerts, auto: false, force: app.ssl?.force ?? false, ...facts, dueAt: null }
  return changed(world, app, true, sslView(app.ssl))
}

function deleteSsl(world: World, app: AppState): Answer {
  if (!app.ssl) return repeated(world, {}, 'SSL is not enabled for this app.')
  keepPrevious(world, app)
  app.ssl = null
  return changed(world, app, true, {})
}

function certificateFacts(key: string, cert: string): { names: string[]; notAfter: number } | undefined {
  try {
    const parsed = new X509Certificate(cert)
    if (!parsed.checkPrivateKey(createPrivateKey(key))) return undefined
    const names = (parsed.subjectAltName ?? '').split(', ').map((name) => name.replace(/^(DNS|IP Address):/, ''))
    return { names, notAfter: Date.parse(parsed.validTo) }
  } catch {
    return undefined // not PEM, or not a key: the same to the caller as a wrong pair
  }
}

function fieldsOf(world: World, request: ApiRequest, known: readonly string[]): Answer | { fields: Fields } {
  if (world.behaviours.requireJsonContentType && !/^application\/json\s*(;|$)/i.test(request.contentType)) {
    return refusal(400, 'Content-Type must be application/json.')
  }
  if (request.malformed) return refusal(400, 'The request body is not valid JSON.')
  if (typeof request.body !== 'object' || request.body === null || Array.isArray(request.body)) {
    return refusal(400, 'The request body must be a JSON object.')
  }
  const unknown = Object.keys(request.body).find((name) => !known.includes(name))
  const ignored = unknown === undefined || world.behaviours.unknownFields === 'ignore'
  return ignored ? { fields: request.body as Fields } : refusal(400, `Unknown field ${unknown}.`)
}

function keepPrevious(world: World, app: AppState): void {
  world.dirty = true
  app.previous = { domains: app.domains, ssl: app.ssl }
}

/** The API's view of SSL. */
export function sslView(ssl: SslState | null) {
  return ssl && { key: ssl.key, cert: ssl.cert, cacerts: ssl.cacerts, auto: ssl.auto, force: ssl.force }
}

function repeated(world: World, data: unknown, message: string): Answer {
  return world.behaviours.repeatedSsl === 'accept' ? found(data) : refusal(world.behaviours.sslErrorStatus, message)
}

function changed(world: World, app: AppState, configured: boolean, data: unknown): Answer {
  world.dirty = true
  if (!configured) return found(data)
  return { status: 200, body: { actionid: startAction(world, app.serverid).id, data } }
}

function found(data: unknown): Answer {
  return { status: 200, body: { data } }
}

function foundOrNot(data: unknown, what: string): Answer {
  return data === undefined ? refusal(404, `No such ${what}.`) : found(data)
}
