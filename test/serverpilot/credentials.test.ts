import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import {
  basicAuthorization,
  cleanCredentials,
  secretForms,
  secretsOf,
  shownClientId,
} from '../../src/serverpilot/credentials.ts'
import { CALLS, clientOf, json, serveHttp } from './loopback.ts'

const from64 = (text: string) => Buffer.from(text, 'base64').toString()

describe('credentials', () => {
  it('key-with-a-newline: the request carries the key without it', async () => {
    const server = await serveHttp((_, response) => json(response, 200, { data: [] }))
    try {
      const credentials = { clientId: from64('Y2lkXzAxMjM0NTY3ODlhYg=='), apiKey: from64('azN5azN5azN5azN5azN5MQo=') }
      await clientOf(server.url, { credentials }).pilot.listApps()
      assert.equal(server.seen[0]?.headers.authorization, 'Basic Y2lkXzAxMjM0NTY3ODlhYjprM3lrM3lrM3lrM3lrM3kx')
    } finally {
      await server.close()
    }
  })

  for (const [name, { run }] of Object.entries(CALLS)) {
    it(`key-with-a-newline: a blank inside is CredentialsInvalid before ${name}, naming Secret and key`, async () => {
      const server = await serveHttp((_, response) => json(response, 200, {}))
      try {
        const credentials = { clientId: 'cid_0123456789ab', apiKey: 'k3yk3yk3 yk3yk3y1' }
        await assert.rejects(run(clientOf(server.url, { credentials }).pilot), (error: Error) => {
          assert.equal('reason' in error && error.reason, 'CredentialsInvalid')
          assert.match(error.message, /apiKey of Secret wordpress\/serverpilot has a blank/)
          assert.ok(!/k3yk3/.test(inspect(error, { depth: Infinity })))
          return true
        })
        assert.equal(server.seen.length, 0)
      } finally {
        await server.close()
      }
    })
  }

  const good = 'k3yk3yk3yk3yk3y1'
  for (const raw of [`${good}\n`, `${good}\r\n`, ` ${good}\t `, `\ufeff${good}`, `${good}\u00a0`]) {
    it(`key-with-a-newline: what surrounds a key goes: ${JSON.stringify(raw)}`, () => {
      assert.deepEqual(cleanCredentials({ clientId: raw, apiKey: raw }, 'x'), { clientId: good, apiKey: good })
    })
  }

  const bad: [string, RegExp][] = [
    ['', /is empty/],
    [' \n', /is empty/],
    ['a b', /blank/],
    ['a\nb', /line break/],
    ['a\u0000b', /control character/],
    ['a\u007fb', /control character/],
    ['a\u200bb', /not ASCII/],
    ['aéb', /not ASCII/],
  ]
  for (const [raw, message] of bad) {
    for (const field of ['clientId', 'apiKey'] as const) {
      it(`key-with-a-newline: ${field} ${JSON.stringify(raw)} is refused by name`, () => {
        const credentials = { clientId: good, apiKey: good, [field]: raw }
        assert.throws(() => cleanCredentials(credentials, 'Secret a/b'), {
          reason: 'CredentialsInvalid',
          retryable: false,
          message: new RegExp(`^${field} of Secret a/b .*${message.source}`),
        })
      })
    }
  }

  it('a colon ends the user name of Basic auth, so a client id has none; a key may', () => {
    assert.throws(() => cleanCredentials({ clientId: 'a:b', apiKey: good }, 'x'), /clientId of x has a colon/)
    assert.equal(cleanCredentials({ clientId: good, apiKey: 'a:b' }, 'x').apiKey, 'a:b')
    assert.equal(basicAuthorization({ clientId: 'a', apiKey: 'b:c' }), `Basic ${btoa('a:b:c')}`)
  })
})

describe('swapped-credentials', () => {
  const [id, key] = ['cid_0123456789ab', 'k3yk3yk3yk3yk3y1']
  it('the wrong way round is refused by name, and nothing else is', () => {
    assert.throws(() => cleanCredentials({ clientId: `${key}\n`, apiKey: ` ${id}` }, 'Secret a/b'), {
      reason: 'CredentialsInvalid',
      message: /^clientId and apiKey of Secret a\/b are the wrong way round/,
    })
    for (const pair of [
      [id, key],
      [id, id],
      [key, key],
    ] as const)
      assert.doesNotThrow(() => cleanCredentials({ clientId: pair[0], apiKey: pair[1] }, 'x'))
  })

  it('a client id that may be the key is a secret like the key, whatever surrounds it', () => {
    assert.deepEqual(secretsOf({ clientId: `${id}\n`, apiKey: `${key}\n` }), [key])
    assert.deepEqual(secretsOf({ clientId: `${key}\n`, apiKey: 'another' }), ['another', key])
    assert.equal(shownClientId(` ${id}\n`), id)
    assert.equal(shownClientId(key), '[redacted]')
    assert.ok(secretForms({ clientId: key, apiKey: 'another' }).includes(Buffer.from(key).toString('base64')))
  })
})
