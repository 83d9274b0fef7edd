import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { TestContext } from 'node:test'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'
import { type Ended, launch, type Running } from '../e2e/process.ts'
import { type ApiServer, apiServer, until } from './api-server.ts'

/** A rule of a Role. */
export interface Rule {
  apiGroups: string[]
  resources: string[]
  verbs: string[]
}

export const OBJECTS = { apiGroups: ['domainpilot.dev'], resources: ['serverpilotapps', 'domainmappings'] }
export const SECRETS = { apiGroups: [''], resources: ['secrets'], verbs: ['get'] }
export const RECORDS = { apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }

/** Somebody with a kubeconfig whose context names a namespace. */
export interface User {
  name: string
  kubeconfig: string
  /** Gives rights in one namespace, in every one when it is `''`. */
  may(namespace: string, ...rules: Rule[]): Promise<void>
  /** Runs `kubectl domainpilot ARGS`. */
  run(...args: string[]): Promise<Ended>
  /** The same on a terminal, where an answer can be typed. */
  atTerminal(answer: string, ...args: string[]): Promise<Ended>
}

export interface KubectlWorld {
  server: ApiServer
  simulator: Simulator
  /** Of the app and its mappings. */
  namespace: string
  /** Of the daemon: records and Lease. */
  home: string
  /** Folder with `kubectl-domainpilot` in it. */
  bin: string
  user(name: string): Promise<User>
  daemon(): Promise<Running>
  map(...names: string[]): Promise<void>
  unmap(...names: string[]): Promise<void>
  /** The app's object. */
  app(): Promise<AppView>
  listed(): string[]
  /** Has the daemon hold back the removal of five of twelve; gives the hash. */
  waitingPlan(): Promise<string>
}

/** The part of a `ServerPilotApp` that tests look at. */
export interface AppView {
  metadata: { annotations?: Record<string, string>; resourceVersion: string; managedFields?: unknown }
  status?: {
    plan?: { hash: string; removals: string[]; reason: string }
    conditions?: { type: string; status: string }[]
  }
}

const GROUP = { group: 'domainpilot.dev', version: 'v1alpha1' }
const RBAC = { group: 'rbac.authorization.k8s.io', version: 'v1' }
export const NAMES = Array.from({ length: 12 }, (_, index) => `h${String(index).padStart(2, '0')}`)
const MAIN = resolve(import.meta.dirname, '../../src/main.ts')

/** One API server with one app, its Secret and a simulator. Undefined, with the test skipped, where no server is installed. */
export async function kubectlWorld(t: TestContext): Promise<KubectlWorld | undefined> {
  const server = await apiServer(t)
  if (server === undefined) return undefined
  const { own } = server
  if (own === undefined) {
    t.skip('users without rights need a server that is started here: set KUBEBUILDER_ASSETS')
    return undefined
  }
  const simulator = await startSimulator({
    apps: [{ name: 'network', domains: ['by-hand.example.org'] }],
    actionDuration: 1,
  })
  t.after(() => simulator.stop())
  const bin = await mkdtemp(join(tmpdir(), 'domainpilot-kubectl-'))
  t.after(() => rm(bin, { recursive: true, force: true }))
  const plugin = join(bin, 'kubectl-domainpilot')
  // What npm installs is a link of that name; here the program needs its own Node.
  await writeFile(
    plugin,
    `#!/bin/sh\nexec -a kubectl-domainpilot ${process.execPath} ${MAIN} "$@"\n`.replace('/bin/sh', '/bin/bash'),
  )
  await chmod(plugin, 0o755)
  const [namespace, home] = [await server.namespace('wordpress'), await server.namespace('records')]
  const { custom, core } = server.admin
  const create = (kind: string, plural: string, name: string, spec: object) =>
    custom.createNamespacedCustomObject({
      ...GROUP,
      namespace,
      plural,
      body: { apiVersion: 'domainpilot.dev/v1alpha1', kind, metadata: { name }, spec },
    })
  const { clientId, apiKey } = simulator
  const secret = { metadata: { name: 'serverpilot' }, stringData: { clientId, apiKey } }
  await core.createNamespacedSecret({ namespace, body: secret })
  await create('ServerPilotApp', 'serverpilotapps', 'network', {
    appId: simulator.apps[0],
    www: 'Never',
    ssl: { auto: false },
    safety: { settle: '200ms', settleInferred: '200ms' },
    credentialsSecretRef: { name: 'serverpilot' },
  })

  const world: KubectlWorld = {
    server,
    simulator,
    namespace,
    home,
    bin,
    async user(name) {
      const kubeconfig = await own.user(name)
      const config = JSON.parse(await readFile(kubeconfig, 'utf8'))
      config.contexts[0].context.namespace = namespace
      await writeFile(kubeconfig, JSON.stringify(config))
      const env = {
        KUBECONFIG: kubeconfig,
        DOMAINPILOT_RECORD_NAMESPACE: home,
        DOMAINPILOT_SERVERPILOT_URL: simulator.url,
      }
      return {
        name,
        kubeconfig,
        may: (where, ...rules) => grant(server, name, where, rules),
        run: (...args) => asPlugin(plugin, args, { PATH: process.env.PATH, ...env }),
        atTerminal: (answer, ...args) =>
          asPlugin(
            '/bin/bash',
            ['-c', `printf '%s\\n' "$0" | script -qec "$1" /dev/null`, answer, [plugin, ...args].join(' ')],
            { PATH: process.env.PATH, ...env },
          ),
      }
    },
    async daemon() {
      const flags = ['--source', 'kubernetes', '--kubeconfig', server.kubeconfig, '--record-namespace', home]
      const more = ['--serverpilot-url', simulator.url, '--listen', 'off', '--sweep-schedule', '* * * * * *']
      const daemon = launch(t, ['run', ...flags, ...more])
      await until('the daemon leads', () => daemon.stderr().includes('"Leading"'))
      return daemon
    },
    async map(...names) {
      const appRef = { name: 'network' }
      for (const name of names)
        await create('DomainMapping', 'domainmappings', name, { domain: `${name}.example.com`, appRef })
    },
    async unmap(...names) {
      for (const name of names)
        await custom.deleteNamespacedCustomObject({ ...GROUP, namespace, plural: 'domainmappings', name })
    },
    app: async () =>
      (await custom.getNamespacedCustomObject({
        ...GROUP,
        namespace,
        plural: 'serverpilotapps',
        name: 'network',
      })) as AppView,
    listed: () => (simulator.state.app(simulator.apps[0] as string)?.domains ?? []).toSorted(),
    async waitingPlan() {
      await world.map(...NAMES)
      await until('all are there', () => world.listed().length === 13)
      await until('the mappings say so', async () => {
        const found = await server.admin.json(`/apis/domainpilot.dev/v1alpha1/namespaces/${namespace}/domainmappings`)
        return JSON.stringify(found).split('"state":"present"').length === 13
      })
      await world.unmap(...NAMES.slice(0, 5))
      let hash = ''
      await until('a plan waits for approval', async () => {
        const plan = (await world.app()).status?.plan
        hash = plan?.hash ?? ''
        return plan?.reason === 'RemovalRefused' && plan.removals.length === 5
      })
      return hash
    },
  }
  return world
}

