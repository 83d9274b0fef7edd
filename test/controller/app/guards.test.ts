import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { reconcile } from '../../../src/controller/app/reconcile.ts'
import { until } from '../../until.ts'
import { createWorld, names, objectYaml, sweepOnce, type World } from '../world.ts'

/** Ways around the guards that were found by looking for them; each lost a host, or removed one unasked, before it was closed. */

const signal = new AbortController().signal
const run = (world: World, name: string) => reconcile(world.context, `wordpress/${name}`, signal)
const read = async (world: World): Promise<void> => {
  await world.context.ports.objects.start(() => undefined)
  await world.context.ports.objects.stop()
}
const go = async (world: World, name: string) => {
  await read(world)
  return await run(world, name)
}
const appYaml = (name: string, spec: object, metadata: object = {}): string =>
  objectYaml('ServerPilotApp', name, { www: 'Never', ssl: { auto: false }, ...spec }, metadata)
const mapTo = (world: World, name: string, app: string): Promise<void> =>
  world.write(
    `${name}.yaml`,
    objectYaml('DomainMapping', name, { domain: `${name}.example.com`, appRef: { name: app } }),
  )

async function two(t: TestContext, oneShot = false) {
  const apps = [
    { name: 'network', domains: ['a.example.org'] },
    { name: 'second', domains: ['b.example.org'] },
  ]
  const world = await createWorld(t, { mode: { oneShot }, simulator: { apps } })
  const second = world.simulator.apps[1] as string
  await world.write('second.yaml', appYaml('second', { appId: second }))
  return { world, second, listed: () => (world.simulator.state.app(second)?.domains ?? []).toSorted() }
}

describe('never empty', () => {
  for (const oneShot of [true, false]) {
    test(`the only host, renamed to a name that the API refuses, stays (one-shot: ${oneShot})`, async (t) => {
      const behaviours = { rejectedNames: ['new.example.com'] }
      const world = await createWorld(t, {
        mode: { oneShot },
        simulator: { apps: [{ name: 'network', domains: [] }], behaviours },
      })
      await world.map('shop', 'old.example.com')
      await world.settle()
      await world.map('shop', 'new.example.com')
      await world.settle()
      assert.deepEqual(world.listed(), ['old.example.com'])
    })
  }
})

describe('another app under the same object', () => {
  test('a changed appId starts from nothing: what is foreign there stays', async (t) => {
    const apps = [
      { name: 'network', domains: ['f.example.org'] },
      { name: 'second', domains: ['shared.example.com', 'foreign.example.org'] },
    ]
    const world = await createWorld(t, { simulator: { apps } })
    const second = world.simulator.apps[1] as string
    await world.map('shared')
    await world.map('stay')
    await world.settle()
    await world.unmap('shared')
    await world.write('network.yaml', appYaml('network', { appId: second }))
    await world.settle()
    const there = world.simulator.state.app(second)?.domains ?? []
    assert.ok(there.includes('shared.example.com') && there.includes('stay.example.com'), there.join())
    assert.equal(world.record().appId, second)
  })
})

describe('moves between apps', () => {
  test('a one-shot pass that meets the old app first leaves the host there', async (t) => {
    const { world } = await two(t, true)
    await mapTo(world, 'shop', 'network')
    await mapTo(world, 'stay', 'network')
    await go(world, 'network')
    await world.restart()
    await mapTo(world, 'shop', 'second')
    await go(world, 'network')
    assert.ok(world.listed().includes('shop.example.com'))
  })

  test('there and back within two minutes: never on neither', async (t) => {
    const { world, listed } = await two(t, true)
    await mapTo(world, 'shop', 'second')
    await mapTo(world, 'stay', 'network')
    await mapTo(world, 'other', 'second')
    await go(world, 'second')
    await mapTo(world, 'shop', 'network')
    await go(world, 'network')
    await run(world, 'second')
    await mapTo(world, 'shop', 'second')
    world.clock.advance(20_000)
    await go(world, 'network')
    assert.ok([...world.listed(), ...listed()].includes('shop.example.com'))
  })

  test('to a suspended app, and a restart in between: it stays where it is', async (t) => {
    const { world, second } = await two(t)
    await mapTo(world, 'shop', 'network')
    await mapTo(world, 'stay', 'network')
    await go(world, 'network')
    await world.write('second.yaml', appYaml('second', { appId: second, suspend: true }))
    await mapTo(world, 'shop', 'second')
    await world.settle()
    await world.restart()
    await read(world)
    await sweepOnce(world.context)
    world.clock.advance(3_600_000)
    await world.settle()
    assert.ok(world.listed().includes('shop.example.com'))
  })

  test('to a second object for the same app: it stays', async (t) => {
    const world = await createWorld(t)
    await mapTo(world, 'shop', 'network')
    await mapTo(world, 'stay', 'network')
    await world.settle()
    await world.write('twin.yaml', appYaml('twin', { appId: world.appId }))
    await go(world, 'twin')
    await mapTo(world, 'shop', 'twin')
    await go(world, 'twin')
    await world.settle()
    assert.ok(world.listed().includes('shop.example.com'))
  })
})

