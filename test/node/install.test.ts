import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { temporaryFolder, until } from '../e2e/process.ts'
import { end, install, NAMESPACE, type NodeCluster, nodeCluster } from './cluster.ts'

const API = 'domainpilot.dev/v1alpha1'

interface Pod {
  metadata: { name: string; deletionTimestamp?: string }
  spec: { containers: { image: string }[] }
  status: { startTime: string; conditions?: { type: string; status: string; lastTransitionTime: string }[] }
}

const podsOf = async (cluster: NodeCluster): Promise<Pod[]> =>
  (await cluster.get<{ items: Pod[] }>('pods', '-n', NAMESPACE)).items.filter(
    (pod) => pod.metadata.deletionTimestamp === undefined,
  )

const metric = (cluster: NodeCluster, pod: string, name: string): Promise<string | undefined> =>
  cluster
    .kubectl('get', '--raw', `/api/v1/namespaces/${NAMESPACE}/pods/${pod}:8080/proxy/metrics`)
    .then((text) => new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1])

/** The pod that leads; undefined while none does. */
async function leader(cluster: NodeCluster): Promise<string | undefined> {
  for (const { metadata } of await podsOf(cluster)) {
    const leads = await metric(cluster, metadata.name, 'domainpilot_leader').catch(() => undefined)
    if (leads === '1') return metadata.name
  }
  return undefined
}

