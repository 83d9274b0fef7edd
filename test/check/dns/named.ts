import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, HEAD, PATH, type ServerContext, serve } from './unbound.ts'

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
  await serve(t, ['named', '-g', '-n', '1', '-c', join(folder, 'named.conf')], /\brunning$/)
  return `127.0.0.1:${port}`
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
