import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'
import { objectYaml } from '../controller/world.ts'
import { type DatabaseServer, databaseServer, type TestDatabase } from '../source/wordpress/database-server.ts'
import { SMALL } from '../source/wordpress/network.ts'
import { credentialsOf, execute, launch, temporaryFolder, until } from './process.ts'
import { silentTcp } from './silent-peer.ts'

interface Network {
  server: DatabaseServer
  database: TestDatabase
  simulator: Simulator
  folder: string
  appId: string
  listed(): string[]
  posts(): number
  /** Writes a wp-config.php for the database. */
  config(more?: { password?: string; appId?: string }): Promise<string>
}

/** A network with two mapped domains in a real database, and an app that lists the network's own name. */
async function network(t: TestContext): Promise<Network | undefined> {
  const server = await databaseServer(t)
  if (server === undefined) return undefined
  const database = await server.database()
  await database.sql(SMALL)
  const domains = ['network.example', 'by-hand.example.org']
  const simulator = await startSimulator({ apps: [{ name: 'network', domains }], actionDuration: 1 })
  t.after(() => simulator.stop())
  const folder = await temporaryFolder(t)
  const appId = simulator.apps[0] as string
  return {
    server,
    database,
    simulator,
    folder,
    appId,
    listed: () => simulator.state.app(appId).domains.toSorted(),
    posts: () => simulator.counts().postDomains,
    async config({ password = database.password, appId: id = appId } = {}) {
      const path = join(folder, 'wp-config.php')
      const define = (name: string, value: string) => `define( '${name}', '${value}' );`
      const lines = [
        '<?php',
        define('DB_NAME', database.name),
        define('DB_USER', database.user),
        define('DB_PASSWORD', password),
        define('DB_HOST', `${server.host}:${server.port}`),
        define('WU_SERVER_PILOT_CLIENT_ID', simulator.clientId),
        define('WU_SERVER_PILOT_API_KEY', simulator.apiKey),
        define('WU_SERVER_PILOT_APP_ID', id),
        "$table_prefix = 'wp_';",
        "require_once ABSPATH . 'wp-settings.php';",
      ]
      await writeFile(path, lines.join('\n'))
      return path
    },
  }
}

const ALL = ['blog.example.org', 'by-hand.example.org', 'network.example', 'shop.example.com']

test('run --wp-config, and nothing else: rows that come and go are on the app within seconds', async (t) => {
  const world = await network(t)
  if (world === undefined) return
  const { simulator, database } = world
  const path = await world.config()
  const flags = ['--serverpilot-url', simulator.url, '--listen', '127.0.0.1:0', '--sweep-schedule', '* * * * * *']
  const daemon = launch(t, ['run', '--wp-config', path, ...flags], { cwd: world.folder })
  await until('both mappings are on the app', () => world.listed().join() === ALL.join())

  const committed = performance.now()
  await database.sql(
    `INSERT INTO wp_wu_domain_mappings (id, blog_id, domain, stage) VALUES (3, 2, 'new.example.com', 'done')`,
  )
  await until('the new row is on the app', () => world.listed().includes('new.example.com'))
  const took = performance.now() - committed
  t.diagnostic(`row to list in ${Math.round(took)} ms, at a poll interval of 5 s`)
  assert.ok(took < 7_500, `${took} ms`)

  await t.test('status, explain and check tell where it comes from', async (inner) => {
    const common = ['--wp-config', path, '--serverpilot-url', simulator.url]
    const told = async () =>
      (await execute(inner, ['explain', 'new.example.com', ...common], { cwd: world.folder })).stdout
    const words = await until('explain knows it', async () => {
      const text = await told()
      return text.includes('wp_wu_domain_mappings id 3') ? text : undefined
    })
    assert.match(words, /new\.example\.com/)
    const check = await execute(inner, ['check', ...common], { cwd: world.folder })
    assert.match(check.stdout, /database: .*UltimateMultisite.*3 /)
    assert.equal(check.status, 0, check.stdout + check.stderr)
    for (const text of [words, check.stdout, check.stderr, daemon.stderr()])
      for (const secret of [database.password, simulator.apiKey]) assert.ok(!text.includes(secret))
  })

  await t.test('a password that is wrong removes nothing; the right one is taken up by itself', async () => {
    await world.config({ password: 'wrong' })
    await until('it starts again', () => daemon.stderr().includes('starting again'))
    await until('it says so', () => /Access denied|1045/.test(daemon.stderr()))
    assert.equal(world.listed().length, 5)
    await world.config()
    await database.sql(
      `INSERT INTO wp_wu_domain_mappings (id, blog_id, domain, stage) VALUES (4, 2, 'late.example.com', 'done')`,
    )
    await until('it reads again', () => world.listed().includes('late.example.com'), 30_000)
  })

  daemon.child.kill('SIGTERM')
  assert.equal((await daemon.ended()).status, 0)
})

