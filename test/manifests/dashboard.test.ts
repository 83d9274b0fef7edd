import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { objectYaml } from '../controller/world.ts'
import { credentialsOf, launch, logOf, temporaryFolder, until } from '../e2e/process.ts'

const ROOT = join(import.meta.dirname, '../..')
const HOW = 'prometheus is not installed: apt-get install prometheus, or put prometheus on the PATH'

interface Dashboard {
  panels: { title: string; targets: { expr: string }[] }[]
  templating: { list: { name: string; definition?: string }[] }
}

const dashboard = async (): Promise<Dashboard> =>
  JSON.parse(await readFile(join(ROOT, 'manifests/monitoring/dashboard.json'), 'utf8'))

/** A daemon with everything to show: hosts that came and went, a failed call, a certificate that covers not every host. */
async function startDaemon(t: TestContext): Promise<string> {
  const simulator = await startSimulator({
    apps: [{ name: 'network', domains: ['by-hand.example.org'] }],
    actionDuration: 1,
    issuance: { delay: 0 },
  })
  t.after(() => simulator.stop())
  const folder = await temporaryFolder(t)
  const domains = join(folder, 'domains')
  const write = (name: string, text: string) => writeFile(join(domains, name), text)
  await mkdir(domains)
  const spec = { appId: simulator.apps[0], www: 'Never', safety: { settle: '0s', settleInferred: '0s' } }
  await write('network.yaml', objectYaml('ServerPilotApp', 'network', spec))
  for (const name of ['one', 'two']) {
    const mapping = { domain: `${name}.example.com`, appRef: { name: 'network' } }
    await write(`${name}.yaml`, objectYaml('DomainMapping', name, mapping))
  }
  const flags = ['--manifests', domains, '--state-dir', join(folder, 'state'), '--serverpilot-url', simulator.url]
  const daemon = launch(t, ['run', ...flags, '--listen', '127.0.0.1:0', '--sweep-schedule', '* * * * * *'], {
    env: credentialsOf(simulator),
  })
  const listed = () => simulator.state.app(simulator.apps[0] as string).domains
  await until('both are served', () => listed().length === 3)
  await rm(join(domains, 'two.yaml'))
  await until('one is gone', () => listed().length === 2)
  simulator.faults.add({ kind: 'html502', times: 2 })
  const started = await until('it says its page', () => logOf(daemon.stderr()).find((line) => line.msg === 'Started'))
  return new URL(String(started.page)).host
}

/** A real Prometheus that scrapes `target` every half second; gives its address. */
async function startPrometheus(t: TestContext, target: string): Promise<string> {
  const folder = await temporaryFolder(t)
  const config = {
    global: { scrape_interval: '500ms', scrape_timeout: '400ms' },
    scrape_configs: [{ job_name: 'domainpilot', honor_labels: true, static_configs: [{ targets: [target] }] }],
  }
  await writeFile(join(folder, 'prometheus.yml'), JSON.stringify(config))
  const port = await freePort()
  const files = [`--config.file=${join(folder, 'prometheus.yml')}`, `--storage.tsdb.path=${join(folder, 'data')}`]
  const child = spawn('prometheus', [...files, `--web.listen-address=127.0.0.1:${port}`], { stdio: 'ignore' })
  t.after(async () => {
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('exit', resolve))
  })
  return `http://127.0.0.1:${port}`
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function query(prometheus: string, expr: string): Promise<unknown[]> {
  const answer = await fetch(`${prometheus}/api/v1/query?query=${encodeURIComponent(expr)}`)
  const { status, data, error } = (await answer.json()) as {
    status: string
    data?: { result: { value: [number, string] }[] }
    error?: string
  }
  if (status !== 'success') throw new Error(`${expr}: ${error}`)
  // A quantile over nothing is NaN: no data for a reader.
  return (data?.result ?? []).filter((each) => each.value[1] !== 'NaN')
}

const filledIn = (expr: string): string =>
  expr.replaceAll('$__rate_interval', '1m').replaceAll(/\$(namespace|app)\b/g, '.*')

test('every query of the dashboard gives data from a real Prometheus that scrapes a running daemon', async (t) => {
  const there = spawn('prometheus', ['--version'], { stdio: 'ignore' })
  const missing = await new Promise((resolve) => {
    there.once('error', () => resolve(true))
    there.once('exit', () => resolve(false))
  })
  if (missing) return t.skip(HOW)
  const target = await startDaemon(t)
  const prometheus = await startPrometheus(t, target)
  await until('Prometheus answers', () =>
    query(prometheus, 'up == 1').then(
      (found) => found.length > 0,
      () => false,
    ),
  )
  const { panels, templating } = await dashboard()
  const without: string[] = []
  for (const { title, targets } of panels)
    for (const { expr } of targets) {
      const found = await until(`data for ${title}`, async () => {
        const result = await query(prometheus, filledIn(expr))
        return result.length > 0 ? result : undefined
      }).catch(() => undefined)
      if (found === undefined) without.push(`${title}: ${expr}`)
    }
  assert.deepEqual(without, [])
  for (const { name, definition } of templating.list) {
    const [, metric, label] = /^label_values\((.*), (\w+)\)$/.exec(definition ?? '') ?? []
    if (metric === undefined) continue
    assert.equal(label, name)
    assert.ok((await query(prometheus, filledIn(metric))).length > 0, definition)
  }
})
