import { API_GROUP, type App } from '../api/objects.ts'
import { ReconcileError } from '../controller/context/errors.ts'
import { codeOf, EVERY_NAMESPACE, PLURAL } from '../kubernetes/api.ts'
import { messageOf } from '../log/message-of.ts'
import type { OwnershipStore } from '../ownership/store.ts'
import type { ServerPilot } from '../serverpilot/serverpilot.ts'
import type { Cluster } from './cluster.ts'
import { calledAs, type Io } from './io.ts'

/** A right that is missing. `namespace` empty: in every namespace. */
interface Right {
  namespace: string
  verbs: string
  /** Our two kinds when none is named. */
  resources?: readonly string[]
  /** One object alone. */
  name?: string | undefined
}

const OURS = Object.values(PLURAL).map((plural) => `${plural}.${API_GROUP}`)

/** The command with which somebody who may can grant a right, as a sentence for the person who lacks it. Pure. */
export function granting({ namespace, verbs, resources = OURS, name }: Right): string {
  const [kind, where] = namespace === EVERY_NAMESPACE ? ['clusterrole', ''] : ['role', ` -n ${namespace}`]
  const one = name === undefined ? '' : ` --resource-name=${name}`
  const role = `kubectl create ${kind} domainpilot-reader${where} --verb=${verbs} --resource=${resources.join(',')}${one}`
  return `Grant it: ${role}, and bind that to the user (kubectl create ${kind}binding).`
}

/** The daemon has every right; a person at the command line may lack one: then the right is named, and nothing is tried again. */
export function namingSecretRight(io: Io, accountOf: (app: App) => Promise<ServerPilot>) {
  return (app: App): Promise<ServerPilot> =>
    accountOf(app).catch((error: unknown) => {
      const cause = error instanceof ReconcileError ? error.cause : error
      if (codeOf(cause) !== 403) throw error
      const name = app.spec.credentialsSecretRef?.name
      throw missing(io, cause, { namespace: app.namespace, verbs: 'get', resources: ['secrets'], name })
    })
}

/** What is in a record is trusted as the daemon trusts it: who looks on has another version, and other filters. */
export function asWriter(records: OwnershipStore, writer: { version: string; filters: string }): OwnershipStore {
  return {
    ...records,
    async load(account, appId) {
      const stored = await records.load(account, appId)
      if (stored === undefined) return undefined
      return { ...stored, record: { ...stored.record, writer: { ...stored.record.writer, ...writer } } }
    },
  }
}

/**
 * The records as a person at the command line reads them. One that is missing though the app's status counts hosts of ours is
 * most likely in another namespace: a plan without it would call everything foreign.
 */
export function namingRecordRight(
  io: Io,
  { records, namespace, ownedByStatus }: Pick<Cluster, 'records' | 'namespace' | 'ownedByStatus'>,
): OwnershipStore {
  return {
    ...records,
    async load(account, appId) {
      const stored = await records.load(account, appId).catch((error: unknown) => {
        if (!(error instanceof Error) || codeOf(error.cause) !== 403) throw error
        throw missing(io, error, { namespace, verbs: 'get', resources: ['configmaps'] })
      })
      if (stored !== undefined) return stored
      const status = ownedByStatus(appId)
      if (status === undefined || status.owned === 0) return undefined
      const message = `There is no ownership record of ${status.key} in the namespace ${namespace}, and the app's status counts ${status.owned} host(s) of ours: name the daemon's namespace with --record-namespace.`
      throw new ReconcileError('RecordCorrupt', message, { retryable: false })
    },
  }
}

function missing(io: Io, error: unknown, right: Right): ReconcileError {
  const instead = `Or see the plan that the daemon itself has waiting: ${calledAs(io)} status`
  const message = `${messageOf(error)}\n→ ${granting(right)}\n→ ${instead}`
  return new ReconcileError('NotAllowed', message, { retryable: false, cause: error })
}
