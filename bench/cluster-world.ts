import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { type ApiServer, apiServer } from '../test/kubernetes/api-server.ts'
import { PROGRAMS, type Running, type SimulatorProcess, start, startSimulatorProcess } from './process.ts'

const API = 'domainpilot.dev/v1alpha1'
const GROUP = { group: 'domainpilot.dev', version: 'v1alpha1' }
const NAMESPACE = 'wordpress'
/** Requests under way while many objects are made: the server takes no more. */
const AT_ONCE = 16

/** A real API server with apps and mappings in it, a simulator, and daemons as they are shipped. */
export interface ClusterWorld {
  server: ApiServer
  own: NonNullable<ApiServer['own']>
  simulator: SimulatorProcess
  /** Makes mappings `NAME` of an app: `NAME.APP.example.com`. */
  map(app: string, names: readonly string[]): Promise<void>
  /** Whether the API server lists mappings, as reflectors ask it to. */
  lists(): Promise<boolean>
  /** Calls of the daemon on the API server: `verb resource code`. */
  calls(): Promise<string[]>
  daemon(...flags: string[]): Running
  stop(): Promise<void>
}

/** What the image sets, and the heap that V8 allows itself under the Deployment's memory limit of 256 MiB. */
const AS_IN_THE_POD = {
  flags: ['--max-semi-space-size=2', '--max-old-space-size=128', '--memory-saver-mode'],
  environment: { MALLOC_ARENA_MAX: '1' },
}

/** The daemon's user: the bundle runs as it, so that the audit log tells its calls from those of the bench. */
const USER = 'bench'

/**
 * Starts all but the daemon. `apps`: names; each app is empty but for one host that is not ours. Undefined, and said, where there is
 * no API server that the bench may kill.
 */
export async function startClusterWorld(apps: readonly string[]): Promise<ClusterWorld | undefined> {
  const cleanups: (() => Promise<void>)[] = []
  const stop = async (): Promise<void> => {
    for (const clean of cleanups.splice(0).reverse()) await clean()
  }
  const server = await apiServer(
    {
      after: (work) => void cleanups.push(work),
      skip: (message) => void process.stderr.write(`skipped: ${message}\n`),
    },
    { 'audit-log-maxsize': '2000' },
  )
  if (server?.own === undefined) {
    await stop()
    return undefined
  }
  const seeds = Object.fromEntries(apps.map((app) => [app, [`by-hand.${app}.example.org`]]))
  const simulator = await startSimulatorProcess(seeds, { actionDuration: 1 })
  cleanups.push(() => simulator.stop())
  const { core, custom } = server.admin
  for (const name of [NAMESPACE, 'domainpilot']) await core.createNamespace({ body: { metadata: { name } } })
  const stringData = {
    clientId: simulator.env.SERVERPILOT_CLIENT_ID ?? '',
    apiKey: simulator.env.SERVERPILOT_API_KEY ?? '',
  }
  await core.createNamespacedSecret({
    namespace: NAMESPACE,
    body: { metadata: { name: 'serverpilot' }, stringData },
  })
  const create = (kind: string, plural: string, name: string, spec: object) =>
    custom.createNamespacedCustomObject({
      ...GROUP,
      namespace: NAMESPACE,
      plural,
      body: { apiVersion: API, kind, metadata: { name }, spec },
    })
  for (const [index, name] of apps.entries()) {
    const spec = { appId: simulator.apps[index], credentialsSecretRef: { name: 'serverpilot' }, www: 'Never' }
    await create('ServerPilotApp', 'serverpilotapps', name, { ...spec, ssl: { auto: false } })
  }
  const kubeconfig = await server.own.admin(USER)
  return {
    server,
    own: server.own,
    simulator,
    async map(app, names) {
      await inParallel(names, (name) =>
        create('DomainMapping', 'domainmappings', `${name}.${app}`, {
          domain: `${name}.${app}.example.com`,
          appRef: { name: app },
        }),
      )
    },
    async lists() {
      const query = { limit: 1, resourceVersion: '0' }
      const path = `/apis/${API}/domainmappings`
      return await server.admin.json(path, { query }).then(
        () => true,
        () => false,
      )
    },
    calls: () => server.own?.calls(USER) ?? Promise.resolve([]),
    daemon(...flags) {
      const cluster = ['--source', 'kubernetes', '--kubeconfig', kubeconfig, '--record-namespace', 'domainpilot']
      const rest = ['--listen', 'off', '--serverpilot-qps', '1000', '--kube-api-qps', '300']
      const { flags: node, environment } = AS_IN_THE_POD
      const all = [...cluster, ...simulator.flags, ...rest, ...flags]
      const running = start([...node, PROGRAMS.bundle, 'run', ...all], environment)
      cleanups.push(() => running.stop())
      return running
    },
    stop,
  }
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const open = [...items].reverse()
  const worker = async (): Promise<void> => {
    for (let item = open.pop(); item !== undefined; item = open.pop()) await work(item)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

/** CPU seconds of a process so far, user and system, as the kernel (Linux) counts them. */
export async function cpuOf(pid: number | undefined): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/** Waits until the daemon has made no call on the API server that writes for `ms`; gives when the last one was seen, epoch ms. */
export async function quietWrites(world: ClusterWorld, ms: number, deadline: number): Promise<number> {
  let known = -1
  let at = Date.now()
  const end = Date.now() + deadline
  while (Date.now() < end) {
    const writes = (await world.calls()).filter((call) => call.startsWith('patch')).length
    if (writes !== known) at = Date.now()
    else if (Date.now() - at >= ms) return at
    known = writes
    await pause(500)
  }
  throw new Error(`the daemon still writes after ${deadline / 1000} s`)
}
