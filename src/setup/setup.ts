import { type Context, createContext } from '../controller/context/context.ts'
import { ReconcileError } from '../controller/context/errors.ts'
import type { Ports } from '../controller/context/ports.ts'
import { createLogger, type Log } from '../log/log.ts'
import { quiet } from '../log/quiet.ts'
import { openFileStore, readFileStore } from '../ownership/file-store.ts'
import type { OwnershipStore } from '../ownership/store.ts'
import type { Endpoint } from '../report/metrics.ts'
import { createMetrics, type Metrics } from '../report/metrics.ts'
import { createManifestSource } from '../source/manifests/manifests.ts'
import { selectApps } from '../source/select.ts'
import type { DatabaseSource, ObjectSource } from '../source/source.ts'
import { withDatabases } from '../source/with-databases.ts'
import { systemClock } from '../time/clock.ts'
import { type Accounts, createAccounts } from './accounts.ts'
import type { Cluster } from './cluster.ts'
import { connectionUrlOf, createDatabases, urlSecrets } from './databases.ts'
import { defaultApp } from './default-app.ts'
import type { Given } from './flags.ts'
import { handedApprovals } from './handover.ts'
import type { Io } from './io.ts'
import { asWriter, namingRecordRight, namingSecretRight } from './own-rights.ts'
import { connectServerPilot } from './serverpilot-client.ts'
import { loadSettings, type Settings } from './settings.ts'

/** Everything that a command which talks to ServerPilot stands on. */
export interface Setup {
  settings: Settings
  objects: ObjectSource
  accounts: Accounts
  context: Context
  /** Set when the objects are in a cluster. */
  cluster: Cluster | undefined
  metrics: Metrics
  log: Log
  /** Gives the state folder back. */
  close(): Promise<void>
}

export interface SetupOptions {
  oneShot: boolean
  approval?: string
  /** Takes the state folder for itself; without it records are only read and nothing is ever written. */
  writes: boolean
}

/** Reads the settings and puts the parts together. Starts nothing but takes the lock. Throws `UsageError`. */
export async function setUp(io: Io, given: Given, options: SetupOptions): Promise<Setup> {
  const settings = await loadSettings(io, given)
  const secrets: (() => string[])[] = [() => ambientSecrets(settings.ambient)]
  const log = createLogger({
    level: settings.logLevel,
    format: settings.logFormat === 'auto' ? (io.errIsTerminal ? 'text' : 'json') : settings.logFormat,
    destination: { write: (line) => io.err(line) },
    secrets: () => secrets.flatMap((each) => each()),
    colour: io.colour && io.errIsTerminal,
  })
  // One pass prints the faults of its objects itself.
  const sourceLog = options.writes && !options.oneShot ? log : undefined
  const opened = await openClusterOf(settings, io, given, options, log)
  const cluster = opened?.cluster
  const declared = opened?.objects ?? selectApps(openFiles(settings, sourceLog), settings.selection)
  const urls = new Set<string>()
  secrets.push(() => [...urls].flatMap(urlSecrets))
  const databases = openDatabases(declared, settings, urls, sourceLog)
  const objects = withDatabases(declared, databases)
  const metrics = createMetrics({ version: io.version, sources: [objects.name], updateMethod: settings.updateMethod })
  const accounts = createAccounts(
    objects,
    settings.ambient.credentials,
    mayUseAmbient(settings, cluster),
    (credentials, origin) =>
      connectServerPilot(
        settings,
        io.version,
        { credentials, origin },
        {
          // A write of a leader has to end before its Lease can: the elector keeps 5 s for it.
          timeoutMs: cluster?.elector === undefined ? 30_000 : 4_500,
          assertMayWrite: () => cluster?.elector?.assertLeading(),
          observe: ({ method, endpoint, code, seconds }) =>
            metrics.serverpilotRequest({
              method,
              endpoint: endpoint as Endpoint,
              status: code === 'error' ? undefined : Number(code),
              duration: seconds * 1000,
            }),
        },
      ),
  )
  secrets.push(accounts.secrets)
  const writer = { version: io.version, filters: settings.filters }
  const store =
    cluster === undefined
      ? await openStore(settings, io, options.writes)
      : { ...recordsOf(cluster, io, options, writer), close: () => cluster.close() }
  const context = createContext(
    {
      objects,
      mappingSources: [objects, databases],
      accountOf: options.oneShot ? namingSecretRight(io, accounts.accountOf) : accounts.accountOf,
      records: store,
      clock: systemClock,
      namespaceLabels: (namespace) => objects.namespaceLabels?.(namespace),
      finalizers: cluster?.finalizers,
      ...(options.oneShot ? { lookUpNow: lookUpNow(settings, accounts) } : {}),
      handedApprovals: () => (cluster === undefined ? handedApprovals(settings.stateDir) : []),
      assertMayWrite: () => assertLeading(cluster),
    },
    {
      dryRun: settings.dryRun || !options.writes,
      oneShot: options.oneShot,
      approval: options.approval,
      writer,
    },
  )
  return { settings, objects, accounts, context, cluster, metrics, log, close: store.close }
}

