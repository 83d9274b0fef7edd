import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { databaseServer, UNPACKED } from './database-server.ts'
import { hostsOf } from './given.ts'
import { ultimateTable, wwwSettings } from './network.ts'
import { app, world } from './world.ts'

const FOLDER = join(UNPACKED, 'wordpress')
const SCRIPT = join(import.meta.dirname, 'network.php')
const missing =
  !existsSync(join(FOLDER, 'wp-load.php')) && 'no files of WordPress: run .ci/unpack, which puts them beside the system'
const run = promisify(execFile)

describe('networks that WordPress itself made', { skip: missing }, () => {
  for (const kind of ['mariadb', 'mysql'] as const)
    test(kind, async (t) => {
      const server = await databaseServer(t, [], kind)
      if (server === undefined) return
      for (const subdomains of ['1', '0']) {
        const database = await server.database()
        const php = async (step: string) =>
          (await run('php', [SCRIPT, FOLDER, String(server.port), database.name, step, subdomains])).stdout
        await php('install')
        const ids = JSON.parse(await php('sites')) as Record<string, number>
        const rows = Object.entries(ids).map(([what, id]) => `(${id}, '${what}.customers.example', 1, 'done', NOW())`)
        await database.sql(
          `${ultimateTable()}${wwwSettings('never')}INSERT INTO wp_wu_domain_mappings (blog_id, domain, active, stage, date_created) VALUES ${rows.join()}`,
        )
        const of = app({ includeSites: subdomains === '1' })
        const seen = await world(t, () => database.url(), { given: of })
        assert.equal(seen.failure(), undefined)
        const below = subdomains === '1' ? ['kept.network.example'] : []
        assert.deepEqual(
          hostsOf(seen.read(), of),
          ['customer.example', 'kept.customers.example', 'own.customers.example', ...below].sort(),
        )
        assert.ok(seen.read().protectedHosts?.includes('network.example'))
      }
    })
})
