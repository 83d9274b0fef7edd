import assert from 'node:assert/strict'
import { once } from 'node:events'
import https from 'node:https'
import net from 'node:net'
import { after, before, describe, it } from 'node:test'
import tls from 'node:tls'
import { inspect } from 'node:util'
import { ServerPilotError } from '../../src/serverpilot/errors.ts'
import { READ_TRIES } from '../../src/serverpilot/retry.ts'
import { selfSigned } from './certificate.ts'
import { API_KEY, CALLS, clientOf, closedPort, listen, serveTcp } from './loopback.ts'

const API = 'https://api.serverpilot.io/v1'
const PASSWORD = 'pr0xyCANARY'

/** A proxy that records what it is sent in the clear; `answer` decides on each CONNECT, a port makes it a tunnel to there. */
async function serveProxy(answer: (socket: net.Socket) => number | undefined) {
  const clear: string[] = []
  const server = await serveTcp((socket) => {
    socket.once('data', (head) => {
      clear.push(head.toString('latin1'))
      const port = answer(socket)
      if (port === undefined) return
      const onward = net.connect(port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
        socket.pipe(onward).pipe(socket)
      })
      onward.on('error', () => socket.destroy())
      socket.on('close', () => onward.destroy())
    })
  })
  return {
    clear,
    ...server,
    proxy: { httpsProxy: `http://user:${PASSWORD}@127.0.0.1:${server.port}`, noProxy: '127.0.0.1,.svc' },
  }
}

async function failureOf(promise: Promise<unknown>): Promise<ServerPilotError> {
  try {
    await promise
  } catch (error) {
    assert.ok(error instanceof ServerPilotError, inspect(error))
    const everything = [
      error.stack,
      JSON.stringify(error),
      inspect(error, { depth: Infinity, showHidden: true }),
    ].join()
    for (const secret of [API_KEY, PASSWORD, btoa(`user:${PASSWORD}`)])
      assert.ok(!everything.includes(secret), everything)
    assert.equal(error.cause, undefined)
    return error
  }
  assert.fail('should have failed')
}

