import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fakeClock } from '../time/fake-clock.ts'
import { API_KEY, APP, APP_ID, CALLS, CLIENT_ID, clientOf, json, SERVER, SERVER_ID, withServer } from './loopback.ts'

describe('answers', () => {
  it('an app keeps its names as listed and loses its private key', () =>
    withServer(
      (_, response) =>
        json(response, 200, { data: { ...APP, autossl: { available: true, domains: ['a.example.com'] }, new: 1 } }),
      async ({ url, seen }) => {
        const { pilot } = clientOf(url)
        assert.deepEqual(await pilot.getApp(APP_ID), {
          id: APP_ID,
          name: 'network',
          serverId: SERVER_ID,
          domains: ['SHOP.example.com', 'a.example.com'],
          ssl: { auto: true, force: false, cert: 'CERT' },
          autossl: { available: true, domains: ['a.example.com'] },
        })
        assert.equal(seen[0]?.path, `/v1/apps/${APP_ID}`)
        assert.equal(seen[0]?.headers['user-agent'], 'domainpilot/1.2.3')
        assert.equal(seen[0]?.headers.authorization, `Basic ${btoa(`${CLIENT_ID}:${API_KEY}`)}`)
      },
    ))

  it('lists of apps and servers, and one server', () =>
    withServer(
      ({ path }, response) =>
        json(response, 200, {
          data: path.endsWith('/apps') ? [{ ...APP, ssl: null }] : { ...SERVER, lastaddress: null },
        }),
      async ({ url }) => {
        const { pilot } = clientOf(url)
        assert.equal((await pilot.listApps())[0]?.ssl, null)
        assert.deepEqual(await pilot.getServer(SERVER_ID), { id: SERVER_ID, name: 'web-1', plan: 'business' })
      },
    ))

  it('a base URL without a path works', () =>
    withServer(
      (_, response) => json(response, 200, { data: [] }),
      async ({ url, seen }) => {
        await clientOf(new URL('/', url).href).pilot.listApps()
        assert.equal(seen[0]?.path, '/apps')
      },
    ))

  it('account is the client id, trimmed', () => {
    const credentials = { clientId: `${CLIENT_ID}\n`, apiKey: API_KEY }
    assert.equal(clientOf('http://127.0.0.1/v1', { credentials }).pilot.account, CLIENT_ID)
  })
})

