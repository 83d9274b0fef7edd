import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type HttpOptions, startHttp } from '../../src/report/http.ts'
import { createMetrics } from '../../src/report/metrics.ts'
import { sampleStatus } from '../status/sample-status.ts'
import { fakeClock } from '../time/fake-clock.ts'
import { until } from '../until.ts'
import { bigStatus } from './big-status.ts'

/** A page with these bounds, and connections to it that say `sent` and then nothing more. */
async function world(t: TestContext, more: Partial<HttpOptions>) {
  const clock = fakeClock()
  const well = () => ({ ok: true, message: 'ok' })
  const server = await startHttp({
    ...{ host: '127.0.0.1', port: 0, status: () => sampleStatus(), live: well, ready: well, clock },
    metrics: createMetrics({ version: '0.1.0', process: false }),
    ...more,
  })
  const sockets: Socket[] = []
  t.after(async () => {
    for (const socket of sockets) socket.destroy()
    await server.stop()
  })
  async function open(sent: string): Promise<Socket> {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    socket.on('error', () => undefined)
    sockets.push(socket)
    await once(socket, 'connect')
    if (sent !== '') socket.write(sent)
    return socket
  }
  return { clock, url: server.url, open, sockets }
}

const HEAD = 'GET /status.json HTTP/1.1\r\nHost: localhost\r\n'
const SLOW: Record<string, string> = {
  idle: '',
  'half a head': HEAD,
  'half a body': `${HEAD.replace('GET', 'POST')}Content-Length: 100\r\n\r\nx`,
  'a reader who does not read': `${HEAD}\r\n`,
}

for (const [name, sent] of Object.entries(SLOW)) {
  test(`many-slow-connections (${name}): they are bounded, a new reader gets the page, and work goes on`, async (t) => {
    const big = bigStatus(10, 300)
    const { url, open, sockets } = await world(t, { maxConnections: 10, status: () => big })
    for (let count = 0; count < 100; count++) (await open(sent)).pause()
    const left = () => sockets.filter((socket) => !socket.destroyed && socket.readyState === 'open').length
    for (const socket of sockets) if (sent === '' || sent === HEAD) socket.resume()
    if (sent === '' || sent === HEAD) await until('the oldest have gone', () => left() <= 10, 10_000)
    const page = await fetch(url, { headers: { connection: 'close' } })
    assert.equal(page.status, 200)
    assert.match(await page.text(), /<\/html>/)
    assert.match(await readFile(import.meta.filename, 'utf8'), /many-slow-connections/)
  })
}

test('many-slow-connections (time): who does not take the answer is cut off after a minute', async (t) => {
  const big = bigStatus(100, 300)
  const { clock, open } = await world(t, { status: () => big })
  const socket = await open(`${HEAD}\r\n`)
  await once(socket, 'readable')
  assert.equal(clock.pending(), 1)
  clock.advance(59_999)
  assert.equal(clock.pending(), 1)
  clock.advance(1)
  socket.resume()
  await once(socket, 'close')
  assert.equal(clock.pending(), 0)
})

test('many-slow-connections (in one breath): a thousand requests on one connection are not a thousand answers', async (t) => {
  let made = 0
  const big = bigStatus(10, 300)
  const status = () => {
    made++
    return big
  }
  const { open } = await world(t, { status })
  const socket = await open(`${HEAD}\r\n`.repeat(1_000))
  socket.resume()
  await once(socket, 'close')
  assert.equal(made, 1)
})

test('one connection serves one request after another, and no timer stays', async (t) => {
  const { clock, open } = await world(t, {})
  const socket = await open('')
  for (let turn = 0; turn < 3; turn++) {
    socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')
    const [answer] = (await once(socket, 'data')) as [Buffer]
    assert.match(String(answer), /^HTTP\/1\.1 200 /)
    await until('no timer is left', () => clock.pending() === 0, 5_000)
  }
})
