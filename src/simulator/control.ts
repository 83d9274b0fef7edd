/** The control API: everything that a test in another process does to the account. No credentials: loopback only by default, never for a web page. */
import type { IncomingMessage } from 'node:http'
import * as z from 'zod'
import { isSafeHost } from '../domain/network.ts'
import type { Account } from './account.ts'
import { type Answer, refusal } from './api.ts'
import type { CallLog } from './calls.ts'
import { type Faults, faultRuleSchema } from './faults.ts'
import { readBody } from './http.ts'
import { appSeed, behaviours, certificateSeed } from './options.ts'
import type { AppState } from './state.ts'

/** What the control API works on. */
interface Controlled {
  account: Account
  faults: Faults
  calls: CallLog
  /** Otherwise every path answers 403. */
  enabled: boolean
}

type Handler = (controlled: Controlled, request: { id: string; body: unknown; query: URLSearchParams }) => unknown

const listSchema = z.array(z.string())
const domainsSchema = z.union([listSchema, z.strictObject({ domains: listSchema }).transform(({ domains }) => domains)])

const ROUTES: Record<string, Handler> = {
  'GET ': () => ({ routes: Object.keys(ROUTES).map((route) => route.replace(' ', ' /_control/')) }),
  'GET state': ({ account }) => {
    const { behaviours, servers, actions, apps } = account
    return { now: account.now(), behaviours, servers, actions, apps: apps.map(withoutKeys) }
  },
  'GET apps/:id': ({ account }, { id }) => withoutKeys(account.app(id)),
  'POST apps': ({ account }, { body }) => ({ id: account.addApp(appSeed.parse(body)) }),
  'DELETE apps/:id': ({ account }, { id }) => account.removeApp(id),
  'PUT apps/:id/domains': ({ account }, { id, body }) => account.setDomains(id, domainsSchema.parse(body)),
  'PUT apps/:id/ssl': ({ account }, { id, body }) => account.setCertificate(id, certificateSeed.nullable().parse(body)),
  'GET faults': ({ faults }) => ({ faults: faults.list() }),
  'POST faults': ({ faults }, { body }) => {
    const rules = z.array(faultRuleSchema).parse(Array.isArray(body) ? body : [body])
    return { ids: rules.map((rule) => faults.add(rule)) }
  },
  'DELETE faults': ({ faults }) => faults.clear(),
  'GET calls': ({ calls }, { query }) => ({ calls: calls.list(Number(query.get('after') ?? 0)) }),
  'DELETE calls': ({ calls }) => calls.clear(),
  'GET counts': ({ calls }) => ({ counts: calls.counts() }),
  'POST dns': ({ account }, { body }) => account.setDns(z.record(z.string(), listSchema.nullable()).parse(body)),
  'POST clock': ({ account }, { body }) => {
    account.advance(z.strictObject({ advance: z.number().min(0) }).parse(body).advance)
    return { now: account.now() }
  },
  'PUT behaviours': ({ account }, { body }) => {
    const changes = z.record(z.string(), z.unknown()).parse(body)
    account.setBehaviours(behaviours.parse({ ...account.behaviours, ...changes }))
    return { behaviours: account.behaviours }
  },
  'PUT credentials': ({ account }, { body }) =>
    account.rotateKey(z.strictObject({ apiKey: z.string().min(1) }).parse(body).apiKey),
}

/** Does what a request under `/_control` asks for and answers it. Rejects only for one that breaks off. */
export async function control(controlled: Controlled, request: IncomingMessage): Promise<Answer> {
  const read = await readBody(request)
  const url = new URL(request.url ?? '/', 'http://simulator')
  const [what = '', id = '', part] = url.pathname.replace(/^\/_control\/?/, '').split('/')
  const path = [what, ...(id === '' ? [] : [':id']), ...(part === undefined ? [] : [part])].join('/')
  const handler = ROUTES[`${request.method} ${path}`]
  if (!controlled.enabled) return refusal(403, 'The control API is off.')
  if (isForeign(request))
    return refusal(403, 'The control API answers to no web page, and by no name but an address or localhost.')
  if (!handler) return refusal(404, 'No such control call; GET /_control/ lists them.')
  if (!read || read.malformed) return refusal(400, 'The request body is not valid JSON.')
  try {
    const body = handler(controlled, { id, body: read.body, query: url.searchParams })
    return { status: 200, body: body ?? { done: true } }
  } catch (error) {
    if (error instanceof z.ZodError) return refusal(400, z.prettifyError(error))
    return refusal(error instanceof Error && error.message.startsWith('no app ') ? 404 : 400, String(error))
  }
}

/** Whether a page that somebody else wrote may have made a browser ask this. */
function isForeign({ headers: { host, origin } }: IncomingMessage): boolean {
  return !isSafeHost(host) || (origin !== undefined && origin !== `http://${host}`)
}

/** JSON leaves out what is undefined. */
function withoutKeys(app: AppState) {
  return { ...app, previous: undefined, ssl: app.ssl && { ...app.ssl, key: undefined } }
}
