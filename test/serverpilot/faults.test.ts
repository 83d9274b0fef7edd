import assert from 'node:assert/strict'
import type http from 'node:http'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { ServerPilotError, type ServerPilotReason } from '../../src/serverpilot/errors.ts'
import { READ_TRIES } from '../../src/serverpilot/retry.ts'
import {
  API_KEY,
  APP,
  CALLS,
  type Call,
  CLIENT_ID,
  clientOf,
  closedPort,
  json,
  PRIVATE_KEY,
  SSL,
  serveHttp,
  serveTcp,
} from './loopback.ts'

interface Expected {
  reason: ServerPilotReason
  retryable: boolean
  /** Of a write; a read changes nothing. */
  outcome: 'none' | 'unknown'
  status?: number
  message: RegExp
  words?: string
  retryAfter?: number
  /** How often a read is sent, where that is not what `retryable` says. */
  sent?: number
}

const unreachable = { reason: 'ApiUnreachable', retryable: true, outcome: 'unknown' } as const
const canaries = `${API_KEY} ${PRIVATE_KEY} ${btoa(`${CLIENT_ID}:${API_KEY}`)}`
const said = (message: string) => ({ error: { message } })
const html = (status: number) => (response: http.ServerResponse) =>
  void response
    .writeHead(status, { 'content-type': 'text/html' })
    .end(
      `<html><head><title>${status} Bad</title><style>p{}</style></head><body><h1>nginx</h1>${API_KEY}</body></html>`,
    )

