import { API_VERSION } from '../api/objects.ts'
import type { Kind } from '../api/schema.ts'

/**
 * What is asked of an API server beside watches, small enough to be played by a test, and where our objects stand there. Failures
 * carry the HTTP status as `code`; see `codeOf`.
 */

/** The part of a Lease that elections read. Times are RFC 3339 with microseconds, as read; empty for none. */
export interface LeaseRecord {
  /** Empty: nobody, it was released. */
  holder: string
  /** Seconds that the holder may stay silent. */
  durationSeconds: number
  acquireTime: string
  renewTime: string
  transitions: number
}

/** A Lease as read. */
export interface StoredLease {
  record: LeaseRecord
  resourceVersion: string
  /** What else stands on the object and is to stay there. */
  labels: Record<string, string>
  annotations: Record<string, string>
}

/** A record about to be written. Times are epoch milliseconds. */
export interface LeaseWrite {
  holder: string
  durationSeconds: number
  acquiredAt: number
  renewedAt: number
  transitions: number
}

/** One Lease. */
export interface LeaseApi {
  /** `namespace/name`, for messages. */
  readonly name: string
  /** Rejects with the signal's reason once it aborts. */
  read(signal?: AbortSignal): Promise<StoredLease | undefined>
  /** Fails with 409 when there is one, with 404 and the cure where the namespace does not exist. */
  create(write: LeaseWrite): Promise<StoredLease>
  /** Fails with 409 when it changed since `base` was read, with 404 when it is gone. */
  replace(write: LeaseWrite, base: StoredLease): Promise<StoredLease>
  /** Calls `changed` with the Lease as it is, and with every change when it is made. Ends when the server ends it; fails with 403, … */
  watch(changed: (record: LeaseRecord) => void, signal: AbortSignal): Promise<void>
}

/** A ConfigMap, as far as records need it. */
export interface StoredConfigMap {
  resourceVersion: string
  data: Record<string, string>
}

/** Labels, annotations and data of a ConfigMap to write. */
export interface ConfigMapContent {
  labels: Record<string, string>
  annotations: Record<string, string>
  data: Record<string, string>
}

/** The ConfigMaps of one namespace. */
export interface ConfigMapApi {
  readonly namespace: string
  read(name: string): Promise<StoredConfigMap | undefined>
  /** Fails with 409 when there is one, with 404 and the cure where the namespace does not exist. */
  create(name: string, content: ConfigMapContent): Promise<StoredConfigMap>
  /** Puts the content in and leaves what others added alone. Fails with 409 for another version, 404 when it is gone. */
  update(name: string, content: ConfigMapContent, resourceVersion: string): Promise<StoredConfigMap>
}

/** Which object of ours. */
export interface ObjectRef {
  kind: Kind
  namespace: string
  name: string
}

/** Which object of a name, and at which version. */
export interface ObjectVersion {
  uid?: string
  resourceVersion?: string
}

/** The `status` of our kinds. */
export interface StatusApi {
  /** A merge patch of `status`. Gives which object of that name it reached, and its version from then on. */
  patchStatus(object: ObjectRef, status: Record<string, unknown>): Promise<ObjectVersion>
}

/** An Event to create. Times are epoch milliseconds. */
export interface NewEvent {
  namespace: string
  name: string
  type: 'Normal' | 'Warning'
  reason: string
  action: string
  note: string
  regarding: ObjectRef & { uid?: string }
  reportingController: string
  reportingInstance: string
  at: number
}

/** Events, in `events.k8s.io/v1`. */
export interface EventApi {
  create(event: NewEvent): Promise<void>
  /** Says that the Event happened `count` times by now. Fails with 404 when it is gone. */
  patchSeries(namespace: string, name: string, series: { count: number; lastAt: number }): Promise<void>
}

/** Our kinds as they are called in paths and in rules of RBAC. */
export const PLURAL: Record<Kind, string> = { ServerPilotApp: 'serverpilotapps', DomainMapping: 'domainmappings' }

/** Stands for every namespace. */
export const EVERY_NAMESPACE = ''

/** Path of a collection of our objects: of one namespace, or of all. */
export function collectionPath(kind: Kind, namespace: string): string {
  const within = namespace === EVERY_NAMESPACE ? '' : `namespaces/${encodeURIComponent(namespace)}/`
  return `/apis/${API_VERSION}/${within}${PLURAL[kind]}`
}

/** Path of one object of ours. */
export function objectPath({ kind, namespace, name }: ObjectRef): string {
  return `${collectionPath(kind, namespace)}/${encodeURIComponent(name)}`
}

/** HTTP status of a failed call; undefined when there was no answer. */
export function codeOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'number' ? error.code : undefined
}
