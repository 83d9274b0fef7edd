import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { decodeObject, identify } from '../../src/api/decode.ts'
import { formatDuration, parseDuration } from '../../src/api/duration.ts'
import { formatFault, nearest } from '../../src/api/faults.ts'
import { appDefaults } from '../../src/api/schema.ts'
import { decodeSecret } from '../../src/api/secret.ts'

const where = { place: 'app.yaml:1', source: 'manifests' }
const apiVersion = 'domainpilot.dev/v1alpha1'

function app(spec: Record<string, unknown>, metadata: Record<string, unknown> = { name: 'network' }) {
  return { apiVersion, kind: 'ServerPilotApp', metadata, spec: { appId: 'AAAAAAAAAAAAAAAA', ...spec } }
}

function mapping(spec: Record<string, unknown>, metadata: Record<string, unknown> = { name: 'shop' }) {
  return { apiVersion, kind: 'DomainMapping', metadata, spec }
}

function faultsOf(value: unknown): string[] {
  const decoded = decodeObject(value, where)
  assert.ok(!decoded.ok, 'it was accepted')
  return decoded.faults.map(formatFault)
}

describe('decodeObject', () => {
  test('fills in every default of an app', () => {
    const decoded = decodeObject(app({}), where)
    assert.ok(decoded.ok && decoded.kind === 'ServerPilotApp')
    assert.deepEqual(decoded.object, {
      key: 'default/network',
      namespace: 'default',
      name: 'network',
      generation: 1,
      place: 'app.yaml:1',
      labels: {},
      annotations: {},
      spec: {
        appId: 'AAAAAAAAAAAAAAAA',
        policy: 'Sync',
        protectedDomains: [],
        ssl: { auto: true, force: false, maxAttempts: 5, retryInterval: 300_000 },
        dns: { policy: 'Report', quarantineAfter: 72 * 3_600_000, expectedAddresses: [] },
        safety: {
          maxRemovalPercent: 30,
          minDomains: 10,
          window: 86_400_000,
          settle: 30_000,
          settleInferred: 300_000,
          allowEmpty: false,
        },
        allowedNamespaces: { from: 'Same' },
        allowedDomains: ['*'],
        deletionPolicy: 'Retain',
        suspend: false,
      },
    })
    assert.deepEqual(appDefaults('AAAAAAAAAAAAAAAA'), decoded.object.spec)
  })

  test('no defaults without an app id', () => assert.equal(appDefaults('a b'), undefined))

  test('takes an object as the API server gives it', () => {
    const metadata = {
      name: 'shop',
      namespace: 'wordpress',
      generation: 7,
      uid: '1',
      someLaterField: {},
      managedFields: [{}],
      creationTimestamp: '2030-01-31T12:00:00Z',
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', note: 'x' },
    }
    const decoded = decodeObject(mapping({ domain: 'Shop.Example.com', appRef: { name: 'network' } }, metadata), {
      place: 'wordpress/shop',
      source: 'kubernetes',
    })
    assert.ok(decoded.ok && decoded.kind === 'DomainMapping')
    assert.deepEqual(decoded.object, {
      key: 'wordpress/shop',
      namespace: 'wordpress',
      name: 'shop',
      generation: 7,
      created: Date.UTC(2030, 0, 31, 12),
      place: 'wordpress/shop',
      labels: {},
      annotations: { note: 'x' },
      source: 'kubernetes',
      domain: 'Shop.Example.com',
      app: 'wordpress/network',
    })
  })

  test('an item of a typed list may leave out its kind; an app of another namespace is named', () => {
    const value = { metadata: { name: 'a' }, spec: { domain: 'a.b', appRef: { name: 'n', namespace: 'other' } } }
    const decoded = decodeObject(value, { ...where, kind: 'DomainMapping', namespace: 'team' })
    assert.ok(decoded.ok && decoded.kind === 'DomainMapping')
    assert.equal(decoded.object.key, 'team/a')
    assert.equal(decoded.object.app, 'other/n')
  })

  test('dns.policy Observe is Report', () => {
    const decoded = decodeObject(app({ dns: { policy: 'Observe' } }), where)
    assert.ok(decoded.ok && decoded.kind === 'ServerPilotApp')
    assert.equal(decoded.object.spec.dns.policy, 'Report')
  })

  test('a domain that is no host name is left to the plan', () => {
    const decoded = decodeObject(mapping({ domain: 'smart_panel.example.com', appRef: { name: 'n' } }), where)
    assert.ok(decoded.ok)
  })

  const faults: [string, unknown, RegExp][] = [
    ['a list', [], /the object must be a map of fields, not a list/],
    [
      'another kind',
      { ...app({}), kind: 'ServerPilotApps' },
      /kind is an unknown kind .*did you mean ServerPilotApp\?/,
    ],
    [
      'another version',
      { ...app({}), apiVersion: 'domainpilot.dev/v1' },
      /apiVersion must be domainpilot.dev\/v1alpha1/,
    ],
    ['a field beside spec', { ...app({}), specs: {} }, /specs is not a known field; did you mean spec\?/],
    ['no spec', { ...app({}), spec: undefined }, /spec is missing/],
    ['no metadata', { ...app({}), metadata: undefined }, /metadata is missing/],
    ['no name', app({}, {}), /metadata.name is missing/],
    ['a bad name', app({}, { name: 'Shop_1' }), /metadata.name must consist of .*"Shop_1"/],
    [
      'a misspelt metadata field',
      app({}, { name: 'a', lables: {} }),
      /metadata.lables is not a known field; did you mean labels\?/,
    ],
    ['a date that is none', app({}, { name: 'a', creationTimestamp: 'today' }), /creationTimestamp must be a date/],
    [
      'a label that is a number',
      app({}, { name: 'a', labels: { n: 1 } }),
      /metadata.labels.n must be a string, .*quotes/,
    ],
    ['a misspelt field', app({ polcy: 'Sync' }), /spec.polcy is not a known field; did you mean policy\?/],
    [
      'a field at the wrong depth',
      app({ retryInterval: '5m' }),
      /spec.retryInterval is not a field here; it belongs at spec.ssl.retryInterval/,
    ],
    ['a strange field', app({ zzz: 1 }), /spec.zzz is not a known field; there are appId, /],
    [
      'an id that is a number',
      app({ appId: 1234567890123456 }),
      /spec.appId must be a string, not the number .*quotes/,
    ],
    ['an id with blanks', app({ appId: 'a b' }), /spec.appId must be the id of a ServerPilot app/],
    ['a choice in lower case', app({ policy: 'sync' }), /spec.policy must be one of Sync, .*did you mean Sync\?/],
    ['text for a boolean', app({ ssl: { auto: 'true' } }), /spec.ssl.auto must be true or false, .*without quotes/],
    ['nothing for a map', app({ ssl: null }), /spec.ssl must be a map of fields, not nothing/],
    [
      'a number for a duration',
      app({ safety: { settle: 30 } }),
      /spec.safety.settle must be a duration such as 30s.*number 30/,
    ],
    ['days', app({ safety: { window: '1d' } }), /spec.safety.window must be a duration .*"1d"/],
    [
      'too short a duration',
      app({ ssl: { retryInterval: '1ms' } }),
      /spec.ssl.retryInterval must be between 1s and 8760h, not 1ms/,
    ],
    [
      '0 per cent',
      app({ safety: { maxRemovalPercent: 0 } }),
      /must be a whole number between 1 and 100, not the number 0/,
    ],
    ['101 per cent', app({ safety: { maxRemovalPercent: 101 } }), /between 1 and 100/],
    ['half a domain', app({ safety: { minDomains: 0.5 } }), /minDomains must be a whole number/],
    [
      'a selector without one',
      app({ allowedNamespaces: { from: 'Selector' } }),
      /allowedNamespaces with "from: Selector" needs a selector/,
    ],
    [
      'an address that is none',
      app({ dns: { expectedAddresses: ['192.0.2.1', 'x'] } }),
      /spec.dns.expectedAddresses\[1\] must be an IP address or a network/,
    ],
    ['an address with a zone', app({ dns: { expectedAddresses: ['fe80::1%eth0'] } }), /expectedAddresses\[0\]/],
    ['a prefix with a zero in front', app({ dns: { expectedAddresses: ['10.0.0.0/08'] } }), /expectedAddresses\[0\]/],
    ['too long a prefix', app({ dns: { expectedAddresses: ['192.0.2.0/33'] } }), /expectedAddresses\[0\]/],
    [
      'a database without a Secret',
      app({ wordpress: {} }),
      /spec.wordpress.connectionSecretRef is missing \(Secret with/,
    ],
    ['a mapping without a domain', mapping({ appRef: { name: 'n' } }), /spec.domain is missing/],
    ['a mapping without an app', mapping({ domain: 'a.b' }), /spec.appRef is missing/],
    ['an empty domain', mapping({ domain: '', appRef: { name: 'n' } }), /spec.domain is empty$/],
    ['a long domain', mapping({ domain: 'a'.repeat(254), appRef: { name: 'n' } }), /spec.domain has more than 253/],
    [
      'an unrendered template',
      mapping({ domain: { '{ .Values.domain }': null }, appRef: { name: 'n' } }),
      /spec.domain must be a string; it looks like an unrendered template/,
    ],
    [
      'a name for a reference',
      mapping({ domain: 'a.b', appRef: 'n' }),
      /spec.appRef must be a map of fields, not the text "n"/,
    ],
  ]
  for (const [what, value, message] of faults) {
    test(`refuses ${what}`, () => {
      const told = faultsOf(value)
      assert.ok(
        told.some((line) => message.test(line)),
        told.join('\n'),
      )
    })
  }

  test('tells every fault of an object, and whose it is', () => {
    const faulty = app({ polcy: 1, www: 1, suspend: 1 })
    const decoded = decodeObject(faulty, where)
    assert.ok(!decoded.ok)
    assert.equal(decoded.faults.length, 3)
    assert.deepEqual(identify(faulty, {}), { kind: 'ServerPilotApp', key: 'default/network' })
  })

  test('is total', () => {
    fc.assert(fc.property(fc.anything(), (value) => assert.ok(!decodeObject(value, where).ok)))
    fc.assert(
      fc.property(fc.object(), fc.anything(), (spec, metadata) => {
        decodeObject({ apiVersion, kind: 'DomainMapping', metadata, spec }, where)
        decodeObject({ apiVersion, kind: 'ServerPilotApp', metadata, spec }, where)
      }),
    )
  })
})

describe('decodeSecret', () => {
  test('data in base64, stringData over it', () => {
    const value = { metadata: { name: 's' }, data: { a: 'YQ==', b: 'Yg==\n' }, stringData: { b: 'plain' } }
    assert.deepEqual(decodeSecret(value, {}), {
      ok: true,
      secret: { namespace: 'default', name: 's', values: { a: 'a', b: 'plain' } },
    })
  })

  test('messages never show a value', () => {
    for (const part of [
      { data: { k: 'hush!' } },
      { data: { k: 12345 } },
      { stringData: { k: 12345 } },
      { stringData: 'hush!' },
    ]) {
      const decoded = decodeSecret({ metadata: { name: 's' }, ...part }, {})
      assert.ok(!decoded.ok)
      assert.doesNotMatch(JSON.stringify(decoded.faults), /hush|12345/)
    }
  })
})

describe('durations', () => {
  const rows: [string, number][] = [
    ['0', 0],
    ['0s', 0],
    ['500ms', 500],
    ['30s', 30_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['1m500ms', 60_500],
  ]
  for (const [text, ms] of rows) test(text, () => assert.equal(parseDuration(text), ms))
  for (const text of ['', '5', '1d', '-5s', '1h 30m', 's', '1.s', '5S']) {
    test(`"${text}" is none`, () => assert.equal(parseDuration(text), undefined))
  }
  test('written and read again are the same', () => {
    fc.assert(fc.property(fc.nat(), (ms) => assert.equal(parseDuration(formatDuration(ms)), ms)))
  })
})

test('the nearest name is one that was probably meant', () => {
  assert.equal(nearest('Domian', ['domain', 'www']), 'domain')
  assert.equal(nearest('x', ['domain', 'www']), undefined)
})
