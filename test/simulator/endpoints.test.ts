import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bench, messageOf, type WireApp } from './client.ts'

test('lists apps in the documented shape, without autossl', async (t) => {
  const { call, appId } = await bench(t)
  const { status, body } = await call('GET', '/apps')
  assert.equal(status, 200)
  const [app] = body.data as WireApp[]
  const fields = ['datecreated', 'domains', 'id', 'name', 'runtime', 'serverid', 'ssl', 'sysuserid']
  assert.deepEqual(Object.keys(app!).sort(), fields)
  assert.equal(app!.id, appId)
  assert.match(appId, /^[A-Za-z0-9]{16}$/)
})

test('an app in detail adds autossl, with domains only when it is available', async (t) => {
  const { app, simulator, appId } = await bench(t)
  assert.deepEqual((await app()).autossl, { available: true, domains: ['network.example'] })
  simulator.state.setDns({ 'network.example': null })
  assert.deepEqual((await app()).autossl, { available: false })
  assert.equal(simulator.state.app(appId).domains.length, 1)
})

test('servers, system users and actions', async (t) => {
  const { call, write } = await bench(t, { servers: [{ name: 'web-1', plan: 'economy', lastaddress: null }] })
  const [server] = (await call('GET', '/servers')).body.data as Record<string, unknown>[]
  assert.equal(server!.name, 'web-1')
  assert.equal(server!.plan, 'economy')
  assert.equal(server!.lastaddress, null)
  assert.equal(server!.lastconn, null)
  assert.deepEqual((await call('GET', `/servers/${server!.id}`)).body.data, server)
  const [sysuser] = (await call('GET', '/sysusers')).body.data as Record<string, unknown>[]
  assert.equal(sysuser!.serverid, server!.id)
  assert.deepEqual((await call('GET', `/sysusers/${sysuser!.id}`)).body.data, sysuser)
  const { actionid } = (await write(['a.example'])).body
  const action = (await call('GET', `/actions/${actionid}`)).body.data as Record<string, unknown>
  assert.deepEqual(Object.keys(action).sort(), ['datecreated', 'id', 'serverid', 'status'])
  assert.equal(action.status, 'open')
})

test('an unknown id answers 404 everywhere', async (t) => {
  const { call } = await bench(t)
  const paths = ['GET /apps/x', 'POST /apps/x', 'POST /apps/x/ssl', 'DELETE /apps/x/ssl', 'GET /servers/x']
  for (const line of [...paths, 'GET /sysusers/x', 'GET /actions/x', 'GET /nothing', 'GET /apps/']) {
    const [method = '', path = ''] = line.split(' ')
    const reply = await call(method, path, method === 'POST' ? {} : undefined)
    assert.equal(reply.status, 404, line)
    assert.ok(messageOf(reply), line)
  }
})

test('wrong credentials answer 401, before anything else', async (t) => {
  const { call, simulator, appId } = await bench(t)
  for (const authorization of ['', 'Basic xxx', `Basic ${btoa('cid_simulator:wrong')}`, 'Bearer simulator-api-key']) {
    const reply = await call('POST', `/apps/${appId}`, { domains: [] }, { headers: { authorization } })
    assert.equal(reply.status, 401)
    assert.ok(messageOf(reply))
  }
  assert.equal(simulator.state.app(appId).domains.length, 1)
  simulator.state.rotateKey('another')
  assert.equal((await call('GET', '/apps')).status, 401)
})

test('a method that a path does not have answers 405 or 404; PUT can be turned on', async (t) => {
  const { call, simulator, appId } = await bench(t)
  const put = () => call('PUT', `/apps/${appId}`, { domains: ['a.example', 'b.example'] })
  const refused = await put()
  assert.equal(refused.status, 405)
  assert.equal(refused.headers.get('allow'), 'GET, POST')
  assert.equal((await call('PATCH', `/apps/${appId}`, {})).status, 405)
  assert.equal((await call('DELETE', '/apps')).status, 405)
  simulator.state.setBehaviours({ wrongMethod: 404 })
  assert.equal((await put()).status, 404)
  simulator.state.setBehaviours({ allowPut: true })
  assert.equal((await put()).status, 200)
  assert.equal(simulator.state.app(appId).domains.length, 2)
})