const ANSWERS: Record<string, { answer: (response: http.ServerResponse) => void; expected: Expected }> = {
  'a reset before the answer': {
    answer: (response) => void response.destroy(),
    expected: { ...unreachable, message: /gave no answer .*reset/ },
  },
  'a reset within the answer': {
    answer: (response) => {
      response.writeHead(200, { 'content-length': '1000' })
      response.write('{"data":', () => response.destroy())
    },
    expected: { ...unreachable, message: /broke off|reset/ },
  },
  'a chunked answer that breaks off': {
    answer: (response) => void response.write(`{"data": {"ssl": {"key": "${PRIVATE_KEY}`, () => response.destroy()),
    expected: { ...unreachable, message: /broke off|reset/ },
  },
  'a redirect': {
    answer: (response) => void response.writeHead(302, { location: `https://login.example/x?key=${API_KEY}` }).end(),
    expected: {
      ...unreachable,
      status: 302,
      message: /302 .*redirect to https:\/\/login\.example, .*check --serverpilot-url/,
    },
  },
  'a redirect to nowhere': {
    answer: (response) => void response.writeHead(301).end(),
    expected: { ...unreachable, status: 301, message: /check --serverpilot-url/ },
  },
  '400': {
    answer: (response) => json(response, 400, said(`"bad_name.example.com" is no domain ${API_KEY}`)),
    expected: {
      reason: 'Rejected',
      retryable: false,
      outcome: 'none',
      status: 400,
      message: /rejected .*400: ""bad_name\.example\.com"/,
      words: '"bad_name.example.com" is no domain [redacted]',
    },
  },
  '401': {
    answer: (response) => json(response, 401, said('Invalid API credentials.')),
    expected: {
      reason: 'CredentialsInvalid',
      retryable: false,
      outcome: 'none',
      status: 401,
      message:
        /client cid_0123456789ab \(Secret wordpress\/serverpilot\).* 401: "Invalid API credentials\.".*One API key is active per account.*rotated/,
      words: 'Invalid API credentials.',
    },
  },
  '402': {
    answer: (response) => json(response, 402, said('Card declined')),
    expected: {
      reason: 'PaymentRequired',
      retryable: false,
      outcome: 'none',
      status: 402,
      message: /valid card.*Card declined/,
      words: 'Card declined',
    },
  },
  '403': {
    answer: (response) => json(response, 403, {}),
    expected: { reason: 'CredentialsInvalid', retryable: false, outcome: 'none', status: 403, message: /403/ },
  },
  '409': {
    answer: (response) => json(response, 409, said('Conflict')),
    expected: {
      reason: 'Rejected',
      retryable: false,
      outcome: 'none',
      status: 409,
      message: /409: "Conflict"/,
      words: 'Conflict',
    },
  },
  '422 with a message that is no text': {
    answer: (response) => json(response, 422, { error: { message: { key: PRIVATE_KEY } } }),
    expected: { reason: 'Rejected', retryable: false, outcome: 'none', status: 422, message: /with 422\.$/ },
  },
  '429 with seconds': {
    answer: (response) => json(response, 429, said('slow down'), { 'retry-after': '5' }),
    expected: {
      reason: 'RateLimited',
      retryable: true,
      outcome: 'none',
      status: 429,
      message: /429 .*next try is due in 5 s/,
      words: 'slow down',
      retryAfter: 5_000,
    },
  },
  '429 without a time': {
    answer: (response) => json(response, 429, {}),
    expected: { reason: 'RateLimited', retryable: true, outcome: 'none', status: 429, message: /429/ },
  },
  '429 for longer than a call waits': {
    answer: (response) => json(response, 429, {}, { 'retry-after': '120' }),
    expected: {
      reason: 'RateLimited',
      retryable: true,
      outcome: 'none',
      status: 429,
      message: /120 s/,
      retryAfter: 120_000,
      sent: 1,
    },
  },
  '429 for years': {
    answer: (response) => json(response, 429, {}, { 'retry-after': '999999999' }),
    expected: {
      reason: 'RateLimited',
      retryable: true,
      outcome: 'none',
      status: 429,
      message: /900 s/,
      retryAfter: 900_000,
      sent: 1,
    },
  },
  '500': {
    answer: (response) => json(response, 500, said(`broken ${API_KEY}`)),
    expected: {
      ...unreachable,
      status: 500,
      message: /failed with 500 .*"broken \[redacted\]"/,
      words: 'broken [redacted]',
    },
  },
  '502 in HTML': {
    answer: html(502),
    expected: { ...unreachable, status: 502, message: /502 .*: "502 Bad nginx \[redacted\]"/ },
  },
  '503 with a time': {
    answer: (response) => json(response, 503, {}, { 'retry-after': '2' }),
    expected: { ...unreachable, status: 503, message: /503/, retryAfter: 2_000 },
  },
  '408': { answer: (response) => json(response, 408, {}), expected: { ...unreachable, status: 408, message: /408/ } },
  'HTML under 200': {
    answer: html(200),
    expected: {
      ...unreachable,
      status: 200,
      message: /answered 200 .*HTML or XML instead of JSON: "200 Bad nginx \[redacted\]"/,
    },
  },
  'text under 200': {
    answer: (response) => void response.end(`hello\u0000\u0007 world -----BEGIN PRIVATE KEY-----\n${PRIVATE_KEY}`),
    expected: { ...unreachable, status: 200, message: /text instead of JSON: "hello world \[redacted\]"/ },
  },
  'malformed JSON': {
    answer: (response) => void response.end(`{"data": {"ssl": {"key": "${PRIVATE_KEY}",}}}`),
    expected: { ...unreachable, status: 200, message: /JSON that breaks off or is malformed \(\d+ characters\)/ },
  },
  'truncated JSON': {
    answer: (response) => void response.end(JSON.stringify({ data: [APP] }).slice(0, -5)),
    expected: { ...unreachable, status: 200, message: /JSON that breaks off/ },
  },
  'an empty body': {
    answer: (response) => void response.end(),
    expected: { ...unreachable, status: 200, message: /an empty body/ },
  },
  '204': {
    answer: (response) => void response.writeHead(204).end(),
    expected: { ...unreachable, status: 204, message: /an empty body/ },
  },
  null: {
    answer: (response) => json(response, 200, null),
    expected: { ...unreachable, status: 200, message: /another shape \(the body: / },
  },
  'no data': {
    answer: (response) => json(response, 200, {}),
    expected: { ...unreachable, status: 200, message: /another shape \(data: / },
  },
  'an error under 200': {
    answer: (response) => json(response, 200, said('no')),
    expected: { ...unreachable, status: 200, message: /another shape \(data: / },
  },
  'data of a wrong type': {
    answer: (response) => json(response, 200, { data: canaries }),
    expected: { ...unreachable, status: 200, message: /another shape \(data: / },
  },
  'bytes that are no UTF-8': {
    answer: (response) => void response.end(Buffer.from([0x7b, 0x22, 0xe4, 0x22, 0x3a, 0x31, 0x7d])),
    expected: { ...unreachable, status: 200, message: /not UTF-8/ },
  },
  'gzip that is none': {
    answer: (response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(`{"key": "${PRIVATE_KEY}"}`),
    expected: { ...unreachable, message: /gave no answer/ },
  },
}

function check(error: unknown, expected: Expected, write: boolean) {
  assert.ok(error instanceof ServerPilotError, inspect(error))
  assert.equal(error.reason, expected.reason, error.message)
  assert.equal(error.retryable, expected.retryable, 'retryable')
  assert.equal(error.outcome, write ? expected.outcome : 'none', 'outcome')
  assert.equal(error.status, expected.status, 'status')
  assert.equal(error.words, expected.words, 'words')
  assert.equal(error.retryAfter, expected.retryAfter, 'retryAfter')
  assert.match(error.message, expected.message)
  holdsNothingSecret(error)
}

function holdsNothingSecret(error: ServerPilotError) {
  assert.equal(error.cause, undefined)
  const everything = [
    error.message,
    error.stack,
    JSON.stringify(error),
    JSON.stringify(error, Object.getOwnPropertyNames(error)),
    inspect(error, { depth: Infinity, showHidden: true }),
  ].join('\n')
  for (const secret of [API_KEY, PRIVATE_KEY, btoa(`${CLIENT_ID}:${API_KEY}`), btoa(API_KEY)]) {
    assert.ok(!everything.includes(secret), `${secret} in ${everything}`)
  }
}

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  assert.fail('should have failed')
}

for (const [name, { run, write }] of Object.entries(CALLS)) {
  describe(`${name} meets`, () => {
    for (const [fault, { answer, expected }] of Object.entries(ANSWERS)) {
      it(fault, async () => {
        const server = await serveHttp((_, response) => answer(response))
        try {
          const { pilot, clock, observed } = clientOf(server.url)
          check(await failureOf(run(pilot)), expected, write)
          const sent = write || !expected.retryable ? 1 : (expected.sent ?? READ_TRIES)
          assert.equal(server.seen.length, sent, 'requests')
          assert.deepEqual(
            observed.map(({ code }) => code),
            Array(sent).fill(expected.status === undefined ? 'error' : String(expected.status)),
          )
          assert.equal(clock.pending(), 0, 'timers')
        } finally {
          await server.close()
        }
      })
    }

    it('a refused connection', async () => {
      const { pilot } = clientOf(`http://127.0.0.1:${await closedPort()}/v1`)
      check(
        await failureOf(run(pilot)),
        { ...unreachable, outcome: 'none', message: /cannot be reached .*connection refused \(ECONNREFUSED\)/ },
        write,
      )
    })

    it('a host that DNS does not know', async () => {
      const { pilot } = clientOf('http://nowhere.invalid/v1', { allowInsecureHttp: true })
      check(await failureOf(run(pilot)), { ...unreachable, outcome: 'none', message: /cannot be reached .*DNS/ }, write)
    })

    it('something that is no HTTP', async () => {
      const server = await serveTcp((socket) => void socket.once('data', () => socket.end(`SSH-2.0 ${API_KEY}\r\n`)))
      try {
        const { pilot } = clientOf(`http://127.0.0.1:${server.port}/v1`)
        check(await failureOf(run(pilot)), { ...unreachable, message: /not HTTP/ }, write)
      } finally {
        await server.close()
      }
    })

    it('no answer within the time, each try', async () => {
      const server = await serveHttp(() => clock.advance(30_000))
      const { pilot, clock } = clientOf(server.url)
      try {
        check(await failureOf(run(pilot)), { ...unreachable, message: /nothing complete within 30 s/ }, write)
        assert.equal(server.seen.length, write ? 1 : READ_TRIES)
        assert.equal(clock.pending(), 0)
      } finally {
        await server.close()
      }
    })

    it('an answer that trickles past the time', async () => {
      const server = await serveHttp((_, response) => void response.write('{"data": ', () => clock.advance(30_000)))
      const { pilot, clock } = clientOf(server.url)
      try {
        check(await failureOf(run(pilot)), { ...unreachable, message: /nothing complete within 30 s/ }, write)
      } finally {
        await server.close()
      }
    })

    it('a TLS handshake without an answer: nothing was sent', async () => {
      const server = await serveTcp((socket) => void socket.once('data', () => clock.advance(10_000)))
      const { pilot, clock } = clientOf(`https://127.0.0.1:${server.port}/v1`)
      try {
        check(
          await failureOf(run(pilot)),
          { ...unreachable, outcome: 'none', message: /no connection within 10 s/ },
          write,
        )
      } finally {
        await server.close()
      }
    })
  })
}

describe('404', () => {
  const cases = {
    listApps: 'ApiUnreachable',
    getApp: 'AppNotFound',
    getServer: 'Rejected',
    writeDomains: 'AppNotFound',
    changeSsl: 'AppNotFound',
  } as const
  for (const [name, reason] of Object.entries(cases)) {
    it(`of the API on ${name} is ${reason}`, async () => {
      const server = await serveHttp((_, response) => json(response, 404, said('Not found.')))
      const { run, write } = CALLS[name as Call]
      try {
        const cure =
          reason === 'ApiUnreachable' ? /check --serverpilot-url/ : /Check (appId|the server id), .*Secret wordpress/
        check(
          await failureOf(run(clientOf(server.url).pilot)),
          {
            reason,
            retryable: reason === 'ApiUnreachable',
            outcome: 'none',
            status: 404,
            message: cure,
            words: 'Not found.',
          },
          write,
        )
      } finally {
        await server.close()
      }
    })

    it(`of something else on ${name} says nothing about the app`, async () => {
      const server = await serveHttp((_, response) => html(404)(response))
      const { run, write } = CALLS[name as Call]
      try {
        check(
          await failureOf(run(clientOf(server.url).pilot)),
          {
            ...unreachable,
            outcome: 'none',
            status: 404,
            message: /no ServerPilot API at this address.*check --serverpilot-url/,
          },
          write,
        )
      } finally {
        await server.close()
      }
    })
  }
})

describe('an app of a wrong shape is an error, never an empty list of domains:', () => {
  const shapes: Record<string, [unknown, RegExp]> = {
    'domains missing': [{ ...APP, domains: undefined }, /domains/],
    'domains null': [{ ...APP, domains: null }, /domains/],
    'domains a text': [{ ...APP, domains: 'a.example.com' }, /domains/],
    'domains an object': [{ ...APP, domains: { 0: 'a.example.com' } }, /domains/],
    'a domain that is no text': [{ ...APP, domains: ['a.example.com', null] }, /domains\.1/],
    'no id': [{ ...APP, id: undefined }, /id/],
    'no server': [{ ...APP, serverid: null }, /serverid/],
  }
  for (const [shape, [app, place]] of Object.entries(shapes)) {
    for (const call of ['getApp', 'listApps'] as const) {
      it(`${shape} (${call})`, async () => {
        const server = await serveHttp((_, response) =>
          json(response, 200, { data: call === 'getApp' ? app : [APP, app] }),
        )
        try {
          const { run } = CALLS[call]
          check(
            await failureOf(run(clientOf(server.url).pilot)),
            { ...unreachable, status: 200, message: place },
            false,
          )
        } finally {
          await server.close()
        }
      })
    }
  }

  it('an answer about another app', async () => {
    const server = await serveHttp((_, response) => json(response, 200, { data: { ...APP, id: 'BBBBBBBBBBBBBBBB' } }))
    try {
      check(
        await failureOf(clientOf(server.url).pilot.getApp(APP.id)),
        { ...unreachable, status: 200, message: /about another id/ },
        false,
      )
    } finally {
      await server.close()
    }
  })
})

describe('reads are tried again', () => {
  it('a second try that succeeds is a success', async () => {
    const server = await serveHttp((_, response, nth) =>
      nth === 1 ? void response.destroy() : json(response, 200, { data: [APP] }),
    )
    try {
      const { pilot, clock } = clientOf(server.url)
      assert.equal((await pilot.listApps()).length, 1)
      // Full jitter with random() = 0.5 of 500 ms.
      assert.deepEqual(
        clock.slept.filter((ms) => ms < 9_999),
        [250],
      )
    } finally {
      await server.close()
    }
  })

  it('Retry-After is sat out, and pauses the other calls too', async () => {
    const at: number[] = []
    const server = await serveHttp((_, response, nth) => {
      at.push(clock.now() - start)
      if (nth === 1) return json(response, 429, {}, { 'retry-after': '7' })
      json(response, 200, { data: [] })
    })
    const { pilot, clock } = clientOf(server.url)
    const start = clock.now()
    try {
      await pilot.listApps()
      assert.deepEqual(at, [0, 7_000])
    } finally {
      await server.close()
    }
  })

  it('while a long pause lasts nothing is sent, and every call says when it ends', async () => {
    const server = await serveHttp((_, response) => json(response, 429, {}, { 'retry-after': '60' }))
    const { pilot, clock } = clientOf(server.url)
    try {
      await failureOf(pilot.listApps())
      clock.advance(15_000)
      for (const { run, write } of Object.values(CALLS)) {
        check(
          await failureOf(run(pilot)),
          {
            reason: 'RateLimited',
            retryable: true,
            outcome: 'none',
            retryAfter: 45_000,
            message: /nothing was sent .*45 s/,
          },
          write,
        )
      }
      assert.equal(server.seen.length, 1)
    } finally {
      await server.close()
    }
  })

  it('a write does not sit out a pause that a read would', async () => {
    const server = await serveHttp((_, response, nth) =>
      nth === 1 ? json(response, 429, {}, { 'retry-after': '5' }) : json(response, 200, { data: [] }),
    )
    const { pilot } = clientOf(server.url)
    try {
      await failureOf(pilot.changeSsl(APP.id, { auto: true }))
      check(
        await failureOf(pilot.writeDomains(APP.id, [])),
        { reason: 'RateLimited', retryable: true, outcome: 'none', retryAfter: 5_000, message: /nothing was sent/ },
        true,
      )
      assert.deepEqual(await pilot.listApps(), [])
    } finally {
      await server.close()
    }
  })
})

describe('an-odd-field-that-nobody-needs', () => {
  const shapes: Record<string, [unknown, Partial<Record<'ssl' | 'autossl', RegExp>>]> = {
    'ssl a text': [{ ...APP, ssl: PRIVATE_KEY }, { ssl: /^ssl: .*object/ }],
    'ssl.auto a text': [{ ...APP, ssl: { ...SSL, auto: PRIVATE_KEY } }, { ssl: /^ssl: auto: .*boolean/ }],
    'autossl.available missing': [{ ...APP, autossl: { domains: [] } }, { autossl: /^autossl: available: / }],
    'no ssl': [{ ...APP, ssl: undefined }, {}],
  }
  for (const [shape, [app, problems]] of Object.entries(shapes)) {
    it(`${shape}: said apart, by names alone, and the domains are read`, async () => {
      const server = await serveHttp((_, response) => json(response, 200, { data: app }))
      try {
        const { domains, unread = {} } = await clientOf(server.url).pilot.getApp(APP.id)
        assert.deepEqual(domains, APP.domains)
        assert.deepEqual(Object.keys(unread), Object.keys(problems))
        for (const field of ['ssl', 'autossl'] as const) assert.match(unread[field] ?? '', problems[field] ?? /^$/)
        assert.ok(!JSON.stringify(unread).includes(PRIVATE_KEY))
      } finally {
        await server.close()
      }
    })
  }
})
