import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { decodeText } from '../../src/api/encoding.ts'
import { parseDocuments } from '../../src/api/yaml.ts'

const head = 'apiVersion: domainpilot.dev/v1alpha1'

function read(text: string, file = 'shop.yaml') {
  const { apps, mappings, secrets, faults } = parseDocuments(text, { file })
  return {
    apps,
    mappings,
    secrets,
    domains: mappings.map((mapping) => mapping.domain),
    faults: faults.map((fault) => `${fault.place} ${fault.message}`),
  }
}

function mapping(name: string, more = ''): string {
  return `${head}\nkind: DomainMapping\nmetadata: {name: ${name}}\nspec: {domain: ${name}.example.com, appRef: {name: network}${more}}\n`
}

test('the example of the design is valid', () => {
  const { apps, mappings, faults } = read(`
apiVersion: domainpilot.dev/v1alpha1
kind: ServerPilotApp            # short name spapp
metadata: {name: network, namespace: wordpress}
spec:
  appId: nlcN0TwdZAyNEgdp       # immutable
  credentialsSecretRef: {name: serverpilot}
  policy: Sync                  # Sync | UpsertOnly | Exclusive | Observe
  www: MainOnly                 # Always | MainOnly | Never: default for its mappings
  protectedDomains: [network.example]
  ssl: {auto: true, force: false, maxAttempts: 5, retryInterval: 5m}
  dns: {policy: Report, expectedAddresses: [198.51.100.0/24]}
  safety: {maxRemovalPercent: 30, minDomains: 10, window: 24h, settle: 30s, settleInferred: 5m, allowEmpty: false}
  allowedNamespaces: {from: Same}             # Same | All | Selector
  allowedDomains: ["*.example.com", "*"]
  wordpress:                    # optional: a WordPress database as one more source
    connectionSecretRef: {name: wp-db, key: url}    # mysql://user:pass@host/db
    tablePrefix: wp_
    mappings: Auto              # Auto | UltimateMultisite | DomainMapping | Core
    includeSites: false         # also each site's own domain of a subdomain network
    pollInterval: 5s
  deletionPolicy: Retain        # Retain | Delete: what becomes of owned hosts when this object goes
  suspend: false
---
apiVersion: domainpilot.dev/v1alpha1
kind: DomainMapping             # short name dmap
metadata: {name: shop, namespace: wordpress}
spec: {domain: shop.example.com, www: MainOnly, appRef: {name: network}}
`)
  assert.deepEqual(faults, [])
  assert.equal(apps[0]?.place, 'shop.yaml:2')
  assert.equal(apps[0]?.spec.wordpress?.pollInterval, 5000)
  assert.equal(mappings[0]?.place, 'shop.yaml:25')
  assert.equal(mappings[0]?.app, 'wordpress/network')
  assert.equal(mappings[0]?.www, 'MainOnly')
})

describe('parses-without-a-complaint', () => {
  test('a key given twice', () => {
    const result = parseDocuments(
      `# 1\n${head}\nkind: DomainMapping\nmetadata: {name: dup}\nspec:\n  domain: old.example.com\n  domain: new.example.com\n  appRef: {name: network}\n`,
      { file: 'dup.yaml' },
    )
    assert.deepEqual(result.mappings, [])
    assert.equal(result.faults.length, 1)
    assert.match(result.faults[0]?.place ?? '', /^dup.yaml:7:3$/)
    assert.match(result.faults[0]?.message ?? '', /key domain is given twice/)
    assert.deepEqual(result.faults[0]?.object, { kind: 'DomainMapping', key: 'default/dup' })
  })

  test('an unrendered template', () => {
    const { faults } = read(
      `# 1\n${head}\nkind: DomainMapping\nmetadata: {name: tpl}\nspec:\n  domain: {{ .Values.domain }}\n  appRef: {name: network}\n`,
      'template.yaml',
    )
    assert.equal(faults.length, 1)
    assert.match(faults[0] ?? '', /^template.yaml:6:3 .*spec.domain must be a string; .*unrendered template/)
  })

  test('an unknown kind of our group', () => {
    const { faults } = read(`# 1\n${head}\nkind: DomainMaping\nmetadata: {name: typo}\nspec: {}\n`, 'kind.yaml')
    assert.equal(faults.length, 1)
    assert.match(faults[0] ?? '', /^kind.yaml:3:1 object typo: kind is an unknown kind .*did you mean DomainMapping\?/)
  })

  test('other groups, empty documents and comments are no error', () => {
    const text = `# nothing\n---\n---\n# nothing\n---\napiVersion: apps/v1\nkind: Deployment\nspec: {a: yes, b: 010}\n---\napiVersion: serving.knative.dev/v1beta1\nkind: DomainMapping\n`
    assert.deepEqual(read(text).faults, [])
    assert.deepEqual(read('').faults, [])
    assert.deepEqual(read('resources: [a.yaml]\n', 'x/kustomization.yaml').faults, [])
    assert.deepEqual(read('apiVersion: v1\nkind: ConfigMap\ndata: {a: 1}\ndata: {a: 1}\n').faults, [])
  })
})

