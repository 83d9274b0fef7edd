import { z } from 'zod'
import type { Key } from '../api/objects.ts'
import type { AppStatus, Condition, HostState } from '../status/status.ts'

/** What the command line reads off a `ServerPilotApp`: it shows what the daemon wrote, and trusts none of it to be complete. */
export interface AppObject {
  key: Key
  namespace: string
  name: string
  resourceVersion: string
  generation: number
  labels: Record<string, string>
  appId: string
  policy: string
  suspend: boolean
  status: Pick<
    AppStatus,
    'observedGeneration' | 'ownedDomains' | 'domains' | 'certificate' | 'lastHandledReconcileAt'
  > & {
    plan?: { hash: string; removals: string[]; reason: string; message: string }
    conditions: Condition[]
  }
}

/** What the command line reads off a `DomainMapping`. */
export interface MappingObject {
  key: Key
  generation: number
  domain: string
  app: Key
  status: {
    observedGeneration: number
    appId?: string
    hosts: { name: string; state: HostState; addresses?: string[]; certificateNotAfter?: number; message?: string }[]
    conditions: Condition[]
  }
}

/** A part of an object that may be missing: then it is empty. */
const part = <Shape extends z.ZodRawShape>(shape: Shape) => z.preprocess((value) => value ?? {}, z.object(shape))

const time = z.iso.datetime({ offset: true }).transform((value) => Date.parse(value))
const texts = z.array(z.string())
const count = z.number().catch(0)
const NONE = { desired: 0, observed: 0, owned: 0, foreign: 0 }
const STATES = ['present', 'pending', 'absent', 'leaving', 'rejected', 'foreign'] as const satisfies HostState[]

const conditions = z
  .array(
    z.object({
      type: z.string(),
      status: z.enum(['True', 'False', 'Unknown']),
      reason: z.string().catch(''),
      message: z.string().catch(''),
      observedGeneration: z.number().catch(-1),
      lastTransitionTime: time.catch(0),
    }),
  )
  .catch([])

const metadata = z.object({
  namespace: z.string(),
  name: z.string(),
  resourceVersion: z.string().catch(''),
  generation: z.number().catch(1),
  labels: z.record(z.string(), z.string()).catch({}),
})

const app = z.object({
  metadata,
  spec: part({ appId: z.string().catch(''), policy: z.string().catch('Sync'), suspend: z.boolean().catch(false) }),
  status: part({
    observedGeneration: z.number().catch(-1),
    ownedDomains: texts.catch([]),
    domains: part({ desired: count, observed: count, owned: count, foreign: count }).catch(NONE),
    plan: z
      .object({ hash: z.string(), removals: texts, reason: z.string().catch(''), message: z.string().catch('') })
      .optional()
      .catch(undefined),
    certificate: z
      .object({ notAfter: time.optional().catch(undefined), covered: texts.catch([]), uncovered: texts.catch([]) })
      .optional()
      .catch(undefined),
    lastHandledReconcileAt: z.string().optional().catch(undefined),
    conditions,
  }),
})

const mapping = z.object({
  metadata,
  spec: part({
    domain: z.string().catch(''),
    appRef: part({ name: z.string().catch(''), namespace: z.string().optional().catch(undefined) }),
  }),
  status: part({
    observedGeneration: z.number().catch(-1),
    appId: z.string().optional().catch(undefined),
    hosts: z
      .array(
        z.object({
          name: z.string(),
          state: z.enum(STATES),
          addresses: texts.optional().catch(undefined),
          certificateNotAfter: time.optional().catch(undefined),
          message: z.string().optional().catch(undefined),
        }),
      )
      .catch([]),
    conditions,
  }),
})

const page = z.object({
  items: z.array(z.unknown()),
  metadata: part({ continue: z.string().optional() }),
})

/** A page of a list, with the token of the next. Throws when it is no list. */
export function pageOf(value: unknown): { items: unknown[]; next: string | undefined } {
  const { items, metadata } = page.parse(value)
  return { items, next: metadata.continue === '' ? undefined : metadata.continue }
}

/** Decodes a `ServerPilotApp` of the API server; what its status does not say is empty. */
export function appObject(value: unknown): AppObject {
  const { metadata, spec, status } = app.parse(value)
  const { namespace, name, resourceVersion, generation, labels } = metadata
  return {
    key: `${namespace}/${name}`,
    ...{ namespace, name, resourceVersion, generation, labels },
    ...spec,
    status: given(status) as AppObject['status'],
  }
}

/** Decodes a `DomainMapping` of the API server. */
export function mappingObject(value: unknown): MappingObject {
  const { metadata, spec, status } = mapping.parse(value)
  const { namespace, name, generation } = metadata
  return {
    key: `${namespace}/${name}`,
    generation,
    domain: spec.domain,
    app: `${spec.appRef.namespace ?? namespace}/${spec.appRef.name}`,
    status: { ...given(status), hosts: status.hosts.map(given) } as MappingObject['status'],
  }
}

/** Without the fields that are not there. */
function given<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T
}
