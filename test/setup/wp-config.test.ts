import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { App } from '../../src/api/objects.ts'
import { appDefaults } from '../../src/api/schema.ts'
import { wpConfigTemplate } from '../../src/cli/import.ts'
import { quiet } from '../../src/log/quiet.ts'
import { type AppOptions, defaultApp, readAmbient } from '../../src/setup/ambient.ts'
import { connectionUrlOf, createDatabases } from '../../src/setup/databases.ts'
import { createSecrets } from '../../src/setup/secrets.ts'
import { readSettings } from '../../src/setup/settings.ts'
import { databaseUrl, readFileSettings, watchWpConfig } from '../../src/setup/wp-config-file.ts'
import type { DatabaseSource, MappingRead } from '../../src/source/source.ts'
import { parseDatabaseUrl } from '../../src/source/wordpress/database-url.ts'
import { readWpConfig } from '../../src/wp-config/wp-config.ts'
import { until } from '../e2e/process.ts'
import { fakeClock } from '../time/fake-clock.ts'

const text = (more = '', password = 's3cr@t/#%', host = 'db:3307') => `<?php
define('DB_NAME', 'wordpress'); define('DB_USER', 'wp'); define('DB_PASSWORD', '${password}'); define('DB_HOST', '${host}');
define('WU_SERVER_PILOT_CLIENT_ID', 'cid_0123456789ab');
define('WU_SERVER_PILOT_API_KEY', 'k3yk3yk3yk3yk3y1');
define('WU_SERVER_PILOT_APP_ID', 'AAAAAAAAAAAAAAAA');
$table_prefix = 'net_';
${more}`

const settings = (content: string) => readFileSettings('wp-config.php', {}, () => content)
const noFile = () => assert.fail('no file is read')

