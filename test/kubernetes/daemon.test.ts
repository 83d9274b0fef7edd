import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'
import { type ApiServer, apiServer, until } from './api-server.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')
const GROUP = { group: 'domainpilot.dev', version: 'v1alpha1' }
const run = promisify(execFile)

/** One API server, one simulator, one app with its Secret in a namespace of its own, and as many daemons as a test starts. */
async function cluster(t: TestContext) {
  const server = await apiServer(t)
  if (server === undefined) return undefined
  const simulator = await startSimulator({
    apps: [{ name: 'network', domains: ['by-hand.example.org'] }],
    actionDuration: 1,
  })
  t.after(() => simulator.stop())
  const namespace = await server.namespace('wordpress')
  const appId = simulator.apps[0] as string
  const { custom, core } = server.admin
  const stringData = { clientId: simulator.clientId, apiKey: `${simulator.apiKey}\n` }
  await core.createNamespacedSecret({ namespace, body: { metadata: { name: 'serverpilot' }, stringData } })
  const create = (kind: string, plural: string, name: string, spec: object) =>
    custom.createNamespacedCustomObject({
      ...GROUP,
      namespace,
      plural,
      body: { apiVersion: 'domainpilot.dev/v1alpha1', kind, metadata: { name }, spec },
    })
  const safety = { settle: '200ms', settleInferred: '200ms' }
  await create('ServerPilotApp', 'serverpilotapps', 'network', {
    appId,
    www: 'Never',
    ssl: { auto: false },
    safety,
    credentialsSecretRef: { name: 'serverpilot' },
  })
  return {
    server,
    simulator,
    namespace,
    listed: () => (simulator.state.app(appId)?.domains ?? []).toSorted(),
    map: (name: string) =>
      create('DomainMapping', 'domainmappings', name, { domain: `${name}.example.com`, appRef: { name: 'network' } }),
    unmap: (name: string) =>
      custom.deleteNamespacedCustomObject({ ...GROUP, namespace, plural: 'domainmappings', name }),
    daemon: () => startDaemon(t, server, simulator),
  }
}

interface Daemon {
  child: ChildProcess
  log(): string
  leads(): boolean
  ended: Promise<number | null>
}

function startDaemon(t: TestContext, server: ApiServer, simulator: Simulator): Daemon {
  const flags = ['--source', 'kubernetes', '--kubeconfig', server.kubeconfig, '--serverpilot-url', simulator.url]
  flags.push('--record-namespace', 'default')
  const { PATH, HOME } = process.env
  const child = spawn(
    process.execPath,
    [MAIN, 'run', ...flags, '--listen', '127.0.0.1:0', '--sweep-schedule', '* * * * * *'],
    {
      env: { PATH, HOME },
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

describe('the daemon on a real API server', () => {
  test('objects reconcile, statuses tell, a mapping that goes is removed', async (t) => {
    const world = await cluster(t)
    if (world === undefined) return
    await world.map('shop')
    const daemon = world.daemon()
    await until('shop is there', () => world.listed().includes('shop.example.com'))
    const kubectl = join(process.env.KUBEBUILDER_ASSETS ?? '', 'kubectl')
    const wait = ['wait', '--for=condition=Ready', 'dmap/shop', '--timeout=20s', '-n', world.namespace]
    await run(kubectl, ['--kubeconfig', world.server.kubeconfig, ...wait])
    const { stdout } = await run(kubectl, [
      '--kubeconfig',
      world.server.kubeconfig,
      'get',
      'spapp,dmap',
      '-n',
      world.namespace,
    ])
    assert.match(stdout, /serverpilotapp\.domainpilot\.dev\/network/)
    assert.match(stdout, /shop\.example\.com/)
    for (const name of ['one', 'two', 'three']) await world.map(name)
    await until('all are there', () => world.listed().length === 5)
    await world.unmap('two')
    await until('two is gone', () => !world.listed().includes('two.example.com'))
    assert.ok(world.listed().includes('by-hand.example.org'))
    const events = async () =>
      (await world.server.admin.events.listNamespacedEvent({ namespace: world.namespace })).items
    await until('Events tell', async () => {
      const reasons = new Set((await events()).map((each) => each.reason))
      return reasons.has('DomainsAdded') && reasons.has('DomainsRemoved')
    })
    assert.doesNotMatch(daemon.log(), new RegExp(world.simulator.apiKey))
  })

  test('two replicas: one leads; the other takes over after kill -9, and at once after a clean stop', async (t) => {
    const world = await cluster(t)
    if (world === undefined) return
    const first = world.daemon()
    await until('the first leads', first.leads)
    const second = world.daemon()
    await until('the second has read everything', () => second.log().includes('"Started"'))
    await world.map('one')
    await until('one is there', () => world.listed().includes('one.example.com'))
    assert.equal(second.leads(), false)

    first.child.kill('SIGTERM')
    const stopped = performance.now()
    await until('the second leads', second.leads, 10_000)
    const clean = performance.now() - stopped
    assert.equal(await first.ended, 0)
    assert.ok(clean < 6_000, `${Math.round(clean)} ms after a clean stop`)

    const third = world.daemon()
    await until('the third has read everything', () => third.log().includes('"Started"'))
    second.child.kill('SIGKILL')
    await world.map('two')
    await until('the third leads', third.leads, 30_000)
    await until('two is there', () => world.listed().includes('two.example.com'))
    assert.deepEqual(world.listed(), ['by-hand.example.org', 'one.example.com', 'two.example.com'])
  })
})
