import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { objectYaml } from '../controller/world.ts'
import { createBench } from './bench.ts'
import {
  credentialsOf,
  type Ended,
  type LaunchOptions,
  launch,
  type Running,
  temporaryFolder,
  until,
} from './process.ts'
import { type SilentPeer, silentTcp, silentUdp } from './silent-peer.ts'

/** How long a stop may take: a second on a machine of one's own, more where others are busy, far less than any time-out; ms. */
const SOON = 5_000

/** Ends a process by SIGTERM, which it has to obey at once. */
async function stop(t: TestContext, running: Running): Promise<Ended> {
  const at = performance.now()
  running.child.kill('SIGTERM')
  const ended = await running.ended(SOON)
  t.diagnostic(`gone after ${Math.round(performance.now() - at)} ms`)
  return ended
}

/** Starts a command, stops it once the peer was asked, and looks at how it ended. */
async function stopped(t: TestContext, peer: SilentPeer, args: readonly string[], options: LaunchOptions = {}) {
  const before = peer.calls()
  const running = launch(t, args, options)
  await until(`${args[0]} asks`, () => peer.calls() > before, 60_000)
  await pause(200)
  const ended = await stop(t, running)
  assert.equal(ended.status, 1, `${args.join(' ')}: ${ended.signal} ${ended.stderr}`)
  assert.match(ended.stderr, /^Stopped\.$/m)
  return ended
}

describe('a command is stopped while it waits for something that never answers', { concurrency: 2 }, () => {
  test('apply-hears-its-signal: DNS, with dns.policy: Require', async (t) => {
    const bench = await createBench(t)
    const dns = await silentUdp(t)
    const spec = { appId: bench.appId, www: 'Never', ssl: { auto: false }, dns: { policy: 'Require' } }
    await writeFile(join(bench.folder, 'network.yaml'), objectYaml('ServerPilotApp', 'network', spec))
    for (let number = 1; number <= 100; number++) await bench.map(`shop${number}`)
    const flags = ['--manifests', bench.folder, '--state-dir', join(bench.root, 'state'), '--dns-servers', dns.address]
    const args = ['apply', ...flags, '--serverpilot-url', bench.simulator.url]
    const { stdout } = await stopped(t, dns, args, { env: credentialsOf(bench.simulator) })
    assert.equal(stdout, '')
    assert.equal(bench.simulator.counts().postDomains, 0)
    assert.deepEqual(bench.listed(), ['by-hand.example.org'])
  })

  test('DNS: check HOST', async (t) => {
    const bench = await createBench(t)
    const dns = await silentUdp(t)
    const flags = ['--manifests', bench.folder, '--dns-servers', dns.address, '--check-served', 'false']
    const args = ['check', 'by-hand.example.org', ...flags, '--serverpilot-url', bench.simulator.url]
    await stopped(t, dns, args, { env: credentialsOf(bench.simulator), cwd: bench.root })
  })

  test('ServerPilot: every command that asks it', async (t) => {
    const bench = await createBench(t)
    const api = await silentTcp(t)
    const flags = ['--manifests', bench.folder, '--serverpilot-url', `http://${api.address}/v1`]
    const options = { env: credentialsOf(bench.simulator), cwd: bench.root }
    for (const command of [
      ['plan'],
      ['apply'],
      ['check'],
      ['check', 'a.example'],
      ['explain', 'a.example'],
      ['status'],
    ])
      await stopped(t, api, [...command, ...flags], options)
    await stopped(t, api, ['import', ...flags.slice(2)], options)
  })

  test('the API server: every command that asks it', async (t) => {
    const api = await silentTcp(t)
    const folder = await temporaryFolder(t)
    const kubeconfig = join(folder, 'kubeconfig')
    await writeFile(kubeconfig, kubeconfigYaml(`http://${api.address}`))
    const flags = ['--kubeconfig', kubeconfig]
    const commands = [['plan'], ['apply'], ['check'], ['status'], ['status', '--fresh'], ['explain', 'a.example']]
    for (const command of [...commands, ['explain', 'a.example', '--fresh'], ['approve', 'wordpress/network']])
      await stopped(t, api, [...command, ...flags], { cwd: folder })
  })

  test('a database: plan and status', async (t) => {
    const bench = await createBench(t)
    const database = await silentTcp(t)
    const env = {
      ...credentialsOf(bench.simulator),
      SERVERPILOT_APP_ID: bench.appId,
      WORDPRESS_DATABASE_URL: `mysql://wp:secret@${database.address}/wordpress`,
    }
    const flags = ['--serverpilot-url', bench.simulator.url]
    for (const command of ['plan', 'status']) {
      const { stderr } = await stopped(t, database, [command, ...flags], { env, cwd: await temporaryFolder(t) })
      assert.doesNotMatch(stderr, /secret/)
    }
  })
})

const kubeconfigYaml = (server: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'silent', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'nobody', user: {} }],
    contexts: [{ name: 'silent', context: { cluster: 'silent', user: 'nobody' } }],
    'current-context': 'silent',
  })

describe('stop-during-the-first-read: run ends in every phase of its start', () => {
  for (const files of [5, 3_000])
    test(`${files} files`, async (t) => {
      const root = await temporaryFolder(t)
      const domains = join(root, 'domains')
      await mkdir(domains)
      const app = objectYaml('ServerPilotApp', 'network', { appId: 'AAAAAAAAAAAAAAAA' })
      await writeFile(join(domains, 'network.yaml'), app)
      const numbers = Array.from({ length: files - 1 }, (_, index) => index)
      const yaml = (number: number) =>
        objectYaml('DomainMapping', `m${number}`, { domain: `m${number}.example.com`, appRef: { name: 'network' } })
      await Promise.all(numbers.map((number) => writeFile(join(domains, `m${number}.yaml`), yaml(number))))
      const api = await silentTcp(t)
      const env = { SERVERPILOT_CLIENT_ID: 'cid_0123456789ab', SERVERPILOT_API_KEY: 'k3yk3yk3yk3yk3y1' }
      const flags = ['--serverpilot-url', `http://${api.address}/v1`, '--listen', '127.0.0.1:0']
      for (const wait of [0, 40, 80, 120, 160, 200, 250, 300, 350, 400, 450, 500]) {
        const running = launch(t, ['run', '--manifests', domains, ...flags], { env, cwd: root })
        await pause(wait)
        const { status, signal, stderr } = await stop(t, running)
        // Node itself had not begun to run us: nobody could hear the signal yet.
        if (signal === 'SIGTERM' && stderr === '') continue
        assert.equal(status, 0, `after ${wait} ms: ${signal} ${stderr}`)
        assert.doesNotMatch(stderr, /rror/)
      }
    })
})
