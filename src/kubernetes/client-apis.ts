import { z } from 'zod'
import { API_VERSION } from '../api/objects.ts'
import {
  type ConfigMapApi,
  codeOf,
  type EventApi,
  type LeaseApi,
  type LeaseWrite,
  type ObjectRef,
  objectPath,
  type StatusApi,
  type StoredConfigMap,
  type StoredLease,
} from './api.ts'
import type { Caller, Connection, JsonCall } from './connection.ts'
import { KubernetesError } from './http.ts'
import { eventOf, jsonLines } from './reflector-events.ts'

/** Who writes, in `managedFields`. */
const FIELD_MANAGER = { fieldManager: 'domainpilot' }

const MANAGED = { 'app.kubernetes.io/managed-by': 'domainpilot' }

/** Seconds after which the server ends a watch. */
const WATCH_SECONDS = 270

/** A merge patch: what it does not name stays as it is. */
export function mergePatch(path: string, body: unknown, query: JsonCall['query'] = FIELD_MANAGER): JsonCall {
  return { method: 'PATCH', path, query, body, contentType: 'application/merge-patch+json' }
}

const words = z.record(z.string(), z.string()).default({})

const leaseSpec = z
  .object({
    holderIdentity: z.string().default(''),
    leaseDurationSeconds: z.number().default(0),
    acquireTime: z.string().default(''),
    renewTime: z.string().default(''),
    leaseTransitions: z.number().default(0),
  })
  .transform(({ holderIdentity: holder, leaseDurationSeconds: durationSeconds, leaseTransitions, ...times }) => {
    return { holder, durationSeconds, transitions: leaseTransitions, ...times }
  })

const leaseObject = z
  .object({
    metadata: z.object({ resourceVersion: z.string(), labels: words, annotations: words }),
    spec: leaseSpec.prefault({}),
  })
  .transform(({ metadata, spec }): StoredLease => ({ ...metadata, record: spec }))

const configMapObject = z
  .object({ metadata: z.object({ resourceVersion: z.string() }), data: words })
  .transform(({ metadata, data }): StoredConfigMap => ({ ...metadata, data }))

const identifiedObject = z.object({
  metadata: z.object({ uid: z.string().exactOptional(), resourceVersion: z.string().exactOptional() }),
})

const accessReview = z.object({ status: z.object({ allowed: z.boolean() }) })

