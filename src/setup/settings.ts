import { messageOf } from '../log/message-of.ts'
import { checkBaseUrl, type ProxySettings } from '../serverpilot/addresses.ts'
import type { Selection } from '../source/select.ts'
import { type Ambient, type FileSettings, readAmbient } from './credentials.ts'
import { type Flags, readFlags } from './flags.ts'
import type { Io } from './io.ts'
import { type Environment, type Given, UsageError, variableOf } from './option.ts'

/** Everything that flags and environment say, decoded, with what follows from several of them. */
export interface Settings extends Omit<Flags, 'serverpilotUrl'> {
  serverpilotUrl: URL
  ambient: Ambient
  proxy: ProxySettings
  selection: Selection
  /** Undefined: the objects are files. */
  kubernetes: KubernetesSettings | undefined
  /** What selects apps: a record written under other filters is not trusted for inferred removals. */
  filters: string
}

/** How to reach a cluster, where the objects are in one. */
export interface KubernetesSettings {
  kubeconfig?: string | undefined
  context?: string | undefined
  qps: number
  leaderElect: boolean
  /** Where the daemon keeps records and Lease; undefined: the pod's namespace, outside a pod `domainpilot`. */
  recordNamespace?: string | undefined
  /** Names the Lease: each selection of apps has a leader of its own. */
  shard: string
}

/** Everything that flags, environment and `--wp-config` say. Throws `UsageError` with every fault of one kind at once. */
export async function loadSettings({ environment, readFile }: Io, given: Given): Promise<Settings> {
  const { wpConfig } = readFlags(given, environment)
  if (wpConfig === undefined) return readSettings(given, environment, readFile)
  // The parser of PHP is loaded only where there is something to parse.
  const { readFileSettings } = await import('./wp-config-file.ts')
  return readSettings(given, environment, readFile, readFileSettings(wpConfig, environment, readFile))
}

/** Decodes flags and environment. Throws `UsageError` with every fault of one kind at once. */
export function readSettings(
  given: Given,
  environment: Environment,
  readFile: (path: string) => string,
  file?: FileSettings,
): Settings {
  const flags = readFlags(given, environment)
  const kubernetes = kubernetesOf(flags, environment)
  const ambient = readAmbient(environment, readFile, file)
  const named = given.manifests !== undefined || environment[variableOf('manifests')] !== undefined
  const manifests = named ? flags.manifests : usualPaths(flags.manifests, ambient, readFile)
  return {
    ...flags,
    manifests,
    serverpilotUrl: baseUrl(flags),
    ambient,
    proxy: readProxy(environment),
    kubernetes,
    selection: { namespaces: flags.namespace, selector: flags.appSelector.labels },
    filters: JSON.stringify([
      kubernetes === undefined ? manifests.toSorted() : 'kubernetes',
      flags.namespace.toSorted(),
      flags.appSelector.text,
    ]),
  }
}

/**
 * Where the objects are when nobody names a folder. With a database none is needed: the usual one counts when it is there.
 * Should it go missing later, that is said; should it be missing at the next start, the filters are others, and its removals need
 * approval.
 */
function usualPaths(paths: string[], { database }: Ambient, readFile: (path: string) => string): string[] {
  return database === undefined ? paths : paths.filter((path) => !isMissing(path, readFile))
}

function isMissing(path: string, readFile: (path: string) => string): boolean {
  try {
    readFile(path)
    return false
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT'
  }
}

function kubernetesOf(flags: Flags, environment: Environment): KubernetesSettings | undefined {
  const { source, kubeconfig, context, recordNamespace } = flags
  const inPod = (environment.KUBERNETES_SERVICE_HOST ?? '') !== ''
  const named = kubeconfig !== undefined || context !== undefined
  if (source === 'manifests' || (source === 'auto' && !inPod && !named)) return undefined
  return {
    kubeconfig,
    context,
    recordNamespace,
    qps: flags.kubeApiQps,
    leaderElect: flags.leaderElect !== 'false',
    shard: flags.appSelector.text,
  }
}

function baseUrl({ serverpilotUrl, allowInsecureHttp }: Flags): URL {
  try {
    return checkBaseUrl(serverpilotUrl, allowInsecureHttp)
  } catch (error) {
    throw new UsageError(messageOf(error))
  }
}

/** The standard variables, in either case; the lower-case one goes first, as in curl. */
function readProxy(environment: Environment): ProxySettings {
  const either = (name: string): string | undefined => environment[name.toLowerCase()] || environment[name] || undefined
  return { httpsProxy: either('HTTPS_PROXY'), noProxy: either('NO_PROXY') }
}
