import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { ServerPilotError } from '../../src/serverpilot/errors.ts'
import type { ServerPilot } from '../../src/serverpilot/serverpilot.ts'
import type { FakeClock } from '../time/fake-clock.ts'
import { longestHold } from '../time/longest-hold.ts'
import { until } from '../until.ts'
import { APP, APP_ID, clientOf, serveTcp, withServer } from './loopback.ts'

const MEBIBYTE = 1024 * 1024
const GROWN = Buffer.alloc(8 * MEBIBYTE, 'a')
const OK = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n'

/** Writes the same again and again, as fast as it is read. */
function forever(socket: Socket, part: string | Buffer): void {
  const more = (): void => {
    while (!socket.destroyed && socket.write(part));
    socket.once('drain', more)
  }
  more()
}

/** Answers that have no end, or are far longer than they may be. */
const TOO_LONG: Record<string, (socket: Socket) => void> = {
  'no end'(socket) {
    socket.write(`${OK}\r\n`)
    forever(socket, Buffer.alloc(MEBIBYTE, 'a'))
  },
  'a length of 10 GB'(socket) {
    socket.write(`${OK}Content-Length: 10000000000\r\n\r\n`)
    forever(socket, Buffer.alloc(MEBIBYTE, ' '))
  },
  'chunks without end'(socket) {
    socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n`)
    forever(socket, Buffer.from(`10000\r\n${'a'.repeat(65_536)}\r\n`))
  },
  'gzip that grows'(socket) {
    socket.write(`${OK}Content-Encoding: gzip\r\n\r\n`)
    socket.write(gzipSync(GROWN))
  },
  'brotli that grows'(socket) {
    socket.write(`${OK}Content-Encoding: br\r\n\r\n`)
    socket.write(brotliCompressSync(GROWN))
  },
}

/** Answers that come for ever and lead to nothing. */
const TOO_LATE: Record<string, (socket: Socket) => void> = {
  'byte by byte'(socket) {
    socket.setNoDelay(true)
    socket.write(`${OK}\r\n`)
    const drip = (): void => void (socket.destroyed || socket.write(' ', () => setImmediate(drip)))
    drip()
  },
  'a head without end, byte by byte'(socket) {
    socket.setNoDelay(true)
    socket.write(OK)
    const drip = (): void => void (socket.destroyed || socket.write('X', () => setImmediate(drip)))
    drip()
  },
  'gzip of nothing, without end'(socket) {
    // The head of gzip, and then stored blocks of no bytes.
    socket.write(`${OK}Content-Encoding: gzip\r\n\r\n`)
    socket.write(gzipSync('').subarray(0, 10))
    forever(socket, Buffer.alloc(5 * 2_000, Buffer.from([0, 0, 0, 0xff, 0xff])))
  },
  'hints without end'(socket) {
    forever(socket, 'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n'.repeat(100))
  },
}

/** What a call to such a server comes to, and by how much this process grew at its largest, in MiB. */
async function ask(
  answer: (socket: Socket) => void,
  call: (pilot: ServerPilot, clock: FakeClock) => Promise<unknown>,
): Promise<{ error: ServerPilotError; grown: number }> {
  const server = await serveTcp((socket) => void socket.once('data', () => answer(socket)))
  const { pilot, clock } = clientOf(`http://127.0.0.1:${server.port}/v1`)
  const before = process.memoryUsage.rss()
  let most = before
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss())
  }, 5)
  try {
    const error = await call(pilot, clock).then(
      () => assert.fail('it was believed'),
      (error: unknown) => error,
    )
    assert.ok(error instanceof ServerPilotError, String(error))
    await until('every connection is closed', () => server.sockets.size === 0, 5_000)
    assert.equal(clock.pending(), 0)
    return { error, grown: (most - before) / MEBIBYTE }
  } finally {
    clearInterval(watch)
    await server.close()
  }
}

