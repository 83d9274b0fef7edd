import { type Context, createContext } from '../controller/context/context.ts'
import { ReconcileError } from '../controller/context/errors.ts'
import type { Mode, Ports } from '../controller/context/ports.ts'
import { createLogger, type Log } from '../log/log.ts'
import { messageOf } from '../log/message-of.ts'
import { quiet } from '../log/quiet.ts'
import { openFileStore, readFileStore } from '../ownership/file-store.ts'
import type { OwnershipStore } from '../ownership/store.ts'
import { createMetrics, type Metrics } from '../report/metrics.ts'
import { type CombinedSource, combine } from '../source/combine.ts'
import { createManifestSource } from '../source/manifests/manifests.ts'
import { ON_THE_LOOP } from '../source/manifests/parser.ts'
import { selectApps } from '../source/select.ts'
import type { DatabaseSource, ObjectSource } from '../source/source.ts'
import { createStatusStore, type StatusStore } from '../status/store.ts'
import { unlessAborted } from '../time/within.ts'
import { type Accounts, connectServerPilot, createAccounts } from './accounts.ts'
import { defaultApp } from './ambient.ts'
import type { Cluster } from './cluster.ts'
import { connectionUrlOf, createDatabases } from './databases.ts'
import { type Io, outsideOf } from './io.ts'
import type { Given } from './option.ts'
import { asWriter, namingRecordRight, namingSecretRight } from './own-rights.ts'
import { createSecrets, type Secrets } from './secrets.ts'
import { loadSettings, type Settings } from './settings.ts'
import { handedApprovals } from './state-folder.ts'
import { unwantedHosts } from './unwanted.ts'

/** Everything that a command which talks to ServerPilot stands on. */
export interface Setup {
  settings: Settings
  objects: CombinedSource
  accounts: Accounts
  context: Context
  /** Set when the objects are in a cluster. */
  cluster: Cluster | undefined
  metrics: Metrics
  log: Log
  /** Gives the state folder back. */
  close(): Promise<void>
}

interface SetupOptions {
  oneShot: boolean
  approval?: string | undefined
  /** Takes the state folder for itself; without it records are only read and nothing is ever written. */
  writes: boolean
}

/** What the parts are put together from. */
interface Ground {
  io: Io
  given: Given
  options: SetupOptions
  settings: Settings
  /** Of the sources: one pass prints the faults of its objects itself. */
  log: Log
  metrics: Metrics
  /** Every part adds what must not be shown. */
  secrets: Secrets
  /** Who writes records: another version, or other filters, is not trusted in all that it left out. */
  writer: Mode['writer']
}

/** Reads the settings and puts the parts together. Starts nothing but takes the lock. Throws `UsageError`. */
export async function setUp(io: Io, given: Given, options: SetupOptions): Promise<Setup> {
  const settings = await loadSettings(io, given)
  const unwanted = unwantedHosts(given)
  const { clock, files, processMetrics } = outsideOf(io)
  const { credentials, database } = settings.ambient
  const secrets = createSecrets()
  if (credentials !== undefined) secrets.addCredentials(credentials)
  if (database !== undefined) secrets.addUrl(database.url)
  const log = createLogger({
    ...settings,
    logFormat: settings.logFormat === 'auto' ? (io.errIsTerminal ? 'text' : 'json') : settings.logFormat,
    destination: { write: (line) => io.err(line) },
    now: clock.now,
    secrets: secrets.all,
    colour: io.colour && io.errIsTerminal,
  })
  const metrics = createMetrics({
    ...settings,
    version: io.version,
    sources: [settings.source, 'wordpress'],
    process: processMetrics,
  })
  const writer = { version: io.version, filters: settings.filters }
  const sourceLog = options.oneShot ? quiet : log
  const ground: Ground = { io, given, options, settings, log: sourceLog, metrics, secrets, writer }
  const opened = await openClusterOf(ground)
  const cluster = opened?.cluster
  const declared = opened?.objects ?? openFiles(ground)
  const objects = combine(declared, [openDatabases(declared, ground)])
  const accounts = openAccounts(objects, cluster, ground)
  const store = await openStore(cluster, ground)
  const ports: Ports = {
    objects,
    mappingSources: objects.parts,
    accountOf: accounts.accountOf,
    records: store,
    clock,
    namespaceLabels: (namespace) => objects.namespaceLabels?.(namespace),
    finalizers: cluster?.finalizers,
    handedApprovals: () => (cluster === undefined ? handedApprovals(settings.stateDir, files) : []),
    assertMayWrite: () => assertLeading(cluster),
    ...(options.oneShot ? onePass(accounts, store, ground) : {}),
  }
  const { oneShot, writes, approval } = options
  const mode = { dryRun: settings.dryRun || !writes, oneShot, approval, writer, unwanted }
  const context = createContext(ports, mode)
  return { settings, objects, accounts, context, cluster, metrics, log, close: store.close }
}

/** The status of everything that a setup reconciles, empty at first; with a cluster that is led, statuses go there too. */
export function openStatuses(
  io: Io,
  { settings, objects, metrics, cluster }: Setup,
  { leader, log }: { leader(): boolean; log: Log },
): StatusStore {
  return createStatusStore({
    version: io.version,
    dryRun: settings.dryRun,
    objects,
    metrics,
    log,
    clock: outsideOf(io).clock,
    leader,
    ...(cluster === undefined ? {} : { publish: cluster.publish }),
  })
}

