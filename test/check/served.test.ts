import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { after, describe, type TestContext, test } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { certificateFacts, factsOf } from '../../src/check/certificate.ts'
import { type Handshake, handshake } from '../../src/check/served.ts'
import { judgeServed, type ServedVerdict } from '../../src/check/served-verdict.ts'
import { type Leaf, makeChains } from './chains.ts'

const chains = makeChains()
after(() => chains.remove())
const HOST = 'shop.example.com'
const right = chains.leaf({ names: [`DNS:${HOST}`] })
const strangers = makeChains('Strange')
after(() => strangers.remove())
const strange = strangers.leaf({ names: [`DNS:${HOST}`] })
const withChain = ({ key, cert }: Leaf): Leaf => ({ key, cert: cert + chains.middle })

/** A server that runs until the end of the test; what a client sent as data, and the names that it asked for. */
async function listen(t: TestContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket.on('error', () => {})))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  assert.ok(address !== null && typeof address !== 'string')
  return address.port
}

const shake = (port: number, host = HOST, more: Partial<Parameters<typeof handshake>[0]> = {}): Promise<Handshake> =>
  handshake({ address: '127.0.0.1', port, host, ca: chains.root, ...more })

async function verdictOn(t: TestContext, leaf: Leaf, host = HOST, now = Date.now()): Promise<ServedVerdict> {
  const port = await listen(t, createTlsServer(leaf))
  return judgeServed({ host, handshake: await shake(port, host), now })
}

