import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bench, messageOf, type WireApp } from './client.ts'

const many = (count: number) => Array.from({ length: count }, (_, n) => `d${n}.example`)

test('takes apexes, subdomains, wildcards and IPv4 addresses', async (t) => {
  const { write } = await bench(t)
  const names = [
    'example.com',
    'a.b.c.example.com',
    '*.example.com',
    '192.0.2.7',
    'xn--bcher-kva.example',
    'a1-b.example',
  ]
  assert.equal((await write(names)).status, 200)
})

test('refuses what is no array of names, and changes nothing', async (t) => {
  const { write, call, appId, simulator } = await bench(t)
  const wrong: unknown[] = [
    { 0: 'a.example', 2: 'b.example' },
    'a.example',
    null,
    7,
    ['a.example', 7],
    ['a.example', null],
    [['a.example']],
    ['no dots'],
    ['localhost'],
    ['a..example'],
    ['.example'],
    ['a.example.'],
    ['-a.example'],
    ['a_b.example'],
    ['https://a.example'],
    ['a.example/path'],
    ['a.example:80'],
    ['*.*.example'],
    ['a.*.example'],
    ['192.0.2'],
    ['2001:db8::1'],
    [`${'a'.repeat(64)}.example`],
    [`${'a.'.repeat(124)}example`],
    [''],
    [' a.example'],
  ]
  for (const domains of wrong) {
    const reply = await write(domains)
    assert.equal(reply.status, 400, JSON.stringify(domains))
    assert.ok(messageOf(reply))
  }
  for (const body of [undefined, '', '[]', '"text"', 'null', '{', {}, { domain: ['a.example'] }]) {
    assert.equal((await call('POST', `/apps/${appId}`, body)).status, 400, JSON.stringify(body))
  }
  assert.deepEqual(simulator.state.app(appId).domains, ['network.example'])
  assert.equal(simulator.state.actions.length, 0)
})

test('a POST needs the JSON content type and knows its fields', async (t) => {
  const { call, simulator, appId } = await bench(t)
  const path = `/apps/${appId}`
  const authorization = `Basic ${btoa(`${simulator.clientId}:${simulator.apiKey}`)}`
  const plain = () =>
    call('POST', path, { domains: ['a.example'] }, { headers: { authorization, 'content-type': 'text/plain' } })
  assert.equal((await plain()).status, 400)
  assert.equal((await call('POST', path, { domains: ['a.example'], more: 1 })).status, 400)
  simulator.state.setBehaviours({ requireJsonContentType: false, unknownFields: 'ignore' })
  assert.equal((await plain()).status, 200)
  assert.equal((await call('POST', path, { domains: ['b.example'], more: 1 })).status, 200)
})

test('300 domains per app; a list that gets shorter is never refused for its length', async (t) => {
  const { write, simulator, appId } = await bench(t)
  assert.equal((await write(many(300))).status, 200)
  assert.equal((await write(many(301))).status, 400)
  simulator.state.setDomains(appId, many(400))
  assert.equal((await write(many(400))).status, 400)
  assert.equal((await write(many(399))).status, 200)
  assert.equal((await write(many(301))).status, 200)
  assert.equal((await write(many(302))).status, 400)
})

test('the same name on two apps is allowed', async (t) => {
  const { call, simulator } = await bench(t, { apps: [{ name: 'one' }, { name: 'two' }] })
  for (const id of simulator.apps) {
    assert.equal((await call('POST', `/apps/${id}`, { domains: ['a.example'] })).status, 200)
  }
})

test('an empty list is taken, or refused', async (t) => {
  const { write, simulator, app } = await bench(t, { behaviours: { emptyList: 'reject' } })
  assert.equal((await write([])).status, 400)
  simulator.state.setBehaviours({ emptyList: 'accept' })
  assert.equal((await write([])).status, 200)
  assert.deepEqual((await app()).domains, [])
})

test('upper case, duplicates and letters beyond ASCII: each refused or adapted', async (t) => {
  const { write, simulator } = await bench(t)
  const stored = async (names: string[]) => {
    const reply = await write(names)
    return reply.status === 200 ? (reply.body.data as WireApp).domains : reply.status
  }
  assert.equal(await stored(['A.example']), 400)
  assert.equal(await stored(['a.example', 'a.example']), 400)
  assert.equal(await stored(['bücher.example']), 400)
  simulator.state.setBehaviours({ upperCase: 'lower', duplicates: 'collapse', idn: 'punycode' })
  assert.deepEqual(await stored(['A.example', 'a.example']), ['a.example'])
  assert.deepEqual(await stored(['bücher.example']), ['xn--bcher-kva.example'])
  simulator.state.setBehaviours({ upperCase: 'keep' })
  assert.deepEqual(await stored(['A.example']), ['A.example'])
})

test('names that are there already pass as they are, unless told otherwise', async (t) => {
  const { write, simulator, appId } = await bench(t, { behaviours: { order: 'kept' } })
  simulator.state.setDomains(appId, ['Old_Name.example'])
  assert.equal((await write(['Old_Name.example', 'new.example'])).status, 200)
  assert.deepEqual(simulator.state.app(appId).domains, ['Old_Name.example', 'new.example'])
  simulator.state.setBehaviours({ presentNamesPass: false })
  assert.equal((await write(['Old_Name.example', 'newer.example'])).status, 400)
})

test('refused names are quoted: the first, all, or none', async (t) => {
  const rejectedNames = ['bad.example', '.evil.example', '/^worse/']
  const { write, simulator } = await bench(t, { behaviours: { rejectedNames } })
  const names = ['good.example', 'bad.example', 'x.evil.example', 'worse.example']
  const words = async () => messageOf(await write(names))
  assert.match(await words(), /"bad\.example"/)
  assert.doesNotMatch(await words(), /evil/)
  simulator.state.setBehaviours({ quotedNames: 'all' })
  assert.match(await words(), /"bad\.example", "x\.evil\.example", "worse\.example"/)
  simulator.state.setBehaviours({ quotedNames: 'none' })
  assert.doesNotMatch(await words(), /example/)
  assert.equal((await write(['good.example', 'notbad.example'])).status, 200)
})

test('the order of a list: kept, sorted, shuffled, or shuffled with each read', async (t) => {
  const { write, app, simulator } = await bench(t)
  const names = many(30)
  const read = async () => (await app()).domains
  const rewrite = async (order: 'kept' | 'sorted' | 'shuffled' | 'shuffledEachRead') => {
    simulator.state.setBehaviours({ order })
    await write(names)
    return read()
  }
  assert.deepEqual(await rewrite('kept'), names)
  assert.deepEqual(await rewrite('sorted'), [...names].sort())
  const shuffled = await rewrite('shuffled')
  assert.notDeepEqual(shuffled, names)
  assert.deepEqual([...shuffled].sort(), [...names].sort())
  assert.deepEqual(await read(), shuffled)
  assert.notDeepEqual(await rewrite('shuffledEachRead'), await read())
})

test('www. names appear by themselves with the write that adds their name', async (t) => {
  const { write, app } = await bench(t, { apps: [{ name: 'one' }], behaviours: { wwwAppears: true, order: 'kept' } })
  await write(['a.example', 'www.b.example', '*.c.example', '192.0.2.1'])
  assert.deepEqual((await app()).domains, ['a.example', 'www.b.example', '*.c.example', '192.0.2.1', 'www.a.example'])
  await write(['a.example'])
  assert.deepEqual((await app()).domains, ['a.example'])
})
