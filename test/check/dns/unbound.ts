import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** What a test context has to offer: `TestContext` of node:test does. */
export interface ServerContext {
  after(work: () => Promise<void>): void
  skip(message: string): void
}

const HOW = 'unbound is not installed: apt-get install --no-install-recommends unbound'

/** Also where it stands for people who are not root. */
export const PATH = `${process.env.PATH}:/usr/sbin:/sbin`

/**
 * A real resolver, unbound, on loopback: it has the zone `example` by heart, and goes to `servers` for the zones named there
 * (`{zone: 'ADDRESS@PORT'}`). With `dns64` it makes AAAA records up behind that prefix. Gives its address as `--dns-servers` takes it. Undefined, with the test skipped and told how to get it,
 * when it is not installed. Ends with the test.
 */
export async function unbound(
  t: ServerContext,
  zone: string,
  servers: Readonly<Record<string, string>> = {},
  dns64?: string,
): Promise<string | undefined> {
  if (spawnSync('unbound', ['-V'], { env: { PATH } }).error !== undefined) {
    t.skip(HOW)
    return undefined
  }
  const folder = await mkdtemp(join(tmpdir(), 'domainpilot-unbound-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const port = await freePort()
  await writeFile(join(folder, 'example.zone'), `${HEAD}${zone}\n`)
  await writeFile(join(folder, 'ipv4only.zone'), IPV4_ONLY)
  await writeFile(join(folder, 'unbound.conf'), configuration(folder, port, servers, dns64))
  await serve(t, ['unbound', '-d', '-c', join(folder, 'unbound.conf')], /start of service/)
  return `127.0.0.1:${port}`
}

/** Starts a server that ends with the test. Resolves once it says so on standard error; throws with what it said when it ends before. */
export async function serve(
  t: ServerContext,
  [program = '', ...args]: readonly string[],
  ready: RegExp,
): Promise<void> {
  const child = spawn(program, args, { env: { PATH }, stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = once(child, 'exit')
  t.after(async () => {
    child.kill('SIGTERM')
    await ended
  })
  const said: string[] = []
  for await (const line of createInterface(child.stderr)) {
    said.push(line)
    if (!ready.test(line)) continue
    child.stderr.resume()
    return
  }
  throw new Error(`${program} did not start:\n${said.join('\n')}`)
}

/** The front of the zone `example`. */
export const HEAD = `$ORIGIN example.
@ 300 IN SOA ns.example. admin.example. 1 3600 600 86400 77
@ 300 IN NS ns.example.
ns 300 IN A 127.0.0.1
`

/** The zone by which resolvers show that they make AAAA records up (RFC 7050); there is no Internet to have it from. */
const IPV4_ONLY = `$ORIGIN ipv4only.arpa.
@ 300 IN SOA ns.example. admin.example. 1 3600 600 86400 77
@ 300 IN NS ns.example.
@ 300 IN A 192.0.0.170
@ 300 IN A 192.0.0.171
`

function configuration(
  folder: string,
  port: number,
  servers: Readonly<Record<string, string>>,
  dns64: string | undefined,
): string {
  const zoneOf = (name: string, file: string) => `auth-zone:
  name: "${name}."
  zonefile: "${join(folder, file)}"
  for-downstream: no
  for-upstream: yes
  fallback-enabled: no
`
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
  module-config: "${dns64 === undefined ? '' : 'dns64 '}iterator"
${dns64 === undefined ? '' : `  dns64-prefix: ${dns64}\n`}  max-udp-size: 512
  local-zone: "." transparent
${zoneOf('example', 'example.zone')}${zoneOf('ipv4only.arpa', 'ipv4only.zone')}remote-control:
  control-enable: no
${stubs.join('')}`
}

/** A port of loopback that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
