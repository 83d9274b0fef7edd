import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test } from 'node:test'
import { liveness, readiness } from '../../src/report/health.ts'
import { type HttpOptions, startHttp } from '../../src/report/http.ts'
import { createMetrics } from '../../src/report/metrics.ts'
import { sampleStatus } from '../status/sample-status.ts'

async function serve(more: Partial<HttpOptions>, job: (url: string) => Promise<void>): Promise<void> {
  const server = await startHttp({
    host: '127.0.0.1',
    port: 0,
    status: () => sampleStatus(),
    metrics: createMetrics({ version: '0.1.0', process: false }),
    live: () => ({ ok: true, message: 'ok' }),
    ready: () => ({ ok: false, message: 'the sources were not read as a whole yet' }),
    ...more,
  })
  try {
    await job(server.url)
  } finally {
    await server.stop()
  }
}

test('what is served, and how', () =>
  serve({}, async (url) => {
    const rows: [path: string, code: number, type: RegExp, body: RegExp][] = [
      ['/', 200, /^text\/html/, /wordpress\//],
      ['/status.json', 200, /^application\/json/, /"version":"0.1.0"/],
      ['/metrics', 200, /^text\/plain; version=0.0.4/, /domainpilot_build_info/],
      ['/healthz', 200, /^text\/plain/, /^ok\n$/],
      ['/readyz', 503, /^text\/plain/, /not read/],
      ['/favicon.ico', 404, /^text\/plain/, /^Not found/],
      ['/other.json', 404, /^application\/json/, /"error":"not found"/],
      ['//evil.example/', 404, /^text\/plain/, /^Not found/],
    ]
    for (const [path, code, type, body] of rows) {
      const got = await fetch(url + path)
      assert.equal(got.status, code, path)
      assert.match(got.headers.get('content-type') ?? '', type, path)
      assert.match(await got.text(), body, path)
      assert.equal(got.headers.get('x-content-type-options'), 'nosniff')
      assert.match(
        got.headers.get('content-security-policy') ?? '',
        /default-src 'none'; style-src 'sha256-[^ ]+; script-src 'sha256-/,
      )
      assert.equal(got.headers.get('cache-control'), 'no-store')
      const head = await fetch(url + path, { method: 'HEAD' })
      assert.equal(head.status, code, path)
      assert.equal(await head.text(), '')
    }
  }))

test('only GET and HEAD', () =>
  serve({}, async (url) => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const got = await fetch(url, { method })
      assert.equal(got.status, 405)
      assert.equal(got.headers.get('allow'), 'GET, HEAD')
    }
  }))

test('on loopback a name from elsewhere is refused (DNS rebinding)', () =>
  serve({}, async (url) => {
    const ask = async (host: string) => (await asking(`${url}/status.json`, host)).code
    assert.equal(await ask('evil.example'), 421)
    assert.equal(await ask('evil.example:8080'), 421)
    for (const host of ['localhost:8080', '127.0.0.1', '[::1]:8080', '10.1.2.3:80'])
      assert.equal(await ask(host), 200, host)
  }))

/** The answer to a request that asks for that host. */
const asking = (url: string, host: string) =>
  new Promise<{ code: number; body: string }>((resolve, reject) => {
    request(url, { headers: { host } }, (got) => {
      let body = ''
      got.on('data', (part) => (body += part)).on('end', () => resolve({ code: got.statusCode ?? 0, body }))
    })
      .on('error', reject)
      .end()
  })

test('page-behind-a-proxy: names that are allowed are answered, and the 421 names the flag', () =>
  serve({ allowedHosts: ['status.example.com', 'xn--bcher-kva.example'] }, async (url) => {
    for (const host of ['status.example.com', 'Status.Example.COM:443', 'status.example.com.', 'xn--bcher-kva.example'])
      assert.equal((await asking(url, host)).code, 200, host)
    for (const host of ['evil.example', 'status.example.com.evil.example', 'xstatus.example.com', '<b>'])
      assert.equal((await asking(url, host)).code, 421, host)
    const { body } = await asking(`${url}/status.json`, 'evil.example')
    assert.match(body, /--allowed-hosts NAME/)
    assert.doesNotMatch(body, /evil/)
  }))

test('page-behind-a-proxy: off loopback any name is answered, unless names are given', async () => {
  const onLoopback = (url: string) => url.replace('0.0.0.0', '127.0.0.1')
  await serve({ host: '0.0.0.0' }, async (url) => {
    assert.equal((await asking(onLoopback(url), 'domainpilot.domainpilot.svc')).code, 200)
  })
  await serve({ host: '0.0.0.0', allowedHosts: ['status.example.com'] }, async (url) => {
    assert.equal((await asking(onLoopback(url), 'domainpilot.domainpilot.svc')).code, 421)
    assert.equal((await asking(onLoopback(url), 'status.example.com')).code, 200)
    assert.equal((await asking(onLoopback(url), '10.1.2.3:8080')).code, 200)
  })
})

test('a fault while answering is a bare 500, told to the owner', async () => {
  const told: unknown[] = []
  const status = () => {
    throw new Error('secret detail')
  }
  await serve({ status, failed: (error) => told.push(error) }, async (url) => {
    const got = await fetch(url)
    assert.equal(got.status, 500)
    assert.doesNotMatch(await got.text(), /secret/)
  })
  assert.equal(told.length, 1)
})

test('a port that is taken is said', () =>
  serve({}, async (url) => {
    await assert.rejects(
      serve({ port: Number(new URL(url).port) }, async () => {}),
      { code: 'EADDRINUSE' },
    )
  }))

test('health: live unless work stands still; ready when synced, or on a standby', () => {
  const facts = { silence: 0, synced: false, leader: true, stopping: false }
  assert.equal(liveness({ ...facts, silence: 1_000 }, 1_000).ok, true)
  const message = 'the work that is under way has not got on for 90 s'
  assert.deepEqual(liveness({ ...facts, silence: 90_000 }, 1_000), { ok: false, message })
  assert.equal(readiness(facts).ok, false)
  assert.equal(readiness({ ...facts, synced: true }).ok, true)
  assert.equal(readiness({ ...facts, leader: false }).ok, true)
  assert.equal(readiness({ ...facts, synced: true, stopping: true }).ok, false)
})