describe('--wp-config', () => {
  test('fills credentials, app and database', () => {
    const ambient = readAmbient({}, noFile, settings(text()))
    assert.deepEqual(ambient.credentials, { clientId: 'cid_0123456789ab', apiKey: 'k3yk3yk3yk3yk3y1' })
    const app = defaultApp(ambient)
    assert.equal(app?.spec.appId, 'AAAAAAAAAAAAAAAA')
    assert.equal(app?.spec.wordpress?.tablePrefix, 'net_')
    assert.equal(app?.spec.policy, 'Sync')
  })

  test('a variable goes before the file, value by value', () => {
    const { credentials, appId } = readAmbient({ SERVERPILOT_API_KEY: 'other' }, noFile, settings(text()))
    assert.deepEqual([credentials, appId], [{ clientId: 'cid_0123456789ab', apiKey: 'other' }, 'AAAAAAAAAAAAAAAA'])
  })

  test('the-prefix-alone', () => {
    const secrets = `<?php\nrequire '/etc/wordpress/secrets.php';\n$table_prefix = 'wpx_';\n`
    const url = { WORDPRESS_DATABASE_URL: 'mysql://u:p@h/d', SERVERPILOT_APP_ID: 'AAAAAAAAAAAAAAAA' }
    const appOf = (environment: Record<string, string>, content: string | undefined, flags: AppOptions = {}) => {
      const file =
        content === undefined ? undefined : readFileSettings('wp-config.php', environment, one(content), flags)
      const ambient = readAmbient(environment, noFile, file)
      return { url: ambient.database?.url, ...(defaultApp(ambient, flags)?.spec ?? assert.fail()) }
    }
    const one = (content: string) => (path: string) => (path === 'wp-config.php' ? content : missing())
    const missing = (): never => {
      throw Object.assign(new Error('x'), { code: 'ENOENT' })
    }
    const beside = appOf(url, secrets)
    assert.deepEqual(
      [beside.url, beside.wordpress?.tablePrefix],
      ['mysql://u:p@h/d', 'wpx_'],
      'secrets that cannot be read',
    )
    const open = appOf(url, text())
    assert.deepEqual(
      [open.url, open.wordpress?.tablePrefix],
      ['mysql://u:p@h/d', 'net_'],
      'the URL goes before the file',
    )
    const prefixed = appOf(url, '<?php $table_prefix = prefix();', { wordpressTablePrefix: 'wpx_' })
    assert.equal(prefixed.wordpress?.tablePrefix, 'wpx_', 'a prefix that is not known')

    const flags = { wordpressTablePrefix: 'wpx_', wordpressMappings: 'Core', wordpressIncludeSites: true }
    const { wordpress, www } = appOf(url, undefined, { ...flags, wordpressNetwork: '2', wordpressWww: 'Never' })
    assert.deepEqual(
      [wordpress?.tablePrefix, wordpress?.mappings, wordpress?.includeSites, wordpress?.network, www],
      ['wpx_', 'Core', true, '2', 'Never'],
      'the URL alone',
    )
    const given = { DOMAINPILOT_WORDPRESS_TABLE_PREFIX: 'env_', ...url }
    const { ambient, ...options } = readSettings({}, given, noFile)
    assert.equal(defaultApp(ambient, options)?.spec.wordpress?.tablePrefix, 'env_')
    assert.throws(
      () => appOf(url, undefined, { wordpressTablePrefix: 'w-x' }),
      /--wordpress-table-prefix consists of letters/,
    )
    assert.throws(
      () => appOf({}, secrets),
      /wp-config\.php:2: DB_HOST .*secrets\.php.* or give the database in WORDPRESS_DATABASE_URL/,
    )
  })

  test('the URL of the database means what the file says, whatever the password holds', () => {
    for (const password of ['s3cr@t/#%', 'a:b?c&d=e', 'ü ö', "it\\\\'s", ''])
      for (const host of ['db:3307', 'localhost:/run/my.sock', '[::1]:3306', 'db']) {
        const read = readWpConfig(text('', password.replaceAll("'", "\\'"), host), {
          path: 'x',
          environment: {},
          readFile: noFile,
        })
        assert.ok(read.ok, JSON.stringify(read))
        const end = parseDatabaseUrl(databaseUrl(read.config, { exists: () => false }), 'here')
        assert.deepEqual([end.user, end.password, end.database], ['wp', read.config.database.password, 'wordpress'])
        const { at } = read.config.database
        if (at.socket === undefined) assert.deepEqual([end.host, end.port], [at.host, at.port ?? 3306])
        else assert.equal(end.socket, at.socket)
      }
  })

  test('tls-as-wordpress-takes-it', () => {
    const read = (flags: string, options = {}, host = 'db') => {
      const content = text(`define('MYSQL_CLIENT_FLAGS', ${flags});`, 'p', host)
      const { database } = readFileSettings('wp-config.php', {}, () => content, options)
      return { note: database?.note, tls: parseDatabaseUrl(database?.url ?? assert.fail(), 'here').tls }
    }
    assert.deepEqual(read('MYSQLI_CLIENT_SSL').tls, { mode: 'Required' })
    assert.match(read('MYSQLI_CLIENT_SSL').note ?? '', /nobody looks at the certificate.*--wordpress-ca/)
    assert.deepEqual(read('MYSQLI_CLIENT_SSL | MYSQLI_CLIENT_SSL_DONT_VERIFY_SERVER_CERT').tls, { mode: 'Required' })
    const strict = read('MYSQLI_CLIENT_SSL', { wordpressCa: '/etc/ca.pem' })
    assert.deepEqual(strict, { note: undefined, tls: { mode: 'VerifyIdentity', ca: '/etc/ca.pem' } })
    assert.equal(read('MYSQLI_CLIENT_SSL', { wordpressCa: '/etc/ca.pem' }, '10.0.0.1').tls?.mode, 'VerifyCa')
    assert.equal(read('MYSQLI_CLIENT_SSL | MYSQLI_CLIENT_SSL_VERIFY_SERVER_CERT').tls?.mode, 'VerifyIdentity')
    assert.deepEqual(read('0'), { note: undefined, tls: undefined })
  })

  test('a file that is not there or says too little: one line per fault', () => {
    const missing = () => {
      throw Object.assign(new Error('x'), { code: 'ENOENT' })
    }
    assert.throws(
      () => readFileSettings('nowhere.php', {}, missing),
      /--wp-config: the file nowhere\.php cannot be read \(ENOENT\)/,
    )
    assert.throws(
      () => settings('<?php\n$table_prefix = "wp_";'),
      /wp-config\.php: DB_HOST is not set in this file\. Set it there, or give the database in WORDPRESS_DATABASE_URL\.\n.*DB_USER/,
    )
  })

  test('a database without an app is told', () => {
    const database = { url: 'mysql://u:p@h/d', origin: 'WORDPRESS_DATABASE_URL', tablePrefix: 'wp_' }
    assert.throws(() => defaultApp({ database }), /WORDPRESS_DATABASE_URL names a database, .* set SERVERPILOT_APP_ID/)
    assert.equal(
      readAmbient({ WORDPRESS_DATABASE_URL: 'mysql://u:p@h/d' }, noFile).database?.origin,
      'WORDPRESS_DATABASE_URL',
    )
    assert.equal(
      readAmbient({ WORDPRESS_DATABASE_URL_FILE: '/run/url' }, () => 'mysql://u:p@h/d\n').database?.url,
      'mysql://u:p@h/d',
    )
  })

  test('is looked at again: a broken version is said once and changes nothing, a new one is taken up', () => {
    let content = text()
    const calls: string[] = []
    const clock = fakeClock()
    watchWpConfig(
      { path: 'wp-config.php' },
      { environment: {}, readFile: () => content },
      { changed: () => calls.push('changed'), broken: (error) => calls.push(error.message) },
      clock,
    )
    clock.advance(1_000)
    assert.deepEqual(calls, [])
    content = '<?php define('
    clock.advance(2_000)
    assert.equal(calls.length, 1)
    assert.match(calls[0] ?? '', /is not PHP that can be read/)
    content = text('', 'other')
    clock.advance(1_000)
    assert.equal(calls[1], 'changed')
    assert.equal(clock.pending(), 0, 'it is looked at no more')
  })

  test('as objects of a cluster', () => {
    const yaml = wpConfigTemplate(readAmbient({}, noFile, settings(text())))
    assert.match(
      yaml,
      /kind: Secret[\s\S]*apiKey: k3yk3yk3yk3yk3y1[\s\S]*kind: Secret[\s\S]*url: mysql:\/\/wp:s3cr%40t%2F%23%25@db:3307\/wordpress[\s\S]*kind: ServerPilotApp[\s\S]*tablePrefix: net_/u,
    )
  })
})

