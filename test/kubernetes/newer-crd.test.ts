import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { apiServer, until } from './api-server.ts'
import { installOther, NEWER, OLDER } from './other-crds.ts'
import { condition, createWorld, type World } from './world.ts'

const servedIn = (world: World) => (name: string) =>
  until(`${name} is served`, () => world.listed().includes(`${name}.example.com`))

const conditionsOf = async (world: World, name: string) => (await world.read('DomainMapping', name))?.status?.conditions

test('a-newer-crd: older, then newer than the daemon; two side by side', { timeout: 110_000 }, async (t) => {
  const server = await apiServer(t)
  if (server === undefined) return
  await installOther(server, OLDER)
  // What the older definition does not know is not stored: the default holds.
  const world = await createWorld(t, { shared: server, spec: { suspend: true } })
  assert.ok(world)
  const served = servedIn(world)
  await world.map('older')
  const daemon = world.daemon({ flags: ['--namespace', world.namespace] })
  await served('older')
  await condition(world, 'ServerPilotApp', 'network', { type: 'Ready', status: 'True' })
  assert.equal((await world.read('ServerPilotApp', 'network'))?.spec.suspend, undefined)

  for (const crd of NEWER) await installOther(server, crd)
  const other = await createWorld(t, { shared: server })
  assert.ok(other)
  await other.map('theirs')
  const stranger = { domain: 'stranger.example.com', appRef: { name: 'no-such-app' } }
  await other.create('DomainMapping', 'stranger', stranger)
  await world.create('DomainMapping', 'orphan', { ...stranger, domain: 'orphan.example.com' })
  await world.map('newer')
  assert.equal((await world.read('DomainMapping', 'newer'))?.spec.fromTheFuture, true)
  await served('newer')
  await condition(world, 'DomainMapping', 'newer', { type: 'Ready', status: 'True' })
  await condition(world, 'DomainMapping', 'orphan', { type: 'Ready', reason: 'AppNotFound' })
  daemon.child.kill('SIGTERM')
  await daemon.ended

  // A second one of the same installation reads everything from the new definition.
  const next = world.daemon({ flags: ['--namespace', world.namespace] })
  await world.map('next')
  await served('next')
  await sleep(2500)
  for (const name of ['theirs', 'stranger'])
    assert.equal(await conditionsOf(other, name), undefined, `${name} is another daemon's`)

  const beside = other.daemon({ flags: ['--namespace', other.namespace] })
  await servedIn(other)('theirs')
  await condition(other, 'DomainMapping', 'theirs', { type: 'Ready', status: 'True' })
  await condition(other, 'DomainMapping', 'stranger', { type: 'Ready', reason: 'AppNotFound' })
  for (const { log } of [next, beside]) {
    const said = [...log().matchAll(/"kind":"(\w+)","field":"([\w.]+)"/g)].map((each) => `${each[1]} ${each[2]}`)
    const fields = ['spec.fromTheFuture', 'spec.ssl.fromTheFuture'].map((field) => `ServerPilotApp ${field}`)
    assert.deepEqual(said.toSorted(), ['DomainMapping spec.fromTheFuture', ...fields])
  }
  for (const each of [world, other])
    await condition(each, 'ServerPilotApp', 'network', { type: 'Ready', status: 'True' })
})
