import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createScrub, shorten } from '../../src/log/scrub.ts'
import { checkBaseUrl } from '../../src/serverpilot/addresses.ts'
import { parseRetryAfter, retryDelay } from '../../src/serverpilot/retry.ts'
import { systemClock } from '../../src/time/clock.ts'
import { createKeyedMutex } from '../../src/time/mutex.ts'

describe('checkBaseUrl', () => {
  it('takes https, and plain http to this host', () => {
    assert.equal(checkBaseUrl('https://api.serverpilot.io/v1/').href, 'https://api.serverpilot.io/v1')
    for (const host of ['localhost', 'x.localhost', '127.0.0.1', '127.9.9.9', '[::1]', '127.1']) {
      assert.equal(checkBaseUrl(`http://${host}:8080/v1`).pathname, '/v1')
    }
  })

  it('takes plain http elsewhere only when told so', () => {
    for (const host of [
      'simulator.pilot.svc',
      '10.0.0.1',
      'localhost.example.com',
      '127.0.0.1.example.com',
      '[2001:db8::1]',
      '128.0.0.1',
    ]) {
      assert.throws(() => checkBaseUrl(`http://${host}/v1`), /in the clear.*--allow-insecure-http/)
      assert.ok(checkBaseUrl(`http://${host}/v1`, true))
    }
  })

  it('refuses the rest with its reason, and shows no password', () => {
    assert.throws(() => checkBaseUrl('api.serverpilot.io/v1'), /not a URL/)
    assert.throws(() => checkBaseUrl('ftp://api.serverpilot.io/v1'), /https:\/\//)
    assert.throws(() => checkBaseUrl('https://api.serverpilot.io/v1?x'), /"\?"/)
    assert.throws(
      () => checkBaseUrl('https://cid:s3cret@api.serverpilot.io/v1'),
      (error: Error) => /credentials/.test(error.message) && !/s3cret/.test(error.message),
    )
    assert.throws(
      () => checkBaseUrl('https://cid:s3cret@'),
      (error: Error) => !/s3cret/.test(error.message),
    )
  })
})

describe('retry', () => {
  it('full jitter: from 0 to a ceiling that doubles and ends', () => {
    assert.deepEqual(
      [1, 2, 3, 4, 9, 99].map((failures) => retryDelay(failures, () => 0.9999)),
      [499, 999, 1999, 3999, 3999, 3999],
    )
    assert.equal(
      retryDelay(5, () => 0),
      0,
    )
  })

  it('Retry-After: seconds or a date, and nothing else', () => {
    const now = Date.UTC(2025, 0, 1)
    assert.equal(parseRetryAfter('120', now), 120_000)
    assert.equal(parseRetryAfter(' 0 ', now), 0)
    assert.equal(parseRetryAfter(new Date(now + 90_000).toUTCString(), now), 90_000)
    assert.equal(parseRetryAfter(new Date(now - 90_000).toUTCString(), now), 0)
    for (const nonsense of [undefined, '', 'soon', '-5', '1.5', '12 monkeys', '0x10'])
      assert.equal(parseRetryAfter(nonsense, now), undefined)
  })
})

describe('scrub', () => {
  it('no secret survives, wherever it stands', () => {
    fc.assert(
      fc.property(fc.string(), fc.stringMatching(/^[A-Za-z0-9]{8,40}$/), fc.string(), (before, secret, after) => {
        assert.ok(!createScrub([secret])(`${before}${secret}${after}`).includes(secret))
      }),
    )
  })

  it('key material goes, host names stay', () => {
    const scrub = createScrub([])
    assert.equal(scrub('a -----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- b'), 'a [redacted] b')
    assert.equal(scrub('a -----BEGIN PRIVATE KEY-----\nMIIE'), 'a [redacted]')
    assert.equal(scrub(`k ${'Ab1+'.repeat(20)}==`), 'k [redacted]')
    const longest = `${'a'.repeat(63)}.${'b'.repeat(63)}.example.com`
    assert.equal(scrub(longest), longest)
    assert.equal(scrub('a\r\n\u0000\u202e b'), 'a b')
  })

  it('shortens between characters', () => {
    assert.equal(shorten('abc', 3), 'abc')
    assert.equal(shorten('abcd', 3), 'ab…')
    assert.equal(shorten('a😀bc', 3), 'a…')
  })
})

describe('keyed mutex', () => {
  it('one job per key at a time, in order; other keys at the same time; a failure lets the next in', async () => {
    const exclusively = createKeyedMutex()
    const log: string[] = []
    const job =
      (name: string, fails = false) =>
      async () => {
        log.push(`${name}+`)
        await new Promise<void>((resolve) => setImmediate(resolve))
        log.push(`${name}-`)
        if (fails) throw new Error(name)
        return name
      }
    const [one, two, three, other] = await Promise.allSettled([
      exclusively('s', job('1')),
      exclusively('s', job('2', true)),
      exclusively('s', job('3')),
      exclusively('t', job('t')),
    ])
    assert.deepEqual(
      [one.status, two.status, three.status, other.status],
      ['fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
    )
    assert.deepEqual(
      log.filter((entry) => !entry.startsWith('t')),
      ['1+', '1-', '2+', '2-', '3+', '3-'],
    )
    assert.ok(log.indexOf('t+') < log.indexOf('1-'))
  })
})

describe('systemClock', () => {
  it('an aborted sleep rejects with the reason, at once or under way', async () => {
    const reason = new Error('stop')
    await assert.rejects(systemClock.sleep(60_000, AbortSignal.abort(reason)), reason)
    const abort = new AbortController()
    const sleep = systemClock.sleep(60_000, abort.signal)
    abort.abort(reason)
    await assert.rejects(sleep, reason)
    await systemClock.sleep(0)
    assert.ok(systemClock.now() > 1_700_000_000_000)
  })
})
