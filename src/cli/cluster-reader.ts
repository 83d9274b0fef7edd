import { ANNOTATION, API_GROUP } from '../api/objects.ts'
import type { Kind } from '../api/schema.ts'
import { collectionPath, EVERY_NAMESPACE, objectPath, PLURAL } from '../kubernetes/api.ts'
import { mergePatch } from '../kubernetes/client-apis.ts'
import type { Connection } from '../kubernetes/connection.ts'
import { KubernetesError } from '../kubernetes/http.ts'
import { connectCluster } from '../setup/cluster.ts'
import { granting } from '../setup/grant.ts'
import type { Io } from '../setup/io.ts'
import type { KubernetesSettings } from '../setup/settings.ts'
import { unlessAborted } from '../time/within.ts'
import { type AppObject, appObject, type MappingObject, mappingObject, pageOf } from './cluster-object.ts'

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
  settings: KubernetesSettings,
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
      const answer = await connection
        .json(collectionPath(kind, namespace), { query, signal })
        .catch((error: unknown) => {
          throw refusedList(error, kind, namespace)
        })
      const page = pageOf(answer)
      items.push(...page.items)
      next = page.next
    } while (next !== undefined)
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
  const grant = granting({
    namespace,
    verbs: 'get,list',
    resources: Object.values(PLURAL).map((each) => `${each}.${API_GROUP}`),
  })
  const fewer = namespace === EVERY_NAMESPACE ? '\n→ Or name the namespaces that you may read, with -n.' : ''
  return new Error(`${error.message}\n→ ${grant}${fewer}`, { cause: error })
}
