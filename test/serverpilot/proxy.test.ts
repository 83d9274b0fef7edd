import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { bypasses, chooseProxy, proxyName } from '../../src/serverpilot/addresses.ts'

const api = new URL('https://api.serverpilot.io/v1')

describe('NO_PROXY', () => {
  const cases: [string, string, boolean][] = [
    ['*', 'https://api.serverpilot.io/v1', true],
    ['', 'https://api.serverpilot.io/v1', false],
    ['serverpilot.io', 'https://api.serverpilot.io/v1', true],
    ['serverpilot.io', 'https://serverpilot.io/v1', true],
    ['serverpilot.io', 'https://notserverpilot.io/v1', false],
    ['.serverpilot.io', 'https://api.serverpilot.io/v1', true],
    ['.serverpilot.io', 'https://serverpilot.io/v1', false],
    ['*.serverpilot.io', 'https://api.serverpilot.io/v1', true],
    ['API.ServerPilot.IO', 'https://api.serverpilot.io/v1', true],
    ['api.serverpilot.io.', 'https://api.serverpilot.io/v1', true],
    ['127.0.0.1,.svc', 'https://simulator.pilot.svc/v1', true],
    ['127.0.0.1 .svc', 'https://simulator.pilot.svc/v1', true],
    ['127.0.0.1,.svc', 'https://simulator.pilot.svc.example/v1', false],
    ['api.serverpilot.io:443', 'https://api.serverpilot.io/v1', true],
    ['api.serverpilot.io:8443', 'https://api.serverpilot.io/v1', false],
    ['api.serverpilot.io:8443', 'https://api.serverpilot.io:8443/v1', true],
    ['127.0.0.1', 'https://127.0.0.1:8443/v1', true],
    ['127.0.0.1:8443', 'https://127.0.0.1:8443/v1', true],
    ['127.0.0.1:443', 'https://127.0.0.1:8443/v1', false],
    ['0.0.1', 'https://127.0.0.1/v1', false],
    ['10.0.0.0/8', 'https://10.1.2.3/v1', true],
    ['10.0.0.0/8', 'https://11.1.2.3/v1', false],
    ['10.0.0.0/33', 'https://10.1.2.3/v1', false],
    ['10.0.0.0/x', 'https://10.1.2.3/v1', false],
    ['10.0.0.0/8', 'https://api.serverpilot.io/v1', false],
    ['::1', 'https://[::1]/v1', true],
    ['[::1]:8443', 'https://[::1]:8443/v1', true],
    ['[::1]:8443', 'https://[::1]/v1', false],
    ['0:0:0:0:0:0:0:1', 'https://[::1]/v1', true],
    ['2001:db8::/32', 'https://[2001:db8::5]/v1', true],
    ['2001:db8::/32', 'https://192.0.2.1/v1', false],
    ['.', 'https://api.serverpilot.io/v1', false],
  ]
  for (const [noProxy, target, expected] of cases) {
    it(`${JSON.stringify(noProxy)} ${expected ? 'lists' : 'does not list'} ${target}`, () => {
      assert.equal(bypasses(new URL(target), noProxy), expected)
    })
  }

  const label = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/)
  const name = fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join('.'))

  it('a name lists itself and everything below it, whatever stands around it', () => {
    fc.assert(
      fc.property(
        name,
        label,
        fc.array(name),
        fc.array(name),
        fc.constantFrom(',', ', ', ' '),
        (host, sub, before, after, comma) => {
          const list = [...before, host, ...after].join(comma)
          assert.ok(bypasses(new URL(`https://${host}/`), list))
          assert.ok(bypasses(new URL(`https://${sub}.${host}/`), list))
          assert.ok(bypasses(new URL(`https://${sub}.${host}/`), `.${host}`))
          assert.ok(!bypasses(new URL(`https://${host}/`), `.${host}`))
          assert.ok(!bypasses(new URL(`https://${sub}${host}/`), host))
        },
      ),
    )
  })

  it("an address is in a network exactly when its first bits are the network's", () => {
    const address = fc.tuple(...Array.from({ length: 4 }, () => fc.integer({ min: 0, max: 255 })))
    const bitsOf = (bytes: number[]) => bytes.map((byte) => byte.toString(2).padStart(8, '0')).join('')
    fc.assert(
      fc.property(address, address, fc.integer({ min: 0, max: 32 }), (network, host, bits) => {
        const expected = bitsOf(network).slice(0, bits) === bitsOf(host).slice(0, bits)
        assert.equal(bypasses(new URL(`https://${host.join('.')}/`), `${network.join('.')}/${bits}`), expected)
      }),
    )
  })

  it('any text is put up with', () => {
    fc.assert(fc.property(fc.string(), (text) => void bypasses(api, text)))
  })
})

describe('the choice of a proxy', () => {
  it('https targets take HTTPS_PROXY, with or without a scheme', () => {
    assert.equal(chooseProxy(api, { httpsProxy: 'http://proxy.example:3128' })?.href, 'http://proxy.example:3128/')
    assert.equal(chooseProxy(api, { httpsProxy: 'proxy.example:3128' })?.href, 'http://proxy.example:3128/')
    assert.equal(chooseProxy(api, { httpsProxy: 'user:pass@proxy.example:3128' })?.username, 'user')
  })

  it('goes direct without one, by NO_PROXY, and for plain http', () => {
    assert.equal(chooseProxy(api, {}), undefined)
    assert.equal(chooseProxy(api, { httpsProxy: ' ' }), undefined)
    assert.equal(chooseProxy(api, { httpsProxy: 'http://proxy.example', noProxy: 'serverpilot.io' }), undefined)
    const plain = new URL('http://127.0.0.1/v1')
    assert.equal(chooseProxy(plain, { httpsProxy: 'http://p.example' }), undefined)
  })

  it('an address that cannot be used is refused without its password', () => {
    for (const httpsProxy of [
      'socks5://user:s3cret@proxy.example',
      'http://user:s3cret@',
      'http://user:s3cret%zz@proxy.example',
    ]) {
      assert.throws(
        () => chooseProxy(api, { httpsProxy }),
        (error: Error) => /HTTPS_PROXY/.test(error.message) && !/s3cret/.test(String(error.stack)),
      )
    }
  })

  it('a proxy is named without user and password', () => {
    assert.equal(proxyName(new URL('http://user:s3cret@proxy.example:3128/x?y')), 'http://proxy.example:3128')
  })
})
