import { parseSelector } from '../api/selector.ts'
import { serverFault } from '../check/dns/ask.ts'
import { checkBaseUrl } from '../serverpilot/base-url.ts'
import type { ProxySettings } from '../serverpilot/proxy.ts'
import type { Selection } from '../source/select.ts'
import { validCron } from '../time/schedule.ts'
import { type Ambient, type FileSettings, readAmbient } from './credentials.ts'
import {
  type Environment,
  flag,
  type Given,
  list,
  listenAddress,
  OPTIONS,
  type OptionName,
  positive,
  text,
  UsageError,
  variableOf,
} from './flags.ts'
import type { Io } from './io.ts'

/** Everything that flags and environment say, decoded. */
export interface Settings {
  manifests: string[]
  stateDir: string
  serverpilotUrl: URL
  updateMethod: 'POST' | 'PUT'
  qps: number
  sweepSchedule: string
  /** Cron; undefined: hosts are not looked at. */
  checkSchedule: string | undefined
  /** Whether handshakes are made to see what servers show. */
  checkServed: boolean
  workers: number
  dryRun: boolean
  listen: { host: string; port: number } | undefined
  logLevel: 'debug' | 'info' | 'warn' | 'error'
  logFormat: 'auto' | 'text' | 'json'
  ambient: Ambient
  ambientNamespaces: string[]
  proxy: ProxySettings
  /** Addresses of DNS servers; empty: the system's. */
  dnsServers: string[]
  /** DNS questions a second. */
  dnsQps: number
  selection: Selection
  /** Undefined: the objects are files. */
  kubernetes: KubernetesSettings | undefined
  /** What selects apps: a record written under other filters is not trusted for inferred removals. */
  filters: string
}

/** How to reach a cluster, where the objects are in one. */
export interface KubernetesSettings {
  kubeconfig?: string
  context?: string
  qps: number
  leaderElect: boolean
  /** Where the daemon keeps records and Lease; undefined: the pod's namespace, outside a pod `domainpilot`. */
  recordNamespace?: string
  /** Names the Lease: each selection of apps has a leader of its own. */
  shard: string
}

/** Everything that flags, environment and `--wp-config` say. Throws `UsageError` with every fault of one kind at once. */
export async function loadSettings({ environment, readFile }: Io, given: Given): Promise<Settings> {
  const path = text('wpConfig', given, environment)
  if (path === undefined) return readSettings(given, environment, readFile)
  // The parser of PHP is loaded only where there is something to parse.
  const { readFileSettings } = await import('./wp-config-file.ts')
  return readSettings(given, environment, readFile, readFileSettings(path, environment, readFile))
}

/** Decodes flags and environment. Throws `UsageError` with every fault of one kind at once. */
export function readSettings(
  given: Given,
  environment: Environment,
  readFile: (path: string) => string,
  file?: FileSettings,
): Settings {
  for (const name of Object.keys(OPTIONS) as OptionName[]) text(name, given, environment)
  const appSelector = parseSelector(text('appSelector', given, environment) ?? '')
  if (appSelector === undefined)
    throw new UsageError('--app-selector: write it as for kubectl -l, for example tier=shops,!legacy.')
  const kubernetes = readKubernetes(given, environment)
  const ambient = readAmbient(environment, readFile, file)
  const manifests = manifestPaths(given, environment, ambient, readFile)
  return {
    manifests,
    stateDir: text('stateDir', given, environment) ?? '.domainpilot',
    serverpilotUrl: baseUrl(given, environment),
    updateMethod: text('serverpilotUpdateMethod', given, environment) === 'PUT' ? 'PUT' : 'POST',
    qps: positive('serverpilotQps', given, environment),
    sweepSchedule: cron('sweepSchedule', given, environment),
    checkSchedule:
      text('checkSchedule', given, environment) === 'off' ? undefined : cron('checkSchedule', given, environment),
    checkServed: flag('checkServed', given, environment),
    workers: Math.ceil(positive('workers', given, environment)),
    dryRun: flag('dryRun', given, environment),
    listen: listenAddress(given, environment),
    logLevel: (text('logLevel', given, environment) ?? 'info') as Settings['logLevel'],
    logFormat: (text('logFormat', given, environment) ?? 'auto') as Settings['logFormat'],
    ambient,
    ambientNamespaces: list('ambientCredentialsNamespaces', given, environment),
    proxy: readProxy(environment),
    dnsServers: dnsServers(given, environment),
    dnsQps: positive('dnsQps', given, environment),
    kubernetes,
    selection: { namespaces: list('namespace', given, environment), selector: appSelector },
    filters: JSON.stringify([
      kubernetes === undefined ? manifests.toSorted() : 'kubernetes',
      list('namespace', given, environment).sort(),
      text('appSelector', given, environment) ?? '',
    ]),
  }
}

/**
 * Where the objects are. Who has a database and names no folder needs none: the usual one counts when it is there. Should it go
 * missing later, that is told; should it be missing at the next start, the filters are others, and its removals need approval.
 */
function manifestPaths(
  given: Given,
  environment: Environment,
  { database }: Ambient,
  readFile: (path: string) => string,
): string[] {
  const paths = list('manifests', given, environment)
  const named = given.manifests !== undefined || environment[variableOf('manifests')] !== undefined
  if (named || database === undefined) return paths
  return paths.filter((path) => !isMissing(path, readFile))
}

function isMissing(path: string, readFile: (path: string) => string): boolean {
  try {
    readFile(path)
    return false
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT'
  }
}

function readKubernetes(given: Given, environment: Environment): KubernetesSettings | undefined {
  const kubeconfig = text('kubeconfig', given, environment)
  const context = text('context', given, environment)
  const source = text('source', given, environment)
  const recordNamespace = text('recordNamespace', given, environment)
  const inPod = (environment.KUBERNETES_SERVICE_HOST ?? '') !== ''
  const named = kubeconfig !== undefined || context !== undefined
  if (source === 'manifests' || (source === 'auto' && !inPod && !named)) return undefined
  return {
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
    ...(recordNamespace === undefined ? {} : { recordNamespace }),
    qps: positive('kubeApiQps', given, environment),
    leaderElect: text('leaderElect', given, environment) !== 'false',
    shard: text('appSelector', given, environment) ?? '',
  }
}

function baseUrl(given: Given, environment: Environment): URL {
  const value = text('serverpilotUrl', given, environment) ?? ''
  try {
    return checkBaseUrl(value, flag('allowInsecureHttp', given, environment))
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function dnsServers(given: Given, environment: Environment): string[] {
  const servers = list('dnsServers', given, environment)
  const fault = servers.map(serverFault).find((each) => each !== undefined)
  if (fault !== undefined) throw new UsageError(`--dns-servers: ${fault}.`)
  return servers
}

function cron(name: 'sweepSchedule' | 'checkSchedule', given: Given, environment: Environment): string {
  const value = text(name, given, environment) ?? ''
  const fault = validCron(value)
  if (fault !== undefined) throw new UsageError(`--${OPTIONS[name].flag}: ${fault}.`)
  return value
}

/** The standard variables, in either case; the lower-case one goes first, as in curl. */
function readProxy(environment: Environment): ProxySettings {
  const either = (name: string): string | undefined => environment[name.toLowerCase()] || environment[name] || undefined
  return { httpsProxy: either('HTTPS_PROXY'), noProxy: either('NO_PROXY') }
}
