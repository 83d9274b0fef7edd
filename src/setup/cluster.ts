import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { FINALIZER } from '../controller/app/finalize.ts'
import type { Finalizers } from '../controller/context/ports.ts'
import type { LeaseApi } from '../kubernetes/api.ts'
import {
  createConfigMapApi,
  createEventApi,
  createFinalizers,
  createLeaseApi,
  createStatusApi,
} from '../kubernetes/client-apis.ts'
import { type Connection, connect, connectOver } from '../kubernetes/connection.ts'
import { createElector, type Elector, leaseName } from '../kubernetes/lease.ts'
import type { Log } from '../log/log.ts'
import { createRecordStore } from '../ownership/config-map-store.ts'
import type { OwnershipStore } from '../ownership/store.ts'
import { createKubernetesSource } from '../source/kubernetes/kubernetes.ts'
import type { ObjectSource } from '../source/source.ts'
import { createRecorder } from '../status/cluster/events.ts'
import { createStatusWriter } from '../status/cluster/status-writer.ts'
import type { Publisher } from '../status/store.ts'
import { type DnsRecall, dnsRecall } from './dns-recall.ts'
import { calledAs, type Io, outsideOf } from './io.ts'
import type { Settings } from './settings.ts'

/** What a cluster brings: objects, records, statuses, and the election of a leader. */
export interface Cluster {
  objects: ObjectSource
  records: OwnershipStore
  /** Statuses and Events for the cluster. Writes behind, and never holds a reconcile up. */
  publish: Publisher
  /** Waits for what is not written yet, milliseconds at the most. */
  flush(timeoutMs: number): Promise<void>
  finalizers: Finalizers
  /** Undefined when nobody elects. */
  elector: Elector | undefined
  lease: LeaseApi | undefined
  /** What the status of the app with this id counts as ours; undefined when there is none, or when it cannot be read. */
  ownedByStatus(appId: string): { key: string; owned: number } | undefined
  /** The daemon's own namespace: records and Lease stand there, and its apps may use the daemon's credentials. */
  namespace: string
  /** From now on called with what statuses say of DNS, as they are read. */
  onDnsRead(callback: (recall: DnsRecall) => void): void
  close(): Promise<void>
}

/** What a status writer learns from an object that was read. */
const observed = z.looseObject({
  metadata: z.object({ uid: z.string().exactOptional(), resourceVersion: z.string().exactOptional() }),
  status: z.record(z.string(), z.unknown()).optional(),
})

/** Of an app, for one pass. */
const owning = z.object({
  spec: z.object({ appId: z.string() }),
  status: z.object({ ownedDomains: z.array(z.string()) }),
})

/** How to reach a cluster. */
export type ConnectionSettings = Pick<Settings, 'kubeconfig' | 'context' | 'kubeApiQps'>

interface ClusterOptions {
  settings: Settings
  log: Log
  elect: boolean
  /** One pass by a person: remembers what the statuses count as ours. */
  oneShot: boolean
  /** Namespaces whose objects are read; empty: all. */
  read: readonly string[]
}

/** Opens the connection that the settings name. Throws `KubernetesError` with the reason `Misconfigured`. */
export function connectCluster(io: Io, settings: ConnectionSettings): Connection {
  const { kubeconfig, context, kubeApiQps: qps } = settings
  const userAgent = `${calledAs(io).replace(' ', '-')}/${io.version}`
  const { clock, cluster } = outsideOf(io)
  if (cluster !== undefined)
    return connectOver(cluster.transport, { server: 'simulated', namespace: cluster.namespace, clock, qps, userAgent })
  return connect({ kubeconfig, context, qps, environment: io.environment, userAgent })
}

/** Puts the parts together that talk to a cluster. Starts nothing. */
export function openCluster(io: Io, connection: Connection, { settings, log, ...options }: ClusterOptions): Cluster {
  const namespace = recordNamespace(io, settings, connection)
  const lease =
    options.elect && settings.leaderElect
      ? createLeaseApi(connection, namespace, leaseName(settings.appSelector.text))
      : undefined
  const { clock } = outsideOf(io)
  const identity = `domainpilot-${randomUUID()}`
  const elector = lease && createElector({ api: lease, identity, clock, log })
  const owned = new Map<string, { key: string; owned: number }>()
  let dnsRead: ((recall: DnsRecall) => void) | undefined
  const writing = { clock, log, assertMayWrite: () => elector?.assertLeading() }
  const statuses = createStatusWriter({ ...writing, api: createStatusApi(connection) })
  const objects = createKubernetesSource({
    connection,
    clock,
    // Namespaces choose apps, never mappings: everything that may be is read, and the apps are selected from it.
    namespaces: options.read,
    observed: (kind, object, key) => {
      const { data } = observed.safeParse(object)
      if (data === undefined) return
      statuses.seen(kind, key, data.status, data.metadata)
      const recall = kind === 'DomainMapping' && dnsRead !== undefined ? dnsRecall(object) : undefined
      if (recall !== undefined) dnsRead?.(recall)
      const app = options.oneShot && kind === 'ServerPilotApp' ? owning.safeParse(object).data : undefined
      if (app !== undefined) owned.set(app.spec.appId, { key, owned: app.status.ownedDomains.length })
    },
    log: (level, message, fields) => log[level](message, fields),
  })
  const instance = io.environment.HOSTNAME ?? 'domainpilot'
  const events = createRecorder({ ...writing, api: createEventApi(connection), instance })
  return {
    objects,
    records: createRecordStore({
      api: createConfigMapApi(connection.urgent, namespace),
      epoch: () => elector?.epoch(),
      outranked: (epoch) => elector?.outranked(epoch),
    }),
    publish: {
      app: statuses.app,
      mapping: statuses.mapping,
      event: (about, happening) => events.record({ ...about, ...happening }),
    },
    async flush(timeoutMs) {
      await Promise.all([statuses.flush(timeoutMs), events.flush(timeoutMs)])
    },
    finalizers: createFinalizers(connection, FINALIZER),
    elector,
    lease,
    ownedByStatus: (appId) => owned.get(appId),
    namespace,
    onDnsRead(callback) {
      dnsRead = callback
    },
    close() {
      // What could not be written would be tried for ever, and keep the process alive.
      statuses.stop()
      events.stop()
      return connection.close()
    },
  }
}

/** Where manifests/ install the daemon. */
const INSTALLED = 'domainpilot'

/** The namespace of the daemon: in a pod its own, for a person outside where it is installed. */
function recordNamespace({ environment }: Io, settings: Settings, { namespace }: Connection): string {
  if (settings.recordNamespace !== undefined) return settings.recordNamespace
  const named = settings.kubeconfig ?? settings.context ?? (environment.KUBECONFIG || undefined)
  return named === undefined && environment.KUBERNETES_SERVICE_HOST ? namespace : INSTALLED
}