describe('what is served', () => {
  for (const [title, leaf, state, says, host] of [
    ['all is right', withChain(right), 'Served', /is served/],
    ['with the root too', { ...right, cert: right.cert + chains.middle + chains.root }, 'Served', /is served/],
    ['the chain in any order', { ...right, cert: right.cert + chains.root + chains.middle }, 'Served', /is served/],
    ['without the intermediate', right, 'ChainIncomplete', /without its issuer's/],
    [
      'with the wrong intermediate',
      { ...right, cert: right.cert + chains.root },
      'ChainIncomplete',
      /without its issuer's/,
    ],
    ['expired', withChain(chains.leaf({ names: [`DNS:${HOST}`], from: -90, to: -1 })), 'Expired', /ended on 20\d\d-/],
    ['not yet valid', withChain(chains.leaf({ names: [`DNS:${HOST}`], from: 1 })), 'NotYetValid', /Check the clock/],
    [
      'another name',
      withChain(chains.leaf({ names: ['DNS:other.example'] })),
      'OtherName',
      /for other\.example, not for shop/,
    ],
    [
      'the name in the subject alone',
      withChain(chains.leaf({ subject: `/CN=${HOST}` })),
      'OtherName',
      /for no host name/,
    ],
    ['by a wildcard', withChain(chains.leaf({ names: ['DNS:*.example.com'] })), 'Served', /is served/],
    ['a wildcard of the parent', withChain(chains.leaf({ names: ['DNS:*.com'] })), 'OtherName', /\*\.com/],
    [
      'a wildcard host',
      withChain(chains.leaf({ names: ['DNS:*.example.com'] })),
      'Served',
      /is served/,
      '*.example.com',
    ],
    ['signed by itself', chains.alone(HOST), 'SelfSigned', /signed by itself/],
    [
      'self-signed-leaf: with the key usage of a server',
      chains.alone(HOST, 'keyUsage=critical,digitalSignature,keyEncipherment'),
      'SelfSigned',
      /signed by itself/,
    ],
    [
      'self-signed-leaf: that is no authority',
      chains.alone(
        HOST,
        'basicConstraints=critical,CA:FALSE',
        'keyUsage=digitalSignature',
        'extendedKeyUsage=serverAuth',
      ),
      'SelfSigned',
      /signed by itself/,
    ],
    [
      'for clients',
      withChain(chains.leaf({ names: [`DNS:${HOST}`], usage: 'clientAuth' })),
      'WrongPurpose',
      /another purpose than a web server/,
    ],
    [
      'for servers and clients',
      withChain(chains.leaf({ names: [`DNS:${HOST}`], usage: 'serverAuth,clientAuth' })),
      'Served',
      /is served/,
    ],
    [
      'an intermediate that has ended',
      { ...right, cert: right.cert + chains.endedMiddle },
      'ChainIncomplete',
      /without its issuer's/,
    ],
    [
      'with the root of somebody else',
      { ...strange, cert: strange.cert + strangers.middle + strangers.root },
      'Untrusted',
      /not trusted/,
    ],
  ] as const satisfies readonly (readonly [string, Leaf, string, RegExp, string?])[]) {
    test(title, async (t) => {
      const verdict = await verdictOn(t, leaf, host)
      assert.equal(verdict.state, state, verdict.message)
      assert.match(verdict.message, says)
    })
  }

  test('names-that-lets-encrypt-refuses: a long name without a subject is served like any other', async (t) => {
    const long = 'the-very-long-name-of-a-shop.in-the-catalogue-of-our-customers.brand.example.com'
    const seen = await shake(await listen(t, createTlsServer(withChain(chains.leaf({ names: [`DNS:${long}`] })))), long)
    assert.ok(seen.kind === 'served')
    const { state } = judgeServed({ host: long, handshake: seen, now: Date.now() })
    assert.deepEqual([state, factsOf(seen.leaf).names], ['Served', [long]])
  })

  test('an authority that nobody here trusts', async (t) => {
    const port = await listen(t, createTlsServer(withChain(right)))
    // With the authorities that come with Node.
    const seen = await handshake({ address: '127.0.0.1', port, host: HOST })
    assert.equal(judgeServed({ host: HOST, handshake: seen, now: Date.now() }).state, 'Untrusted')
  })

  test('an issuer of the same name with another key does not count', async (t) => {
    const others = makeChains()
    t.after(() => others.remove())
    const verdict = await verdictOn(t, { ...right, cert: right.cert + others.middle })
    assert.equal(verdict.state, 'ChainIncomplete')
  })

  test('another certificate than the one that ServerPilot shows', async (t) => {
    const port = await listen(t, createTlsServer(withChain(right)))
    const of = async (pem: string) =>
      judgeServed({
        host: HOST,
        handshake: await shake(port),
        now: Date.now(),
        expected: certificateFacts(pem)!.fingerprint,
      })
    assert.equal((await of(right.cert)).message, 'Its certificate is served.')
    const other = await of(chains.leaf({ names: [`DNS:${HOST}`] }).cert)
    assert.match(other.message, /not the certificate that ServerPilot shows/)
  })

  test('asks for the name, by SNI, and sends no data', async (t) => {
    const asked: (string | false | null)[] = []
    let bytes = 0
    // Of TLS 1.2, where a client that hangs up at once has shaken hands all the same.
    const server = createTlsServer({ ...withChain(right), maxVersion: 'TLSv1.2' }, (socket) => {
      asked.push(socket.servername ?? null)
      socket.on('data', (data) => {
        bytes += data.length
      })
      socket.on('error', () => {})
    })
    const port = await listen(t, server)
    for (const host of [HOST, '*.example.com', '192.0.2.10']) {
      const closed = once(server, 'secureConnection').then(([socket]) => once(socket as Socket, 'close'))
      await shake(port, host)
      await closed
    }
    assert.deepEqual(asked, [HOST, 'wildcard.example.com', false])
    assert.equal(bytes, 0)
  })
})

describe('what cannot be seen says nothing of certificates', () => {
  async function unseen(port: number, more?: Partial<Parameters<typeof handshake>[0]>): Promise<string> {
    const seen = await shake(port, HOST, more)
    assert.equal(seen.kind, 'unseen')
    const verdict = judgeServed({ host: HOST, handshake: seen, now: Date.now() })
    assert.equal(verdict.state, 'Unseen')
    return seen.why
  }

  test('refused', async (t) => {
    const server = createServer()
    const port = await listen(t, server)
    server.close()
    await once(server, 'close')
    assert.equal(await unseen(port), 'Refused')
  })

  test('reset', async (t) => {
    const port = await listen(
      t,
      createServer((socket) => socket.once('data', () => socket.resetAndDestroy())),
    )
    assert.equal(await unseen(port), 'Reset')
  })

  test('closed without a word', async (t) => {
    const port = await listen(
      t,
      createServer((socket) => socket.once('data', () => socket.end())),
    )
    assert.equal(await unseen(port), 'Reset')
  })

  test('silent, or a byte now and then: ends in time', async (t) => {
    const port = await listen(
      t,
      createServer((socket) => {
        // The front of a record that never ends keeps the connection busy.
        const bytes = [0x16, 0x03, 0x03, 0x40, 0x00]
        const timer = setInterval(() => socket.write(Uint8Array.of(bytes.shift() ?? 0)), 20)
        socket.on('close', () => clearInterval(timer))
      }),
    )
    const start = performance.now()
    assert.equal(await unseen(port, { timeout: 300 }), 'Timeout')
    assert.ok(performance.now() - start < 5000)
  })

  test('plain HTTP', async (t) => {
    const port = await listen(
      t,
      createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
    )
    assert.equal(await unseen(port), 'HandshakeFailed')
  })

  test('a server that has nothing for this name', async (t) => {
    const server = createTlsServer({
      ...right,
      SNICallback: (_name, done) => done(new Error('unknown name')),
    })
    server.on('tlsClientError', () => {})
    const why = await unseen(await listen(t, server))
    assert.ok(why === 'HandshakeFailed' || why === 'Reset', why)
  })

  test('the signal ends it with its reason', async (t) => {
    const stop = new AbortController()
    const server = createServer(() => stop.abort(new Error('enough')))
    const port = await listen(t, server)
    await assert.rejects(shake(port, HOST, { signal: stop.signal }), /enough/)
    await assert.rejects(shake(port, HOST, { signal: stop.signal }), /enough/)
  })

  test('a fast one leaves nothing behind that keeps the process alive', async (t) => {
    const port = await listen(t, createTlsServer(withChain(right)))
    await shake(port, HOST, { timeout: 600_000 })
    const timers = process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length
    await new Promise((resolve) => setImmediate(resolve))
    assert.ok(timers <= 1, String(process.getActiveResourcesInfo()))
  })
})
