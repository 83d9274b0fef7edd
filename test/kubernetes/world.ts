import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { PatchStrategy, setHeaderOptions } from '@kubernetes/client-node'
import type { SimulatorOptions } from '../../src/simulator/options.ts'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'
import { NO_CHECKS } from '../e2e/process.ts'
import { type ApiServer, apiServer, until } from './api-server.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')
const GROUP = { group: 'domainpilot.dev', version: 'v1alpha1' }
const PLURAL = { ServerPilotApp: 'serverpilotapps', DomainMapping: 'domainmappings' } as const
type Kind = keyof typeof PLURAL

/** An object as the API server gives it, as far as tests look into it. */
export interface ReadObject {
  metadata: {
    name: string
    uid: string
    finalizers?: string[]
    deletionTimestamp?: string
    resourceVersion: string
    generation?: number
  }
  spec: Record<string, unknown>
  status?: {
    lastHandledReconcileAt?: string
    ownedDomains?: string[]
    plan?: { hash: string; removals: string[]; reason: string; message: string }
    conditions?: { type: string; status: string; reason: string; message: string; observedGeneration?: number }[]
  }
}

/** A daemon that runs. */
export interface Daemon {
  child: ChildProcess
  log(): string
  leads(): boolean
  ended: Promise<number | null>
}

/** How a daemon is started. Without: as the administrator, with records and Lease in the world's home. */
export interface DaemonOptions {
  kubeconfig?: string
  flags?: readonly string[]
  environment?: Readonly<Record<string, string>>
}

/** One simulator, one app with its Secret in a namespace of its own, on an API server that may be shared. */
export interface World {
  server: ApiServer
  simulator: Simulator
  appId: string
  /** Another app at ServerPilot, without an object. */
  secondAppId: string
  /** Of the app, its mappings and its Secret. */
  namespace: string
  /** Of the daemons: records and Leases. */
  home: string
  /** The list at ServerPilot, sorted. */
  listed(): string[]
  posts(): number
  create(kind: Kind, name: string, spec: object, namespace?: string): Promise<void>
  /** Puts the Secret `serverpilot` with the right credentials into a namespace. */
  secret(namespace?: string): Promise<void>
  /** A merge patch of the object. */
  patch(kind: Kind, name: string, body: object): Promise<void>
  /** The object; undefined when it is gone. */
  read(kind: Kind, name: string, namespace?: string): Promise<ReadObject | undefined>
  delete(kind: Kind, name: string): Promise<void>
  /** A mapping of `NAME.example.com` to the app. */
  map(name: string, namespace?: string): Promise<void>
  unmap(name: string): Promise<void>
  daemon(options?: DaemonOptions): Daemon
}

/** What an app's spec adds to the world's: no www, no SSL, removals that settle at once. */
export type Spec = Readonly<Record<string, unknown>>

/** Makes a world; undefined, with the test skipped, where there is no API server. `shared`: use this server. */
export async function createWorld(
  t: TestContext,
  options: { spec?: Spec; domains?: string[]; shared?: ApiServer; simulator?: SimulatorOptions } = {},
): Promise<World | undefined> {
  const server = options.shared ?? (await apiServer(t))
  if (server === undefined) return undefined
  const domains = options.domains ?? ['by-hand.example.org']
  const simulator = await startSimulator({
    apps: [
      { name: 'network', domains },
      { name: 'second', domains: [] },
    ],
    actionDuration: 1,
    ...options.simulator,
  })
  t.after(() => simulator.stop())
  const namespace = await server.namespace('wordpress')
  const home = await server.namespace('domainpilot')
  const appId = simulator.apps[0] as string
  const { custom, core } = server.admin

  const world: World = {
    server,
    simulator,
    appId,
    secondAppId: simulator.apps[1] as string,
    namespace,
    home,
    listed: () => (simulator.state.app(appId)?.domains ?? []).toSorted(),
    posts: () => simulator.counts().postDomains,
    async create(kind, name, spec, within = namespace) {
      const body = { apiVersion: 'domainpilot.dev/v1alpha1', kind, metadata: { name }, spec }
      await custom.createNamespacedCustomObject({ ...GROUP, namespace: within, plural: PLURAL[kind], body })
    },
    async patch(kind, name, body) {
      const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch)
      await custom.patchNamespacedCustomObject({ ...GROUP, namespace, plural: PLURAL[kind], name, body }, merge)
    },
    async read(kind, name, within = namespace) {
      try {
        const call = { ...GROUP, namespace: within, plural: PLURAL[kind], name }
        return (await custom.getNamespacedCustomObject(call)) as ReadObject
      } catch (error) {
        if ((error as { code?: number }).code === 404) return undefined
        throw error
      }
    },
    async delete(kind, name) {
      await custom.deleteNamespacedCustomObject({ ...GROUP, namespace, plural: PLURAL[kind], name })
    },
    map: (name, within = namespace) =>
      world.create(
        'DomainMapping',
        name,
        { domain: `${name}.example.com`, appRef: { name: 'network', namespace } },
        within,
      ),
    unmap: (name) => world.delete('DomainMapping', name),
    async secret(within = namespace) {
      const stringData = { clientId: simulator.clientId, apiKey: `${simulator.apiKey}\n` }
      const body = { metadata: { name: 'serverpilot' }, stringData }
      await core.createNamespacedSecret({ namespace: within, body })
    },
    daemon: (how = {}) => startDaemon(t, world, how),
  }
  await world.secret()
  await world.create('ServerPilotApp', 'network', {
    appId,
    www: 'Never',
    ssl: { auto: false },
    safety: { settle: '200ms', settleInferred: '200ms' },
    credentialsSecretRef: { name: 'serverpilot' },
    ...options.spec,
  })
  return world
}

function startDaemon(
  t: TestContext,
  world: World,
  { kubeconfig, flags = [], environment = {} }: DaemonOptions,
): Daemon {
  const cluster = ['--source', 'kubernetes', '--kubeconfig', kubeconfig ?? world.server.kubeconfig]
  const rest = ['--serverpilot-url', world.simulator.url, '--listen', '127.0.0.1:0', '--record-namespace', world.home]
  const { PATH, HOME } = process.env
  const child = spawn(
    process.execPath,
    [MAIN, 'run', ...cluster, ...rest, '--sweep-schedule', '* * * * * *', ...flags],
    {
      env: { PATH, HOME, ...NO_CHECKS, ...environment },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text
  })
  t.after(() => child.kill('SIGKILL'))
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  return { child, log: () => log, leads: () => log.includes('"Leading"'), ended }
}

/** Waits until a condition of the object is as said; gives its message. */
export async function condition(
  world: World,
  kind: Kind,
  name: string,
  wanted: { type: string; status?: string; reason?: string; message?: RegExp },
  namespace?: string,
): Promise<string> {
  let found: NonNullable<NonNullable<ReadObject['status']>['conditions']>[number] | undefined
  try {
    await until(`${kind} ${name} says ${JSON.stringify(wanted)}`, async () => {
      const object = await world.read(kind, name, namespace)
      found = object?.status?.conditions?.find((each) => each.type === wanted.type)
      return (
        found !== undefined &&
        (wanted.status ?? found.status) === found.status &&
        (wanted.reason ?? found.reason) === found.reason &&
        (wanted.message ?? /^/).test(found.message)
      )
    })
  } catch (cause) {
    throw new Error(`it says ${JSON.stringify(found)}`, { cause })
  }
  return found?.message ?? ''
}
