import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bench } from './client.ts'

test('the control API lists its routes', async (t) => {
  const { control } = await bench(t)
  const { body } = await control('GET', '')
  assert.ok((body.routes as string[]).includes('POST /_control/faults'))
})

test('shows the state, without private keys', async (t) => {
  const { control, appId, simulator } = await bench(t, { apps: [{ name: 'one', domains: ['a.example'], ssl: {} }] })
  const { body } = await control('GET', 'state')
  const [app] = body.apps as { id: string; domains: string[]; ssl: { names: string[] } }[]
  assert.equal(app!.id, appId)
  assert.deepEqual(app!.ssl.names, ['a.example'])
  assert.equal(JSON.stringify(body).includes('PRIVATE KEY'), false)
  assert.equal(JSON.stringify(body).includes(simulator.apiKey), false)
  assert.deepEqual((await control('GET', `apps/${appId}`)).body, app)
  assert.equal((await control('GET', 'apps/none')).status, 404)
})

test('sets domains past validation, as an array or an object', async (t) => {
  const { control, appId, app } = await bench(t)
  await control('PUT', `apps/${appId}/domains`, ['Any_Thing'])
  assert.deepEqual((await app()).domains, ['Any_Thing'])
  await control('PUT', `apps/${appId}/domains`, { domains: ['b.example'] })
  assert.deepEqual((await app()).domains, ['b.example'])
  assert.equal((await control('PUT', `apps/${appId}/domains`, { 0: 'x' })).status, 400)
  assert.equal((await control('PUT', 'apps/none/domains', [])).status, 404)
})

test('adds and removes apps, sets certificates', async (t) => {
  const { control, call } = await bench(t)
  const { body } = await control('POST', 'apps', { name: 'more', domains: ['m.example'] })
  const read = async () => (await call('GET', `/apps/${body.id}`)).body.data as { ssl: unknown }
  assert.equal((await read()).ssl, null)
  assert.equal(
    (await control('PUT', `apps/${body.id}/ssl`, { names: ['m.example'], notAfter: Date.now() })).status,
    200,
  )
  assert.ok((await read()).ssl)
  await control('PUT', `apps/${body.id}/ssl`, null)
  assert.equal((await read()).ssl, null)
  await control('DELETE', `apps/${body.id}`)
  assert.equal((await call('GET', `/apps/${body.id}`)).status, 404)
  assert.equal((await control('POST', 'apps', { name: 'x', serverId: 'none' })).status, 400)
  assert.equal((await control('POST', 'apps', { name: 'x', ssl: {} })).status, 400)
})

test('adds, shows and clears faults', async (t) => {
  const { control, call } = await bench(t)
  assert.deepEqual((await control('POST', 'faults', { kind: 'status', times: 'always' })).body, { ids: [1] })
  assert.equal((await call('GET', '/apps')).status, 500)
  await control('POST', 'faults', [
    { kind: 'slow', ms: 1 },
    { kind: 'status', status: 502 },
  ])
  const { body } = await control('GET', 'faults')
  assert.deepEqual(
    (body.faults as { fired: number }[]).map(({ fired }) => fired),
    [1, 0, 0],
  )
  await control('DELETE', 'faults')
  assert.equal((await call('GET', '/apps')).status, 200)
  const wrong = await control('POST', 'faults', { kind: 'explode' })
  assert.equal(wrong.status, 400)
  assert.match(JSON.stringify(wrong.body), /kind/)
  assert.equal((await control('POST', 'faults')).status, 400)
})

test('shows calls after a sequence number, and counts', async (t) => {
  const { control, call } = await bench(t)
  await call('GET', '/apps')
  await call('GET', '/servers')
  const { body } = await control('GET', 'calls?after=1')
  assert.deepEqual(
    (body.calls as { seq: number; endpoint: string }[]).map(({ seq, endpoint }) => [seq, endpoint]),
    [[2, 'getServers']],
  )
  const counts = async () => ((await control('GET', 'counts')).body.counts as Record<string, number>).listApps
  assert.equal(await counts(), 1)
  await control('DELETE', 'calls')
  assert.equal(await counts(), 0)
})

test('sets DNS, the clock, behaviours and the key', async (t) => {
  const { control, app, write, call } = await bench(t, { issuance: { delay: 3_600_000 } })
  await write(['a.example'])
  await control('POST', 'dns', { 'a.example': null })
  const { body } = await control('POST', 'clock', { advance: 3_600_000 })
  assert.ok((body.now as number) >= Date.now() + 3_500_000)
  assert.equal((await app()).autossl!.available, false)
  await control('POST', 'dns', { 'a.example': ['198.51.100.10'] })
  await control('POST', 'clock', { advance: 3_600_000 })
  assert.equal((await app()).autossl!.available, true)
  await control('PUT', 'behaviours', { emptyList: 'reject' })
  assert.equal((await write([])).status, 400)
  assert.equal((await write(['b.example', 'a.example'])).status, 200)
  for (const wrong of [{ emptyList: 'maybe' }, { nothing: 1 }, { rejectedNames: ['/(/'] }]) {
    assert.equal((await control('PUT', 'behaviours', wrong)).status, 400, JSON.stringify(wrong))
  }
  await control('PUT', 'credentials', { apiKey: 'rotated' })
  assert.equal((await call('GET', '/apps')).status, 401)
})

test('unknown control calls answer 404; turned off, all answer 403', async (t) => {
  const { control } = await bench(t)
  assert.equal((await control('GET', 'nothing')).status, 404)
  assert.equal((await control('DELETE', 'state')).status, 404)
  const off = await bench(t, { control: false })
  assert.equal((await off.control('GET', 'state')).status, 403)
  const open = await bench(t, { listen: { host: '0.0.0.0' } })
  assert.equal((await open.control('GET', 'state')).status, 403)
})