/**
 * In a cluster the daemon's own namespace may use the daemon's credentials, unless others are named. Files have no cluster around
 * them: whoever may write them may use the credentials.
 */
function mayUseAmbient({ ambientNamespaces }: Settings, cluster: Cluster | undefined): (namespace: string) => boolean {
  const own = cluster === undefined ? undefined : cluster.namespace
  return (namespace) =>
    ambientNamespaces.length > 0 ? ambientNamespaces.includes(namespace) : own === undefined || namespace === own
}

/** The client library of a cluster costs more than all the rest: it is loaded only where there is one. */
async function openClusterOf(
  settings: Settings,
  io: Io,
  given: Given,
  { oneShot, writes }: SetupOptions,
  log: Log,
): Promise<{ cluster: Cluster; objects: ObjectSource } | undefined> {
  const { kubernetes, selection } = settings
  if (kubernetes === undefined) return undefined
  const { connectCluster, openCluster } = await import('./cluster.ts')
  const connection = connectCluster(io, kubernetes)
  if (!oneShot) {
    const cluster = openCluster(io, connection, { settings: kubernetes, log, elect: true, oneShot, read: [] })
    return { cluster, objects: selectApps(cluster.objects, selection) }
  }
  const { partly, scopeOf } = await import('./cluster-scope.ts')
  const scope = await scopeOf(io, given, settings, connection, writes)
  const cluster = openCluster(io, connection, {
    settings: kubernetes,
    log: quiet,
    elect: writes,
    oneShot,
    read: scope.read,
  })
  return { cluster, objects: selectApps(partly(cluster.objects, scope), { ...selection, namespaces: scope.selected }) }
}

function recordsOf(
  { records, namespace, ownedByStatus }: Cluster,
  io: Io,
  { oneShot, writes }: SetupOptions,
  writer: { version: string; filters: string },
): OwnershipStore {
  if (!oneShot) return records
  const named = namingRecordRight(io, records, namespace, ownedByStatus)
  return writes ? named : asWriter(named, writer)
}

/** Throws `ReconcileError` when another process may lead by now: the one that does goes on. */
function assertLeading(cluster: Cluster | undefined): void {
  try {
    cluster?.elector?.assertLeading()
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new ReconcileError('Progressing', message, { retryable: true, cause })
  }
}

function openFiles(settings: Settings, log: Log | undefined): ObjectSource {
  const app = defaultApp(settings.ambient)
  return createManifestSource({
    paths: settings.manifests,
    ...(app === undefined ? {} : { defaultApp: app }),
    ...(log === undefined ? {} : { log: (level, message, fields) => log[level](message, fields) }),
  })
}

function openDatabases(
  objects: ObjectSource,
  { ambient }: Settings,
  urls: Set<string>,
  log: Log | undefined,
): DatabaseSource {
  const connectionUrl = connectionUrlOf(objects, ambient.database, urls)
  return createDatabases(async () => {
    const { createWordpressSource } = await import('../source/wordpress/wordpress.ts')
    return createWordpressSource({ connectionUrl, log: (level, message, fields) => log?.[level](message, fields) })
  }, log)
}

/** Every secret of the settings, for redaction. */
const ambientSecrets = ({ credentials, database }: Settings['ambient']): string[] => [
  ...(credentials === undefined ? [] : [credentials.apiKey]),
  ...(database === undefined ? [] : urlSecrets(database.url)),
]

/** One pass does not wait for checks: it looks itself, where `dns.policy: Require` asks for it. */
function lookUpNow(settings: Settings, accounts: Accounts): NonNullable<Ports['lookUpNow']> {
  return async (app, hosts, serverId) => {
    const { lookUp } = await import('./resolver.ts')
    const { lastAddress } = await (await accounts.accountOf(app)).getServer(serverId)
    return await lookUp(settings, app, lastAddress, hosts)
  }
}

async function openStore(
  settings: Settings,
  io: Io,
  writes: boolean,
): Promise<OwnershipStore & { close(): Promise<void> }> {
  if (writes) return await openFileStore(settings.stateDir, { version: io.version })
  return { ...readFileStore(settings.stateDir), close: async () => undefined }
}
