import { API_VERSION } from '../api/objects.ts'
import type { Kind } from '../api/schema.ts'
import type { ObjectRef } from './api.ts'

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
