import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { objectYaml } from '../controller/world.ts'
import { credentialsOf, execute, temporaryFolder } from './process.ts'

test('check HOST: where its DNS leads, what is served, what the certificate covers; the cure where it is not right', async (t) => {
  const simulator = await startSimulator({
    // Nothing listens there: the handshake is refused at once.
    servers: [{ name: 'server-1', lastaddress: '127.0.0.9' }],
    apps: [
      { name: 'network', domains: ['right.example.com', 'wrong.example.com'], ssl: { names: ['right.example.com'] } },
    ],
    dns: {
      'right.example.com': ['127.0.0.9'],
      'wrong.example.com': ['192.0.2.7'],
      'cdn.example.com': ['203.0.113.5'],
      'none.example.com': null,
    },
    dnsPort: 0,
  })
  t.after(() => simulator.stop())
  const folder = await temporaryFolder(t)
  const domains = join(folder, 'domains')
  await mkdir(domains)
  const dns = { expectedAddresses: ['203.0.113.0/24'] }
  await writeFile(join(domains, 'app.yaml'), objectYaml('ServerPilotApp', 'network', { appId: simulator.apps[0], dns }))
  for (const name of ['right', 'wrong', 'cdn', 'none']) {
    const spec = { domain: `${name}.example.com`, appRef: { name: 'network' } }
    await writeFile(join(domains, `${name}.yaml`), objectYaml('DomainMapping', name, spec))
  }
  const check = (...args: string[]) =>
    execute(t, ['check', ...args, '--serverpilot-url', simulator.url, '--dns-servers', simulator.nameserver ?? ''], {
      cwd: folder,
      env: credentialsOf(simulator),
    })

  const right = await check('right.example.com')
  assert.match(right.stdout, /ok +right\.example\.com: on app wordpress\/network/)
  assert.match(right.stdout, /ok +right\.example\.com: DNS: .*\(127\.0\.0\.9\)/)
  assert.match(right.stdout, /ok +right\.example\.com: certificate: Covered/)
  assert.equal(right.status, 0, right.stdout)

  const wrong = await check('wrong.example.com')
  assert.match(wrong.stdout, /fail +wrong\.example\.com: DNS: PointsElsewhere: .*192\.0\.2\.7/)
  assert.match(wrong.stdout, /127\.0\.0\.9/)
  assert.match(wrong.stdout, /fail +wrong\.example\.com: certificate: WrongDns/)
  assert.equal(wrong.status, 1)

  // behind-a-cdn: an address of a network that the app expects.
  const cdn = await check('cdn.example.com', 'none.example.com')
  assert.match(cdn.stdout, /ok +cdn\.example\.com: DNS: .*\(203\.0\.113\.5\)/)
  assert.match(cdn.stdout, /fail +none\.example\.com: DNS: NoRecords/)

  const json = JSON.parse((await check('right.example.com', '-o', 'json')).stdout) as { findings: { what: string }[] }
  assert.ok(json.findings.every(({ what }) => what === 'right.example.com'))

  assert.equal((await check('http://x')).status, 64)
  const servers = await execute(t, ['check', 'right.example.com', '--dns-servers', 'nowhere'], { cwd: folder })
  assert.equal(servers.status, 64)
  assert.match(servers.stderr, /--dns-servers: "nowhere" is not a valid address of a DNS server/)
})
