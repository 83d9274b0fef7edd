import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Status } from '../../src/status/status.ts'
import { objectYaml } from '../controller/world.ts'
import { createBench } from './bench.ts'
import { credentialsOf, execute, launch, until } from './process.ts'

const SERVER = '198.51.100.10'

test('a daemon looks at the DNS of its hosts: told on the page, in metrics, by status and explain; put right, it is seen', async (t) => {
  const dns = {
    'right.example.com': [SERVER],
    'wrong.example.com': ['203.0.113.7'],
    'held.example.com': null,
  }
  const bench = await createBench(t, [], { dns, dnsPort: 0, issuance: { delay: 0 } })
  const { simulator } = bench
  const app = (requested: string) =>
    writeFile(
      join(bench.folder, 'network.yaml'),
      objectYaml(
        'ServerPilotApp',
        'network',
        { appId: bench.appId, www: 'Never', ssl: { auto: false } },
        { annotations: { 'domainpilot.dev/reconcile-requested-at': requested } },
      ),
    )
  await app('once')
  for (const name of ['right', 'wrong', 'held']) await bench.map(name)
  const folders = ['--manifests', bench.folder, '--state-dir', join(bench.root, 'state')]
  const looks = [
    '--check-schedule',
    '*/5 * * * *',
    '--check-served',
    'false',
    '--dns-servers',
    simulator.nameserver ?? '',
  ]
  const env = credentialsOf(simulator)
  const daemon = launch(
    t,
    [
      'run',
      ...folders,
      ...looks,
      '--serverpilot-url',
      simulator.url,
      '--listen',
      '127.0.0.1:0',
      '--log-format',
      'json',
    ],
    { env },
  )
  const url = await until('the page', () => /"page":"([^"]+)"/.exec(daemon.stderr())?.[1])
  const status = async (): Promise<Status> => (await (await fetch(`${url}/status.json`)).json()) as Status
  const saysOf = async (name: string): Promise<string> => {
    const found = (await status()).mappings.find(({ domain }) => domain === `${name}.example.com`)
    const ready = found?.conditions.find(({ type }) => type === 'DNSReady')
    return `${ready?.status} ${ready?.reason}`
  }
  await until('all are looked at', async () => {
    const said = await Promise.all(['right', 'wrong', 'held'].map(saysOf))
    return said.join() === 'True Succeeded,False PointsElsewhere,False NoRecords'
  })
  assert.match(await (await fetch(`${url}/metrics`)).text(), /domainpilot_app_dns_failing_hosts\{.*\} 2\n/)
  assert.match(await (await fetch(`${url}/`)).text(), /PointsElsewhere.*203\.0\.113\.7/s)
  // The daemon writes its status file a moment later.
  const command = (...args: string[]) => execute(t, [...args, ...folders, '--serverpilot-url', simulator.url], { env })
  await until('explain knows', async () => {
    const { stdout } = await command('explain', 'wrong.example.com')
    return /^ {2}dns {8}PointsElsewhere: .*203\.0\.113\.7.*\n {2}next {7}Point its A record/m.test(stdout)
  })
  assert.match((await command('explain', 'right.example.com')).stdout, /^ {2}dns {8}resolves to the server \(198/m)
  assert.match((await command('status')).stdout, /wrong\.example\.com.*PointsElsewhere.*203\.0\.113\.7/)

  simulator.state.setDns({ 'wrong.example.com': [SERVER], 'held.example.com': [SERVER] })
  await app('twice')
  await until('a request looks again', async () => (await saysOf('wrong')) === 'True Succeeded')
  assert.equal(await saysOf('held'), 'True Succeeded')
  assert.equal(simulator.counts().postDomains, 1, 'Report holds nothing back and writes nothing more')
  daemon.child.kill('SIGTERM')
  assert.equal((await daemon.ended()).status, 0)

  // Where ServerPilot cannot be asked nothing is said of what it lists, and nobody is told to declare anything.
  const deaf = (...args: string[]) =>
    execute(t, [...args, ...folders, '--serverpilot-url', 'http://127.0.0.1:9/v1'], { env })
  const known = await deaf('explain', 'right.example.com')
  assert.match(known.stdout, /not known: ServerPilot could not be asked/)
  assert.doesNotMatch(known.stdout, /not on the app|as it should be/)
  assert.equal(known.status, 1)
  const foreign = await deaf('explain', 'foreign.example.org')
  assert.match(foreign.stdout, /Not known: not every app could be asked/)

  // What an earlier daemon wrote is not shown as what is so after an apply.
  await bench.map('late')
  assert.equal((await command('apply')).status, 0)
  const after = await command('status')
  assert.match(after.stdout, /late\.example\.com/)
  assert.match(after.stderr, /were not looked at/)
})