const getApp = (pilot: ServerPilot) => pilot.getApp(APP_ID)
const listApps = (pilot: ServerPilot) => pilot.listApps()

function isGivenUp({ error, grown }: Awaited<ReturnType<typeof ask>>, bound: number): void {
  assert.equal(error.reason, 'ApiUnreachable')
  assert.equal(error.retryable, true)
  assert.match(error.message, new RegExp(`the answer is longer than ${bound} MiB, and was not read to its end`))
  assert.ok(grown < 50 + 4 * bound, `grown by ${grown} MiB`)
}

for (const [name, answer] of Object.entries(TOO_LONG)) {
  test(`answers-without-end (${name}): given up with the bound, retryable, in little memory`, async () =>
    isGivenUp(await ask(answer, getApp), 1))
}

test('answers-without-end (the list of apps): its bound is 64 MiB, also of what was compressed', async (t) => {
  const packed = gzipSync(Buffer.alloc(80 * MEBIBYTE, 'a'), { level: 1 })
  const grows = (socket: Socket): void => {
    socket.write(`${OK}Content-Encoding: gzip\r\n\r\n`)
    socket.write(packed)
  }
  for (const [name, answer] of [
    ['no end', TOO_LONG['no end']!],
    ['gzip that grows', grows],
  ] as const) {
    const given = await ask(answer, listApps)
    t.diagnostic(`${name}: grown by ${Math.round(given.grown)} MiB`)
    isGivenUp(given, 64)
  }
})

for (const [name, answer] of Object.entries(TOO_LATE)) {
  test(`answers-without-end (${name}): given up after the time of a request, retryable, in little memory`, async () => {
    const { error, grown } = await ask(answer, async (pilot, clock) => {
      const asked = pilot.listApps()
      // Long enough that what comes in has begun to.
      const tries = setInterval(() => clock.advance(30_000), 100)
      return asked.finally(() => clearInterval(tries))
    })
    assert.equal(error.retryable, true)
    assert.match(error.message, /nothing complete within 30 s/)
    assert.ok(grown < 50, `grown by ${grown} MiB`)
  })
}