/** A real Prometheus that scrapes both pods through forwarded ports; gives a function that asks it. */
async function prometheus(t: TestContext, targets: readonly string[]): Promise<(expr: string) => Promise<string[]>> {
  const folder = await temporaryFolder(t)
  const config = {
    global: { scrape_interval: '1s' },
    scrape_configs: [{ job_name: 'domainpilot', honor_labels: true, static_configs: [{ targets }] }],
  }
  await writeFile(join(folder, 'prometheus.yml'), JSON.stringify(config))
  const probe = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => probe.once('listening', resolve))
  const { port } = probe.address() as { port: number }
  await new Promise((resolve) => probe.close(resolve))
  const files = [`--config.file=${join(folder, 'prometheus.yml')}`, `--storage.tsdb.path=${join(folder, 'data')}`]
  const child = spawn('prometheus', [...files, `--web.listen-address=127.0.0.1:${port}`], { stdio: 'ignore' })
  t.after(() => end(child))
  return async (expr) => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expr)}`)
    const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } }
    return data.result.map((each) => each.value[1])
  }
}

test('installed on a real node: it serves, tells, survives its leader, is scraped, and leaves everything as it is', async (t) => {
  const cluster = nodeCluster(t)
  if (cluster === undefined) return
  const { kubectl } = cluster
  const simulator = await startSimulator({
    listen: { host: '0.0.0.0' },
    apps: [{ name: 'network', domains: ['by-hand.example.org'] }],
    actionDuration: 1,
    issuance: { delay: 0 },
    dns: { 'shop.example.com': ['198.51.100.10'] },
    dnsPort: 0,
  })
  t.after(() => simulator.stop())
  const appId = simulator.apps[0] as string
  const listed = () => simulator.state.app(appId).domains.toSorted()
  const url = `http://${cluster.host}:${new URL(simulator.url).port}${new URL(simulator.url).pathname}`
  const namespace = 'wordpress'
  t.after(() => kubectl('delete', 'namespace', namespace, '--ignore-not-found', '--timeout=60s'))

  const installing = performance.now()
  const folder = await install(t, cluster, url, `${cluster.host}:${simulator.nameserver?.split(':')[1]}`)
  await kubectl('-n', NAMESPACE, 'rollout', 'status', 'deployment/domainpilot', '--timeout=90s')
  t.diagnostic(`two pods ready ${((performance.now() - installing) / 1000).toFixed(1)} s after kubectl apply -k`)

  const stringData = { clientId: simulator.clientId, apiKey: simulator.apiKey }
  const mapping = (name: string) => ({
    apiVersion: API,
    kind: 'DomainMapping',
    metadata: { name, namespace },
    spec: { domain: `${name}.example.com`, appRef: { name: 'network' } },
  })
  await cluster.apply(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'serverpilot', namespace }, stringData },
    {
      apiVersion: API,
      kind: 'ServerPilotApp',
      metadata: { name: 'network', namespace },
      spec: { appId, credentialsSecretRef: { name: 'serverpilot' }, safety: { settle: '1s', settleInferred: '1s' } },
    },
  )
  const mapped = performance.now()
  await cluster.apply(mapping('shop'))
  await kubectl('-n', namespace, 'wait', '--for=condition=Ready', 'dmap/shop', '--timeout=60s')
  t.diagnostic(
    `kubectl wait returned ${((performance.now() - mapped) / 1000).toFixed(1)} s after the mapping was applied`,
  )
  assert.deepEqual(listed(), ['by-hand.example.org', 'shop.example.com'])

  await t.test('get, describe and Events tell the story', async () => {
    const table = await kubectl('-n', namespace, 'get', 'spapp,dmap')
    t.diagnostic(`\n${table}`)
    assert.match(table, /serverpilotapp\.domainpilot\.dev\/network +\w+ +Sync +1 +2 +True +Succeeded/)
    const shop =
      /domainmapping\.domainpilot\.dev\/shop +shop\.example\.com +network +True +Succeeded +True +True +20\d\d-\S+Z /
    assert.match(table, shop)
    const words = await until('Events are there', async () => {
      // Of more than one object, kubectl describes no Events.
      const texts = ['spapp/network', 'dmap/shop'].map((each) => kubectl('-n', namespace, 'describe', each))
      const text = (await Promise.all(texts)).join('\n')
      return text.match(/DomainsAdded/g)?.length === 2 ? text : undefined
    })
    t.diagnostic(`\n${words}`)
    assert.match(words, /Owned Domains:\s+shop\.example\.com/)
    assert.match(words, /Type:\s+Ready/)
  })

  await t.test('the pods are restricted, and one of two leads', async () => {
    const pods = await podsOf(cluster)
    assert.equal(pods.length, 2)
    const first = await until('one leads', () => leader(cluster))
    const others = pods.filter((pod) => pod.metadata.name !== first)
    for (const { metadata } of others) assert.equal(await metric(cluster, metadata.name, 'domainpilot_leader'), '0')
    const script = `try { fs.writeFileSync('/app/x', '') } catch (error) { console.log(process.getuid(), error.code) }`
    const out = await kubectl('-n', NAMESPACE, 'exec', first, '--', '/nodejs/bin/node', '-e', script)
    assert.equal(out.trim(), '65532 EROFS')
    const { items } = await cluster.get<{
      items: { status: { images: { names: string[] | null; sizeBytes: number }[] } }[]
    }>('nodes')
    const image = items[0]?.status.images.find(({ names }) => names?.some((name) => name.includes('domainpilot:')))
    if (image !== undefined) t.diagnostic(`the image takes ${Math.round(image.sizeBytes / 1e6)} MB on the node`)
    for (const { metadata, status } of pods) {
      const ready = status.conditions?.find((each) => each.type === 'Ready')?.lastTransitionTime ?? ''
      t.diagnostic(
        `${metadata.name} was ready ${(Date.parse(ready) - Date.parse(status.startTime)) / 1000} s after its start`,
      )
    }
    await kubectl('-n', NAMESPACE, 'get', 'pdb/domainpilot', 'networkpolicy/domainpilot', 'service/domainpilot')
  })

  await t.test('a real Prometheus scrapes both: one leader, and series of the app from it alone', async (inner) => {
    const pods = await podsOf(cluster)
    const targets = await Promise.all(pods.map(({ metadata }) => cluster.forward(metadata.name, 8080)))
    const ask = await prometheus(inner, targets)
    await until('both are scraped', async () => (await ask('count(domainpilot_build_info)').catch(() => []))[0] === '2')
    assert.deepEqual(await ask('sum(domainpilot_leader)'), ['1'])
    const owned = `domainpilot_app_hosts{namespace="${namespace}", app="network", kind="owned"}`
    assert.deepEqual(await ask(owned), ['1'])
  })

  await t.test('the leader’s pod goes: the other one goes on', async () => {
    const first = await until('one leads', () => leader(cluster))
    await kubectl('-n', NAMESPACE, 'delete', 'pod', first, '--wait=false')
    await cluster.apply(mapping('more'))
    await until('more is served', () => listed().includes('more.example.com'), 30_000)
    const next = await until('another leads', async () => {
      const found = await leader(cluster)
      return found === first ? undefined : found
    })
    assert.notEqual(next, first)
  })

  await t.test('a mapping that is deleted goes; the uninstall leaves the rest', async () => {
    await kubectl('-n', namespace, 'delete', 'dmap/shop')
    await until('shop is gone', () => !listed().includes('shop.example.com'), 30_000)
    const before = listed()
    await kubectl('delete', '-k', folder, '--timeout=60s')
    assert.deepEqual(listed(), before)
    assert.deepEqual(before, ['by-hand.example.org', 'more.example.com'])
  })
})
