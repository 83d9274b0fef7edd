import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readAmbient } from '../../src/setup/ambient.ts'
import { UsageError } from '../../src/setup/option.ts'
import { readSettings } from '../../src/setup/settings.ts'

const noFile = (path: string): string => {
  throw Object.assign(new Error(path), { code: 'ENOENT' })
}
const settings = (given: Record<string, unknown> = {}, environment: Record<string, string> = {}) =>
  readSettings(given, environment, noFile)
const usage = (pattern: RegExp) => (error: unknown) => error instanceof UsageError && pattern.test(error.message)

describe('flag before environment before default', () => {
  test('default', () => {
    const all = settings()
    assert.deepEqual(all.manifests, ['domains'])
    assert.equal(all.serverpilotUrl.href, 'https://api.serverpilot.io/v1')
    assert.deepEqual(all.listen, { host: '127.0.0.1', port: 8080 })
    assert.equal(all.serverpilotQps, 5)
    assert.equal(all.dryRun, false)
  })
  test('environment', () => {
    const all = settings({}, { DOMAINPILOT_MANIFESTS: 'a,b', DOMAINPILOT_WORKERS: '2', DOMAINPILOT_DRY_RUN: 'true' })
    assert.deepEqual(all.manifests, ['a', 'b'])
    assert.equal(all.workers, 2)
    assert.equal(all.dryRun, true)
  })
  test('flag', () => assert.equal(settings({ workers: '7' }, { DOMAINPILOT_WORKERS: '2' }).workers, 7))
})

describe('faults name the flag', () => {
  const rows: [Record<string, unknown>, RegExp][] = [
    [{ serverpilotQps: 'many' }, /--serverpilot-qps/],
    [{ workers: '0' }, /--workers/],
    [{ listen: 'nowhere' }, /--listen/],
    [{ listen: '127.0.0.1:99999' }, /--listen/],
    [{ sweepSchedule: 'often' }, /--sweep-schedule/],
    [{ serverpilotUpdateMethod: 'PATCH' }, /--serverpilot-update-method.*POST, PUT/],
    [{ serverpilotUrl: 'http://api.example.com' }, /--serverpilot-url/],
    [{ serverpilotUrl: 'not a url' }, /--serverpilot-url/],
    [{ appSelector: '=x' }, /--app-selector/],
    [{ checkSchedule: 'often' }, /--check-schedule/],
    [{ dnsQps: '0' }, /--dns-qps/],
    [
      { dnsServers: ['192.0.2.53', 'ns.example'] },
      /--dns-servers: "ns\.example" is not a valid address of a DNS server/,
    ],
    [
      { allowedHosts: ['https://status.example.com'] },
      /--allowed-hosts: "https:\/\/status.example.com" is not a host name/,
    ],
    [{ allowedHosts: ['status.example.com:8080'] }, /--allowed-hosts: .*without scheme, port and path/],
    [{ allowedHosts: [''] }, /--allowed-hosts/],
    [{ source: 'etcd' }, /--source.*auto, kubernetes, manifests/],
  ]
  for (const [given, pattern] of rows) {
    test(JSON.stringify(given), () => assert.throws(() => settings(given), usage(pattern)))
  }
  test('lists may be repeated and separated by commas', () => {
    const given = {
      allowedHosts: ['Status.Example.com., bücher.example', 'status'],
      dnsServers: ['192.0.2.53,192.0.2.54'],
    }
    assert.deepEqual(settings(given).allowedHosts, ['status.example.com', 'xn--bcher-kva.example', 'status'])
    assert.deepEqual(settings(given).dnsServers, ['192.0.2.53', '192.0.2.54'])
    const variable = settings({}, { DOMAINPILOT_ALLOWED_HOSTS: 'a.example,b.example' })
    assert.deepEqual(variable.allowedHosts, ['a.example', 'b.example'])
    assert.deepEqual(settings().allowedHosts, [])
  })
  test('plain http elsewhere only when allowed', () => {
    assert.equal(
      settings({ serverpilotUrl: 'http://simulator:8099/v1', allowInsecureHttp: true }).serverpilotUrl.hostname,
      'simulator',
    )
  })
})