/** What is different while a person waits: rights that are missing are named, hosts are looked up at once, and a stop cuts reads off. */
function onePass(
  { accountOf }: Accounts,
  store: OwnershipStore,
  { io, settings }: Ground,
): Pick<Ports, 'accountOf' | 'records' | 'lookUpNow'> {
  const named = namingSecretRight(io, accountOf)
  return {
    accountOf: (app) => unlessAborted(io.signal, () => named(app)),
    records: { ...store, load: (account, appId) => unlessAborted(io.signal, () => store.load(account, appId)) },
    async lookUpNow(app, hosts, serverId, signal) {
      const { lookUp } = await import('./resolver.ts')
      const { lastAddress } = await (await accountOf(app)).getServer(serverId, signal)
      return await lookUp(io, settings, { app, address: lastAddress }, hosts, signal)
    },
  }
}

function openAccounts(objects: ObjectSource, cluster: Cluster | undefined, ground: Ground): Accounts {
  const { io, settings, metrics, secrets } = ground
  const { ambient, ambientCredentialsNamespaces: named } = settings
  // In a cluster its own namespace may use the daemon's credentials, unless others are named. Of files every app may.
  const mayUse = (namespace: string): boolean =>
    named.length > 0 ? named.includes(namespace) : cluster === undefined || namespace === cluster.namespace
  return createAccounts(objects, { credentials: ambient.credentials, mayUse }, secrets, (account) =>
    connectServerPilot(io, settings, account, {
      // A write of a leader has to end before its Lease can: the elector keeps 5 s for it.
      timeoutMs: cluster?.elector === undefined ? 30_000 : 4_500,
      assertMayWrite: () => cluster?.elector?.assertLeading(),
      observe: metrics.serverpilotRequest,
    }),
  )
}

/** The client library of a cluster costs more than all the rest: it is loaded only where there is one. */
async function openClusterOf(ground: Ground): Promise<{ cluster: Cluster; objects: ObjectSource } | undefined> {
  const { io, given, settings, options, log } = ground
  const { selection } = settings
  const { oneShot, writes } = options
  if (settings.source !== 'kubernetes') return undefined
  const { connectCluster, openCluster } = await import('./cluster.ts')
  const { partly, scopeOf } = await import('./cluster-scope.ts')
  const connection = connectCluster(io, settings)
  try {
    const scope = oneShot
      ? await unlessAborted(io.signal, () => scopeOf(io, { given, settings, writes }, connection))
      : { selected: selection.namespaces, read: [] }
    const cluster = openCluster(io, connection, { settings, log, elect: writes, oneShot, read: scope.read })
    const objects = selectApps(partly(cluster.objects, scope), { ...selection, namespaces: scope.selected })
    return { cluster, objects }
  } catch (error) {
    await connection.close()
    throw error
  }
}

/** Throws `ReconcileError` when another process may lead by now: the one that does goes on. */
function assertLeading(cluster: Cluster | undefined): void {
  try {
    cluster?.elector?.assertLeading()
  } catch (cause) {
    const message = messageOf(cause)
    throw new ReconcileError('Progressing', message, { retryable: true, cause })
  }
}

function openFiles({ io, settings, log, options }: Ground): ObjectSource {
  const app = defaultApp(settings.ambient, settings)
  const { clock, files: fs } = outsideOf(io)
  const files = createManifestSource({
    paths: settings.manifests,
    limits: settings,
    onTheLoop: options.oneShot ? ON_THE_LOOP.command : ON_THE_LOOP.daemon,
    clock,
    fs,
    ...(app === undefined ? {} : { defaultApp: app }),
    log: (level, message, fields) => log[level](message, fields),
  })
  return selectApps(files, settings.selection)
}

function openDatabases(objects: ObjectSource, { io, settings, metrics, secrets, log }: Ground): DatabaseSource {
  const { clock, database: connect } = outsideOf(io)
  const connectionUrl = connectionUrlOf(objects, settings.ambient.database, secrets)
  const databases = createDatabases(async () => {
    const { createWordpressSource } = await import('../source/wordpress/wordpress.ts')
    return createWordpressSource({
      connectionUrl,
      clock,
      ...(connect === undefined ? {} : { connect }),
      log: (level, message, fields) => log[level](message, fields),
      looked() {
        // All of them as one read: good when each can be read as a whole.
        const reads = objects.apps().map((app) => databases.mappingsOf(app))
        const ok = reads.every(({ failure }) => failure === undefined)
        const count = reads.reduce((sum, { mappings }) => sum + mappings.length, 0)
        metrics.sourceRead('wordpress', { ok, objects: count, at: clock.now() })
      },
    })
  }, log)
  return databases
}

async function openStore(
  cluster: Cluster | undefined,
  { io, options: { oneShot, writes }, settings, writer }: Ground,
): Promise<OwnershipStore & { close(): Promise<void> }> {
  if (cluster !== undefined) {
    const { records, close } = cluster
    if (!oneShot) return { ...records, close }
    const named = namingRecordRight(io, cluster)
    return { ...(writes ? named : asWriter(named, writer)), close }
  }
  const { clock, files: fs, processes } = outsideOf(io)
  if (writes) return await openFileStore(settings.stateDir, { version: io.version, clock, fs, ...processes })
  return { ...readFileStore(settings.stateDir, fs), close: async () => undefined }
}