describe('what changes while a write waits', () => {
  test('for the server: suspension and a mapping that is back count', async (t) => {
    const world = await createWorld(t)
    await world.map('shop')
    await world.map('stay')
    await world.settle()
    await world.unmap('shop')
    await world.reconcile()
    world.clock.advance(31_000)
    await read(world)
    const app = world.context.ports.objects.app('wordpress/network')
    assert.ok(app)
    const account = await world.context.ports.accountOf(app)
    const { serverId } = await account.getApp(world.appId)
    const lock = Promise.withResolvers<void>()
    const held = account.exclusively(serverId, () => lock.promise)
    const calls = world.simulator.calls.length
    const running = run(world, 'network')
    await until('it was asked for', () => world.simulator.calls.length > calls, 5_000)
    await world.write('network.yaml', appYaml('network', { appId: world.appId, suspend: true }))
    await world.map('shop')
    await read(world)
    lock.resolve()
    await held
    await running
    assert.ok(world.listed().includes('shop.example.com'))
  })

  test('for the next probe: a name added at the panel is not overwritten', async (t) => {
    const behaviours = { rejectedNames: ['h002.example.com'], quotedNames: 'none' as const }
    const world = await createWorld(t, { simulator: { behaviours } })
    for (const name of names(4)) await world.map(name)
    world.simulator.faults.add({
      kind: 'otherWriter',
      path: 'postDomains',
      add: ['panel.example.org'],
      moment: 'after',
      after: 1,
    })
    await world.settle()
    assert.ok(world.listed().includes('panel.example.org'))
    assert.equal(world.listed().length, 5)
  })

  test('for accounts: an object that was replaced meanwhile is no reason to believe a failed source', async (t) => {
    const safety = { settle: '0s', settleInferred: '0s' }
    const world = await createWorld(t, { spec: { safety } })
    for (const name of names(4)) await world.map(name)
    await world.settle()
    const { accountOf } = world.context.ports
    world.context.ports.accountOf = async (app) => {
      world.context.ports.accountOf = accountOf
      await world.write('network.yaml', appYaml('network', { appId: world.appId, safety }, { annotations: { a: 'b' } }))
      await world.write('bad.yaml', 'kind: [')
      await world.unmap('h001')
      await read(world)
      return accountOf(app)
    }
    await run(world, 'network')
    assert.ok(world.listed().includes('h001.example.com'))
  })
})

describe('approval and distrust', () => {
  test('the permission for Exclusive ends with Exclusive', async (t) => {
    const world = await createWorld(t, { domains: ['one.example.org'], spec: { policy: 'Exclusive' } })
    const put = (policy: string, annotations: object = {}) =>
      world.write('network.yaml', appYaml('network', { appId: world.appId, policy }, { annotations }))
    await world.map('shop')
    const first = await world.settle()
    await put('Exclusive', { 'domainpilot.dev/approve-plan': first.plan?.hash })
    await world.settle()
    assert.deepEqual(world.listed(), ['shop.example.com'])
    await put('Sync')
    await world.settle()
    world.simulator.state.setDomains(world.appId, [
      'shop.example.com',
      ...names(20, 'f').map((name) => `${name}.example.org`),
    ])
    await world.settle()
    await put('Exclusive')
    await world.settle()
    assert.equal(world.listed().length, 21)
  })

  test('an approval whose removals took place is used up, also when the rest of the write failed', async (t) => {
    const behaviours = { rejectedNames: ['n002.example.com'], quotedNames: 'none' as const }
    const world = await createWorld(t, { simulator: { behaviours } })
    for (const name of names(12)) await world.map(name)
    await world.settle()
    for (const name of names(8)) await world.unmap(name)
    world.context.mode.approval = (await world.settle()).plan?.hash
    for (const name of names(4, 'n')) await world.map(name)
    world.simulator.faults.add({ kind: 'status', status: 402, path: 'postDomains', after: 3 })
    await world.settle()
    for (const name of names(8)) await world.map(name)
    await world.settle()
    const before = world.listed().length
    for (const name of names(8)) await world.unmap(name)
    await world.settle()
    assert.equal(world.listed().length, before)
  })

  test('a failed source does not make a new version trusted', async (t) => {
    const world = await createWorld(t)
    for (const name of names(5)) await world.map(name)
    await world.settle()
    await world.unmap('h001')
    const upgrade = async (): Promise<void> => {
      await world.restart()
      world.context.mode.writer = { version: 'next', filters: '' }
    }
    await upgrade()
    await world.write('bad.yaml', 'kind: [')
    await world.reconcile()
    await upgrade()
    await world.unmap('bad')
    await world.settle()
    world.clock.advance(3_600_000)
    assert.equal((await world.settle()).result, 'Refused')
    assert.equal(world.listed().length, 6)
  })

  test('a protection that is lifted is no removal that was seen', async (t) => {
    const world = await createWorld(t, { spec: { protectedDomains: ['shop.example.com'] } })
    await world.map('shop')
    await world.map('stay')
    await world.settle()
    await world.unmap('shop')
    await world.settle()
    world.clock.advance(3_600_000)
    await world.write('network.yaml', appYaml('network', { appId: world.appId, protectedDomains: [] }))
    await world.reconcile()
    assert.ok(world.listed().includes('shop.example.com'))
  })

  test('labels that nobody knows take nothing off', async (t) => {
    const world = await createWorld(t, { spec: { allowedNamespaces: { from: 'All' } } })
    await world.map('stay')
    const theirs = { domain: 'other.example.com', appRef: { name: 'network', namespace: 'wordpress' } }
    await world.write('other.yaml', objectYaml('DomainMapping', 'other', theirs, { namespace: 'team' }))
    await world.settle()
    assert.equal(world.listed().length, 3)
    const selector = { matchLabels: { team: 'x' } }
    await world.write(
      'network.yaml',
      appYaml('network', { appId: world.appId, allowedNamespaces: { from: 'Selector', selector } }),
    )
    await world.settle()
    assert.equal(world.listed().length, 3)
  })

  test('a good name that the words of the API mention is tried by itself', async (t) => {
    const world = await createWorld(t)
    await world.map('good')
    await world.map('bad')
    const message = 'bad.example.com may not stand beside good.example.com'
    world.simulator.faults.add({ kind: 'status', status: 400, path: 'postDomains', message })
    await world.reconcile()
    assert.ok(world.listed().includes('good.example.com'))
  })
})
