import type { CreateHttp, Http, HttpRequest } from '../../src/serverpilot/http.ts'
import { changeDomains } from '../../src/simulator/api.ts'
import { createCore } from '../../src/simulator/core.ts'
import type { SimulatorOptions } from '../../src/simulator/options.ts'
import { serve } from '../../src/simulator/serve.ts'
import type { Reply } from '../../src/simulator/spoil.ts'
import type { Life } from './life.ts'
import type { Random } from './random.ts'
import type { WorldTime } from './world-time.ts'

/** A write of a list, at the moment at which ServerPilot carried it out. */
export interface Write {
  at: number
  life: Life
  appId: string
  before: readonly string[]
  after: readonly string[]
  /** When this process was last told the list before it sent this, and what ServerPilot had then; undefined: never. */
  basis: Basis | undefined
}

/** A reading of a list, as a process was told it. */
interface Basis {
  at: number
  had: readonly string[]
  /** How long the process had run when it asked, and when it sent the write that stands on it; milliseconds. */
  asked: number
  sent: number
}

/** ServerPilot as processes and people reach it. */
export interface ServerPilotModel {
  readonly core: ReturnType<typeof createCore>
  readonly trouble: {
    /** Nobody reaches it. */
    away: boolean
    /** Milliseconds that a call takes at most, there and back. */
    slowMs: number
  }
  connect(life: Life): CreateHttp
  listed(appId: string): readonly string[]
  /** Somebody else changes a list. */
  change(appId: string, change: (names: readonly string[]) => readonly string[]): void
  onWrite(callback: (write: Write) => void): void
  /** `callback` gives what is to be called once the request is answered, or given up. */
  onRequest(callback: (life: Life, request: HttpRequest) => () => void): void
}

export const API = 'https://api.serverpilot.io/v1'

/** A ServerPilot with these apps. */
export function createServerPilotModel(options: SimulatorOptions, time: WorldTime, random: Random): ServerPilotModel {
  const core = createCore({ ...options, random: random.next, maxCalls: 50 }, (ms) =>
    ms <= 0 ? Promise.resolve() : time.wait(ms),
  )
  const trouble: ServerPilotModel['trouble'] = { away: false, slowMs: 60 }
  const writeListeners: ((write: Write) => void)[] = []
  const requestListeners: ((life: Life, request: HttpRequest) => () => void)[] = []
  /** By process and app: the list as ServerPilot had it when it last answered. */
  const told = new Map<Life, Map<string, Omit<Basis, 'sent'>>>()

  const listed = (appId: string): readonly string[] => core.world.model.apps.get(appId)?.domains ?? []

  /** Each list as it was when somebody changed it last. */
  const known = new Map<string, readonly string[]>()
  for (const appId of core.apps) known.set(appId, listed(appId))

  /** Called when a write takes effect, which may be long after it was sent. */
  function noteWrites(life: Life, appId: string | undefined, basis: Write['basis']): void {
    if (appId === undefined) return
    const before = known.get(appId) ?? []
    const after = listed(appId)
    if (after === before) return
    known.set(appId, after)
    for (const listener of writeListeners) listener({ at: time.now(), life, appId, before, after, basis })
  }

  function noteRead(life: Life, path: string, asked: number): void {
    const mine = told.get(life) ?? new Map<string, Omit<Basis, 'sent'>>()
    told.set(life, mine)
    const [, id] = /^\/v1\/apps(?:\/([^/]+))?$/.exec(path) ?? []
    const ids = id === undefined ? [...core.world.model.apps.keys()] : [id]
    for (const each of ids) mine.set(each, { at: time.now(), had: listed(each), asked })
  }

  async function call(life: Life, request: HttpRequest): Promise<Reply | 'away'> {
    const sent = life.awake()
    await time.wait(random.next() * trouble.slowMs)
    if (trouble.away) return 'away'
    const { method, url, authorization, body } = request
    const isList = method === 'GET' && /^\/v1\/apps(\/[^/]+)?$/.test(url.pathname)
    const appId = method === 'POST' ? /^\/v1\/apps\/([^/]+)$/.exec(url.pathname)?.[1] : undefined
    const read = { body: body === undefined ? undefined : (JSON.parse(body) as unknown), malformed: false }
    if (isList) noteRead(life, url.pathname, sent)
    const basis = told.get(life)?.get(appId ?? '')
    const service = { ...core.service, save: () => noteWrites(life, appId, basis && { ...basis, sent }) }
    const incoming = { method, url: url.pathname, authorization, contentType: 'application/json', read }
    const reply = await serve(service, incoming)
    await time.wait(random.next() * trouble.slowMs)
    return reply
  }

  function request(life: Life, sent: HttpRequest, timeoutMs: number): ReturnType<Http> {
    const ends = requestListeners.map((listener) => listener(life, sent))
    const over = (): void => {
      for (const end of ends) end()
    }
    return new Promise((resolve, reject) => {
      const { signal } = sent
      const end = (): void => {
        over()
        cancel()
        signal?.removeEventListener('abort', abort)
      }
      const abort = (): void => {
        end()
        reject(signal?.reason)
      }
      if (signal?.aborted) return reject(signal.reason)
      const cancel = life.clock.after(timeoutMs, () => {
        end()
        resolve({ kind: 'failure', at: 'sent', code: 'TIMEOUT', after: timeoutMs })
      })
      signal?.addEventListener('abort', abort, { once: true })
      void life
        .ask(() => call(life, sent).finally(over))
        .then((reply) => {
          const answer = answerOf(reply)
          if (answer === undefined) return
          end()
          resolve(answer)
        })
    })
  }

  return {
    core,
    trouble,
    listed,
    connect:
      (life) =>
      ({ timeoutMs }) =>
      (sent) =>
        request(life, sent, timeoutMs),
    change(appId, change) {
      const app = core.world.model.apps.get(appId)
      if (app === undefined) return
      changeDomains(core.world, app, change(app.domains))
      known.set(appId, listed(appId))
    },
    onWrite: (callback) => void writeListeners.push(callback),
    onRequest: (callback) => void requestListeners.push(callback),
  }
}

function answerOf(reply: Reply | 'away'): Awaited<ReturnType<Http>> | undefined {
  if (reply === 'away') return { kind: 'failure', at: 'connect', code: 'ECONNREFUSED' }
  switch (reply.kind) {
    case 'silence':
      return undefined
    case 'reset':
    case 'cut':
      return { kind: 'failure', at: 'sent', code: 'ECONNRESET' }
    case 'text': {
      const { status, text, headers } = reply
      return { kind: 'answer', status, text, location: headers.location, retryAfter: headers['retry-after'] }
    }
  }
}
