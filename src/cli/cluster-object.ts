import { z } from 'zod'
import type { Key } from '../api/objects.ts'
import { type AppWire, type MappingWire, readAppStatus, readMappingStatus } from '../status/wire/wire.ts'

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
  status: AppWire
}

/** What the command line reads off a `DomainMapping`. */
export interface MappingObject {
  key: Key
  generation: number
  domain: string
  app: Key
  status: MappingWire
}

/** A part of an object that may be missing: then it is empty. */
const part = <Shape extends z.ZodRawShape>(shape: Shape) => z.preprocess((value) => value ?? {}, z.object(shape))

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
  status: z.unknown(),
})

const mapping = z.object({
  metadata,
  spec: part({
    domain: z.string().catch(''),
    appRef: part({ name: z.string().catch(''), namespace: z.string().optional().catch(undefined) }),
  }),
  status: z.unknown(),
})

const page = z.object({
  items: z.array(z.unknown()),
  metadata: part({ continue: z.string().optional() }),
})

/** A page of a list, with the token of the next. Throws when it is not a list. */
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
    status: readAppStatus(status),
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
    status: readMappingStatus(status),
  }
}
