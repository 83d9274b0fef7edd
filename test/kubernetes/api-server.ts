import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { cp, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { connect } from '../../src/kubernetes/connection.ts'
import type { KubernetesError } from '../../src/kubernetes/http.ts'
import { customResourceDefinitions } from '../../src/status/crd.ts'
import { until as untilWithin } from '../until.ts'
import { type TypedConnection, withTyped } from './typed.ts'

/** What a test context has to offer: `TestContext` of node:test does. */
interface Context {
  after(work: () => Promise<void>): void
  skip(message: string): void
}

/** A real API server with our custom resources. */
export interface ApiServer {
  /** The administrator's. */
  kubeconfig: string
  /** The administrator's connection. */
  admin: TypedConnection
  installCrds(): Promise<void>
  deleteCrds(): Promise<void>
  /** Makes a namespace of its own for a test; gives its name. */
  namespace(prefix: string): Promise<string>
  /** Only of a server that was started here: certificates and faults. */
  own?: {
    /** The certificate of its authority. */
    ca: string
    /** A kubeconfig for a user without any right. */
    user(name: string): Promise<string>
    /** A kubeconfig for a user who may do everything, told apart by name. */
    admin(name: string): Promise<string>
    /** Stops the API server's process (SIGSTOP); connections stay open. */
    freeze(): void
    thaw(): void
    kill(): Promise<void>
    /** Ends it with a signal, SIGKILL when not given, and starts it again on the same port. */
    restart(signal?: 'SIGKILL' | 'SIGTERM'): Promise<void>
    start(): Promise<void>
    /** Calls of this user that were answered, in their order: `verb resource[/subresource] code`, for RBAC's words. */
    calls(user: string): Promise<string[]>
    /** Has etcd forget all revisions but the present one. */
    compact(): Promise<void>
    /** A copy of etcd's data as it is now; gives its folder. */
    backUp(): Promise<string>
    /** Puts such a copy back: etcd and the API server end, and start on it. */
    restore(copy: string): Promise<void>
  }
}

const HOW =
  'no API server: set KUBEBUILDER_ASSETS to a folder with etcd and kube-apiserver (setup-envtest use -p path), ' +
  'or DOMAINPILOT_TEST_KUBECONFIG to the kubeconfig of a cluster for tests'

const run = promisify(execFile)

/**
 * A real API server for the tests of one file: etcd and kube-apiserver of KUBEBUILDER_ASSETS on free ports, or the cluster
 * of DOMAINPILOT_TEST_KUBECONFIG. Undefined, with the test skipped and told how to get one, when there is neither.
 * Everything that was started ends with the test. `flags`: more of kube-apiserver's own; only for one that is started here.
 */
export async function apiServer(t: Context, flags: Flags = {}): Promise<ApiServer | undefined> {
  const { KUBEBUILDER_ASSETS: assets, DOMAINPILOT_TEST_KUBECONFIG: running } = process.env
  const found = assets !== undefined && ['etcd', 'kube-apiserver'].every((name) => existsSync(join(assets, name)))
  if (!found && running === undefined) {
    t.skip(HOW)
    return undefined
  }
  const pair = found ? await startPair(t, assets, flags) : undefined
  const kubeconfig = pair?.kubeconfig ?? (running as string)
  const admin = withTyped(connect({ kubeconfig, environment: {}, qps: 1000 }))
  t.after(() => admin.close())
  const server: ApiServer = {
    kubeconfig,
    admin,
    installCrds: () => installCrds(admin),
    deleteCrds: () => deleteCrds(admin),
    async namespace(prefix) {
      const { metadata } = await admin.core.createNamespace({ body: { metadata: { generateName: `${prefix}-` } } })
      return metadata?.name as string
    },
    ...(pair === undefined ? {} : { own: pair.own }),
  }
  await server.installCrds()
  return server
}

const CRDS = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' }

async function installCrds(admin: TypedConnection): Promise<void> {
  for (const body of customResourceDefinitions()) {
    await admin.custom.createClusterCustomObject({ ...CRDS, body }).catch((error: { reason?: string }) => {
      if (error.reason !== 'AlreadyExists') throw error
    })
  }
  for (const plural of ['serverpilotapps', 'domainmappings'])
    await until(`${plural} are served`, async () => {
      await admin.json(`/apis/domainpilot.dev/v1alpha1/${plural}`, { query: { limit: 1 } })
      return true
    })
}

async function deleteCrds(admin: TypedConnection): Promise<void> {
  for (const { metadata } of customResourceDefinitions())
    await admin.custom.deleteClusterCustomObject({ ...CRDS, name: metadata.name })
}

/** Waits until `what` holds, 30 seconds at most. */
export const until = (what: string, check: () => boolean | Promise<boolean>, ms = 30_000): Promise<void> =>
  untilWithin(what, check, ms)

/** Command line flags by their long names. */
type Flags = Readonly<Record<string, string>>

interface Files {
  flags: Flags
  folder: string
  etcdPort: number
  port: number
}

async function startPair(t: Context, assets: string, flags: Flags) {
  const folder = await mkdtemp(join(tmpdir(), 'domainpilot-api-'))
  const [port, etcdPort] = (await freePorts(2)) as [number, number]
  const files: Files = { folder, etcdPort, port, flags }
  const children = new Set<ChildProcess>()
  // A test that dies takes its servers along.
  const endAll = () => {
    for (const child of children) child.kill('SIGKILL')
  }
  const onSignal = () => process.exit(1)
  process.once('exit', endAll)
  process.once('SIGTERM', onSignal)
  t.after(async () => {
    process.off('exit', endAll)
    process.off('SIGTERM', onSignal)
    await Promise.all([...children].map((child) => end(child)))
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  })

  async function launch(name: string, args: string[]): Promise<ChildProcess> {
    const log = await open(join(folder, `${name}.log`), 'a')
    const child = spawn(join(assets, name), args, { stdio: ['ignore', log.fd, log.fd] })
    children.add(child)
    child.once('exit', () => children.delete(child))
    await log.close()
    return child
  }

  await certificates(folder)
  await writeFile(join(folder, 'audit.json'), JSON.stringify(AUDIT))
  const kubeconfig = await writeKubeconfig(files, 'admin')
  const client = `http://127.0.0.1:${etcdPort}`
  const data = ['--data-dir', join(folder, 'etcd'), '--unsafe-no-fsync', '--listen-peer-urls', 'http://127.0.0.1:0']
  const launchEtcd = () => launch('etcd', [...data, '--listen-client-urls', client, '--advertise-client-urls', client])
  let etcdServer = await launchEtcd()

  let server = await launch('kube-apiserver', apiServerFlags(files))
  const probe = withTyped(connect({ kubeconfig, environment: {}, timeoutMs: 2000, qps: 1000 }))
  t.after(() => probe.close())
  const ready = () =>
    until(
      'the API server is ready',
      async () => {
        if (server.exitCode !== null) throw new Error(await readFile(join(folder, 'kube-apiserver.log'), 'utf8'))
        // For a while after it says that it is ready, it refuses paths of custom resources.
        const path = '/apis/domainpilot.dev/v1alpha1/domainmappings'
        const refused = await probe.json(path, { query: { limit: 1 } }).then(
          () => undefined,
          (error: KubernetesError) => error.code,
        )
        if (refused !== undefined && refused !== 404) return false
        await probe.core.readNamespace({ name: 'default' })
        // Among other things, that the roles which every account has are there.
        for await (const _ of await probe.raw('/readyz')) return true
        return false
      },
      60_000,
    )
  await ready()

  let auditRead = 0
  const noted: AuditedCall[] = []
  /** What was noted since the last time: a bench asks often, of a log that has grown long. */
  async function auditTail(): Promise<AuditedCall[]> {
    const log = await open(join(folder, 'audit.log'))
    try {
      const from = auditRead
      const bytes = Buffer.alloc((await log.stat()).size - from)
      await log.read(bytes, 0, bytes.length, from)
      // Another call was faster and has noted them.
      if (auditRead !== from) return []
      const whole = bytes.subarray(0, bytes.lastIndexOf('\n') + 1)
      auditRead += whole.length
      return whole.toString().split('\n').slice(0, -1).flatMap(auditedCall)
    } finally {
      await log.close()
    }
  }

  const own = {
    ca: await readFile(join(folder, 'ca.crt'), 'utf8'),
    async user(name: string) {
      await certificate(folder, name, `/CN=${name}`, 'clientAuth')
      return await writeKubeconfig(files, name)
    },
    async admin(name: string) {
      await certificate(folder, name, `/O=system:masters/CN=${name}`, 'clientAuth')
      return await writeKubeconfig(files, name)
    },
    freeze: () => void server.kill('SIGSTOP'),
    thaw: () => void server.kill('SIGCONT'),
    kill: () => end(server),
    async restart(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL') {
      await end(server, signal)
      await own.start()
    },
    async start() {
      server = await launch('kube-apiserver', apiServerFlags(files))
      await ready()
    },
    async calls(user: string) {
      for (const call of await auditTail()) noted.push(call)
      return noted.flatMap((call) => (call.user === user ? [call.words] : []))
    },
    async compact() {
      const { header } = (await etcd(client, 'range', { key: 'AA==', limit: '1' })) as { header: { revision: string } }
      await etcd(client, 'compaction', { revision: header.revision, physical: true })
    },
    async backUp() {
      const copy = await mkdtemp(join(folder, 'backup-'))
      etcdServer.kill('SIGSTOP')
      await cp(join(folder, 'etcd'), copy, { recursive: true })
      etcdServer.kill('SIGCONT')
      return copy
    },
    async restore(copy: string) {
      await Promise.all([end(server), end(etcdServer)])
      await rm(join(folder, 'etcd'), { recursive: true })
      await cp(copy, join(folder, 'etcd'), { recursive: true })
      etcdServer = await launchEtcd()
      await own.start()
    },
  }
  return { kubeconfig, own }
}

/** Who did what, and what came of it; nothing of what was said. A watch is noted when it begins. */
const AUDIT = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata' }],
}

