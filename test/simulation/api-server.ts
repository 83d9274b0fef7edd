import { KubernetesError, type Transport } from '../../src/kubernetes/http.ts'
import { type ApiObjects, type Change, type KubeObject, Refused, type Target, targetOf } from './api-objects.ts'
import type { Life } from './life.ts'
import type { WorldTime } from './world-time.ts'

type Call = Parameters<Transport['call']>[0]

/** The process that wrote a Lease last, and when. */
export interface LeaseHolder {
  life: Life
  at: number
}

/** How the API server is at present. */
export interface ApiServerTrouble {
  /** It answers nobody. */
  away: boolean
  /** Share of calls that fail, half of them after they took effect. */
  failing: number
  /** Milliseconds that a call takes at most. */
  slowMs: number
  /** Called when a process has written an object of this resource. */
  onWrite(life: Life, resource: string): void
}

/** A Kubernetes API server as processes reach it. */
export interface ApiServer {
  readonly objects: ApiObjects
  readonly trouble: ApiServerTrouble
  /** To be called when somebody changed the objects. */
  changed(): void
  /** Which process wrote a Lease last, and when; undefined once it was given back. */
  leader(): LeaseHolder | undefined
  /** Ends every watch, as a restart does. */
  cutWatches(): void
  /** A connection for one process. */
  connect(life: Life): Transport
}

/** Between two bookmarks; ms. */
const BOOKMARK_MS = 60_000

interface Watch {
  wake(): void
  cut(): void
}

/** An API server over these objects. */
export function createApiServer(objects: ApiObjects, time: WorldTime): ApiServer {
  const trouble: ApiServerTrouble = {
    away: false,
    failing: 0,
    slowMs: 4,
    onWrite: () => undefined,
  }
  const watches = new Set<Watch>()
  const changed = (): void => {
    for (const watch of watches) watch.wake()
  }

  let leader: LeaseHolder | undefined

  function noteLease(life: Life, { path, method }: Call, written: KubeObject): void {
    if (method === 'GET' || !path.includes('/leases')) return
    const { holderIdentity = '' } = (written.spec ?? {}) as { holderIdentity?: string }
    leader = holderIdentity === '' ? undefined : { life, at: time.now() }
  }

  function answer(life: Life, call: Call): unknown {
    const { method, path, body } = call
    const [bare = '', search = ''] = path.split('?')
    const query = new URLSearchParams(search)
    const target = targetOf(bare)
    const given = body === undefined ? undefined : (JSON.parse(body) as KubeObject)
    if (method === 'GET') return target.name === undefined ? listOf(target) : objects.read(target)
    try {
      if (method === 'POST' || method === 'PUT') {
        const written = method === 'POST' ? objects.create(target, given!) : objects.replace(target, given!)
        noteLease(life, call, written)
        return written
      }
      if (query.get('force') === 'true') return objects.applyFinalizers(target, query.get('fieldManager') ?? '', given!)
      return objects.merge(target, given as unknown as Record<string, unknown>)
    } finally {
      changed()
      trouble.onWrite(life, target.resource)
    }
  }

  function listOf(target: Target): unknown {
    return { metadata: { resourceVersion: String(objects.revision()) }, items: objects.list(target) }
  }

  async function reach(life: Life): Promise<void> {
    await time.wait(life.random.next() * trouble.slowMs)
    if (trouble.away) throw new KubernetesError({ reason: 'Unreachable', message: 'the API server cannot be reached' })
  }

  async function call(life: Life, request: Call): Promise<string> {
    await reach(life)
    const fails = life.random.chance(trouble.failing)
    const before = life.random.chance(0.5)
    if (fails && before) throw failed()
    let text: string
    try {
      text = JSON.stringify(answer(life, request))
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      const { code, reason, message } = error
      throw new KubernetesError({ code, reason, message })
    }
    await time.wait(life.random.next() * trouble.slowMs)
    if (fails) throw failed()
    return text
  }

  return {
    objects,
    trouble,
    changed,
    leader: () => leader,
    cutWatches() {
      for (const watch of [...watches]) watch.cut()
    },
    connect: (life) => ({
      call: (request, timeoutMs) => life.ask(() => inTime(time, timeoutMs, call(life, request), request.signal)),
      async stream(request) {
        const watch = await life.ask(async () => {
          await reach(life)
          return openWatch({ objects, time, life, watches }, request)
        })
        return watch
      },
      close() {},
    }),
  }
}

