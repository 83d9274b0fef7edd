import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { freePort, HEAD, PATH, type ServerContext } from './unbound.ts'

const HOW = 'named is not installed: apt-get install --no-install-recommends bind9'

/**
 * A real resolver, BIND's named, on loopback: it has the zone `example` by heart, and makes AAAA records up behind the prefix `dns64`.
 * Gives its address as `--dns-servers` takes it. Undefined, with the test skipped and told how to get it, when it is not installed. Ends
 * with the test.
 */
export async function named(t: ServerContext, zone: string, dns64: string): Promise<string | undefined> {
  if (spawnSync('named', ['-v'], { env: { PATH } }).error !== undefined) {
    t.skip(HOW)
    return undefined
  }
  const folder = await mkdtemp(join(tmpdir(), 'domainpilot-named-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const port = await freePort()
  await writeFile(join(folder, 'example.zone'), `${HEAD}${zone}\n`)
  await writeFile(join(folder, 'named.conf'), configuration(folder, port, dns64))
  const child = spawn('named', ['-g', '-n', '1', '-c', join(folder, 'named.conf')], {
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
    if (/\brunning$/.test(line)) {
      child.stderr.resume()
      return `127.0.0.1:${port}`
    }
  }
  throw new Error(`named did not start:\n${said.join('\n')}`)
}

function configuration(folder: string, port: number, dns64: string): string {
  return `options {
  directory "${folder}";
  listen-on port ${port} { 127.0.0.1; };
  listen-on-v6 { none; };
  pid-file none;
  session-keyfile none;
  lock-file none;
  dnssec-validation no;
  dns64 ${dns64} { clients { any; }; };
};
controls { };
zone "example" { type primary; file "example.zone"; };
`
}