test('POST replaces the complete list; an action comes only with a change', async (t) => {
  const { write, app } = await bench(t)
  const first = await write(['b.example', 'a.example'])
  assert.equal(first.status, 200)
  assert.match(first.body.actionid!, /^[A-Za-z0-9]{16}$/)
  assert.deepEqual([...(first.body.data as WireApp).domains].sort(), ['a.example', 'b.example'])
  assert.deepEqual([...(await app()).domains].sort(), ['a.example', 'b.example'])
  assert.equal('autossl' in (first.body.data as WireApp), false)
  const again = await write(['a.example', 'b.example'])
  assert.equal('actionid' in again.body, false)
})

test('runtime is set where the server has it', async (t) => {
  const { call, appId, app } = await bench(t)
  const path = `/apps/${appId}`
  assert.ok((await call('POST', path, { runtime: 'php8.1' })).body.actionid)
  assert.equal((await app()).runtime, 'php8.1')
  assert.equal('actionid' in (await call('POST', path, { runtime: 'php8.1' })).body, false)
  assert.equal((await call('POST', path, { runtime: 'php5' })).status, 400)
  assert.equal((await call('POST', path, { runtime: 8 })).status, 400)
})

test('actions of one server run one after the other', async (t) => {
  let now = 1_800_000_000_000
  const options = { servers: [{ name: 'one' }, { name: 'two' }], actionDuration: 1000, now: () => now }
  const { call, simulator, write } = await bench(t, options)
  const [, other] = simulator.state.servers
  const elsewhere = simulator.state.addApp({ name: 'elsewhere', serverId: other!.id })
  const first = (await write(['a.example'])).body.actionid
  const second = (await write(['b.example'])).body.actionid
  const third = (await call('POST', `/apps/${elsewhere}`, { domains: ['c.example'] })).body.actionid
  const statuses = async () => {
    const replies = await Promise.all([first, second, third].map((id) => call('GET', `/actions/${id}`)))
    return replies.map(({ body }) => (body.data as { status: string }).status)
  }
  assert.deepEqual(await statuses(), ['open', 'open', 'open'])
  now += 1000
  assert.deepEqual(await statuses(), ['success', 'open', 'success'])
  now += 1000
  assert.deepEqual(await statuses(), ['success', 'success', 'success'])
})

test('a write while an action is open may be refused with 409', async (t) => {
  const { write } = await bench(t, { actionDuration: 60_000, behaviours: { whileActionOpen: 'conflict' } })
  assert.equal((await write(['a.example'])).status, 200)
  assert.equal((await write(['b.example'])).status, 409)
})

test('a rate limit answers 429 with Retry-After in seconds', async (t) => {
  let now = 1_800_000_000_000
  const rateLimit = { requests: 2, per: 1000, retryAfter: 7 }
  const { call } = await bench(t, { now: () => now, behaviours: { rateLimit } })
  assert.equal((await call('GET', '/apps')).status, 200)
  assert.equal((await call('GET', '/apps')).status, 200)
  const limited = await call('GET', '/apps')
  assert.equal(limited.status, 429)
  assert.equal(limited.headers.get('retry-after'), '7')
  now += 1001
  assert.equal((await call('GET', '/apps')).status, 200)
})

test('calls are logged with body, status and endpoint, and counted', async (t) => {
  const { write, call, simulator, appId } = await bench(t, { maxCalls: 10 })
  await write(['a.example'])
  await write({ 0: 'a.example' })
  await call('GET', '/apps?x=1')
  const [first, second, third] = simulator.calls
  assert.equal(first!.endpoint, 'postDomains')
  assert.equal(first!.app, appId)
  assert.deepEqual(first!.body, { domains: ['a.example'] })
  assert.equal(second!.status, 400)
  assert.equal(third!.path, '/v1/apps')
  assert.equal(simulator.counts().postDomains, 2)
  for (let n = 0; n < 20; n++) await call('GET', '/servers')
  assert.equal(simulator.calls.length, 10)
  assert.equal(simulator.counts().getServers, 20)
  assert.equal(JSON.stringify(simulator.calls).includes(simulator.apiKey), false)
})

test('latency is paid by each call', async (t) => {
  const { app } = await bench(t, { latency: 60 })
  const start = performance.now()
  await app()
  assert.ok(performance.now() - start >= 55)
})

test('two clients that read, merge and write lose an update, as at ServerPilot', async (t) => {
  const { app, write } = await bench(t, { latency: 20 })
  const add = async (name: string) => write([...(await app()).domains, name])
  await Promise.all([add('a.example'), add('b.example')])
  assert.equal((await app()).domains.length, 2)
})