interface AuditEntry {
  verb: string
  user: { username: string }
  objectRef?: { resource: string; subresource?: string }
  responseStatus?: { code: number }
}

interface AuditedCall {
  user: string
  /** `verb resource[/subresource] code` */
  words: string
}

function auditedCall(line: string): AuditedCall[] {
  const { verb, user, objectRef, responseStatus } = JSON.parse(line) as AuditEntry
  if (objectRef === undefined) return []
  const { resource, subresource } = objectRef
  const path = subresource === undefined ? resource : `${resource}/${subresource}`
  return [{ user: user.username, words: `${verb} ${path} ${responseStatus?.code}` }]
}

async function etcd(client: string, call: string, body: Record<string, unknown>): Promise<unknown> {
  const answer = await fetch(`${client}/v3/kv/${call}`, { method: 'POST', body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(`etcd ${call}: ${answer.status} ${await answer.text()}`)
  return await answer.json()
}

function apiServerFlags({ folder, port, etcdPort, flags: more }: Files): string[] {
  const flags = {
    'etcd-servers': `http://127.0.0.1:${etcdPort}`,
    'bind-address': '127.0.0.1',
    'secure-port': port,
    'tls-cert-file': join(folder, 'apiserver.crt'),
    'tls-private-key-file': join(folder, 'apiserver.key'),
    'client-ca-file': join(folder, 'ca.crt'),
    'service-account-key-file': join(folder, 'ca.crt'),
    'service-account-signing-key-file': join(folder, 'ca.key'),
    'service-account-issuer': 'https://kubernetes.default.svc.cluster.local',
    'authorization-mode': 'RBAC',
    'disable-admission-plugins': 'ServiceAccount',
    'service-cluster-ip-range': '10.96.0.0/24',
    'audit-policy-file': join(folder, 'audit.json'),
    'audit-log-path': join(folder, 'audit.log'),
    // As long as this, a server that is ended gracefully keeps watches open: a minute when not given.
    'request-timeout': '10s',
    ...more,
  }
  return Object.entries(flags).map(([name, value]) => `--${name}=${value}`)
}

async function end(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill(signal)
  await exited
}

async function certificates(folder: string): Promise<void> {
  const [key, crt] = [join(folder, 'ca.key'), join(folder, 'ca.crt')]
  await run('openssl', [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=ca',
    '-keyout',
    key,
    '-out',
    crt,
  ])
  await certificate(folder, 'apiserver', '/CN=kube-apiserver', 'serverAuth', 'DNS:localhost,IP:127.0.0.1')
  await certificate(folder, 'admin', '/O=system:masters/CN=admin', 'clientAuth')
}

async function certificate(
  folder: string,
  name: string,
  subject: string,
  usage: string,
  names?: string,
): Promise<void> {
  const file = (ending: string) => join(folder, `${name}.${ending}`)
  const extensions = [`extendedKeyUsage=${usage}`, ...(names === undefined ? [] : [`subjectAltName=${names}`])]
  await writeFile(file('ext'), `${extensions.join('\n')}\n`)
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', file('key')]
  await run('openssl', ['req', '-new', ...key, '-subj', subject, '-out', file('csr')])
  // A file of serial numbers would be written by two at once.
  const serial = `0x${randomBytes(16).toString('hex')}`
  const ca = ['-CA', join(folder, 'ca.crt'), '-CAkey', join(folder, 'ca.key'), '-set_serial', serial, '-days', '2']
  await run('openssl', ['x509', '-req', '-in', file('csr'), ...ca, '-extfile', file('ext'), '-out', file('crt')])
}

async function writeKubeconfig({ folder, port }: Files, name: string): Promise<string> {
  const path = join(folder, `${name}.kubeconfig`)
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server: `https://127.0.0.1:${port}`, 'certificate-authority': 'ca.crt' } }],
    users: [{ name, user: { 'client-certificate': `${name}.crt`, 'client-key': `${name}.key` } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: name } }],
    'current-context': 'test',
  }
  await writeFile(path, JSON.stringify(config))
  return path
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
