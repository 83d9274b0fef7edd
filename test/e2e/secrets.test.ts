import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { inspect } from 'node:util'
import { createServerPilot } from '../../src/serverpilot/client.ts'
import { FAULT_KINDS, type FaultKind, type FaultRule } from '../../src/simulator/faults.ts'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'
import { objectYaml } from '../controller/world.ts'
import type { Call } from '../serverpilot/loopback.ts'
import { hurriedClock } from './disturbed-world.ts'
import { credentialsOf, execute, launch, temporaryFolder, until } from './process.ts'

/** With characters that JSON and URLs write differently. */
const API_KEY = 'c4n4ry/K3y+w1th"qu0te%2F'

/** A simulator whose app has a certificate, and with it a private key in every answer. */
async function simulate(t: TestContext): Promise<Simulator> {
  const simulator = await startSimulator({
    apiKey: API_KEY,
    apps: [{ name: 'network', domains: ['shop.example.com', 'by-hand.example.org'], ssl: { auto: true } }],
    actionDuration: 1,
    issuance: { delay: 0 },
  })
  t.after(() => simulator.stop())
  return simulator
}

/** Everything that must not be found, in each spelling that it may have. */
function needlesOf({ state, apps, clientId }: Simulator): string[] {
  const pem = state.app(apps[0] as string).ssl?.key
  assert.match(pem ?? '', /PRIVATE KEY/)
  const lines = (pem ?? '').split('\n').filter((line) => line.length > 20 && !line.startsWith('-----'))
  assert.ok(lines.length > 0)
  return [
    ...[API_KEY, JSON.stringify(API_KEY).slice(1, -1), encodeURIComponent(API_KEY)],
    ...[Buffer.from(API_KEY), Buffer.from(`${clientId}:${API_KEY}`)].map((bytes) => bytes.toString('base64')),
    ...lines,
    'PRIVATE KEY',
  ]
}

function assertClean(what: string, text: string, needles: readonly string[]): void {
  assert.ok(text.length > 0, `${what} is empty: nothing was looked at`)
  for (const needle of needles) {
    const at = text.indexOf(needle)
    assert.equal(at, -1, `${what} has ${needle}: …${text.slice(Math.max(0, at - 120), at + 60)}`)
  }
}

/** An API that repeats in its errors what it was told, and shows what it should not. */
const echo = (simulator: Simulator): string =>
  `Echo: key ${API_KEY} of ${simulator.clientId}; ${simulator.state.app(simulator.apps[0] as string).ssl?.key}`

/** One rule of each kind that ends by itself; a real daemon waits half a minute for the others. */
function quickRules(path: FaultRule['path'], message: string): FaultRule[] {
  const slow: readonly FaultKind[] = [
    'timeoutBefore',
    'timeoutAfter',
    'timeoutLate',
    'actionStuck',
    'slow',
    'otherWriter',
  ]
  const at = path === undefined ? {} : { path }
  return FAULT_KINDS.filter((kind) => !slow.includes(kind)).map((kind) => ({
    ...{ kind, ...at, message },
    ...(kind === 'rateLimited' ? { retryAfter: 0 } : {}),
  }))
}

async function objects(root: string, appId: string): Promise<string> {
  const folder = join(root, 'domains')
  await mkdir(folder)
  const spec = { appId, www: 'Never', ssl: { auto: true, force: true, retryInterval: '1s' } }
  await writeFile(join(folder, 'network.yaml'), objectYaml('ServerPilotApp', 'network', spec))
  for (const name of ['shop', 'other']) {
    const mapping = { domain: `${name}.example.com`, appRef: { name: 'network' } }
    await writeFile(join(folder, `${name}.yaml`), objectYaml('DomainMapping', name, mapping))
  }
  return folder
}

