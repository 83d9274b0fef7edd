import { messageOf } from '../log/message-of.ts'
import { checkBaseUrl, type ProxySettings } from '../serverpilot/addresses.ts'
import type { Selection } from '../source/select.ts'
import { type Ambient, type FileSettings, readAmbient } from './ambient.ts'
import { type Flags, readFlags } from './flags.ts'
import type { Io } from './io.ts'
import { type Environment, type Given, UsageError, variableOf } from './option.ts'

/** Everything that flags and environment say, decoded, with what follows from several of them. */
export interface Settings extends Omit<Flags, 'serverpilotUrl' | 'source' | 'leaderElect'> {
  serverpilotUrl: URL
  source: 'kubernetes' | 'manifests'
  leaderElect: boolean
  ambient: Ambient
  proxy: ProxySettings
  selection: Selection
  /** What selects apps: a record written under other filters is not trusted for inferred removals. */
  filters: string
}

/** Everything that flags, environment and `--wp-config` say. Throws `UsageError` with every fault of one kind at once. */
export async function loadSettings({ environment, readFile }: Io, given: Given): Promise<Settings> {
  const flags = readFlags(given, environment)
  const { wpConfig } = flags
  if (wpConfig === undefined) return readSettings(given, environment, readFile)
  // The parser of PHP is loaded only where there is something to parse.
  const { readFileSettings } = await import('./wp-config-file.ts')
  return readSettings(given, environment, readFile, readFileSettings(wpConfig, environment, readFile, flags))
}

/** Decodes flags and environment. Throws `UsageError` with every fault of one kind at once. */
export function readSettings(
  given: Given,
  environment: Environment,
  readFile: (path: string) => string,
  file?: FileSettings,
): Settings {
  const flags = readFlags(given, environment)
  const source = sourceOf(flags, environment)
  const ambient = readAmbient(environment, readFile, file)
  const named = given.manifests !== undefined || environment[variableOf('manifests')] !== undefined
  // Where nobody names a folder, none is needed beside a database: the usual one counts when it is there. Should it go missing later,
  // that is said; should it be missing at the next start, the filters are others, and its removals need approval.
  const needed = named || ambient.database === undefined
  const manifests = flags.manifests.filter((path) => needed || !isMissing(path, readFile))
  return {
    ...flags,
    manifests,
    serverpilotUrl: baseUrl(flags),
    ambient,
    proxy: readProxy(environment),
    source,
    leaderElect: source === 'kubernetes' && flags.leaderElect !== 'false',
    selection: { namespaces: flags.namespace, selector: flags.appSelector.labels },
    filters: JSON.stringify([
      source === 'manifests' ? manifests.toSorted() : source,
      flags.namespace.toSorted(),
      flags.appSelector.text,
    ]),
  }
}

function isMissing(path: string, readFile: (path: string) => string): boolean {
  try {
    readFile(path)
    return false
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT'
  }
}

function sourceOf({ source, kubeconfig, context }: Flags, environment: Environment): Settings['source'] {
  if (source !== 'auto') return source
  const found = environment.KUBERNETES_SERVICE_HOST || kubeconfig !== undefined || context !== undefined
  return found ? 'kubernetes' : 'manifests'
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
