import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { type DatabaseServer, onEachServer, type TestDatabase, TOOLS } from './database-server.ts'
import * as sql from './network.ts'
import { app, world } from './world.ts'

const WORDPRESS = join(TOOLS, 'wordpress')
const SCRIPT = join(import.meta.dirname, 'network.php')

/** What becomes of a site, once it is made. */
interface Site {
  /** Its own domain, as core maps one. */
  domain?: string
  /** What WordPress sets on it: `archived`, `spam`, `deleted`. */
  status?: readonly string[]
  /** Deleted for good. */
  gone?: true
}

const SITES = {
  shop: { domain: 'shop.example.com' },
  plain: {},
  archived: { domain: 'archived.example.com', status: ['archived'] },
  spam: { domain: 'spam.example.com', status: ['spam'] },
  deleted: { domain: 'deleted.example.com', status: ['deleted'] },
  gone: { domain: 'gone.example.com', gone: true },
} as const satisfies Record<string, Site>

const run = promisify(execFile)

/** Has WordPress make a network in a database. Gives the id of each site. */
async function makeNetwork(
  { host, port }: DatabaseServer,
  database: TestDatabase,
  subdomain: boolean,
): Promise<Record<keyof typeof SITES, number>> {
  const { name: DB_NAME, writer } = database
  const given = { DB_NAME, DB_USER: writer.user, DB_PASSWORD: writer.password, DB_HOST: `${host}:${port}` }
  const php = (step: string) =>
    run('php', [
      '-d',
      'display_errors=stderr',
      SCRIPT,
      WORDPRESS,
      step,
      JSON.stringify({ ...given, subdomain, sites: SITES }),
    ])
  await php('install')
  return JSON.parse((await php('sites')).stdout)
}

const missing = existsSync(join(WORDPRESS, 'wp-load.php')) ? false : 'no WordPress: .ci/unpack gets it'

await onEachServer((server) => {
  for (const subdomain of [true, false]) {
    const what = subdomain ? 'a subdomain network' : 'a subdirectory network'
    test(`${what} that WordPress made: sites that are served count, with core alone and with a plugin`, {
      skip: missing,
    }, async (t) => {
      const database = await server.database()
      const ids = await makeNetwork(server, database, subdomain)
      const core = await world(t, () => database.url())
      await core.until('read', () => core.failure() === undefined)
      assert.deepEqual(core.domains(), ['shop.example.com'])
      assert.deepEqual(core.read().protectedHosts, ['network.example', 'www.network.example'])

      // A row for each site, as Ultimate Multisite writes them; those of sites that were deleted stay.
      const rows = Object.entries(ids).map(([name, id], n) => `(${n + 1}, ${id}, '${name}.example.org', 1, 'done')`)
      await database.sql(
        `${sql.ultimateTable()} INSERT INTO wp_wu_domain_mappings (id, blog_id, domain, active, stage) VALUES ${rows.join(', ')}`,
      )
      const plugin = await world(t, () => database.url(), { given: app({ mappings: 'UltimateMultisite' }) })
      await plugin.until('read', () => plugin.failure() === undefined)
      assert.deepEqual(plugin.domains().sort(), ['plain.example.org', 'shop.example.com', 'shop.example.org'])
    })
  }
})
