import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, '../..')
export const NAMESPACE = 'domainpilot'

const HOW =
  'no cluster with nodes: set DOMAINPILOT_TEST_NODE_KUBECONFIG to the kubeconfig of one for nothing else (its CRDs go) that has the image ' +
  'domainpilot:VERSION loaded, and DOMAINPILOT_TEST_NODE_HOST to the address at which its pods reach this machine'

/** A cluster with a node that runs pods. */
export interface NodeCluster {
  kubectl(...args: string[]): Promise<string>
  /** `kubectl get … -o json`. */
  get<T>(...args: string[]): Promise<T>
  /** `kubectl apply -f -` of these objects. */
  apply(...objects: object[]): Promise<void>
  /** Address at which pods reach this machine. */
  host: string
  /** Forwards a free local port to a pod's; gives `127.0.0.1:PORT`. */
  forward(pod: string, port: number): Promise<string>
}

/** The cluster of the environment; undefined, with the test skipped and told how to get one, when there is none. */
export function nodeCluster(t: TestContext): NodeCluster | undefined {
  const { DOMAINPILOT_TEST_NODE_KUBECONFIG: kubeconfig, DOMAINPILOT_TEST_NODE_HOST: host } = process.env
  if (kubeconfig === undefined || host === undefined) {
    t.skip(HOW)
    return undefined
  }
  const assets = process.env.KUBEBUILDER_ASSETS
  const bundled = assets === undefined ? undefined : join(assets, 'kubectl')
  const path = bundled !== undefined && existsSync(bundled) ? bundled : 'kubectl'
  const environment = { ...process.env, KUBECONFIG: kubeconfig }
  const options = { env: environment, maxBuffer: 16 * 1024 * 1024 }
  const kubectl = async (...args: string[]): Promise<string> => {
    const done = await run(path, args, options).catch((error: { stdout: string; stderr: string }) => {
      throw new Error(`kubectl ${args.join(' ')}\n${error.stdout}\n${error.stderr}`)
    })
    return done.stdout
  }
  return {
    kubectl,
    host,
    get: async (...args) => JSON.parse(await kubectl('get', ...args, '-o', 'json')),
    async apply(...objects) {
      const child = run(path, ['apply', '-f', '-'], options)
      child.child.stdin?.end(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }))
      await child
    },
    async forward(pod, port) {
      const child = spawn(path, ['-n', NAMESPACE, 'port-forward', pod, `:${port}`], { env: environment })
      t.after(() => end(child))
      const address = Promise.withResolvers<string>()
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        const found = /Forwarding from (127\.0\.0\.1:\d+)/.exec(text)?.[1]
        if (found !== undefined) address.resolve(found)
      })
      child.once('exit', () => address.reject(new Error(`port-forward to ${pod} ended`)))
      return await address.promise
    },
  }
}

/** Ends a process and waits for it. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

/**
 * `kubectl apply -k` of manifests/ as they are, with other addresses for ServerPilot (a simulator at `url`) and DNS, and a way out to them. Gives
 * the folder to uninstall it with; what is left of it goes when the test ends.
 */
export async function install(
  t: TestContext,
  { kubectl }: NodeCluster,
  url: string,
  nameserver: string,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'domainpilot-node-'))
  t.after(async () => {
    await kubectl('delete', '-k', folder, '--ignore-not-found', '--timeout=60s')
    await rm(folder, { recursive: true, force: true })
  })
  const env = [
    { name: 'DOMAINPILOT_SERVERPILOT_URL', value: url },
    { name: 'DOMAINPILOT_ALLOW_INSECURE_HTTP', value: 'true' },
    { name: 'DOMAINPILOT_DNS_SERVERS', value: nameserver },
    // The simulated server has no port 443.
    { name: 'DOMAINPILOT_CHECK_SERVED', value: 'false' },
  ]
  const ports = [
    { port: Number(new URL(url).port), protocol: 'TCP' },
    { port: Number(nameserver.split(':')[1]), protocol: 'UDP' },
  ]
  const patch = (kind: string, path: string, value: unknown) => ({
    target: { kind, name: 'domainpilot' },
    patch: JSON.stringify([{ op: 'add', path, value }]),
  })
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [relative(folder, join(ROOT, 'manifests'))],
    patches: [
      patch('Deployment', '/spec/template/spec/containers/0/env', env),
      patch('NetworkPolicy', '/spec/egress/-', { ports }),
    ],
  }
  await writeFile(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization))
  await kubectl('apply', '-k', folder)
  return folder
}
