/** The objects of a Kubernetes API server and what its verbs do to them: no network, no faults, no time of its own. */

/** An object as JSON has it. */
export interface KubeObject {
  apiVersion?: string
  kind?: string
  metadata: Metadata
  spec?: unknown
  status?: unknown
  data?: unknown
}

interface Metadata {
  name: string
  namespace?: string
  uid?: string
  resourceVersion?: string
  generation?: number
  creationTimestamp?: string
  deletionTimestamp?: string
  finalizers?: string[]
  labels?: Record<string, string>
  annotations?: Record<string, string>
}

/** What a path is about. */
export interface Target {
  /** `/apis/GROUP/VERSION` and the plural name, without a namespace. */
  resource: string
  namespace: string | undefined
  name: string | undefined
  status: boolean
}

/** One change, as a watch tells it. */
export interface Change {
  revision: number
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  resource: string
  object: KubeObject
}

/** A request that is refused, in the words of a `Status`. */
export class Refused extends Error {
  readonly code: number
  readonly reason: string

  constructor(code: number, reason: string, message: string) {
    super(message)
    this.code = code
    this.reason = reason
  }
}

/** A copy of everything, as a backup of etcd holds it. */
export interface Backup {
  revision: number
  objects: ReadonlyMap<string, KubeObject>
}

/** The stored objects. */
export interface ApiObjects {
  revision(): number
  read(target: Target): KubeObject
  list(target: Target): KubeObject[]
  create(target: Target, body: KubeObject): KubeObject
  replace(target: Target, body: KubeObject): KubeObject
  merge(target: Target, body: Record<string, unknown>): KubeObject
  /** Server-side apply of finalizers alone, which is all that is asked of it. */
  applyFinalizers(target: Target, manager: string, body: KubeObject): KubeObject
  remove(target: Target): void
  /** Changes after a revision; undefined when they are not kept any more. */
  since(revision: number, target: Target): Change[] | undefined
  /** Forgets what changed up to now. */
  compact(): void
  backup(): Backup
  restore(backup: Backup): void
}

const NAMESPACES = '/api/v1/namespaces'

/** What a path asks for. Throws `Refused` for one that there is not. */
export function targetOf(path: string): Target {
  const [, root, namespace, plural, name, sub] =
    /^(\/api\/v1|\/apis\/[^/]+\/[^/]+)(?:\/namespaces\/([^/]+))?\/([a-z]+)(?:\/([^/]+))?(?:\/(status))?$/.exec(path) ??
    []
  if (root === undefined || plural === undefined) throw new Refused(404, 'NotFound', 'the path is not known')
  const decoded = (part: string | undefined): string | undefined =>
    part === undefined ? undefined : decodeURIComponent(part)
  return {
    resource: `${root}/${plural}`,
    namespace: decoded(namespace),
    name: decoded(name),
    status: sub !== undefined,
  }
}

