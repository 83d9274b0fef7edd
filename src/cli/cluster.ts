import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { FINALIZER, type Finalizers } from '../controller/deletion.ts'
import { systemTime } from '../kubernetes/api.ts'
import {
  createConfigMapApi,
  createEventApi,
  createFinalizers,
  createLeaseApi,
  createStatusApi,
} from '../kubernetes/client-apis.ts'
import { type Connection, connect } from '../kubernetes/connection.ts'
import { createRecorder } from '../kubernetes/events.ts'
import { createElector, type Elector, leaseName } from '../kubernetes/lease.ts'
import { createRecordStore } from '../kubernetes/record-store.ts'
import { createStatusWriter } from '../kubernetes/status-writer.ts'
import type { OwnershipStore } from '../ownership/store.ts'
import type { BoardOptions } from '../report/board.ts'
import type { Log } from '../report/log.ts'
import { createKubernetesSource } from '../source/kubernetes/kubernetes.ts'
import type { ObjectSource } from '../source/source.ts'
import type { Io } from './io.ts'
import type { KubernetesSettings } from './settings.ts'

/** What a cluster brings: objects, records, statuses, and the election of a leader. */
export interface Cluster {
  objects: ObjectSource
  records: OwnershipStore
  /** Tells the cluster: statuses and Events. Writes behind, and never holds a reconcile up. */
  publish: NonNullable<BoardOptions['publish']>
  /** Waits for what is not written yet, milliseconds at the most. */
  flush(timeoutMs: number): Promise<void>
  finalizers: Finalizers
  /** Undefined when nobody elects. */
  elector: Elector | undefined
  /** The daemon's own namespace: records and Lease stand there, and its apps may use the daemon's credentials. */
  namespace: string
  close(): Promise<void>
}

/** What a status writer learns from an object that was read. */
const observed = z.looseObject({
  metadata: z.object({
    namespace: z.string(),
    name: z.string(),
    uid: z.string().exactOptional(),
    resourceVersion: z.string().exactOptional(),
  }),
  status: z.record(z.string(), z.unknown()).optional(),
})

/** Puts the parts together that talk to a cluster. Starts nothing. Throws `KubernetesError` with the reason `Misconfigured`. */
export function openCluster(io: Io, settings: KubernetesSettings, log: Log, options: { elect: boolean }): Cluster {
  const connection = connect({
    ...(settings.kubeconfig === undefined ? {} : { kubeconfig: settings.kubeconfig }),
    ...(settings.context === undefined ? {} : { context: settings.context }),
    environment: io.environment,
    qps: settings.qps,
    userAgent: `domainpilot/${io.version}`,
  })
  const elector = options.elect && settings.leaderElect ? openElection(connection, settings.shard, log) : undefined
  const statuses = createStatusWriter({
    api: createStatusApi(connection.custom),
    time: systemTime,
    log,
    assertMayWrite: () => elector?.assertLeading(),
  })
  const objects = createKubernetesSource({
    connection,
    // Namespaces choose apps, never mappings: everything is read, and the apps are selected from it.
    namespaces: [],
    observed: (kind, object) => {
      const { data } = observed.safeParse(object)
      if (data === undefined) return
      const { namespace, name, ...version } = data.metadata
      statuses.seen(kind, `${namespace}/${name}`, data.status, version)
    },
    log: (level, message, fields) => log[level](message, fields),
  })
  const records = createRecordStore({
    api: createConfigMapApi(connection.urgent.core, connection.namespace),
    epoch: () => elector?.epoch(),
  })
  const events = createRecorder({
    api: createEventApi(connection.events),
    instance: io.environment.HOSTNAME ?? 'domainpilot',
    time: systemTime,
    log,
    assertMayWrite: () => elector?.assertLeading(),
  })
  return {
    objects,
    records,
    publish: {
      app: (status) => statuses.app(status),
      mapping: (status) => statuses.mapping(status),
      event: (about, happening) => events.record({ ...about, ...happening }),
    },
    async flush(timeoutMs) {
      await Promise.all([statuses.flush(timeoutMs), events.flush(timeoutMs)])
    },
    finalizers: createFinalizers(connection.custom, FINALIZER),
    elector,
    namespace: connection.namespace,
    close: () => connection.close(),
  }
}

function openElection(connection: Connection, shard: string, log: Log): Elector {
  return createElector({
    api: createLeaseApi(connection.urgent.coordination, connection.namespace, leaseName(shard)),
    identity: `domainpilot-${randomUUID()}`,
    time: systemTime,
    log,
  })
}
