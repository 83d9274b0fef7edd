import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { parseDocuments } from '../../src/api/yaml.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { databaseServer } from '../source/wordpress/database-server.ts'
import { SMALL } from '../source/wordpress/network.ts'
import { execute, temporaryFolder } from './process.ts'

const LEFT = ['old.example.com', 'www.old.example.com', 'gone.example.org']
const STAYS = ['network.example', 'www.network.example', 'by-hand.example.org']

/** A network whose plugin left names on the app, and commands that know nothing but its wp-config.php. */
async function world(t: TestContext) {
  const server = await databaseServer(t)
  if (server === undefined) return undefined
  const database = await server.database()
  await database.sql(SMALL)
  const domains = [...STAYS, ...LEFT, 'shop.example.com', 'www.shop.example.com']
  const simulator = await startSimulator({ apps: [{ name: 'network', domains }], actionDuration: 1 })
  t.after(() => simulator.stop())
  const folder = await temporaryFolder(t)
  const config = join(folder, 'wp-config.php')
  const constants = {
    DB_NAME: database.name,
    DB_USER: database.user,
    DB_PASSWORD: database.password,
    DB_HOST: `${server.host}:${server.port}`,
    WU_SERVER_PILOT_CLIENT_ID: simulator.clientId,
    WU_SERVER_PILOT_API_KEY: simulator.apiKey,
    WU_SERVER_PILOT_APP_ID: simulator.apps[0] as string,
  }
  const lines = Object.entries(constants).map(([name, value]) => `define('${name}', '${value}');`)
  await writeFile(config, `<?php\n${lines.join('\n')}\n$table_prefix = 'wp_';\n`)
  return {
    database,
    folder,
    listed: () => simulator.state.app(simulator.apps[0] as string).domains.toSorted(),
    call: (...args: string[]) =>
      execute(t, [...args, '--wp-config', config, '--serverpilot-url', simulator.url], { cwd: folder }),
  }
}

test('names that the plugin left on the app: listed, taken over, or removed after approval', async (t) => {
  const seen = await world(t)
  if (seen === undefined) return
  const { call, listed, folder } = seen
  const before = listed()

  const plan = await call('plan')
  assert.equal(plan.status, 0, plan.stderr)
  const [, foreign = ''] = plan.stdout.split('foreign: on the app')
  for (const host of [...LEFT, 'by-hand.example.org']) assert.ok(foreign.includes(`  ${host}\n`), host)
  assert.doesNotMatch(
    foreign,
    /network\.example|shop\.example\.com/,
    'neither protected names nor www of what is wanted',
  )

  const imported = await call('import', '--foreign')
  const { mappings, faults } = parseDocuments(imported.stdout, { file: 'taken-over.yaml' })
  assert.deepEqual(faults, [])
  const declared = mappings.map(({ domain, www, app }) => `${domain} ${www} ${app}`)
  assert.deepEqual(declared, [
    'by-hand.example.org Never default/default',
    'gone.example.org Never default/default',
    'old.example.com Always default/default',
  ])

  const remove = LEFT.flatMap((host) => ['--remove-foreign', host])
  const shown = await call('plan', ...remove)
  assert.match(shown.stdout, /3 removal\(s\) held back: 3 host\(s\) that domainpilot did not add would be removed/)
  const refused = await call('apply', ...remove)
  assert.equal(refused.status, 3, refused.stdout + refused.stderr)
  assert.deepEqual(listed(), [...before, 'blog.example.org'].toSorted(), 'the rest of the plan went in')
  const hash = /approve ([0-9a-f]{16})/.exec(refused.stdout)?.[1] ?? assert.fail(refused.stdout)

  const done = await call('apply', ...remove, '--approve', hash)
  assert.equal(done.status, 0, done.stdout + done.stderr)
  const rest = [...STAYS, 'blog.example.org', 'shop.example.com', 'www.shop.example.com'].toSorted()
  assert.deepEqual(listed(), rest)

  for (const host of ['old.example.com', 'network.example', 'shop.example.com']) {
    const again = await call('apply', '--remove-foreign', host)
    assert.equal(again.status, 1)
    assert.match(again.stderr, new RegExp(`--remove-foreign ${host}: it is not foreign on any app`))
  }
  assert.equal((await call('apply', '--remove-foreign', 'https://x.example/')).status, 64)
  assert.deepEqual(listed(), rest)

  const file = join(folder, 'taken-over.yaml')
  await writeFile(
    file,
    imported.stdout
      .split('---\n')
      .filter((text) => text.includes('by-hand'))
      .join('---\n'),
  )
  const adopted = await call('apply', '--manifests', file)
  assert.match(adopted.stdout, /= adopt by-hand\.example\.org/)
  assert.match((await call('import', '--foreign')).stderr, /No host is foreign/)
})

test('explain knows each row that does not count', async (t) => {
  const seen = await world(t)
  if (seen === undefined) return
  await seen.database.sql(
    `INSERT INTO wp_wu_domain_mappings (id, blog_id, domain) VALUES (12, 7, 'ghost.example.com'), (13, 8, 'gone.example.org')`,
  )
  const check = await seen.call('check')
  assert.match(check.stdout, /2 rows are mapped to sites that do not exist/)
  const ghost = await seen.call('explain', 'ghost.example.com')
  assert.match(
    ghost.stdout,
    /not on the app, not wanted: wp_wu_domain_mappings id 12 does not count, as its site 7 does not/,
  )
  const listed = await seen.call('explain', 'gone.example.org')
  assert.match(listed.stdout, /on the app, foreign: not ours, left alone: wp_wu_domain_mappings id 13 does not count/)
})