/** An API server's objects, none at first. `uid` gives a new one each time; `now` epoch milliseconds. */
export function createApiObjects({ uid, now }: { uid(): string; now(): number }): ApiObjects {
  let objects = new Map<string, KubeObject>()
  let revision = 1
  let history: Change[] = []
  /** Changes up to this revision are forgotten. */
  let floor = 1
  /** Finalizers by manager. */
  const applied = new Map<string, Map<string, readonly string[]>>()

  const idOf = ({ resource, namespace, name }: Target): string => `${resource} ${namespace ?? ''} ${name}`

  function read(target: Target): KubeObject {
    const found = objects.get(idOf(target))
    if (found === undefined) throw new Refused(404, 'NotFound', `${target.resource} "${target.name}" not found`)
    return found
  }

  function keep(target: Target, type: Change['type'], object: KubeObject): KubeObject {
    revision++
    const kept = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } }
    if (type === 'DELETED') objects.delete(idOf(target))
    else objects.set(idOf(target), kept)
    history.push({ revision, type, resource: target.resource, object: kept })
    return kept
  }

  /** Stores another version of an object; one that is being deleted goes with its last finalizer. */
  function store(target: Target, before: KubeObject, after: KubeObject): KubeObject {
    const next = { ...after, metadata: { ...after.metadata, ...versionOf(before) } }
    if (JSON.stringify(next) === JSON.stringify(before)) return before
    const { deletionTimestamp, finalizers = [], generation = 1 } = next.metadata
    if (deletionTimestamp !== undefined && finalizers.length === 0) return keep(target, 'DELETED', next)
    const grown = JSON.stringify(next.spec) === JSON.stringify(before.spec) ? generation : generation + 1
    return keep(target, 'MODIFIED', { ...next, metadata: { ...next.metadata, generation: grown } })
  }

  function assertVersion(before: KubeObject, given: Partial<Metadata> | undefined): void {
    const { resourceVersion, uid: wanted } = given ?? {}
    const old = resourceVersion !== undefined && resourceVersion !== before.metadata.resourceVersion
    const other = wanted !== undefined && wanted !== before.metadata.uid
    if (old || other) throw new Refused(409, 'Conflict', `"${before.metadata.name}" has been modified`)
  }

  const within = (object: KubeObject, { namespace }: Target): boolean =>
    namespace === undefined || object.metadata.namespace === namespace

  return {
    revision: () => revision,
    read,
    list: (target) =>
      [...objects]
        .filter(([id, object]) => id.startsWith(`${target.resource} `) && within(object, target))
        .map(([, object]) => object),
    create(target, body) {
      const { namespace } = target
      const named = { ...target, name: body.metadata.name }
      if (namespace !== undefined && !objects.has(`${NAMESPACES}  ${namespace}`))
        throw new Refused(404, 'NotFound', `namespaces "${namespace}" not found`)
      if (objects.has(idOf(named))) throw new Refused(409, 'AlreadyExists', `"${named.name}" already exists`)
      const { resourceVersion: _, ...given } = body.metadata
      const metadata = { ...given, uid: uid(), generation: 1, creationTimestamp: new Date(now()).toISOString() }
      return keep(named, 'ADDED', { ...body, metadata: { ...metadata, ...(namespace && { namespace }) } })
    },
    replace(target, body) {
      const before = read(target)
      assertVersion(before, body.metadata)
      const { uid, creationTimestamp, generation } = before.metadata
      const kept = { uid, creationTimestamp, generation } as Metadata
      return store(target, before, { ...body, metadata: { ...body.metadata, ...kept } })
    },
    merge(target, body) {
      const before = read(target)
      assertVersion(before, body.metadata as Metadata | undefined)
      const { status, ...rest } = body
      const patch = target.status ? { status } : rest
      return store(target, before, merged(before, patch) as KubeObject)
    },
    applyFinalizers(target, manager, body) {
      const before = objects.get(idOf(target))
      if (before === undefined) throw new Refused(body.metadata.uid === undefined ? 404 : 409, 'Conflict', 'it is gone')
      assertVersion(before, body.metadata)
      const uid = before.metadata.uid ?? ''
      const managers = applied.get(uid) ?? new Map<string, readonly string[]>()
      const mine = managers.get(manager) ?? []
      const wanted = body.metadata.finalizers ?? []
      applied.set(uid, managers.set(manager, wanted))
      const others = (before.metadata.finalizers ?? []).filter((each) => !mine.includes(each))
      const finalizers = [...new Set([...others, ...wanted])]
      return store(target, before, { ...before, metadata: { ...before.metadata, finalizers } })
    },
    remove(target) {
      const before = read(target)
      if ((before.metadata.finalizers ?? []).length === 0) keep(target, 'DELETED', before)
      else if (before.metadata.deletionTimestamp === undefined) {
        const metadata = { ...before.metadata, deletionTimestamp: new Date(now()).toISOString() }
        store(target, before, { ...before, metadata })
      }
    },
    since(from, target) {
      if (from < floor) return undefined
      // Most watches know all but the last few changes.
      let first = history.length
      while (first > 0 && history[first - 1]!.revision > from) first--
      return history
        .slice(first)
        .filter(({ resource, object }) => resource === target.resource && within(object, target))
    },
    compact() {
      history = []
      floor = revision
    },
    backup: () => ({ revision, objects: new Map(objects) }),
    restore(backup) {
      objects = new Map(backup.objects)
      revision = backup.revision
      history = history.filter((change) => change.revision <= revision)
      floor = Math.min(floor, revision)
    },
  }
}

const versionOf = ({ metadata: { resourceVersion } }: KubeObject): Pick<Metadata, 'resourceVersion'> =>
  resourceVersion === undefined ? {} : { resourceVersion }

/** A merge patch (RFC 7386). */
function merged(value: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const base = typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
  const result = base as Record<string, unknown>
  for (const [name, change] of Object.entries(patch)) {
    if (change === null) delete result[name]
    else if (change !== undefined) result[name] = merged(result[name], change)
  }
  return result
}
