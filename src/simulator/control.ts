/** The control API: everything that a test in another process does to the account. No credentials: loopback only by default. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import * as z from 'zod'
import type { Account } from './account.ts'
import { type Answer, refusal } from './api.ts'
import type { CallLog } from './calls.ts'
import { type Faults, faultRuleSchema } from './faults.ts'
import { readBody, sendAnswer } from './http.ts'
import type { Behaviours } from './options.ts'

/** What the control API works on. */
export interface Controlled {
  account: Account
  faults: Faults
  calls: CallLog
  /** Otherwise every path answers 403. */
  enabled: boolean
}

interface ControlRequest {
  id: string
  body: unknown
  query: URLSearchParams
}

type Handler = (controlled: Controlled, request: ControlRequest) => unknown

const listSchema = z.array(z.string())
const certificateSchema = z.strictObject({
  auto: z.boolean().exactOptional(),
  force: z.boolean().exactOptional(),
  names: listSchema.exactOptional(),
  notAfter: z.number().exactOptional(),
})
const appSchema = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9]{16}$/)
    .exactOptional(),
  name: z.string(),
  domains: listSchema.exactOptional(),
  serverId: z.string().exactOptional(),
  runtime: z.string().exactOptional(),
  ssl: certificateSchema.nullable().exactOptional(),
})
const behavioursSchema = z
  .strictObject({
    allowPut: z.boolean(),
    wrongMethod: z.literal([404, 405]),
    requireJsonContentType: z.boolean(),
    unknownFields: z.enum(['reject', 'ignore']),
    maxDomains: z.int().min(0),
    emptyList: z.enum(['accept', 'reject']),
    upperCase: z.enum(['reject', 'lower', 'keep']),
    duplicates: z.enum(['reject', 'collapse']),
    idn: z.enum(['reject', 'punycode']),
    presentNamesPass: z.boolean(),
    rejectedNames: z.array(z.string().refine(isUsablePattern, 'not a regular expression')),
    quotedNames: z.enum(['first', 'all', 'none']),
    order: z.enum(['kept', 'sorted', 'shuffled', 'shuffledEachRead']),
    wwwAppears: z.boolean(),
    whileActionOpen: z.enum(['queue', 'conflict']),
    repeatedSsl: z.enum(['error', 'accept']),
    sslErrorStatus: z.int().min(400).max(499),
    unresolvedName: z.enum(['block', 'skip']),
    wildcardOrAddress: z.enum(['skip', 'block']),
    tooManyNames: z.enum(['skip', 'block']),
    availableDuringChange: z.enum(['none', 'earlier']),
    reissue: z.enum(['automatic', 'onPost', 'afterDelete']),
    renewal: z.boolean(),
    rateLimit: z.strictObject({ requests: z.int().min(0), per: z.int().min(1), retryAfter: z.int().min(0) }).nullable(),
  } satisfies Record<keyof Behaviours, z.ZodType>)
  .partial()

const ROUTES: Record<string, Handler> = {
  'GET ': () => ({ routes: Object.keys(ROUTES).map((route) => route.replace(' ', ' /_control/')) }),
  'GET state': ({ account }) => {
    const { apps, servers, actions, behaviours } = account
    return { now: account.now(), behaviours, servers, actions, apps: apps.map(withoutKeys) }
  },
  'GET apps/:id': ({ account }, { id }) => withoutKeys(account.app(id)),
  'POST apps': ({ account }, { body }) => ({ id: account.addApp(appSchema.parse(body)) }),
  'DELETE apps/:id': ({ account }, { id }) => account.removeApp(id),
  'PUT apps/:id/domains': ({ account }, { id, body }) =>
    account.setDomains(
      id,
      z.union([listSchema, z.strictObject({ domains: listSchema }).transform((set) => set.domains)]).parse(body),
    ),
  'PUT apps/:id/ssl': ({ account }, { id, body }) =>
    account.setCertificate(id, certificateSchema.nullable().parse(body)),
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
    account.setBehaviours(withoutUndefined(behavioursSchema.parse(body)))
    return { behaviours: account.behaviours }
  },
  'PUT credentials': ({ account }, { body }) =>
    account.rotateKey(z.strictObject({ apiKey: z.string().min(1) }).parse(body).apiKey),
}

/** Serves a request under `/_control`. Rejects only for a request that breaks off. */
export async function control(
  controlled: Controlled,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const read = await readBody(request)
  const url = new URL(request.url ?? '/', 'http://simulator')
  const [what = '', id = '', part] = url.pathname.replace(/^\/_control\/?/, '').split('/')
  const path = [what, ...(id === '' ? [] : [':id']), ...(part === undefined ? [] : [part])].join('/')
  const handler = ROUTES[`${request.method} ${path}`]
  if (!controlled.enabled) return sendAnswer(response, refusal(403, 'The control API is off.'))
  if (!handler) return sendAnswer(response, refusal(404, 'No such control call; GET /_control/ lists them.'))
  if (!read || read.malformed) return sendAnswer(response, refusal(400, 'The request body is not valid JSON.'))
  sendAnswer(response, handled(controlled, handler, { id, body: read.body, query: url.searchParams }))
}

function handled(controlled: Controlled, handler: Handler, request: ControlRequest): Answer {
  try {
    return { status: 200, body: handler(controlled, request) ?? { done: true } }
  } catch (error) {
    if (error instanceof z.ZodError) return refusal(400, z.prettifyError(error))
    return refusal(error instanceof Error && error.message.startsWith('no app ') ? 404 : 400, String(error))
  }
}

function isUsablePattern(entry: string): boolean {
  if (!entry.startsWith('/') || !entry.endsWith('/')) return true
  try {
    new RegExp(entry.slice(1, -1))
    return true
  } catch {
    return false
  }
}

function withoutKeys<T extends { ssl: { key: string | null } | null; previous: unknown }>(app: T) {
  const { previous: _, ssl, ...rest } = app
  if (!ssl) return { ...rest, ssl }
  const { key: __, ...shown } = ssl
  return { ...rest, ssl: shown }
}

/** `partial()` types an absent field as undefined; spread over the behaviours that would take away their values. */
function withoutUndefined(changes: z.infer<typeof behavioursSchema>): Partial<Behaviours> {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined))
}
