import { CoreV1Api } from '@kubernetes/client-node'
import type { Connection } from '../../src/kubernetes/connection.ts'

/** A connection with the typed core API, which tests need and the program does without. */
export type CoreConnection = Connection & { core: CoreV1Api; urgent: { core: CoreV1Api } }

/** Adds it on both lanes. */
export function withCore(connection: Connection): CoreConnection {
  const urgent = Object.assign(connection.urgent, { core: new CoreV1Api(connection.urgent.configuration) })
  return Object.assign(connection, { core: new CoreV1Api(connection.configuration), urgent })
}
