import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseDocuments } from '../../src/api/yaml.ts'
import { toAscii } from '../../src/domain/syntax.ts'

const HEAD = 'apiVersion: domainpilot.dev/v1alpha1\n'
const mapping = (domain: string): string =>
  `${HEAD}kind: DomainMapping\nmetadata:\n  name: shop\n  namespace: wp\nspec:\n  domain: ${domain}\n  appRef: {name: network}\n`
const app = (appId: string, more = ''): string =>
  `${HEAD}kind: ServerPilotApp\nmetadata: {name: network}\nspec:\n  appId: ${appId}\n${more}`

/** The one fault of a text: where it is, of which field and object, and its words. */
function fault(text: string) {
  const { faults, apps, mappings } = parseDocuments(text, { file: 'shop.yaml' })
  const [only] = faults
  assert.equal(faults.length, 1, JSON.stringify(faults))
  assert.ok(only)
  return { ...only, object: only.object?.key, read: apps.length + mappings.length }
}

/** What stands without quotes and means something else to YAML than its author thought. */
const UNQUOTED: [what: string, domain: string, message: RegExp][] = [
  [
    'a wildcard',
    '*.example.com',
    /spec\.domain is written as \*\.example\.com without quotes.*a leading \* needs quotes/,
  ],
  ['a star alone', '*', /a leading \* needs quotes/],
  ['an at sign', '@x', /spec\.domain .*a leading @ needs quotes/],
  ['a backtick', '`x`', /a leading ` needs quotes/],
  ['a percent sign', '%x', /a leading % needs quotes/],
  ['an exclamation mark', '!x.example.com', /!x\.example\.com.*a leading ! needs quotes/],
  ['an ampersand', '&x.example.com', /spec\.domain is written as &x\.example\.com.*a leading & needs quotes/],
]

describe('yaml-faults-have-a-place', () => {
  for (const [what, domain, message] of UNQUOTED) {
    test(`${what} without quotes: line, column, field, object, and what to do`, () => {
      const found = fault(mapping(domain))
      assert.match(found.message, message)
      assert.match(found.message, /^DomainMapping wp\/shop: /)
      assert.deepEqual([found.line, found.field, found.object, found.read], [7, 'spec.domain', 'wp/shop', 0])
      assert.match(found.place, /^shop\.yaml:7:(3|11)$/)
    })
  }

  test('in a list of objects', () => {
    const text = `apiVersion: v1\nkind: List\nitems:\n- ${mapping('b.example.com').replace('name: shop', 'name: other').trimEnd().replaceAll('\n', '\n  ')}\n- ${mapping('*.example.com').trimEnd().replaceAll('\n', '\n  ')}\n`
    const { place, field, object } = fault(text)
    assert.deepEqual({ place, field, object }, { place: 'shop.yaml:18:13', field: 'spec.domain', object: 'wp/shop' })
  })

  test('in a list of values, also in flow style', () => {
    for (const list of ['\n    - b.example.com\n    - *.example.com', ' [b.example.com, *.example.com]']) {
      const found = fault(app('nlcN0TwdZAyNEgdp', `  protectedDomains:${list}\n`))
      assert.equal(found.field, 'spec.protectedDomains[1]')
      assert.match(
        found.message,
        /^ServerPilotApp default\/network: spec\.protectedDomains\[1\] is written as \*\.example\.com/,
      )
    }
  })

  test('in a second document; the first is read', () => {
    const { place, read, object } = fault(
      `${mapping('b.example.com').replace('shop', 'first')}---\n${mapping('*.example.com')}`,
    )
    assert.deepEqual({ place, read, object }, { place: 'shop.yaml:16:11', read: 1, object: 'wp/shop' })
  })

  test('an anchor of another document, or one that stands behind, does not count; one that stands before does', () => {
    const anchored = `${HEAD}kind: DomainMapping\nmetadata: {name: one}\nspec: {domain: &it one.example.com, appRef: {name: network}}\n`
    assert.match(
      fault(`${anchored}---\n${mapping('*it')}`).message,
      /\*it without quotes.*no anchor &it stands before it/,
    )
    const behind = mapping('*it').replace('name: network', 'name: &it network')
    assert.equal(fault(behind).line, 7)
    const before = mapping('*it').replace('name: shop', 'name: &it shop')
    assert.equal(parseDocuments(before, { file: 'a' }).mappings[0]?.domain, 'shop')
  })

  test('a syntax fault names the field in which it stands, and none where it stands in none', () => {
    const inside = fault(mapping('"a.example.com" b'))
    assert.deepEqual([inside.line, inside.field, inside.object], [7, 'spec.domain', 'wp/shop'])
    const nowhere = fault(`${mapping('a.example.com')}}\n`)
    assert.equal(nowhere.field, undefined)
  })

  test('a number is shown as it stands in the file', () => {
    for (const id of ['72225e2', '0123456789012385', '0x1f', '1.50', '12345678901234567890']) {
      assert.equal(
        fault(app(id)).message,
        `ServerPilotApp default/network: spec.appId must be a string, not the number ${id}; put it in quotes`,
      )
    }
    const { message } = fault(app('nlcN0TwdZAyNEgdp', '  dns:\n    expectedAddresses:\n    - 1e3\n'))
    assert.match(message, /spec\.dns\.expectedAddresses\[0\] .*the number 1e3/)
  })

  test('of a name that is not a host name, the part that is wrong', () => {
    const wrong: [written: string, message: RegExp][] = [
      ['@x', /^"@x": the character "@" may not stand in a host name$/],
      ['user@example.com', /the character "@" may not stand/],
      ['\\*.example.net', /^"\\\*\.example\.net" has a backslash; write "\*\.example\.net"$/],
      ['shop\\.example.net', /has a backslash; write "shop\.example\.net"/],
      ['shop.example.net\\x', /has a path, "\\x"; give only the host name, "shop\.example\.net"/],
      ['?x=1', /^"\?x=1" has a query, "\?x=1"; give only the host name$/],
      ['example.com?x=1', /has a query, "\?x=1"; give only the host name, "example\.com"/],
      ['example.com#top', /has a fragment, "#top"; give only the host name, "example\.com"/],
      ['example.com/shop?x', /has a path, "\/shop\?x"; give only the host name, "example\.com"/],
      ['https://example.com/?x', /is a URL; give only the host name, "example\.com"/],
      ['example.com:8080', /has a port; give only the host name, "example\.com"/],
    ]
    for (const [written, message] of wrong) {
      const found = toAscii(written)
      assert.equal(found.ok, false)
      assert.match(found.ok ? '' : found.message, message)
    }
  })
})