test('an app in a file with spec.wordpress and a Secret; a deleted row goes, the network’s own name never', async (t) => {
  const world = await network(t)
  if (world === undefined) return
  const { simulator, database, folder } = world
  const wordpress = { connectionSecretRef: { name: 'db' }, pollInterval: '500ms' }
  const spec = { appId: world.appId, ssl: { auto: false }, safety: { settle: '1s', settleInferred: '1s' }, wordpress }
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'db', namespace: 'wordpress' },
    stringData: { url: database.url() },
  }
  await writeFile(
    join(folder, 'app.yaml'),
    `${objectYaml('ServerPilotApp', 'network', spec)}---\n${JSON.stringify(secret)}\n`,
  )
  const flags = [
    '--manifests',
    join(folder, 'app.yaml'),
    '--state-dir',
    join(folder, 'state'),
    '--serverpilot-url',
    simulator.url,
  ]
  const daemon = launch(t, ['run', ...flags, '--listen', '127.0.0.1:0', '--sweep-schedule', '* * * * * *'], {
    env: credentialsOf(simulator),
  })
  await until('both mappings are on the app', () => world.listed().join() === ALL.join())
  const page = await until('the page', () => /http:\/\/127\.0\.0\.1:\d+/.exec(daemon.stderr())?.[0])
  const whole = await metricsOf(page)
  assert.ok(Number(whole('source_reads_total', 'wordpress', 'success')) > 0)
  assert.equal(whole('source_objects', 'wordpress'), '2')
  assert.ok(Math.abs(Number(whole('source_last_success_timestamp_seconds', 'wordpress')) - Date.now() / 1000) < 60)

  await database.sql('DELETE FROM wp_wu_domain_mappings WHERE id = 2')
  await until('its host is gone', () => !world.listed().includes('blog.example.org'), 30_000)
  assert.deepEqual(world.listed(), ['by-hand.example.org', 'network.example', 'shop.example.com'])

  await database.sql('RENAME TABLE wp_wu_domain_mappings TO wp_gone')
  await until('it says that the table is gone', () => /SourceUnavailable/.test(daemon.stderr()))
  assert.deepEqual(world.listed(), ['by-hand.example.org', 'network.example', 'shop.example.com'])
  const failing = await metricsOf(page)
  assert.ok(Number(failing('source_reads_total', 'wordpress', 'failure')) > 0)
  assert.equal((await fetch(`${page}/readyz`)).status, 200)
  await database.sql('RENAME TABLE wp_gone TO wp_wu_domain_mappings')
  await database.sql(
    `INSERT INTO wp_wu_domain_mappings (id, blog_id, domain, stage) VALUES (9, 2, 'back.example.com', 'done')`,
  )
  await until('it heals by itself', () => world.listed().includes('back.example.com'), 30_000)
  assert.ok(!daemon.stderr().includes(database.password))
})

test('a database that stays away: ready once it was looked at, named in faults and metrics, and the other app is served', async (t) => {
  const silent = await silentTcp(t)
  const simulator = await startSimulator({
    apps: [
      { name: 'network', domains: [] },
      { name: 'plain', domains: [] },
    ],
    actionDuration: 1,
  })
  t.after(() => simulator.stop())
  const folder = await temporaryFolder(t)
  const [network = '', plain = ''] = simulator.apps
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'db', namespace: 'wordpress' },
    stringData: { url: `mysql://wp:s3cr3t-word@${silent.address}/wordpress` },
  }
  const rest = { www: 'Never', ssl: { auto: false } }
  const objects = [
    objectYaml('ServerPilotApp', 'network', {
      ...{ ...rest, appId: network },
      wordpress: { connectionSecretRef: { name: 'db' } },
    }),
    objectYaml('ServerPilotApp', 'plain', { ...rest, appId: plain }),
    objectYaml('DomainMapping', 'shop', { domain: 'shop.example.com', appRef: { name: 'plain' } }),
    JSON.stringify(secret),
  ]
  await writeFile(join(folder, 'all.yaml'), objects.join('---\n'))
  const flags = ['--manifests', join(folder, 'all.yaml'), '--serverpilot-url', simulator.url]
  const daemon = launch(t, ['run', ...flags, '--listen', '127.0.0.1:0'], {
    env: credentialsOf(simulator),
    cwd: folder,
  })
  const page = await until('the page', () => /http:\/\/127\.0\.0\.1:\d+/.exec(daemon.stderr())?.[0])
  await until('it asks the database', () => silent.calls() > 0)
  assert.equal((await fetch(`${page}/readyz`)).status, 503)
  await until('it is ready all the same', async () => (await fetch(`${page}/readyz`)).ok, 30_000)
  await until('the other app is served', () => simulator.state.app(plain).domains.includes('shop.example.com'))

  const status = (await (await fetch(`${page}/status.json`)).json()) as { source: { faults: { message: string }[] } }
  assert.match(status.source.faults.map(({ message }) => message).join(), /Secret wordpress\/db.*took longer than/)
  const metrics = await metricsOf(page)
  assert.ok(Number(metrics('source_reads_total', 'wordpress', 'failure')) > 0)
  assert.equal(metrics('source_reads_total', 'wordpress', 'success'), '0')
  assert.equal(metrics('source_last_success_timestamp_seconds', 'wordpress'), undefined)
  assert.equal(metrics('source_objects', 'manifests'), '3')
  assert.ok(!daemon.stderr().includes('s3cr3t-word'))
})

/** A reader of the daemon's metrics of a source. */
async function metricsOf(page: string): Promise<(name: string, source: string, result?: string) => string | undefined> {
  const text = await (await fetch(`${page}/metrics`)).text()
  return (name, source, result) => {
    const labels = `source="${source}"${result === undefined ? '' : `,result="${result}"`}`
    const line = text.split('\n').find((each) => each.startsWith(`domainpilot_${name}{${labels}} `))
    return line?.split(' ').at(-1)
  }
}