describe('databases', () => {
  const app = (name: string, wordpress?: object): App => ({
    key: `ns/${name}`,
    namespace: 'ns',
    name,
    generation: 1,
    place: name,
    labels: {},
    annotations: {},
    spec: appDefaults('AAAAAAAAAAAAAAAA', wordpress === undefined ? {} : { wordpress }) ?? assert.fail(),
  })
  const withDatabase = app('network', { connectionSecretRef: { name: 'db' } })

  function fake() {
    const calls: string[] = []
    const read: MappingRead = { source: 'wordpress', mappings: [] }
    const source: DatabaseSource = {
      name: 'wordpress',
      follow: (apps) => void calls.push(`follow ${apps.length}`),
      start: async () => void calls.push('start'),
      stop: async () => void calls.push('stop'),
      looked: () => true,
      mappingsOf: () => read,
    }
    return { calls, read, source }
  }

  test('the driver is loaded once an app has a database, not before', async () => {
    const { calls, read, source } = fake()
    let loads = 0
    const databases = createDatabases(async () => {
      loads++
      return source
    }, quiet)
    databases.follow([app('plain')])
    const told: string[] = []
    await databases.start((apps) => told.push(...apps))
    assert.equal(loads, 0)
    assert.deepEqual(databases.mappingsOf(app('plain')), { source: 'wordpress', mappings: [] })
    databases.follow([app('plain'), withDatabase])
    assert.match(databases.mappingsOf(withDatabase).failure?.message ?? '', /not read yet/)
    await until('it is loaded and told', () => told.length > 0)
    assert.deepEqual([loads, told, calls], [1, ['ns/network'], ['follow 2', 'start']])
    assert.equal(databases.mappingsOf(withDatabase), read)
    await databases.stop()
    assert.equal(calls.at(-1), 'stop')
  })

  test('where it is: in the Secret that the app names, and what is missing is said', async () => {
    const known = createSecrets()
    const secrets: Record<string, string> = { 'ns/db/url': 'mysql://u:p%40ss@h/d' }
    const find = connectionUrlOf({ secret: async (...parts) => secrets[parts.join('/')] }, undefined, known)
    assert.deepEqual(await find(withDatabase), { url: 'mysql://u:p%40ss@h/d', origin: 'Secret ns/db, key url' })
    assert.deepEqual(known.all(), ['mysql://u:p%40ss@h/d', 'p%40ss', 'p@ss'])
    await assert.rejects(
      find(app('other', { connectionSecretRef: { name: 'none' } })),
      /Secret ns\/none, key url: there is no such Secret/,
    )
  })
})