describe('API key and private key are nowhere to be found', { concurrency: 2 }, () => {
  for (const format of ['text', 'json']) {
    test(`in a daemon's log (${format}, debug), its pages and its state folder`, async (t) => {
      const simulator = await simulate(t)
      const needles = needlesOf(simulator)
      const root = await temporaryFolder(t)
      const folder = await objects(root, simulator.apps[0] as string)
      const stateDir = join(root, 'state')
      for (const rule of quickRules('listApps', echo(simulator))) simulator.faults.add(rule)
      for (const path of ['getApp', 'postDomains', 'postSsl'] as const) {
        // A read is tried three times before anything is said.
        const times = path === 'getApp' ? 3 : 1
        simulator.faults.add({ kind: 'status', status: 500, message: echo(simulator), path, times })
      }
      const daemon = launch(
        t,
        [
          ...['run', '--manifests', folder, '--state-dir', stateDir, '--serverpilot-url', simulator.url],
          ...['--sweep-schedule', '*/1 * * * * *', '--serverpilot-qps', '500', '--listen', '127.0.0.1:0'],
          ...['--log-level', 'debug', '--log-format', format],
        ],
        { env: credentialsOf(simulator) },
      )
      const page = await until('the address of the page', () => /http:\/\/127\.0\.0\.1:\d+/.exec(daemon.stderr())?.[0])
      // While things go wrong and when all is well.
      await until('a message of the API', () => daemon.stderr().includes('Echo: key'))
      const pages: [string, string][] = []
      const look = async (): Promise<void> => {
        for (const path of ['/', '/metrics', '/status.json']) {
          pages.push([path, await (await fetch(new URL(path, page))).text()])
        }
      }
      await look()
      await until('every fault', () => simulator.faults.list().every((rule) => rule.fired > 0), 25_000)
      await until('the host', () =>
        simulator.state.app(simulator.apps[0] as string).domains.includes('other.example.com'),
      )
      await look()
      daemon.child.kill('SIGTERM')
      const ended = await daemon.ended()
      assert.equal(ended.status, 0)
      for (const [path, text] of pages) assertClean(path, text, needles)
      assertClean('the log', ended.stderr, needles)
      const files = await readdir(stateDir)
      assert.ok(files.includes('status.json'))
      assert.ok(files.some((file) => file.startsWith('ownership-')))
      for (const file of files) assertClean(file, await readFile(join(stateDir, file), 'utf8'), needles)
    })
  }

  test('in what commands print, when all is well and when the API repeats it', async (t) => {
    const simulator = await simulate(t)
    const needles = needlesOf(simulator)
    const root = await temporaryFolder(t)
    const folder = await objects(root, simulator.apps[0] as string)
    const common = ['--manifests', folder, '--state-dir', join(root, 'state'), '--serverpilot-url', simulator.url]
    const more = ['--serverpilot-qps', '500', '--log-level', 'debug']
    const commands = [
      ['check'],
      ['check', '-o', 'json'],
      ['plan', '-o', 'json'],
      ['plan'],
      ['status', '--fresh'],
    ].concat([...[['status', '-o', 'json'], ['explain', 'shop.example.com'], ['import'], ['apply', '-o', 'json']]])
    for (const status of [undefined, 402]) {
      if (status !== undefined)
        simulator.faults.add({ kind: 'status', status, times: 'always', message: echo(simulator) })
      for (const command of commands) {
        const { stdout, stderr } = await execute(t, [...command, ...common, ...more], { env: credentialsOf(simulator) })
        assertClean(`${command.join(' ')} (${status ?? 'well'})`, stdout + stderr, needles)
      }
    }
  })

  test('in an error of the client, whatever goes wrong', async (t) => {
    const simulator = await simulate(t)
    const needles = needlesOf(simulator)
    const appId = simulator.apps[0] as string
    const client = createServerPilot({
      ...{ baseUrl: simulator.url, credentials: simulator, qps: 10_000, clock: hurriedClock, version: 'test' },
      ...{ timeoutMs: 1_500, actionPollMs: 100, actionTimeoutMs: 500, random: () => 0 },
    })
    const { serverId } = await client.getApp(appId)
    const calls: Record<Call, [NonNullable<FaultRule['path']>, () => Promise<unknown>]> = {
      listApps: ['listApps', () => client.listApps()],
      getApp: ['getApp', () => client.getApp(appId)],
      getServer: ['getServer', () => client.getServer(serverId)],
      writeDomains: ['postDomains', () => client.writeDomains(appId, ['a.example.com'])],
      changeSsl: ['postSsl', () => client.changeSsl(appId, { force: true })],
    }
    let errors = 0
    for (const kind of FAULT_KINDS) {
      for (const [path, call] of Object.values(calls)) {
        const ms = kind === 'slow' ? { ms: 300 } : {}
        simulator.faults.clear()
        simulator.faults.add({ kind, path, times: 'always', message: echo(simulator), retryAfter: 0, ...ms })
        const result: unknown = await call().catch((error: unknown) => error)
        if (!(result instanceof Error)) continue
        errors += 1
        const shown = inspect(result, { depth: Number.POSITIVE_INFINITY, showHidden: true, maxStringLength: null })
        assertClean(`${kind} at ${path}`, `${shown}\n${JSON.stringify(result)}\n${result.stack}`, needles)
      }
    }
    assert.ok(errors > 50, `only ${errors} errors`)
  })
})