async function grant({ admin }: ApiServer, user: string, namespace: string, rules: Rule[]): Promise<void> {
  const name = `${user}-${namespace}-${Math.random().toString(36).slice(2)}`
  const kind = namespace === '' ? 'ClusterRole' : 'Role'
  const apiVersion = 'rbac.authorization.k8s.io/v1'
  const role = { apiVersion, kind, metadata: { name }, rules }
  const binding = {
    apiVersion,
    kind: `${kind}Binding`,
    metadata: { name },
    roleRef: { apiGroup: RBAC.group, kind, name },
    subjects: [{ apiGroup: RBAC.group, kind: 'User', name: user }],
  }
  if (namespace === '') {
    await admin.custom.createClusterCustomObject({ ...RBAC, plural: 'clusterroles', body: role })
    await admin.custom.createClusterCustomObject({ ...RBAC, plural: 'clusterrolebindings', body: binding })
    return
  }
  await admin.custom.createNamespacedCustomObject({ ...RBAC, namespace, plural: 'roles', body: role })
  await admin.custom.createNamespacedCustomObject({ ...RBAC, namespace, plural: 'rolebindings', body: binding })
}

/** Nobody called `refused` may set the annotation. */
export async function forbidApprovals({ server }: Pick<KubectlWorld, 'server'>): Promise<void> {
  const metadata = { name: 'approvals' }
  const rule = {
    ...{ apiGroups: ['domainpilot.dev'], apiVersions: ['*'], resources: ['serverpilotapps'] },
    operations: ['UPDATE'],
  }
  const expression = "request.userInfo.username != 'refused'"
  const spec = {
    matchConstraints: { resourceRules: [rule] },
    validations: [{ expression, message: 'only the on-call person approves', reason: 'Forbidden' }],
  }
  const group = { group: 'admissionregistration.k8s.io', version: 'v1' }
  const make = (kind: string, plural: string, body: object) =>
    server.admin.custom.createClusterCustomObject({
      ...group,
      plural,
      body: { apiVersion: 'admissionregistration.k8s.io/v1', kind, metadata, ...body },
    })
  await make('ValidatingAdmissionPolicy', 'validatingadmissionpolicies', { spec })
  const binding = { policyName: 'approvals', validationActions: ['Deny'] }
  await make('ValidatingAdmissionPolicyBinding', 'validatingadmissionpolicybindings', { spec: binding })
}

function asPlugin(file: string, args: string[], env: NodeJS.ProcessEnv): Promise<Ended> {
  return new Promise((done) => {
    const child = execFile(file, args, { env, timeout: 90_000 }, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : null
      done({ status, signal: error?.signal ?? null, stdout, stderr })
    })
    if (file !== '/bin/bash') child.stdin?.end()
  })
}
