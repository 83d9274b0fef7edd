import assert from 'node:assert/strict'
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { readWpConfig, type WpConfig } from '../../src/wp-config/wp-config.ts'
import { temporaryFolder } from '../e2e/process.ts'
import { hasPhp, runPhp } from './real-php.ts'

const FILES = join(import.meta.dirname, 'files')
const ACCOUNT = { clientId: 'cid_0123456789ab', apiKey: 'k3yk3yk3yk3yk3y1', appId: 'AAAAAAAAAAAAAAAA' }
const EXTRA = `
define('MULTISITE', true);
define('WU_SERVER_PILOT_CLIENT_ID', 'cid_0123456789ab');
define('WU_SERVER_PILOT_API_KEY', 'k3yk3yk3yk3yk3y1');
define('WU_SERVER_PILOT_APP_ID', 'AAAAAAAAAAAAAAAA');`

interface Case {
  file: string
  environment?: Record<string, string>
  config: WpConfig
}

const CASES: Record<string, Case> = {
  'the sample of WordPress': {
    file: 'sample.php',
    config: {
      database: {
        ...{ at: { host: 'localhost' }, user: 'network_user', name: 'network' },
        password: 'it\'s \\ "quoted" $not a variable',
      },
      ...{ tablePrefix: 'net_', serverpilot: ACCOUNT },
    },
  },
  'the image of Docker, with nothing set': {
    file: 'docker.php',
    config: {
      database: {
        ...{ at: { host: 'mysql' }, user: 'example username', name: 'wordpress', password: 'example password' },
      },
      ...{ tablePrefix: 'wp_', serverpilot: {} },
    },
  },
  'the image of Docker, with variables and more PHP in one of them': {
    file: 'docker.php',
    environment: {
      ...{ WORDPRESS_DB_HOST: 'db:3307', WORDPRESS_DB_USER: 'u', WORDPRESS_DB_PASSWORD: "p'w", WORDPRESS_DB_NAME: 'n' },
      ...{ WORDPRESS_TABLE_PREFIX: 'x_', WORDPRESS_CONFIG_EXTRA: EXTRA },
    },
    config: {
      database: { at: { host: 'db', port: 3307 }, user: 'u', name: 'n', password: "p'w" },
      ...{ tablePrefix: 'x_', serverpilot: ACCOUNT },
    },
  },
  Bedrock: {
    file: 'bedrock.php',
    environment: {
      DB_NAME: 'b',
      DB_USER: 'u',
      DB_PASSWORD: '007',
      DB_HOST: '',
      DB_PREFIX: '',
      DATABASE_URL: '',
      DB_SSL: 'true',
    },
    config: {
      // Env\env() makes a number of it, and so does WordPress there.
      database: { at: { host: 'localhost' }, user: 'u', name: 'b', password: '7', tls: 'Required' },
      ...{ tablePrefix: 'wp_', serverpilot: {} },
    },
  },
  'secrets in the environment': {
    file: 'environment.php',
    environment: {
      ...{ DATABASE_PASSWORD: 'p', DATABASE_TLS: '1', SP_CLIENT: 'cid_0123456789ab', SP_KEY: 'k3yk3yk3yk3yk3y1 ' },
    },
    config: {
      database: {
        ...{ at: { host: 'db.internal', port: 3307 }, user: 'network', name: 'network_live', password: 'p' },
        tls: 'Required',
      },
      ...{ tablePrefix: 'n_', serverpilot: ACCOUNT },
    },
  },
  'one that ServerPilot installed': {
    file: 'serverpilot.php',
    config: {
      database: {
        ...{ at: { host: 'localhost' }, user: 'Zy9Xw8Vu7Ts6', name: 'network-wp-Ab3dE6gH' },
        password: 'pAssw0rd-0f_20-chars',
      },
      ...{ tablePrefix: 'wp_', serverpilot: ACCOUNT },
    },
  },
}

/** There is no file beside the configuration. */
const noFile = (): never => {
  throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
}

describe('files as they are found', () => {
  for (const [name, { file, environment = {}, config }] of Object.entries(CASES)) {
    test(name, async () => {
      const text = await readFile(join(FILES, file), 'utf8')
      const read = (content: string) =>
        readWpConfig(content, { path: `/site/config/${file}`, environment, readFile: noFile })
      assert.deepEqual(read(text), { ok: true, config })
      const windows = `\uFEFF${text.replaceAll('\n', '\r\n')}?>\r\n`
      assert.deepEqual(read(windows), { ok: true, config }, 'with the line ends of Windows')
    })

    test(`${name}: so does PHP`, async (t) => {
      if (!(await hasPhp(t))) return
      const folder = await temporaryFolder(t)
      await mkdir(join(folder, 'vendor'))
      for (const each of ['wp-settings.php', 'vendor/autoload.php']) await writeFile(join(folder, each), '<?php\n')
      const path = join(folder, 'wp-config.php')
      await cp(join(FILES, file), path)
      const constants = ['DB_NAME', 'DB_USER', 'DB_PASSWORD', 'WU_SERVER_PILOT_CLIENT_ID', 'WU_SERVER_PILOT_API_KEY']
      constants.push('WU_SERVER_PILOT_APP_ID')
      const [ran] = await runPhp([path], { constants, variables: ['table_prefix'] }, environment)
      assert.equal(ran?.fault, false)
      const { database, serverpilot, tablePrefix } = config
      const wanted = [database.name, database.user, database.password]
      wanted.push(...[serverpilot.clientId, serverpilot.apiKey, serverpilot.appId].map((value) => value as string))
      assert.deepEqual(
        constants.map((each) => ran?.constants[each]),
        wanted,
      )
      assert.equal(ran?.variables.table_prefix, tablePrefix)
    })
  }

  test('Bedrock with a .env, which is not read: what it may hold is asked for by name', async () => {
    const text = await readFile(join(FILES, 'bedrock.php'), 'utf8')
    const result = readWpConfig(text, {
      path: '/site/config/application.php',
      environment: { DATABASE_URL: '', DB_SSL: '', WP_ENV: 'production' },
      readFile: (path) => (path.endsWith('.env') ? assert.fail('it may not be read') : noFile()),
    })
    assert.ok(!result.ok)
    assert.deepEqual(
      result.faults.map(
        ({ name, message }) => /the variable (\w+) may stand in a file that line 18 loads/.exec(message)?.[1] ?? name,
      ),
      ['DB_HOST', 'DB_USER', 'DB_PASSWORD', 'DB_NAME', 'DB_PREFIX'],
    )
  })
})
