import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createFaults, FAULT_KINDS, type FaultRule } from '../../src/simulator/faults.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { type Bench, bench, messageOf, type WireApp } from './client.ts'

const NEW = ['network.example', 'new.example']

/** How long a call waits whose answer never comes, and one whose answer a busy machine may delay; ms. */
const IMPATIENT_MS = 150
const PATIENT_MS = 10_000

/** Sends a write as bytes; gives the status and the text, or how it failed. */
async function raw(
  { simulator, appId }: Bench,
  waitMs = PATIENT_MS,
): Promise<{ status: number; text: string } | string> {
  const authorization = `Basic ${btoa(`${simulator.clientId}:${simulator.apiKey}`)}`
  const headers = { authorization, 'content-type': 'application/json' }
  const body = JSON.stringify({ domains: NEW })
  const signal = AbortSignal.timeout(waitMs)
  try {
    const response = await fetch(`${simulator.url}/apps/${appId}`, { method: 'POST', headers, signal, body })
    return { status: response.status, text: await response.text() }
  } catch (error) {
    return error instanceof Error ? error.name : 'unknown'
  }
}

function took({ simulator, appId }: Bench): boolean {
  return simulator.state.app(appId).domains.includes('new.example')
}

const WRITES: { rule: FaultRule; takes: boolean; status?: number; text?: RegExp; fails?: RegExp }[] = [
  { rule: { kind: 'status', status: 503 }, takes: false, status: 503, text: /"error"/ },
  { rule: { kind: 'status', status: 402, message: 'No card.' }, takes: false, status: 402, text: /No card/ },
  { rule: { kind: 'statusAfter' }, takes: true, status: 500, text: /"error"/ },
  { rule: { kind: 'html502' }, takes: false, status: 502, text: /^<html>/ },
  { rule: { kind: 'html502After' }, takes: true, status: 502, text: /^<html>/ },
  { rule: { kind: 'html200' }, takes: false, status: 200, text: /^<!doctype/ },
  { rule: { kind: 'rateLimited' }, takes: false, status: 429, text: /"error"/ },
  { rule: { kind: 'timeoutBefore' }, takes: false, fails: /TimeoutError/ },
  { rule: { kind: 'timeoutAfter' }, takes: true, fails: /TimeoutError/ },
  { rule: { kind: 'resetBefore' }, takes: false, fails: /TypeError/ },
  { rule: { kind: 'resetAfter' }, takes: true, fails: /TypeError/ },
  { rule: { kind: 'truncated' }, takes: true, fails: /TypeError/ },
  { rule: { kind: 'malformed' }, takes: true, status: 200, text: /^\{.*[^}]$/s },
  { rule: { kind: 'empty', variant: 'body' }, takes: true, status: 200, text: /^$/ },
  { rule: { kind: 'empty', variant: 'null' }, takes: true, status: 200, text: /"data":null/ },
  { rule: { kind: 'droppedWrite' }, takes: false, status: 200, text: /new\.example/ },
]

for (const { rule, takes, status, text, fails } of WRITES) {
  test(`a write under ${JSON.stringify(rule)} ${takes ? 'takes' : 'has no'} effect`, async (t) => {
    const b = await bench(t)
    b.simulator.faults.add({ ...rule, path: 'postDomains' })
    const outcome = await raw(b, fails?.source === 'TimeoutError' ? IMPATIENT_MS : PATIENT_MS)
    if (typeof outcome === 'string') assert.match(outcome, fails ?? /none/)
    else {
      assert.equal(outcome.status, status)
      assert.match(outcome.text, text!)
    }
    assert.equal(took(b), takes)
    assert.deepEqual(b.simulator.calls[0]!.faults, [rule.kind])
    const next = await raw(b)
    assert.equal(typeof next === 'string' ? next : next.status, 200)
    assert.ok(took(b))
  })
}

test('each kind has a test here', () => {
  const others = ['redirect', 'timeoutLate', 'stale', 'slow', 'otherWriter', 'actionError', 'actionStuck']
  const tested = new Set([...WRITES.map(({ rule }) => rule.kind), ...others])
  assert.deepEqual(
    [...FAULT_KINDS].filter((kind) => !tested.has(kind)),
    [],
  )
})

