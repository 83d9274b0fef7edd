import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { databaseServer } from './database-server.ts'
import { SMALL } from './network.ts'
import { world } from './world.ts'

const run = promisify(execFile)

/** A key and a certificate that is its own authority, for one name. */
async function certificate(folder: string, file: string, name: string): Promise<{ key: string; crt: string }> {
  const [key, crt] = [join(folder, `${file}.key`), join(folder, `${file}.crt`)]
  const names = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`]
  await run('openssl', [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    ...names,
    '-keyout',
    key,
    '-out',
    crt,
  ])
  return { key, crt }
}

test('TLS: asked for, held against an authority, held against the name', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'domainpilot-tls-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const own = await certificate(folder, 'own', 'localhost')
  const other = await certificate(folder, 'other', 'localhost')
  const elsewhere = await certificate(folder, 'elsewhere', 'db.example')
  const server = await databaseServer(t, [`--ssl-key=${own.key}`, `--ssl-cert=${own.crt}`])
  if (server === undefined) return
  if (server.own === undefined) return t.skip('needs a server of its own, for its certificate')
  const database = await server.database()
  await database.sql(SMALL)
  await server.sql(`ALTER USER '${database.user}'@'%' REQUIRE SSL`)

  const named = (host: string) => database.url().replace('127.0.0.1', host)
  const pem = encodeURIComponent(await readFile(own.crt, 'utf8'))
  const table: [what: string, url: string, says: RegExp | undefined][] = [
    ['not asked for: the account needs it', named('localhost'), /refuses user/],
    ['asked for, no matter whose', `${named('localhost')}?ssl-mode=REQUIRED`, undefined],
    ['an authority that nobody knows', `${named('localhost')}?ssl-mode=VERIFY_CA`, /TLS.*check ssl-mode and ssl-ca/],
    ['another authority', `${named('localhost')}?ssl-ca=${other.crt}`, /TLS.*check ssl-mode and ssl-ca/],
    ['the authority, from a file', `${named('localhost')}?ssl-ca=${own.crt}`, undefined],
    ['the authority, in the URL', `${named('localhost')}?ssl-ca=${pem}`, undefined],
    ['an address, which is not held against anything', `${named('127.0.0.1')}?ssl-ca=${own.crt}`, /write the name/],
    ['another name that does not matter', `${named('127.0.0.1')}?ssl-mode=VERIFY_CA&ssl-ca=${own.crt}`, undefined],
    [
      'a file that is not there',
      `${named('localhost')}?ssl-ca=${join(folder, 'none')}`,
      /file of ssl-ca cannot be read/,
    ],
  ]
  for (const [what, url, says] of table) {
    const seen = await world(t, () => url)
    const failure = seen.failure()
    await seen.source.stop()
    if (says === undefined) assert.equal(failure, undefined, what)
    else assert.match(failure ?? '', says, what)
  }

  const misnamed = await databaseServer(t, [`--ssl-key=${elsewhere.key}`, `--ssl-cert=${elsewhere.crt}`])
  const there = await misnamed?.database()
  const url = `${there?.url().replace('127.0.0.1', 'localhost')}?ssl-ca=${elsewhere.crt}`
  const seen = await world(t, () => url)
  assert.match(seen.failure() ?? '', /TLS.*check ssl-mode and ssl-ca|does not match/, 'another name')
})