const failed = (): KubernetesError =>
  new KubernetesError({ code: 500, reason: 'InternalError', message: 'an error on the server' })

function inTime<T>(time: WorldTime, ms: number, work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal?.reason)
    if (signal?.aborted) return abort()
    signal?.addEventListener('abort', abort, { once: true })
    const cancel = time.after(ms, () =>
      reject(new KubernetesError({ reason: 'Timeout', message: 'the API server did not answer in time' })),
    )
    work.then(resolve, reject).finally(() => {
      cancel()
      signal?.removeEventListener('abort', abort)
    })
  })
}

interface WatchGround {
  objects: ApiObjects
  time: WorldTime
  life: Life
  watches: Set<Watch>
}

const line = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`

function bookmark(revision: number, initial: boolean): string {
  const annotations = initial ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}
  return line('BOOKMARK', { metadata: { resourceVersion: String(revision), ...annotations } })
}

/** The lines of a watch from now on. A version that is newer than the server's own is taken, and nothing is sent (kube-apiserver 1.37.2). */
function openWatch({ objects, time, life, watches }: WatchGround, { path, signal }: Call): AsyncIterable<Uint8Array> {
  const [bare = '', search = ''] = path.split('?')
  const query = new URLSearchParams(search)
  const target = targetOf(bare)
  const only = /^metadata\.name=(.+)$/.exec(query.get('fieldSelector') ?? '')?.[1]
  const wanted = ({ object }: Change): boolean => only === undefined || object.metadata.name === only
  const initial = query.get('sendInitialEvents') === 'true' || query.get('resourceVersion') === null
  let from = initial ? objects.revision() : Number(query.get('resourceVersion'))
  let pending: string[] = []
  let ended = false
  let notify = (): void => {}
  if (initial) {
    pending.push(
      ...objects
        .list(target)
        .filter((object) => wanted({ object } as Change))
        .map((each) => line('ADDED', each)),
    )
    if (query.get('sendInitialEvents') === 'true') pending.push(bookmark(from, true))
  }
  const push = (text: string): void => {
    pending.push(text)
    life.deliver(() => notify())
  }
  const end = (): void => {
    ended = true
    watches.delete(watch)
    cancelEnd()
    cancelBookmark()
    life.deliver(() => notify())
  }
  const watch: Watch = {
    wake() {
      const changes = objects.since(from, target)
      if (changes === undefined) {
        push(line('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' }))
        end()
        return
      }
      for (const change of changes) {
        from = change.revision
        if (wanted(change)) push(line(change.type, change.object))
      }
    },
    cut: end,
  }
  const mark = (): void => {
    if (query.get('allowWatchBookmarks') === 'true' && objects.revision() >= from) {
      from = objects.revision()
      push(bookmark(from, false))
    }
    cancelBookmark = time.after(BOOKMARK_MS, mark)
  }
  const cancelEnd = time.after(Number(query.get('timeoutSeconds') ?? 300) * 1000, end)
  let cancelBookmark = time.after(BOOKMARK_MS, mark)
  watches.add(watch)
  if (!initial) watch.wake()
  return lines()

  async function* lines(): AsyncGenerator<Uint8Array> {
    const abort = (): void => notify()
    signal?.addEventListener('abort', abort, { once: true })
    try {
      for (;;) {
        if (signal?.aborted) throw signal.reason
        if (pending.length > 0) {
          const text = pending.join('')
          pending = []
          yield Buffer.from(text)
        } else if (ended) return
        else
          await new Promise<void>((resolve) => {
            notify = resolve
          })
      }
    } finally {
      signal?.removeEventListener('abort', abort)
      end()
    }
  }
}