test('answers-without-end (single bytes): a body in chunks of one byte takes no more memory than another one', async () => {
  const part = Buffer.from('1\r\na\r\n'.repeat(100_000))
  const single = (socket: Socket): void => {
    socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n`)
    forever(socket, part)
  }
  const { error, grown } = await ask(single, (pilot) => pilot.writeDomains(APP_ID, ['a.example.com']))
  assert.match(error.message, /longer than 1 MiB/)
  assert.ok(grown < 100, `grown by ${grown} MiB`)
})

test('answers-without-end (errors): what the status says holds, whatever follows', async () => {
  const said = (head: string) => (socket: Socket) => {
    socket.write(`HTTP/1.1 ${head}\r\nContent-Type: text/html\r\n\r\n`)
    forever(socket, Buffer.alloc(MEBIBYTE, '<p>a '))
  }
  const of = async (head: string) => (await ask(said(head), getApp)).error
  assert.equal((await of('401 Unauthorized')).reason, 'CredentialsInvalid')
  const limited = await of('429 Too Many Requests\r\nRetry-After: 120')
  assert.deepEqual([limited.reason, limited.retryAfter], ['RateLimited', 120_000])
  assert.match((await of('503 Service Unavailable')).message, /503/)
})

test('a list of apps is read in turns, and is the same as when it is read at one go', async () => {
  const odd = { ...APP, name: '],[{"}\\"\\\\', domains: ['ä.example', '\\', '"', '[]{},'] }
  const list = Array.from({ length: 40 }, (_, index) => ({
    ...odd,
    id: `a${index}`,
    ssl: { cert: '\n"'.repeat(9_000) },
  }))
  for (const body of [
    JSON.stringify({ data: list }),
    JSON.stringify({ data: list, more: { data: [1] } }, undefined, 2),
    JSON.stringify({ more: { data: [',"data":['] }, data: list }),
    ' {"data" : [ ] } ',
  ]) {
    await withServer(
      (_, response) => response.end(body),
      async ({ url }) => {
        const { data } = JSON.parse(body) as { data: typeof list }
        const apps = await clientOf(url).pilot.listApps()
        assert.deepEqual(
          apps.map(({ id, name, domains, ssl }) => [id, name, domains, ssl?.cert]),
          data.map(({ id, name, domains, ssl }) => [id, name, domains, ssl.cert]),
        )
      },
    )
  }
})

const ONE = JSON.stringify(APP)
for (const [body, problem] of [
  [`{"data":[${ONE}`, /breaks off or is malformed/],
  [`{"data":[${ONE}]`, /breaks off or is malformed/],
  [`{"data":[${ONE},]}`, /breaks off or is malformed/],
  [`{"data":[,${ONE}]}`, /breaks off or is malformed/],
  [`{"data":[${ONE}}]}`, /breaks off or is malformed/],
  [`{"data":[${ONE}},"x":1]`, /breaks off or is malformed/],
  [`{"data":[${ONE}],}`, /breaks off or is malformed/],
  [`{"data":[${ONE}]}]`, /breaks off or is malformed/],
  [`{"data":[${ONE}],"data":[]}`, /breaks off or is malformed/],
  [`{"data":[${ONE} ${ONE}]}`, /breaks off or is malformed/],
  [`{"data":[${ONE},${ONE.replace('"id"', '"no"')},0]}`, /another shape \(data\.1\.id: /],
  [`{"data":[${ONE},${'[0],'.repeat(300_000)}0]}`, /another shape \(data\.1: /],
  [`{"data":[${ONE},"${'a'.repeat(MEBIBYTE)}"]}`, /an element of more than 1048576 characters/],
  [`{"data":[${ONE}],"more":"${'a'.repeat(MEBIBYTE)}"}`, /followed by a long text/],
  [`{"more":"${'a'.repeat(MEBIBYTE)}","data":[${ONE}]}`, /an element of more than/],
  [`{"data":${ONE}}`, /another shape \(data: /],
  [`{"x":[${ONE}]}`, /another shape \(data: /],
] as const) {
  test(`a list that cannot be read as a whole is not believed in part: ${body.slice(-40)}`, () =>
    withServer(
      (_, response) => response.end(body),
      async ({ url }) => assert.rejects(clientOf(url).pilot.listApps(), problem),
    ))
}

test('the-event-loop-is-not-held (list): 1,000 apps of 300 domains with certificates, plain and compressed', async (t) => {
  const block = (count: number) =>
    `-----BEGIN CERTIFICATE-----\n${`${'QUJD'.repeat(16)}\n`.repeat(count)}-----END CERTIFICATE-----\n`
  const ssl = { key: block(26), cert: block(200), cacerts: block(60), auto: true, force: false }
  const data = Array.from({ length: 1_000 }, (_, app) => ({
    ...APP,
    id: `app${app}`,
    domains: Array.from({ length: 300 }, (_, host) => `host-${host}.customer-${app}.example.com`),
    ssl,
  }))
  const body = Buffer.from(JSON.stringify({ data }))
  const packed = gzipSync(body, { level: 1 })
  for (const [how, bytes, headers] of [
    ['plain', body, {}],
    ['compressed', packed, { 'content-encoding': 'gzip' }],
  ] as const) {
    await withServer(
      (_, response) => response.writeHead(200, headers).end(bytes),
      async ({ url }) => {
        const { pilot } = clientOf(url)
        const { result, hold } = await longestHold(() => pilot.listApps())
        assert.equal(
          result.reduce((sum, { domains }) => sum + domains.length, 0),
          300_000,
        )
        t.diagnostic(`${how}: ${Math.round(body.length / MEBIBYTE)} MiB, longest hold ${Math.round(hold)} ms`)
        assert.ok(hold < 100, `held for ${hold} ms`)
      },
    )
  }
})