describe('what could be meant for us and is wrong', () => {
  const rows: [string, string, RegExp][] = [
    [
      'a misspelt group',
      mapping('a').replace('domainpilot.dev', 'domainpilt.dev'),
      /^shop.yaml:1:1 .*apiVersion must be domainpilot.dev/,
    ],
    ['no group', mapping('a').replace('domainpilot.dev/', ''), /apiVersion must be domainpilot.dev/],
    ['no apiVersion', mapping('a').replace(`${head}\n`, ''), /^shop.yaml:1:1 .*apiVersion is missing/],
    ['no kind', mapping('a').replace('kind: DomainMapping\n', ''), /kind is missing/],
    ['neither', 'spec: {appRef: {name: network}}\n', /neither apiVersion nor kind/],
    ['plain text', 'hello', /neither apiVersion nor kind/],
    [
      'yes',
      mapping('a', ', www: yes'),
      /^shop.yaml:4:56 DomainMapping default\/a: spec.www is written as yes without quotes: true .*quote/,
    ],
    ['a YAML 1.1 document', `%YAML 1.1\n---\n${mapping('a', ', www: no')}`, /spec.www is written as no/],
    ['octal', mapping('a').replace('name: network', 'name: 010'), /spec.appRef.name is written as 010 .*octal/],
    ['base 60', mapping('a').replace('name: network', 'name: 1:30'), /to the base of 60/],
    [
      'an ambiguous key',
      mapping('a').replace('{name: a}', '{name: a, labels: {on: "x"}}'),
      /metadata.labels.on is written as on/,
    ],
    ['a merge key', mapping('a', ', <<: {www: Never}'), /merge key/],
    ['an unresolved tag', mapping('a').replace('name: network', 'name: !x network'), /Unresolved tag/],
    ['an alias without an anchor', mapping('a').replace('name: network', 'name: *x'), /no anchor &x stands before it/],
    ['a list in a list', '&a\napiVersion: v1\nkind: List\nitems: [*a]\n', /list of objects inside a list/],
    ['a list without items', 'apiVersion: v1\nkind: List\n', /items is missing/],
    [
      'a Secret with a number',
      'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {k: 0123}\n',
      /^shop.yaml:4:14 Secret: stringData.k must be a string; put it in quotes/,
    ],
    ['a template between lines', `{{- if .x }}\n${mapping('a')}{{- end }}\n`, /^shop.yaml:1:1 this is a template/],
  ]
  for (const [what, text, message] of rows) {
    test(what, () => {
      const { faults, domains } = read(text)
      assert.deepEqual(domains, [])
      assert.ok(
        faults.some((line) => message.test(line)),
        faults.join('\n') || 'no fault',
      )
    })
  }

  test('aliases that multiply', () => {
    const lines = [...'bcdefghij'].map(
      (name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefghi'[i]}`).join(',')}]`,
    )
    const start = performance.now()
    const { faults } = read(`a: &a [x,x,x,x,x,x,x,x,x]\n${lines.join('\n')}\n`)
    assert.match(faults[0] ?? '', /multiply beyond reason/)
    assert.ok(performance.now() - start < 2000)
  })
})

test('the other documents of a broken file are read', () => {
  const broken = mapping('b').replace('spec: {', 'spec:\n\t{')
  const { domains, faults } = read([mapping('a'), broken, mapping('c'), mapping('d', ', wwww: 1')].join('---\n'))
  assert.deepEqual(domains, ['a.example.com', 'c.example.com'])
  assert.match(faults[0] ?? '', /^shop.yaml:10:1 .*Tabs/)
  assert.match(faults.at(-1) ?? '', /^shop.yaml:20:56 DomainMapping default\/d: spec.wwww/)
})

test('lists and JSON', () => {
  const item = { metadata: { name: 'a' }, spec: { domain: 'a.example.com', appRef: { name: 'n' } } }
  const whole = { apiVersion: 'domainpilot.dev/v1alpha1', kind: 'DomainMapping', ...item }
  const other = { apiVersion: 'v1', kind: 'ConfigMap' }
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, stringData: { k: 'v' } }
  const list = read(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [other, whole, secret] }, null, '\t'))
  assert.deepEqual(list.faults, [])
  assert.deepEqual(list.domains, ['a.example.com'])
  assert.equal(list.mappings[0]?.place, 'shop.yaml:9')
  assert.deepEqual(list.secrets, [{ namespace: 'default', name: 's', values: { k: 'v' } }])
  const typed = JSON.stringify({ apiVersion: whole.apiVersion, kind: 'DomainMappingList', items: [item] })
  assert.deepEqual(read(typed).domains, ['a.example.com'])
})