describe('writes', () => {
  for (const updateMethod of ['POST', 'PUT'] as const) {
    it(`writeDomains sends the complete list as an array, by ${updateMethod}`, () =>
      withServer(
        (_, response) => json(response, 200, { data: APP }),
        async ({ url, seen }) => {
          const { pilot, observed } = clientOf(url, { updateMethod })
          assert.equal(await pilot.writeDomains(APP_ID, ['SHOP.example.com', 'b.example.com']), 'success')
          assert.equal(seen.length, 1)
          assert.equal(seen[0]?.method, updateMethod)
          assert.equal(seen[0]?.headers['content-type'], 'application/json')
          assert.deepEqual(JSON.parse(seen[0]?.body ?? ''), { domains: ['SHOP.example.com', 'b.example.com'] })
          assert.deepEqual(observed, [{ method: updateMethod, endpoint: '/apps/:id', code: '200', seconds: 0 }])
        },
      ))
  }

  it('changeSsl is a POST of exactly one key, whatever the update method', () =>
    withServer(
      (_, response) => json(response, 200, { actionid: null, data: null }),
      async ({ url, seen }) => {
        const { pilot } = clientOf(url, { updateMethod: 'PUT' })
        await pilot.changeSsl(APP_ID, { auto: true })
        await pilot.changeSsl(APP_ID, { force: false })
        assert.deepEqual(
          seen.map(({ method, path, body }) => [method, path, body]),
          [
            ['POST', `/v1/apps/${APP_ID}/ssl`, '{"auto":true}'],
            ['POST', `/v1/apps/${APP_ID}/ssl`, '{"force":false}'],
          ],
        )
      },
    ))

  it('an action is followed to its end, first soon and then once a second', () =>
    withServer(
      ({ method }, response, nth) =>
        method === 'POST'
          ? json(response, 200, { actionid: 'ACT1', data: APP })
          : json(response, 200, { data: { status: nth < 8 ? 'open' : 'success' } }),
      async ({ url, seen }) => {
        const { pilot, clock, observed } = clientOf(url, { qps: 1000 })
        assert.equal(await pilot.writeDomains(APP_ID, []), 'success')
        assert.deepEqual(
          seen.slice(1).map(({ path }) => path),
          Array(7).fill('/v1/actions/ACT1'),
        )
        const polls = clock.slept.filter((ms) => ms < 9_999)
        assert.deepEqual(polls, [100, 200, 400, 800, 1000, 1000, 1000])
        assert.equal(observed.at(-1)?.endpoint, '/actions/:id')
      },
    ))

  it('an action that ends in error is told, and throws nothing', () =>
    withServer(
      ({ method }, response) =>
        json(response, 200, method === 'POST' ? { actionid: 'ACT1', data: {} } : { data: { status: 'error' } }),
      async ({ url }) => assert.equal(await clientOf(url).pilot.changeSsl(APP_ID, { auto: true }), 'error'),
    ))

  it('an action without an end is unknown after actionTimeoutMs', () =>
    withServer(
      ({ method }, response) =>
        json(response, 200, method === 'POST' ? { actionid: 'ACT1', data: {} } : { data: { status: 'open' } }),
      async ({ url, seen }) => {
        const { pilot, clock } = clientOf(url, { actionTimeoutMs: 5_000 })
        const start = clock.now()
        assert.equal(await pilot.writeDomains(APP_ID, []), 'unknown')
        assert.ok(clock.now() - start <= 5_000)
        assert.ok(seen.length > 4)
      },
    ))

  it('the-clock-is-set-back: an action is followed no longer for it, and no shorter when the clock is set forward', async () => {
    for (const jump of [-86_400_000, 86_400_000]) {
      let set = (): void => undefined
      await withServer(
        ({ method }, response) => {
          set()
          json(response, 200, method === 'POST' ? { actionid: 'ACT1', data: {} } : { data: { status: 'open' } })
        },
        async ({ url }) => {
          const { pilot, clock } = clientOf(url, { actionTimeoutMs: 5_000 })
          set = () => clock.set(clock.now() + jump)
          assert.equal(await pilot.writeDomains(APP_ID, []), 'unknown')
          assert.ok(clock.steady() > 4_000 && clock.steady() <= 5_000, `${clock.steady()} ms`)
        },
      )
    }
  })

  it('polls that fail do not fail the write', () =>
    withServer(
      ({ method }, response, nth) => {
        if (method === 'POST') return json(response, 200, { actionid: 'ACT1', data: APP })
        if (nth === 2) return json(response, 502, 'x')
        if (nth === 3) return void response.destroy()
        if (nth === 4) return json(response, 429, {}, { 'retry-after': '3' })
        if (nth === 5) return void response.end('<html>')
        json(response, 200, { data: { status: 'success' } })
      },
      async ({ url }) => assert.equal(await clientOf(url).pilot.writeDomains(APP_ID, []), 'success'),
    ))

  it('a poll that is refused for good ends the wait, the write stays done', () =>
    withServer(
      ({ method }, response) =>
        method === 'POST' ? json(response, 200, { actionid: 'ACT1', data: APP }) : json(response, 401, {}),
      async ({ url, seen }) => {
        assert.equal(await clientOf(url).pilot.writeDomains(APP_ID, []), 'unknown')
        assert.equal(seen.length, 2)
      },
    ))

  it('an actionid that leads elsewhere is not followed', () =>
    withServer(
      (_, response) => json(response, 200, { actionid: '../apps', data: APP }),
      async ({ url, seen }) => {
        assert.equal(await clientOf(url).pilot.writeDomains(APP_ID, []), 'unknown')
        assert.equal(seen.length, 1)
      },
    ))
})

