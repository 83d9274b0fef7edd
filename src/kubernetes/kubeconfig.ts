import { existsSync, readFileSync } from 'node:fs'
import type { RequestOptions } from 'node:https'
import { delimiter, join } from 'node:path'
import { bufferFromFileOrString, KubeConfig } from '@kubernetes/client-node'
import { type Access, KubernetesError } from './http.ts'

/** Where the API server and the credentials stand. */
export interface ConfigOptions {
  /** A kubeconfig file; else as kubectl: `KUBECONFIG`, `~/.kube/config`, then the pod's own service account. */
  kubeconfig?: string | undefined
  context?: string | undefined
  /** `KUBECONFIG`, `HOME`, `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT` are read from it. */
  environment: Readonly<Record<string, string | undefined>>
  /** Where a pod finds its token, CA and namespace. */
  serviceAccountFolder?: string
}

const SERVICE_ACCOUNT_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount'

/** Reads the configuration afresh. Throws `KubernetesError` with the reason `Misconfigured` and the cure. */
export function loadConfig(options: ConfigOptions): KubeConfig {
  const config = new KubeConfig()
  const files = kubeconfigs(options)
  try {
    if (files.length === 0) config.loadFromOptions(inCluster(options))
    for (const file of files) merge(config, file)
  } catch (cause) {
    if (cause instanceof KubernetesError) throw cause
    // The parser's words quote the file, and so may its keys.
    const code = (cause as NodeJS.ErrnoException).code
    const words = code ?? 'it is not a valid kubeconfig'
    throw misconfigured(`the kubeconfig ${files.join(delimiter)} cannot be read: ${words}`)
  }
  if (options.context !== undefined) config.setCurrentContext(options.context)
  contextOf(config)
  return config
}

function kubeconfigs({ kubeconfig, environment }: ConfigOptions): string[] {
  if (kubeconfig !== undefined) return [kubeconfig]
  const listed = (environment.KUBECONFIG ?? '').split(delimiter).filter((file) => file !== '')
  // As kubectl does: a list may name files that are not there.
  if (listed.length > 0)
    return listed.some((file) => existsSync(file)) ? listed.filter((file) => existsSync(file)) : listed
  const usual = environment.HOME === undefined ? undefined : join(environment.HOME, '.kube', 'config')
  return usual !== undefined && existsSync(usual) ? [usual] : []
}

/** As kubectl does: what two files both define counts as the first has it. */
function merge(config: KubeConfig, file: string): void {
  const more = new KubeConfig()
  more.loadFromFile(file)
  const both = <T extends { name: string }>(known: readonly T[], others: readonly T[]): T[] => {
    return [...known, ...others.filter((other) => !known.some(({ name }) => name === other.name))]
  }
  config.clusters = both(config.clusters, more.clusters)
  config.users = both(config.users, more.users)
  config.contexts = both(config.contexts, more.contexts)
  config.currentContext ||= more.currentContext
}

function inCluster({ environment, context, serviceAccountFolder: folder = SERVICE_ACCOUNT_FOLDER }: ConfigOptions) {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = environment
  if (host === undefined || host === '' || !existsSync(join(folder, 'token')))
    throw misconfigured('there is no cluster to talk to: name a kubeconfig with --kubeconfig, or run in a pod')
  if (context !== undefined) throw misconfigured(`the context ${context} needs a kubeconfig: name it with --kubeconfig`)
  const namespaceFile = join(folder, 'namespace')
  const namespace = existsSync(namespaceFile) ? readFileSync(namespaceFile, 'utf8').trim() : 'default'
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`
  return {
    clusters: [{ name: 'pod', server, caFile: join(folder, 'ca.crt'), skipTLSVerify: false }],
    users: [{ name: 'pod', authProvider: { name: 'tokenFile', config: { tokenFile: join(folder, 'token') } } }],
    contexts: [{ name: 'pod', cluster: 'pod', user: 'pod', namespace }],
    currentContext: 'pod',
  }
}

/** Server and namespace of the current context. Throws `KubernetesError` when there is none that can be used. */
export function contextOf(config: KubeConfig): { server: string; namespace: string } {
  const context = config.getContextObject(config.currentContext)
  const names = config.contexts.map(({ name }) => name).join(', ') || 'none'
  if (context === null) {
    const named = config.currentContext ? `has no context ${config.currentContext}` : 'names no current context'
    throw misconfigured(`the kubeconfig ${named}: choose one of those in it with --context (${names})`)
  }
  const cluster = config.getCluster(context.cluster)
  if (cluster === null) throw misconfigured(`the kubeconfig has no cluster ${context.cluster}, which its context names`)
  if (cluster.proxyUrl?.startsWith('socks'))
    throw misconfigured(`the kubeconfig wants a SOCKS proxy, which is not supported: use an HTTP proxy`)
  return { server: cluster.server, namespace: context.namespace ?? 'default' }
}

/**
 * How to be let in as of now. Files that the kubeconfig names (CA, certificate, key, token) are read each time, so that a
 * renewed one counts. Throws `KubernetesError` with the reason `Misconfigured`.
 */
export async function accessOf(config: KubeConfig): Promise<Access> {
  const { server } = contextOf(config)
  const options: RequestOptions = {}
  try {
    await config.applyToHTTPSOptions(options)
  } catch (cause) {
    // An exec plugin's output that is not valid JSON is quoted in the error, with the token.
    const words = cause instanceof Error && !(cause instanceof SyntaxError) ? cause.message : 'unusable answer'
    throw misconfigured(`the kubeconfig's credentials cannot be obtained: ${words}`)
  }
  const cluster = config.getCurrentCluster()
  // The library takes the CA from the options only when the context has a user.
  const ca = bufferFromFileOrString(cluster?.caFile, cluster?.caData)
  const { cert, key, passphrase, rejectUnauthorized, servername, auth } = options
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(options.headers ?? {})) headers[name.toLowerCase()] = String(value).trim()
  if (auth) headers.authorization = `Basic ${Buffer.from(auth).toString('base64')}`
  const proxy = cluster?.proxyUrl
  return {
    server,
    headers,
    tls: {
      ...bytes('ca', ca),
      ...bytes('cert', cert),
      ...bytes('key', key),
      ...(passphrase === undefined ? {} : { passphrase }),
      ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
      ...(servername === undefined ? {} : { servername }),
    },
    ...(proxy === undefined ? {} : { proxy }),
  }
}

function bytes<Name extends string>(name: Name, value: unknown): { [K in Name]?: Buffer } {
  if (typeof value !== 'string' && !Buffer.isBuffer(value)) return {}
  return { [name]: Buffer.from(value as string) } as { [K in Name]?: Buffer }
}

function misconfigured(message: string): KubernetesError {
  return new KubernetesError({ reason: 'Misconfigured', message })
}