describe('files-in-other-encodings', () => {
  const utf8 = (text: string) => new TextEncoder().encode(text)
  const wide = (text: string, big: boolean) => {
    const bytes = Buffer.from(text, 'utf16le')
    return big ? bytes.swap16() : bytes
  }
  const domainsOf = (bytes: Uint8Array) => {
    const decoded = decodeText(bytes)
    assert.ok(decoded.ok)
    const { faults, domains } = read(decoded.text)
    assert.deepEqual(faults, [])
    return domains
  }
  test('UTF-16 with and without a mark', () => {
    for (const mark of ['\ufeff', '']) {
      for (const big of [false, true]) assert.deepEqual(domainsOf(wide(mark + mapping('a'), big)), ['a.example.com'])
    }
  })
  test('UTF-8 with a mark, and line ends of Windows', () => {
    assert.deepEqual(domainsOf(utf8(`\ufeff${mapping('b')}`)), ['b.example.com'])
    assert.deepEqual(domainsOf(utf8(mapping('c').replaceAll('\n', '\r\n'))), ['c.example.com'])
  })
  test('joined files', () => {
    const joined = `\ufeff${mapping('d')}---\n\ufeff${mapping('e')}`
    assert.deepEqual(domainsOf(utf8(joined)), ['d.example.com', 'e.example.com'])
  })
  const broken: [string, Uint8Array, RegExp, number | undefined][] = [
    ['UTF-32', Uint8Array.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0]), /UTF-32LE/, undefined],
    ['Latin-1', Uint8Array.from([...utf8('# ok\n# ü\n# b'), 0xfc, 0x63, 0x0a]), /not in UTF-8/, 3],
    ['half a UTF-16', Uint8Array.from([0xff, 0xfe, 0x61, 0, 0x62]), /UTF-16LE/, undefined],
    ['NUL bytes after a crash', new Uint8Array(64), /U\+0000/, 1],
  ]
  for (const [what, bytes, message, line] of broken) {
    test(what, () => {
      const decoded = decodeText(bytes)
      assert.ok(!decoded.ok)
      assert.match(decoded.message, message)
      assert.equal(decoded.line, line)
    })
  }
  test('is total', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void decodeText(bytes)))
  })
})

test('is total', () => {
  const pieces = fc.constantFrom(
    head,
    '\n',
    '  ',
    'kind: DomainMapping',
    '- ',
    '---\n',
    '{',
    '}',
    '[',
    '&a ',
    '*a',
    ': ',
    '\t',
    '"',
    '|',
    'items',
    '? ',
    '!',
    '%',
    'spec:',
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 25 }), (parts) => void read(parts.join(''))),
    { numRuns: 1000 },
  )
})
