import type { App } from '../api/objects.ts'
import { ReconcileError } from '../controller/context/errors.ts'
import { messageOf } from '../log/message-of.ts'
import { createServerPilot } from '../serverpilot/client.ts'
import type { ServerPilotOptions } from '../serverpilot/options.ts'
import type { Credentials, ServerPilot } from '../serverpilot/serverpilot.ts'
import type { ObjectSource } from '../source/source.ts'
import type { Ambient } from './ambient.ts'
import { type Io, outsideOf } from './io.ts'
import type { Secrets } from './secrets.ts'
import type { Settings } from './settings.ts'

/** Where the daemon's own credentials come from, for messages. */
export const AMBIENT = 'the environment'

/** Finds the account of an app, one client per account and key: bucket, connections and write locks are shared. */
export interface Accounts {
  accountOf(app: App): Promise<ServerPilot>
  /** The account of the daemon's own credentials, where there are any. */
  ambient(): ServerPilot | undefined
}

/** Credentials, and where they come from, for messages. */
interface AccountAccess {
  credentials: Credentials
  origin: string
}

/**
 * Makes the accounts; asks nothing. `mayUse`: whether an app of a namespace may use the daemon's own credentials. `secrets` gets the
 * credentials of Secrets as they become known, `connect` makes the client of one.
 */
export function createAccounts(
  objects: Pick<ObjectSource, 'secret'>,
  { credentials: ambient, mayUse }: Pick<Ambient, 'credentials'> & { mayUse(namespace: string): boolean },
  secrets: Pick<Secrets, 'addCredentials'>,
  connect: (account: AccountAccess) => ServerPilot,
): Accounts {
  const clients = new Map<string, ServerPilot>()

  function clientFor(credentials: Credentials, origin: string): ServerPilot {
    const id = JSON.stringify([credentials.clientId.trim(), credentials.apiKey.trim()])
    const client = clients.get(id) ?? connect({ credentials, origin })
    clients.set(id, client)
    return client
  }

  return {
    async accountOf(app) {
      const reference = app.spec.credentialsSecretRef?.name
      if (reference !== undefined) {
        const credentials = await fromSecret(objects, app, reference)
        secrets.addCredentials(credentials)
        return clientFor(credentials, `Secret ${app.namespace}/${reference}`)
      }
      if (ambient === undefined) {
        throw new ReconcileError(
          'CredentialsInvalid',
          `There are no credentials for app ${app.key}: set SERVERPILOT_CLIENT_ID and SERVERPILOT_API_KEY, or give the app a credentialsSecretRef.`,
          { retryable: false },
        )
      }
      if (!mayUse(app.namespace)) {
        throw new ReconcileError(
          'NotAllowed',
          `App ${app.key} may not use the daemon's own credentials: give it a credentialsSecretRef, or name its namespace in --ambient-credentials-namespaces.`,
          { retryable: false },
        )
      }
      return clientFor(ambient, AMBIENT)
    },
    ambient: () => (ambient === undefined ? undefined : clientFor(ambient, AMBIENT)),
  }
}

async function fromSecret(objects: Pick<ObjectSource, 'secret'>, app: App, name: string): Promise<Credentials> {
  // No back-off: it would go on for minutes after the Secret was put right. The sweep looks again.
  const invalid = (words: string, cause?: unknown) => {
    const message = `App ${app.key} names the Secret ${app.namespace}/${name}, which ${words}.`
    return new ReconcileError('CredentialsInvalid', message, { retryable: false, cause })
  }
  const read = async (key: string): Promise<string> => {
    const value = await objects.secret(app.namespace, name, key).catch((cause: unknown) => {
      throw invalid(`cannot be read: ${messageOf(cause)}`, cause)
    })
    if (value !== undefined) return value
    throw invalid(`has no key "${key}" or does not exist`)
  }
  return { clientId: await read('clientId'), apiKey: await read('apiKey') }
}

/** A client of one account, as the settings want it. */
export function connectServerPilot(
  io: Io,
  settings: Settings,
  { credentials, origin }: AccountAccess,
  more: Pick<ServerPilotOptions, 'timeoutMs' | 'assertMayWrite' | 'observe'> = {},
): ServerPilot {
  const { clock, serverpilot: createHttp } = outsideOf(io)
  return createServerPilot({
    ...settings,
    baseUrl: settings.serverpilotUrl,
    allowInsecureHttp: true, // checked with the flag when the settings were read
    credentials,
    credentialsOrigin: origin,
    updateMethod: settings.serverpilotUpdateMethod,
    qps: settings.serverpilotQps,
    clock,
    ...(createHttp === undefined ? {} : { createHttp }),
    version: io.version,
    ...more,
  })
}