test('a redirect points at the same path, or where it is told', async (t) => {
  const { simulator, write } = await bench(t)
  simulator.faults.add({ kind: 'redirect' })
  const reply = await write(NEW)
  assert.equal(reply.status, 302)
  assert.match(reply.headers.get('location')!, /^\/v1\/apps\//)
  simulator.faults.add({ kind: 'redirect', status: 307, location: 'http://other.example/' })
  assert.equal((await write(NEW)).headers.get('location'), 'http://other.example/')
})

test('a rate-limited call says for how long, unless told not to', async (t) => {
  const { simulator, call } = await bench(t)
  simulator.faults.add({ kind: 'rateLimited', retryAfter: 9 })
  simulator.faults.add({ kind: 'rateLimited', retryAfter: null })
  assert.equal((await call('GET', '/apps')).headers.get('retry-after'), '9')
  assert.equal((await call('GET', '/apps')).headers.get('retry-after'), null)
})

test('a late write takes effect after the client gave up', async (t) => {
  const b = await bench(t)
  b.simulator.faults.add({ kind: 'timeoutLate', ms: 250 })
  assert.equal(await raw(b, IMPATIENT_MS), 'TimeoutError')
  assert.equal(took(b), false)
  await sleep(200)
  assert.equal(took(b), true)
})

test('a slow call takes its time, and then happens', async (t) => {
  const b = await bench(t)
  b.simulator.faults.add({ kind: 'slow', ms: 80 })
  const start = performance.now()
  assert.equal((await b.write(NEW)).status, 200)
  assert.ok(performance.now() - start >= 75)
})

test('a stale answer shows the state before the last change, in detail and list', async (t) => {
  const b = await bench(t)
  await b.write(NEW)
  b.simulator.faults.add({ kind: 'stale', times: 2 })
  assert.deepEqual((await b.app()).domains, ['network.example'])
  const [listed] = (await b.call('GET', '/apps')).body.data as WireApp[]
  assert.deepEqual(listed!.domains, ['network.example'])
  assert.equal((await b.app()).domains.length, 2)
  b.simulator.state.setCertificate(b.appId, {})
  await b.ssl({ force: true })
  b.simulator.faults.add({ kind: 'stale' })
  assert.equal((await b.app()).ssl!.force, false)
})

test('an empty answer comes in several ways, in detail and list', async (t) => {
  const apps = [
    { name: 'one', domains: ['a.example', 'b.example', 'c.example', 'd.example'] },
    { name: 'two', domains: ['e.example'] },
  ]
  const b = await bench(t, { apps })
  const { faults } = b.simulator
  faults.add({ kind: 'empty' })
  assert.deepEqual((await b.app()).domains, [])
  faults.add({ kind: 'empty', variant: 'missing' })
  assert.equal('domains' in (await b.app()), false)
  faults.add({ kind: 'empty', variant: 'wrongType' })
  assert.equal(Array.isArray((await b.app()).domains), false)
  faults.add({ kind: 'empty', variant: 'halved' })
  assert.equal((await b.app()).domains.length, 2)
  faults.add({ kind: 'empty', variant: 'list' })
  assert.deepEqual((await b.call('GET', '/apps')).body.data, [])
  faults.add({ kind: 'empty', path: 'listApps', app: b.appId })
  const listed = (await b.call('GET', '/apps')).body.data as WireApp[]
  assert.deepEqual(
    listed.map(({ domains }) => domains.length),
    [0, 1],
  )
})

test('another writer comes between our GET and POST, or right after our POST', async (t) => {
  const b = await bench(t, { behaviours: { order: 'kept' } })
  b.simulator.faults.add({ kind: 'otherWriter', path: 'getApp', add: ['theirs.example'], remove: ['network.example'] })
  assert.deepEqual((await b.app()).domains, ['network.example'])
  assert.deepEqual((await b.app()).domains, ['theirs.example'])
  b.simulator.faults.add({ kind: 'otherWriter', path: 'postDomains', add: ['lost.example'] })
  await b.write(NEW)
  assert.deepEqual((await b.app()).domains, NEW)
  b.simulator.faults.add({ kind: 'otherWriter', path: 'postDomains', moment: 'after', remove: ['new.example'] })
  assert.deepEqual(((await b.write(NEW)).body.data as WireApp).domains, NEW)
  assert.deepEqual((await b.app()).domains, ['network.example'])
  b.simulator.faults.add({ kind: 'otherWriter', path: 'listApps', add: ['listed.example'] })
  await b.call('GET', '/apps')
  assert.deepEqual((await b.app()).domains, ['network.example', 'listed.example'])
})

test('an action ends in error though its write worked, or never ends', async (t) => {
  const b = await bench(t, { actionDuration: 0 })
  const statusOf = async (id: string) =>
    ((await b.call('GET', `/actions/${id}`)).body.data as { status: string }).status
  b.simulator.faults.add({ kind: 'actionError' })
  assert.equal(await statusOf((await b.write(NEW)).body.actionid!), 'error')
  assert.ok(took(b))
  b.simulator.faults.add({ kind: 'actionStuck' })
  const stuck = (await b.write(['network.example'])).body.actionid!
  b.simulator.state.advance(3_600_000)
  assert.equal(await statusOf(stuck), 'open')
})

test('rules choose by method, endpoint and app, skip, count and combine', async (t) => {
  const b = await bench(t, { apps: [{ name: 'one' }, { name: 'two' }] })
  const [one, two] = b.simulator.apps
  const status = async (path: string) => (await b.call('GET', path)).status
  b.simulator.faults.add({ kind: 'status', app: two!, after: 1, times: 2 })
  assert.equal(await status(`/apps/${one}`), 200)
  assert.equal(await status('/apps'), 200)
  const statuses = [await status(`/apps/${two}`), await status(`/apps/${two}`), await status(`/apps/${two}`)]
  assert.deepEqual([...statuses, await status(`/apps/${two}`)], [200, 500, 500, 200])
  assert.equal(b.simulator.faults.list()[0]!.fired, 2)
  b.simulator.faults.clear()
  b.simulator.faults.add({ kind: 'status', status: 404, method: 'get', times: 'always' })
  b.simulator.faults.add({ kind: 'slow', ms: 1, times: 'always' })
  assert.equal(await status('/servers'), 404)
  assert.equal(await status('/servers'), 404)
  assert.deepEqual(b.simulator.calls.at(-1)!.faults, ['slow', 'status'])
  assert.equal((await b.write(['a.example'])).status, 200)
})

test('a rule with a probability fires for that share of calls', () => {
  let n = 0
  const faults = createFaults(() => (n++ % 10) / 10)
  faults.add({ kind: 'status', probability: 0.3, times: 'always' })
  for (let call = 0; call < 100; call++) faults.take({ method: 'GET', endpoint: 'getApp', app: 'x' })
  assert.equal(faults.list()[0]!.fired, 30)
})

test('a rule that makes no sense is refused', () => {
  const faults = createFaults(Math.random)
  assert.throws(() => faults.add({ kind: 'status', status: 99 }), /status/)
  assert.throws(() => faults.add(JSON.parse('{"kind": "explode"}')), /kind/)
})

test('wrong credentials use up no fault', async (t) => {
  const b = await bench(t)
  b.simulator.faults.add({ kind: 'status' })
  assert.equal((await b.call('GET', '/apps', undefined, { headers: {} })).status, 401)
  const failed = await b.call('GET', '/apps')
  assert.equal(failed.status, 500)
  assert.ok(messageOf(failed))
})

test('stop ends what faults hold, and nothing happens afterwards', async () => {
  const simulator = await startSimulator()
  const appId = simulator.apps[0]!
  simulator.faults.add({ kind: 'timeoutBefore' })
  simulator.faults.add({ kind: 'timeoutLate', ms: 30 })
  simulator.faults.add({ kind: 'slow', ms: 60_000, times: 'always', after: 2 })
  const headers = {
    authorization: `Basic ${btoa(`${simulator.clientId}:${simulator.apiKey}`)}`,
    'content-type': 'application/json',
  }
  const body = JSON.stringify({ domains: NEW })
  const calls = [1, 2, 3].map(() => fetch(`${simulator.url}/apps/${appId}`, { method: 'POST', headers, body }))
  const outcomes = Promise.allSettled(calls)
  await sleep(20)
  await simulator.stop()
  await simulator.stop()
  assert.deepEqual(
    (await outcomes).map(({ status }) => status),
    ['rejected', 'rejected', 'rejected'],
  )
  await sleep(40)
  assert.deepEqual(simulator.state.app(appId).domains, ['network.example'])
})
