import type { z } from 'zod'
import type { WwwRule } from '../domain/host.ts'
import type { appSpec } from './schema.ts'

/**
 * The objects that the rest of the program works on. `api/` decodes YAML, JSON and custom resources into them; everything
 * from there on is typed, defaulted and valid, save the host names, which `plan/` judges one by one so that one bad name
 * never hides a good one.
 */

/** `namespace/name`: identifies an app or a mapping everywhere (queue, record, status, messages). */
export type Key = string

/** Where an object stands in a source, for messages: `domains/shop.yaml:6`, `wp_domain_mapping id 12`. */
export type Place = string

/** `spec` of a `ServerPilotApp` with every default. Durations are in milliseconds. */
export type AppSpec = z.output<typeof appSpec>
export type SafetySpec = AppSpec['safety']

/** Label selector as in Kubernetes, both parts optional. */
export type LabelSelector = NonNullable<AppSpec['allowedNamespaces']['selector']>

interface ObjectBase {
  key: Key
  namespace: string
  name: string
  /** Changes when, and only when, the spec changes. */
  generation: number
  /** The source's own date of creation, epoch milliseconds; undefined sorts as the oldest. */
  created?: number
  place: Place
  labels: Record<string, string>
  annotations: Record<string, string>
  /** Only objects of a cluster have these. Another object of the same name has another uid. */
  uid?: string
  /** Epoch milliseconds: it is on its way out, as soon as nobody holds it with a finalizer. */
  deletionTimestamp?: number
  finalizers?: readonly string[]
  /** What is wrong with its newest version: nothing is written for it until that is mended. The rest is as it was when it was valid. */
  fault?: string
}

/** A decoded `ServerPilotApp`. */
export interface App extends ObjectBase {
  spec: AppSpec
}

/** A decoded `DomainMapping`, or a row that counts as one. */
export interface Mapping extends ObjectBase {
  /** Name of the source that it came from: `manifests`, `kubernetes`, `wordpress`. */
  source: string
  /** The domain as the user wrote it. */
  domain: string
  www?: WwwRule
  /** Of a domain that begins with `www.`: it stands for the name without that too, where the www rule gives the two together. */
  bare?: boolean
  /** Key of the app that it asks for. */
  app: Key
}

/** Namespace and name of a key. */
export function splitKey(key: Key): { namespace: string; name: string } {
  const slash = key.indexOf('/')
  return { namespace: key.slice(0, Math.max(0, slash)), name: key.slice(slash + 1) }
}

/** Annotation names that users set. */
export const ANNOTATION = {
  approvePlan: 'domainpilot.dev/approve-plan',
  reconcileRequestedAt: 'domainpilot.dev/reconcile-requested-at',
} as const

export const API_GROUP = 'domainpilot.dev'
export const API_VERSION = 'domainpilot.dev/v1alpha1'
