import { z } from 'zod'
import { ANNOTATION, type Key } from '../api/objects.ts'
import type { Kind } from '../api/schema.ts'
import { collectionPath, EVERY_NAMESPACE, objectPath, PLURAL } from '../kubernetes/api.ts'
import { mergePatch } from '../kubernetes/client-apis.ts'
import type { Connection } from '../kubernetes/connection.ts'
import { KubernetesError } from '../kubernetes/http.ts'
import { type ConnectionSettings, connectCluster } from '../setup/cluster.ts'
import type { Io } from '../setup/io.ts'
import { granting } from '../setup/own-rights.ts'
import { readAppStatus, readMappingStatus } from '../status/wire/wire.ts'
import { unlessAborted } from '../time/within.ts'

/** The two kinds as the user of the kubeconfig may see them: get and list, no watch, nothing else of the cluster. */
export interface ClusterReader {
  /** Of the context. */
  readonly namespace: string
  apps(namespace: string): Promise<AppObject[]>
  mappings(namespace: string): Promise<MappingObject[]>
  app(namespace: string, name: string): Promise<AppObject>
  /** Sets the annotation that approves a plan. Fails with 409 when the object is no longer that version. */
  approve(app: AppObject, hash: string): Promise<void>
}

const PAGE_SIZE = 500

/** Does work with a reader. Its functions throw `KubernetesError`, or an `Error` that names the missing right. */
export async function withReader<T>(
  io: Io,
  settings: ConnectionSettings,
  work: (reader: ClusterReader) => Promise<T>,
): Promise<T> {
  const connection = connectCluster(io, settings)
  try {
    return await work(readerOf(connection, io.signal))
  } finally {
    await connection.close()
  }
}

/** Both kinds of some namespaces. */
export async function readAll(
  reader: ClusterReader,
  namespaces: readonly string[],
): Promise<{ apps: AppObject[]; mappings: MappingObject[] }> {
  const [apps, mappings] = await Promise.all([
    Promise.all(namespaces.map(reader.apps)),
    Promise.all(namespaces.map(reader.mappings)),
  ])
  return { apps: apps.flat(), mappings: mappings.flat() }
}

function readerOf(connection: Connection, signal: AbortSignal): ClusterReader {
  async function list(kind: Kind, namespace: string): Promise<unknown[]> {
    const items: unknown[] = []
    let next: string | undefined
    do {
      const query = { limit: PAGE_SIZE, continue: next }
      const answer = connection.json(collectionPath(kind, namespace), { query, signal })
      const { items: more, metadata } = page.parse(
        await answer.catch((error: unknown) => {
          throw refusedList(error, kind, namespace)
        }),
      )
      items.push(...more)
      next = metadata.continue
    } while (next)
    return items
  }

  return {
    namespace: connection.namespace,
    apps: async (namespace) => (await list('ServerPilotApp', namespace)).map(appObject),
    mappings: async (namespace) => (await list('DomainMapping', namespace)).map(mappingObject),
    async app(namespace, name) {
      const path = objectPath({ kind: 'ServerPilotApp', namespace, name })
      return appObject(await connection.json(path, { signal }))
    },
    async approve({ namespace, name, resourceVersion }, hash) {
      const metadata = { resourceVersion, annotations: { [ANNOTATION.approvePlan]: hash } }
      const path = objectPath({ kind: 'ServerPilotApp', namespace, name })
      const patch = mergePatch(path, { metadata }, { fieldManager: 'kubectl-domainpilot' })
      await unlessAborted(signal, () => connection.call(patch))
    },
  }
}

function refusedList(error: unknown, kind: Kind, namespace: string): unknown {
  if (!(error instanceof KubernetesError)) return error
  if (error.code === 404) {
    const message = `${PLURAL[kind]}: the custom resources are not installed: domainpilot crds | kubectl apply -f -`
    return new Error(message, { cause: error })
  }
  if (error.code !== 403) return error
  const grant = granting({ namespace, verbs: 'get,list' })
  const fewer = namespace === EVERY_NAMESPACE ? '\n→ Or name the namespaces that you may read, with -n.' : ''
  return new Error(`${error.message}\n→ ${grant}${fewer}`, { cause: error })
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

const keyOf = ({ namespace, name }: { namespace: string; name: string }): Key => `${namespace}/${name}`

const app = z
  .object({
    metadata,
    spec: part({ appId: z.string().catch(''), policy: z.string().catch('Sync'), suspend: z.boolean().catch(false) }),
    status: z.unknown(),
  })
  .transform(({ metadata, spec, status }) => ({
    key: keyOf(metadata),
    ...metadata,
    ...spec,
    status: readAppStatus(status),
  }))

const mapping = z
  .object({
    metadata,
    spec: part({
      domain: z.string().catch(''),
      appRef: part({ name: z.string().catch(''), namespace: z.string().optional().catch(undefined) }),
    }),
    status: z.unknown(),
  })
  .transform(({ metadata, spec: { domain, appRef }, status }) => ({
    key: keyOf(metadata),
    generation: metadata.generation,
    domain,
    app: keyOf({ namespace: appRef.namespace ?? metadata.namespace, name: appRef.name }),
    status: readMappingStatus(status),
  }))

/** What the command line reads off our kinds: it shows what the daemon wrote, and trusts none of it to be complete. */
export type AppObject = z.infer<typeof app>
export type MappingObject = z.infer<typeof mapping>

/** Decode an object of the API server; what its status does not say is empty. */
export const appObject = (value: unknown): AppObject => app.parse(value)
export const mappingObject = (value: unknown): MappingObject => mapping.parse(value)

/** A page of a list, with the token of the next. */
const page = z.object({
  items: z.array(z.unknown()),
  metadata: part({ continue: z.string().optional() }),
})