describe('before any call', () => {
  for (const id of ['', '.', '..', '../servers', 'a/b', 'a?b', 'a%2fb', 'ä', 'x'.repeat(65)]) {
    it(`an appId that cannot be one is AppNotFound: ${JSON.stringify(id).slice(0, 20)}`, () =>
      withServer(
        (_, response) => json(response, 200, { data: [] }),
        async ({ url, seen }) => {
          const { pilot } = clientOf(url)
          for (const call of [
            () => pilot.getApp(id),
            () => pilot.writeDomains(id, []),
            () => pilot.changeSsl(id, { auto: true }),
          ]) {
            await assert.rejects(call, {
              name: 'ServerPilotError',
              reason: 'AppNotFound',
              outcome: 'none',
              retryable: false,
            })
          }
          assert.equal(seen.length, 0)
        },
      ))
  }
})

describe('aborting', () => {
  for (const [name, { run, write }] of Object.entries(CALLS)) {
    it(`${name}: a signal that is aborted already sends nothing`, () =>
      withServer(
        (_, response) => json(response, 200, {}),
        async ({ url, seen }) => {
          const reason = new Error('stop')
          await assert.rejects(run(clientOf(url).pilot, AbortSignal.abort(reason)), reason)
          assert.equal(seen.length, 0)
        },
      ))

    it(`${name}: an abort under way rejects with its reason and leaves no timer`, async () => {
      const abort = new AbortController()
      const reason = new Error('stop')
      await withServer(
        () => abort.abort(reason),
        async ({ url, seen }) => {
          const { pilot, clock, observed } = clientOf(url)
          await assert.rejects(run(pilot, abort.signal), reason)
          assert.equal(seen.length, 1)
          assert.equal(observed[0]?.code, 'error')
          assert.equal(clock.pending(), 0)
        },
      )
    })

    if (write) continue
    it(`${name}: an abort between two tries ends them`, async () => {
      const abort = new AbortController()
      const reason = new Error('stop')
      await withServer(
        (_, response) => {
          response.on('finish', () => abort.abort(reason))
          json(response, 500, {})
        },
        async ({ url, seen }) => {
          const { pilot } = clientOf(url, {
            clock: {
              ...fakeClock(),
              sleep: (_, signal) =>
                new Promise((_ok, no) => signal?.addEventListener('abort', () => no(signal.reason))),
            },
          })
          await assert.rejects(run(pilot, abort.signal), reason)
          assert.equal(seen.length, 1)
        },
      )
    })
  }
})

describe('exclusively', () => {
  it('two writes of one server never overlap', async () => {
    let running = 0
    await withServer(
      (_, response) => {
        assert.equal(++running, 1)
        setImmediate(() => {
          running--
          json(response, 200, { data: APP })
        })
      },
      async ({ url, seen }) => {
        const { pilot } = clientOf(url)
        await Promise.all(
          [1, 2, 3, 4].map(() => pilot.exclusively(SERVER_ID, () => pilot.writeDomains(APP_ID, ['a.example.com']))),
        )
        assert.equal(seen.length, 4)
      },
    )
  })
})

describe('a write that may not begin any more', () => {
  it('is not sent when leave was lost while it waited for the rate limit', () =>
    withServer(
      (_, response) => json(response, 200, { data: APP }),
      async ({ url, seen }) => {
        const clock = fakeClock()
        let leads = true
        const assertMayWrite = () => {
          if (!leads) throw new Error('lost')
        }
        const { pilot } = clientOf(url, { clock, qps: 0.5, assertMayWrite })
        await pilot.getApp(APP_ID)
        const write = pilot.writeDomains(APP_ID, ['a.example.com'])
        await turn(() => clock.slept.includes(2_000))
        leads = false
        clock.advance(2_000)
        await assert.rejects(write, { message: 'lost' })
        leads = true
        assert.deepEqual(
          seen.map(({ method }) => method),
          ['GET'],
        )
      },
    ))
})

/** Lets what is under way go on until `state` is so. */
async function turn(state: () => boolean): Promise<void> {
  for (let turns = 0; !state(); turns++) {
    assert.ok(turns < 1000, 'it never comes to that')
    await new Promise((resolve) => setImmediate(resolve))
  }
}