describe('https-through-a-proxy', () => {
  let api: https.Server
  let apiPort = 0
  let answered = 0
  before(async () => {
    const certificate = selfSigned('api.serverpilot.io', '127.0.0.1')
    // Trusted by this process only, which is the one of this file.
    tls.setDefaultCACertificates([...tls.getCACertificates('default'), certificate.cert])
    api = https.createServer(certificate, (request, response) => {
      answered++
      assert.match(request.headers.authorization ?? '', /^Basic /)
      response.end('{"data": []}')
    })
    apiPort = (await listen(api)).port
  })
  after(async () => {
    api.closeAllConnections()
    api.close()
    await once(api, 'close')
  })

  it('https-through-a-proxy: the proxy sees CONNECT api.serverpilot.io:443 and never an Authorization header', async () => {
    const proxy = await serveProxy(() => apiPort)
    try {
      const { pilot, clock } = clientOf(API, { proxy: proxy.proxy })
      assert.deepEqual(await pilot.listApps(), [])
      assert.deepEqual(await pilot.listApps(), [])
      assert.equal(proxy.clear.length, 2)
      for (const head of proxy.clear) {
        assert.match(head, /^CONNECT api\.serverpilot\.io:443 HTTP\/1\.1\r\n/)
        assert.doesNotMatch(head, /^authorization:/im)
        assert.match(head, new RegExp(`^proxy-authorization: Basic ${btoa(`user:${PASSWORD}`)}`, 'im'))
        assert.ok(!head.includes(btoa(API_KEY).slice(0, 8)))
      }
      assert.equal(clock.pending(), 0)
    } finally {
      await proxy.close()
    }
  })

  it('https-through-a-proxy: names in NO_PROXY go direct', async () => {
    const proxy = await serveProxy(() => assert.fail('asked the proxy'))
    try {
      const { pilot } = clientOf(`https://127.0.0.1:${apiPort}/v1`, { proxy: proxy.proxy })
      const before = answered
      assert.deepEqual(await pilot.listApps(), [])
      assert.equal(answered, before + 1)
      assert.equal(proxy.clear.length, 0)
    } finally {
      await proxy.close()
    }
  })

  it('https-through-a-proxy: connections without a proxy are used again', async () => {
    let connections = 0
    const count = () => connections++
    api.on('secureConnection', count)
    try {
      const { pilot } = clientOf(`https://127.0.0.1:${apiPort}/v1`)
      await pilot.listApps()
      await pilot.listApps()
      assert.equal(connections, 1)
    } finally {
      api.off('secureConnection', count)
    }
  })

  for (const [call, { run, write }] of Object.entries(CALLS)) {
    for (const status of [403, 407, 502]) {
      it(`https-through-a-proxy: its ${status} on ${call} is its own, not ServerPilot's`, async () => {
        const proxy = await serveProxy((socket) => {
          socket.end(
            `HTTP/1.1 ${status} No\r\nContent-Type: text/html\r\nContent-Length: 30\r\n\r\n<h1>denied ${PASSWORD}</h1>`,
          )
          return undefined
        })
        try {
          const error = await failureOf(run(clientOf(API, { proxy: proxy.proxy }).pilot))
          assert.equal(error.reason, 'ApiUnreachable')
          assert.equal(error.retryable, true)
          assert.equal(error.outcome, 'none')
          assert.equal(error.status, undefined)
          assert.match(
            error.message,
            new RegExp(
              `proxy http://127\\.0\\.0\\.1:${proxy.port} refused the way to https://api\\.serverpilot\\.io .*${status} to CONNECT.*HTTPS_PROXY`,
            ),
          )
          assert.equal(proxy.clear.length, write ? 1 : READ_TRIES)
          for (const head of proxy.clear) assert.doesNotMatch(head, /^authorization:/im)
        } finally {
          await proxy.close()
        }
      })
    }
  }

  it('https-through-a-proxy: one that comes to its senses is a success', async () => {
    let asked = 0
    const proxy = await serveProxy((socket) => {
      if (++asked > 1) return apiPort
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n')
      return undefined
    })
    try {
      assert.deepEqual(await clientOf(API, { proxy: proxy.proxy }).pilot.listApps(), [])
    } finally {
      await proxy.close()
    }
  })

  it('https-through-a-proxy: one that is not there is named', async () => {
    const port = await closedPort()
    const error = await failureOf(
      clientOf(API, { proxy: { httpsProxy: `http://127.0.0.1:${port}` } }).pilot.writeDomains('A', []),
    )
    assert.match(
      error.message,
      new RegExp(`The proxy http://127\\.0\\.0\\.1:${port} cannot be reached for app A: connection refused`),
    )
    assert.equal(error.outcome, 'none')
  })

  it('https-through-a-proxy: one that hangs up, or speaks no HTTP', async () => {
    for (const words of ['', 'SSH-2.0 hello\r\n\r\n']) {
      const proxy = await serveProxy((socket) => void socket.end(words))
      try {
        const error = await failureOf(clientOf(API, { proxy: proxy.proxy }).pilot.writeDomains('A', []))
        assert.equal(error.reason, 'ApiUnreachable')
        assert.equal(error.outcome, 'none')
        assert.match(error.message, /^The proxy http:/)
      } finally {
        await proxy.close()
      }
    }
  })

  it('https-through-a-proxy: one that never answers to CONNECT is given up, and its connection closed', async () => {
    const proxy = await serveProxy(() => void clock.advance(10_000))
    const { pilot, clock } = clientOf(API, { proxy: proxy.proxy })
    try {
      const error = await failureOf(pilot.writeDomains('A', []))
      assert.match(error.message, /The proxy .* cannot be reached for app A: no connection within 10 s/)
      assert.equal(error.outcome, 'none')
      for (const socket of proxy.sockets) await once(socket, 'close')
    } finally {
      await proxy.close()
    }
  })

  it('https-through-a-proxy: an abort while it hangs closes the connection', async () => {
    const abort = new AbortController()
    const reason = new Error('stop')
    const proxy = await serveProxy(() => void abort.abort(reason))
    try {
      await assert.rejects(clientOf(API, { proxy: proxy.proxy }).pilot.listApps(abort.signal), reason)
      for (const socket of proxy.sockets) await once(socket, 'close')
    } finally {
      await proxy.close()
    }
  })

  it("https-through-a-proxy: a time-out behind the tunnel is ServerPilot's", async () => {
    const silent = await serveTcp((socket) => void socket.once('data', () => clock.advance(10_000)))
    const proxy = await serveProxy(() => silent.port)
    const { pilot, clock } = clientOf(API, { proxy: proxy.proxy })
    try {
      const error = await failureOf(pilot.writeDomains('A', []))
      assert.match(
        error.message,
        /^ServerPilot \(https:\/\/api\.serverpilot\.io\) through the proxy http:\S+ cannot be reached .*within 10 s/,
      )
      assert.equal(error.outcome, 'none')
      for (const socket of proxy.sockets) await once(socket, 'close')
    } finally {
      await proxy.close()
      await silent.close()
    }
  })

  it('https-through-a-proxy: plain http to loopback never meets it', async () => {
    const proxy = await serveProxy(() => assert.fail('asked the proxy'))
    try {
      const port = await closedPort()
      const settings = { ...proxy.proxy, noProxy: '' }
      const error = await failureOf(clientOf(`http://127.0.0.1:${port}/v1`, { proxy: settings }).pilot.listApps())
      assert.match(error.message, /ECONNREFUSED/)
      assert.equal(proxy.clear.length, 0)
    } finally {
      await proxy.close()
    }
  })

  it('a certificate that is not trusted says what helps', async () => {
    const { pilot } = clientOf(`https://localhost:${apiPort}/v1`)
    const error = await failureOf(pilot.writeDomains('A', []))
    assert.equal(error.outcome, 'none')
    assert.match(error.message, /NODE_EXTRA_CA_CERTS/)
  })
})
