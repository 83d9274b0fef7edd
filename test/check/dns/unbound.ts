import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** What a test context has to offer: `TestContext` of node:test does. */
interface Context {
  after(work: () => Promise<void>): void
  skip(message: string): void
}

const HOW = 'unbound is not installed: apt-get install --no-install-recommends unbound'

/** Also where it stands for people who are not root. */
const PATH = `${process.env.PATH}:/usr/sbin:/sbin`

/**
 * A real resolver, unbound, on loopback: it has the zone `example` by heart, and goes to `servers` for the zones named there
 * (`{zone: 'ADDRESS@PORT'}`). Gives its address as `--dns-servers` takes it. Undefined, with the test skipped and told how to get it,
 * when it is not installed. Ends with the test.
 */
export async function unbound(
  t: Context,
  zone: string,
  servers: Readonly<Record<string, string>> = {},
): Promise<string | undefined> {
  if (spawnSync('unbound', ['-V'], { env: { PATH } }).error !== undefined) {
    t.skip(HOW)
    return undefined
  }
  const folder = await mkdtemp(join(tmpdir(), 'domainpilot-unbound-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const port = await freePort()
  await writeFile(join(folder, 'example.zone'), `${HEAD}${zone}\n`)
  await writeFile(join(folder, 'unbound.conf'), configuration(folder, port, servers))
  const child = spawn('unbound', ['-d', '-c', join(folder, 'unbound.conf')], {
    env: { PATH },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = once(child, 'exit')
  t.after(async () => {
    child.kill('SIGTERM')
    await ended
  })
  const said: string[] = []
  for await (const line of createInterface(child.stderr)) {
    said.push(line)
    if (line.includes('start of service')) {
      child.stderr.resume()
      return `127.0.0.1:${port}`
    }
  }
  throw new Error(`unbound did not start:\n${said.join('\n')}`)
}

const HEAD = `$ORIGIN example.
@ 300 IN SOA ns.example. admin.example. 1 3600 600 86400 77
@ 300 IN NS ns.example.
ns 300 IN A 127.0.0.1
`

function configuration(folder: string, port: number, servers: Readonly<Record<string, string>>): string {
  const stubs = Object.entries(servers).map(([zone, at]) => `stub-zone:\n  name: "${zone}."\n  stub-addr: ${at}\n`)
  return `server:
  directory: "${folder}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  verbosity: 1
  interface: 127.0.0.1
  port: ${port}
  num-threads: 1
  do-not-query-localhost: no
  module-config: "iterator"
  max-udp-size: 512
  local-zone: "." transparent
auth-zone:
  name: "example."
  zonefile: "${join(folder, 'example.zone')}"
  for-downstream: no
  for-upstream: yes
  fallback-enabled: no
remote-control:
  control-enable: no
${stubs.join('')}`
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
