import {
  type CustomObjectsApi,
  type EventsV1Api,
  PatchStrategy,
  setHeaderOptions,
  type V1ConfigMap,
  type V1Lease,
  V1MicroTime,
} from '@kubernetes/client-node'
import { API_GROUP, API_VERSION } from '../api/objects.ts'
import {
  type ConfigMapApi,
  codeOf,
  type EventApi,
  type Kind,
  type LeaseApi,
  type LeaseWrite,
  type ObjectVersion,
  type StatusApi,
  type StoredConfigMap,
  type StoredLease,
} from './api.ts'
import type { Apis, Connection } from './connection.ts'
import { jsonLines } from './lines.ts'
import { eventOf } from './reflector-events.ts'

/** Who wrote, in `managedFields`. */
const FIELD_MANAGER = 'domainpilot'

const PLURAL: Record<Kind, string> = { ServerPilotApp: 'serverpilotapps', DomainMapping: 'domainmappings' }

/** A merge patch: the library's default would be taken for a JSON patch, and refused. */
const mergePatch = () => setHeaderOptions('Content-Type', PatchStrategy.MergePatch)

/** Seconds after which the server ends a watch. */
const WATCH_SECONDS = 270

/** One Lease. Reads and writes go past the limit on requests: behind a queue of statuses a renewal would come too late. */
export function createLeaseApi(
  connection: Pick<Connection, 'raw'> & { urgent: Pick<Connection['urgent'], 'coordination'> },
  namespace: string,
  name: string,
): LeaseApi {
  const api = connection.urgent.coordination
  return {
    name: `${namespace}/${name}`,
    async read() {
      return await unlessMissing(async () => storedLease(await api.readNamespacedLease({ namespace, name })))
    },
    async create(write) {
      const body: V1Lease = { metadata: { namespace, name, labels: { ...MANAGED } }, spec: leaseSpec(write) }
      return storedLease(await api.createNamespacedLease({ namespace, body, fieldManager: FIELD_MANAGER }))
    },
    async replace(write, { resourceVersion, labels, annotations }) {
      const body: V1Lease = {
        metadata: { namespace, name, resourceVersion, labels, annotations },
        spec: leaseSpec(write),
      }
      return storedLease(await api.replaceNamespacedLease({ namespace, name, body, fieldManager: FIELD_MANAGER }))
    },
    async watch(noticed, signal) {
      const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`
      const query = { watch: true, fieldSelector: `metadata.name=${name}`, timeoutSeconds: WATCH_SECONDS }
      const lines = await connection.raw(path, { dispatcher: 'watch', query, signal })
      for await (const values of jsonLines(lines)) {
        for (const value of values) {
          const [event, item] = eventOf(value, 0)
          if (event.type === 'object' && event.change === 'put') noticed(storedLease(item?.object as V1Lease).record)
        }
      }
    },
  }
}

/** The ConfigMaps of a namespace. */
export function createConfigMapApi(api: Pick<Apis, 'call'>, namespace: string): ConfigMapApi {
  const path = `/api/v1/namespaces/${namespace}/configmaps`
  const query = { fieldManager: FIELD_MANAGER }
  return {
    namespace,
    async read(name) {
      return await unlessMissing(async () =>
        storedConfigMap(await api.call({ method: 'GET', path: `${path}/${name}` })),
      )
    },
    async create(name, { labels, annotations, data }) {
      const metadata = { namespace, name, labels: { ...MANAGED, ...labels }, annotations }
      const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data }
      return storedConfigMap(await api.call({ method: 'POST', path, query, body }))
    },
    async update(name, { labels, annotations, data }, resourceVersion) {
      const body = { metadata: { resourceVersion, labels: { ...MANAGED, ...labels }, annotations }, data }
      const contentType = PatchStrategy.MergePatch
      return storedConfigMap(await api.call({ method: 'PATCH', path: `${path}/${name}`, query, body, contentType }))
    },
  }
}

/** The `status` of our kinds over the typed API. */
export function createStatusApi(api: CustomObjectsApi): StatusApi {
  return {
    async patchStatus(kind, namespace, name, status, resourceVersion) {
      const body = { ...(resourceVersion === undefined ? {} : { metadata: { resourceVersion } }), status }
      const version = API_VERSION.slice(API_GROUP.length + 1)
      const call = { group: API_GROUP, version, namespace, plural: PLURAL[kind], name, body }
      const answer: unknown = await api.patchNamespacedCustomObjectStatus(
        { ...call, fieldManager: FIELD_MANAGER },
        mergePatch(),
      )
      return versionOf(answer)
    },
  }
}

/**
 * One finalizer of ours on `ServerPilotApp` objects, by server-side apply under a manager of its own: whatever else stands on the
 * object, other finalizers too, is left alone, however stale our copy is. Another object of the same name is refused with 409.
 */
export function createFinalizers(api: CustomObjectsApi, finalizer: string) {
  async function apply(object: { namespace: string; name: string; uid?: string }, finalizers: string[]): Promise<void> {
    const { namespace, name, uid } = object
    const version = API_VERSION.slice(API_GROUP.length + 1)
    const metadata = { name, namespace, finalizers, ...(uid === undefined ? {} : { uid }) }
    const call = { group: API_GROUP, version, namespace, plural: PLURAL.ServerPilotApp, name }
    await api.patchNamespacedCustomObject(
      {
        ...call,
        body: { apiVersion: API_VERSION, kind: 'ServerPilotApp', metadata },
        fieldManager: `${FIELD_MANAGER}-finalizer`,
        force: true,
      },
      setHeaderOptions('Content-Type', PatchStrategy.ServerSideApply),
    )
  }
  return {
    add: (object: { namespace: string; name: string; uid?: string }) => apply(object, [finalizer]),
    /** Says nothing when the object is gone already. */
    async remove(object: { namespace: string; name: string; uid?: string }) {
      await unlessMissing(() => apply(object, []))
    },
  }
}

/** Events over the typed API. */
export function createEventApi(api: EventsV1Api): EventApi {
  return {
    async create({ namespace, name, at, regarding, ...rest }) {
      const body = {
        ...rest,
        metadata: { namespace, name },
        regarding: { ...regarding, apiVersion: API_VERSION },
        eventTime: new V1MicroTime(at),
      }
      await api.createNamespacedEvent({ namespace, body, fieldManager: FIELD_MANAGER })
    },
    async patchSeries(namespace, name, { count, lastAt }) {
      const body = { series: { count, lastObservedTime: new V1MicroTime(lastAt) } }
      await api.patchNamespacedEvent({ namespace, name, body, fieldManager: FIELD_MANAGER }, mergePatch())
    },
  }
}

const MANAGED = { 'app.kubernetes.io/managed-by': 'domainpilot' }

function leaseSpec(write: LeaseWrite): NonNullable<V1Lease['spec']> {
  return {
    holderIdentity: write.holder,
    leaseDurationSeconds: write.durationSeconds,
    acquireTime: new V1MicroTime(write.acquiredAt),
    renewTime: new V1MicroTime(write.renewedAt),
    leaseTransitions: write.transitions,
  }
}

function storedLease({ metadata, spec }: V1Lease): StoredLease {
  return {
    resourceVersion: metadata?.resourceVersion ?? '',
    labels: metadata?.labels ?? {},
    annotations: metadata?.annotations ?? {},
    record: {
      holder: spec?.holderIdentity ?? '',
      durationSeconds: spec?.leaseDurationSeconds ?? 0,
      acquireTime: text(spec?.acquireTime),
      renewTime: text(spec?.renewTime),
      transitions: spec?.leaseTransitions ?? 0,
    },
  }
}

/** Typed as a date, a string in truth. */
function text(time: unknown): string {
  return time instanceof Date ? time.toISOString() : typeof time === 'string' ? time : ''
}

function storedConfigMap(value: unknown): StoredConfigMap {
  const { metadata, data } = value as V1ConfigMap
  return { resourceVersion: metadata?.resourceVersion ?? '', data: data ?? {} }
}

function versionOf(answer: unknown): ObjectVersion {
  const { metadata } = answer as { metadata?: { uid?: string; resourceVersion?: string } }
  const { uid, resourceVersion } = metadata ?? {}
  return { ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) }
}

async function unlessMissing<Result>(read: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await read()
  } catch (error) {
    if (codeOf(error) === 404) return undefined
    throw error
  }
}