/** One Lease. Reads and writes go past the limit on requests: behind a queue of statuses a renewal would come too late. */
export function createLeaseApi(
  connection: Pick<Connection, 'raw' | 'urgent'>,
  namespace: string,
  name: string,
): LeaseApi {
  const { urgent } = connection
  const collection = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`
  const path = `${collection}/${encodeURIComponent(name)}`
  const lease = (write: LeaseWrite, metadata: Record<string, unknown>) => ({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { namespace, name, ...metadata },
    spec: {
      holderIdentity: write.holder,
      leaseDurationSeconds: write.durationSeconds,
      acquireTime: microTime(write.acquiredAt),
      renewTime: microTime(write.renewedAt),
      leaseTransitions: write.transitions,
    },
  })
  return {
    name: `${namespace}/${name}`,
    read: (signal) => unlessMissing(ask(urgent, leaseObject, { method: 'GET', path, signal })),
    create(write) {
      const body = lease(write, { labels: MANAGED })
      const call = { method: 'POST', path: collection, query: FIELD_MANAGER, body } as const
      return createdIn(namespace, ask(urgent, leaseObject, call))
    },
    replace(write, { resourceVersion, labels, annotations }) {
      const body = lease(write, { resourceVersion, labels, annotations })
      return ask(urgent, leaseObject, { method: 'PUT', path, query: FIELD_MANAGER, body })
    },
    async watch(changed, signal) {
      const query = { watch: true, fieldSelector: `metadata.name=${name}`, timeoutSeconds: WATCH_SECONDS }
      for await (const { values } of jsonLines(await connection.raw(collection, { query, signal }))) {
        for (const value of values) {
          const [event, item] = eventOf(value, 0)
          if (event.type === 'object' && event.change === 'put') changed(decoded(leaseObject, item?.object).record)
        }
      }
    },
  }
}

/** The ConfigMaps of a namespace. */
export function createConfigMapApi(caller: Caller, namespace: string): ConfigMapApi {
  const collection = `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps`
  const pathOf = (name: string): string => `${collection}/${encodeURIComponent(name)}`
  return {
    namespace,
    read: (name) => unlessMissing(ask(caller, configMapObject, { method: 'GET', path: pathOf(name) })),
    create(name, { labels, annotations, data }) {
      const metadata = { namespace, name, labels: { ...MANAGED, ...labels }, annotations }
      const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data }
      const call = { method: 'POST', path: collection, query: FIELD_MANAGER, body } as const
      return createdIn(namespace, ask(caller, configMapObject, call))
    },
    update(name, { labels, annotations, data }, resourceVersion) {
      const body = { metadata: { resourceVersion, labels: { ...MANAGED, ...labels }, annotations }, data }
      return ask(caller, configMapObject, mergePatch(pathOf(name), body))
    },
  }
}

/** The `status` of our kinds. */
export function createStatusApi(caller: Caller): StatusApi {
  return {
    async patchStatus(object, status) {
      return (await ask(caller, identifiedObject, mergePatch(`${objectPath(object)}/status`, { status }))).metadata
    },
  }
}

/** An app's object, and which one of that name. */
type AppRef = Omit<ObjectRef, 'kind'> & { uid?: string }

/**
 * One finalizer of ours on `ServerPilotApp` objects, by server-side apply under a manager of its own: whatever else stands on the
 * object, other finalizers too, is left alone, however stale our copy is. Another object of the same name is refused with 409.
 */
export function createFinalizers(caller: Caller, finalizer: string) {
  async function apply({ namespace, name, uid }: AppRef, finalizers: string[]): Promise<void> {
    const kind = 'ServerPilotApp'
    const metadata = { name, namespace, finalizers, ...(uid === undefined ? {} : { uid }) }
    await caller.call({
      method: 'PATCH',
      path: objectPath({ kind, namespace, name }),
      query: { fieldManager: `${FIELD_MANAGER.fieldManager}-finalizer`, force: true },
      body: { apiVersion: API_VERSION, kind, metadata },
      contentType: 'application/apply-patch+yaml',
    })
  }
  return {
    add: (object: AppRef) => apply(object, [finalizer]),
    /** Says nothing when the object is gone already. */
    remove: (object: AppRef) => unlessMissing(apply(object, [])),
  }
}

/** Events. */
export function createEventApi(caller: Caller): EventApi {
  const pathOf = (namespace: string): string =>
    `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/events`
  return {
    async create({ namespace, name, at, regarding, ...rest }) {
      const body = {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        ...rest,
        metadata: { namespace, name },
        regarding: { ...regarding, apiVersion: API_VERSION },
        eventTime: microTime(at),
      }
      await caller.call({ method: 'POST', path: pathOf(namespace), query: FIELD_MANAGER, body })
    },
    async patchSeries(namespace, name, { count, lastAt }) {
      const body = { series: { count, lastObservedTime: microTime(lastAt) } }
      await caller.call(mergePatch(`${pathOf(namespace)}/${encodeURIComponent(name)}`, body))
    },
  }
}

/** Whether the user of the connection may do this, in RBAC's words; in every namespace, where none is named. */
export async function mayDo(
  caller: Caller,
  resourceAttributes: { group: string; resource: string; verb: string; namespace?: string },
): Promise<boolean> {
  const apiVersion = 'authorization.k8s.io/v1'
  const body = { apiVersion, kind: 'SelfSubjectAccessReview', spec: { resourceAttributes } }
  const path = `/apis/${apiVersion}/selfsubjectaccessreviews`
  return (await ask(caller, accessReview, { method: 'POST', path, body })).status.allowed
}

/** A time (epoch ms) as Leases and Events have it: a date with milliseconds alone is refused. */
function microTime(at: number): string {
  return new Date(at).toISOString().replace(/Z$/, '000Z')
}

async function ask<T>(caller: Caller, schema: z.ZodType<T>, call: JsonCall): Promise<T> {
  return decoded(schema, await caller.call(call))
}

function decoded<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw new KubernetesError({ reason: 'Undecodable', message: 'the API server answered with something unexpected' })
}

/** What is not there can be created all the same, but for the namespace that it would stand in. */
async function createdIn<Result>(namespace: string, created: Promise<Result>): Promise<Result> {
  try {
    return await created
  } catch (error) {
    if (codeOf(error) !== 404) throw error
    const message = `namespace ${namespace} does not exist; create it (kubectl create namespace ${namespace}) or name another with --record-namespace`
    throw new KubernetesError({ code: 404, reason: 'NotFound', message })
  }
}

async function unlessMissing<Result>(answer: Promise<Result>): Promise<Result | undefined> {
  try {
    return await answer
  } catch (error) {
    if (codeOf(error) === 404) return undefined
    throw error
  }
}