describe('where the objects are', () => {
  test('files, unless something points to a cluster', () => {
    assert.equal(settings().source, 'manifests')
    const { source, context } = settings({ context: 'prod' })
    assert.deepEqual([source, context], ['kubernetes', 'prod'])
    assert.equal(settings({}, { KUBERNETES_SERVICE_HOST: '10.96.0.1' }).leaderElect, true)
    assert.equal(settings({ source: 'manifests' }, { KUBERNETES_SERVICE_HOST: '10.96.0.1' }).source, 'manifests')
    assert.equal(settings({ source: 'kubernetes', leaderElect: 'false' }).leaderElect, false)
  })
})

describe('credentials', () => {
  test('env-file-keeps-quotes: one message per fault, names and no values', () => {
    const environment = {
      SERVERPILOT_CLIENT_ID: '"cid_0123456789ab"\r',
      SERVERPILOT_API_KEY: "'k3yk3yk3yk3yk3y1'\r",
      SERVERPILOT_APP_ID: 'AAAAAAAAAAAAAAAA\r',
      WU_SERVER_PILOT_APP_ID: 'BBBBBBBBBBBBBBBB\r',
    }
    assert.throws(
      () => readAmbient(environment, noFile),
      (error: unknown) => {
        assert.ok(error instanceof UsageError)
        const lines = error.message.split('\n')
        assert.equal(lines.length, 3, error.message)
        assert.match(lines[0] ?? '', /SERVERPILOT_CLIENT_ID is wrapped in quotes/)
        assert.match(lines[1] ?? '', /SERVERPILOT_API_KEY is wrapped in quotes/)
        assert.match(lines[2] ?? '', /SERVERPILOT_APP_ID and WU_SERVER_PILOT_APP_ID differ/)
        assert.doesNotMatch(error.message, /k3y|cid_|AAAA|BBBB/)
        return true
      },
    )
  })
  test('a trailing CR is dropped', () => {
    const ambient = readAmbient({ SERVERPILOT_CLIENT_ID: 'cid\r', SERVERPILOT_API_KEY: 'key\r\n' }, noFile)
    assert.deepEqual(ambient.credentials, { clientId: 'cid', apiKey: 'key' })
  })
  test('from files, and by the names of the plugin', () => {
    const environment = { WU_SERVER_PILOT_CLIENT_ID: 'cid', SERVERPILOT_API_KEY_FILE: '/run/key' }
    assert.deepEqual(readAmbient(environment, () => 'secret\n').credentials, { clientId: 'cid', apiKey: 'secret' })
  })
  test('an unreadable file is named', () => {
    assert.throws(
      () => readAmbient({ SERVERPILOT_API_KEY_FILE: '/run/key' }, noFile),
      usage(/SERVERPILOT_API_KEY_FILE.*\/run\/key.*ENOENT/),
    )
  })
  for (const path of ['/run/key', './key', '../key', 'C:\\key'])
    test(`swapped-credentials: ${path} is a path and shown`, () => {
      const environment = { SERVERPILOT_API_KEY_FILE: path }
      assert.throws(
        () => readAmbient(environment, noFile),
        (error: Error) => error.message.includes(`the file ${path} cannot`),
      )
    })
  for (const path of ['k3yk3yk3yk3yk3y1', 'secrets/key', '~/key', '.k3y'])
    test(`swapped-credentials: ${path} may be the secret, and is not shown`, () => {
      const environment = { SERVERPILOT_API_KEY_FILE: path }
      assert.throws(
        () => readAmbient(environment, noFile),
        (error: Error) => !error.message.includes(path) && error.message.includes('[redacted]'),
      )
    })
  test('one without the other is said', () => {
    assert.throws(() => readAmbient({ SERVERPILOT_CLIENT_ID: 'cid' }, noFile), usage(/SERVERPILOT_API_KEY is not set/))
  })
  test('nothing at all is fine: objects may bring Secrets', () => {
    const nothing = { credentials: undefined, appId: undefined, database: undefined }
    assert.deepEqual(readAmbient({}, noFile), nothing)
  })
})
