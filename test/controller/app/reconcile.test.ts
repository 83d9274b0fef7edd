import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { Outcome } from '../../../src/status/outcome.ts'
import { createWorld, names, sweepOnce, type World } from '../world.ts'

describe('reconcile', () => {
  test('adds what is mapped in one write, keeps what is foreign, and then rests', async (t) => {
    const world = await createWorld(t)
    for (const name of names(5)) await world.map(name)
    const outcome = await world.reconcile()
    assert.equal(outcome.result, 'Applied', outcome.failure?.message)
    assert.deepEqual(world.listed(), ['by-hand.example.org', ...names(5).map((name) => `${name}.example.com`)])
    assert.equal(world.posts(), 1)
    assert.equal((await world.reconcile()).result, 'Unchanged')
    assert.equal(world.posts(), 1)
    assert.deepEqual([...new Set(Object.values(world.record().hosts).map((claim) => claim.state))], ['Held'])
  })

  test('removes what is no longer mapped, once it has settled, and releases the claim later', async (t) => {
    const world = await createWorld(t)
    for (const name of names(4)) await world.map(name)
    await world.reconcile()
    await world.unmap('h001')
    const early = await world.reconcile()
    assert.equal(early.removed.length, 0)
    assert.equal(early.next, world.clock.now() + 30_000)
    world.clock.advance(30_000)
    assert.deepEqual((await world.reconcile()).removed, ['h001.example.com'])
    assert.equal(world.listed().length, 4)
    assert.notEqual(world.record().hosts['h001.example.com' as never], undefined)
    await world.settle()
    assert.equal(world.record().hosts['h001.example.com' as never], undefined)
  })

  test('a host that somebody took off comes back', async (t) => {
    const world = await createWorld(t)
    for (const name of names(8)) await world.map(name)
    await world.reconcile()
    world.simulator.state.setDomains(
      world.appId,
      world.listed().filter((host) => host !== 'h003.example.com'),
    )
    await world.settle()
    assert.equal(world.listed().length, 9)
  })

  test('adopts what is there already without a write', async (t) => {
    const world = await createWorld(t, { domains: ['h001.example.com', 'H002.Example.com', 'other.example.org'] })
    for (const name of names(2)) await world.map(name)
    const outcome = await world.reconcile()
    assert.equal(outcome.result, 'Unchanged', outcome.failure?.message)
    assert.equal(world.posts(), 0)
    assert.deepEqual(Object.keys(world.record().hosts).sort(), ['h001.example.com', 'h002.example.com'])
  })

  test('policy Observe and dry run plan and write nothing, not even a record', async (t) => {
    for (const options of [{ spec: { policy: 'Observe' } }, { mode: { dryRun: true } }]) {
      const world = await createWorld(t, options)
      await world.map('h001')
      const outcome = await world.reconcile()
      assert.equal(outcome.result, 'Planned')
      assert.equal(outcome.plan?.additions.length, 1)
      assert.equal(world.posts(), 0)
      assert.equal(world.record(), undefined)
    }
  })

  test('a suspended app is left alone', async (t) => {
    const world = await createWorld(t, { spec: { suspend: true } })
    await world.map('h001')
    assert.equal((await world.reconcile()).result, 'Suspended')
    assert.equal(world.simulator.calls.length, 0)
  })

  test('a crash between claim and write leaves nothing behind that is not ours to finish or to let go', async (t) => {
    const world = await createWorld(t)
    await world.map('h001')
    await world.reconcile()
    await world.map('h002')
    world.simulator.faults.add({ kind: 'resetBefore', path: 'postDomains' })
    const outcome = await world.reconcile()
    assert.equal(outcome.failure?.reason, 'ApiUnreachable')
    assert.equal(world.record().hosts['h002.example.com' as never]?.state, 'Uncertain')
    await world.unmap('h002')
    await world.restart()
    await world.settle()
    assert.deepEqual(world.listed(), ['by-hand.example.org', 'h001.example.com'])
    assert.deepEqual(Object.keys(world.record().hosts), ['h001.example.com'])
  })

  test('a late write after its mapping went is taken back', async (t) => {
    const world = await createWorld(t)
    await world.map('h001')
    await world.reconcile()
    await world.map('h002')
    world.simulator.faults.add({ kind: 'timeoutAfter', path: 'postDomains' })
    world.simulator.faults.add({ kind: 'resetBefore', path: 'getApp', after: 2, times: 10 })
    await world.reconcile()
    world.simulator.faults.clear()
    await world.unmap('h002')
    await world.restart()
    world.clock.advance(400_000)
    await world.settle()
    assert.deepEqual(world.listed(), ['by-hand.example.org', 'h001.example.com'])
  })

  test('250 mappings with www: 300 hosts in one write, the rest AppFull', async (t) => {
    const world = await createWorld(t, { domains: ['h001.example.com'], spec: { www: 'Always' } })
    for (const name of names(250)) await world.map(name)
    const outcome = await world.reconcile()
    assert.equal(world.listed().length, 300, outcome.failure?.message)
    assert.equal(world.posts(), 1)
    assert.equal([...(outcome.plan?.held.values() ?? [])].filter((held) => held.reason === 'AppFull').length, 200)
  })

  test('a second object for the same app is told of the conflict and writes nothing', async (t) => {
    const world = await createWorld(t)
    await world.map('h001')
    await world.reconcile()
    const { objectYaml } = await import('../world.ts')
    await world.write('second.yaml', objectYaml('ServerPilotApp', 'second', { appId: world.appId }))
    await world.reconcile()
    const { reconcile } = await import('../../../src/controller/app/reconcile.ts')
    const outcome = await reconcile(world.context, 'wordpress/second', new AbortController().signal)
    assert.equal(outcome.failure?.reason, 'Conflict')
    assert.match(outcome.failure?.message ?? '', /wordpress\/network is in charge/)
  })
})

describe('safety, end to end', () => {
  test('source-that-is-not-there-yet: an empty folder removes nothing', async (t) => {
    const world = await createWorld(t)
    for (const name of names(12)) await world.map(name)
    await world.reconcile()
    for (const name of names(12)) await world.unmap(name)
    for (let turn = 0; turn < 5; turn++) {
      world.clock.advance(600_000)
      await world.reconcile()
    }
    assert.equal(world.listed().length, 13)
    assert.equal(world.posts(), 1)
  })

  test('one-broken-file-of-forty', async (t) => {
    const world = await createWorld(t)
    for (const name of names(40)) await world.map(name)
    await world.reconcile()
    await world.write(
      'h017.yaml',
      'apiVersion: domainpilot.dev/v1alpha1\nkind: DomainMapping\nmetadata: {name: h17}\nspec:\n\tdomain: h17.example.com\n',
    )
    await world.unmap('h003')
    await world.map('h041')
    world.clock.advance(3_600_000)
    const broken = await world.settle()
    assert.equal(world.listed().length, 42)
    assert.match([...broken.frozen.values()].join(), /h017\.yaml:5/)
    assert.equal(world.posts(), 2)
    await world.map('h017')
    await world.settle()
    assert.equal(world.posts(), 3)
    assert.equal(world.listed().includes('h003.example.com'), false)
    assert.equal(world.listed().length, 41)
  })

  test('approved-plan-went-stale: approving on the app lets exactly these go, once', async (t) => {
    const world = await createWorld(t)
    for (const name of names(20)) await world.map(name)
    await world.reconcile()
    for (const name of names(8)) await world.unmap(name)
    world.clock.advance(1)
    await world.reconcile()
    world.clock.advance(31_000)
    const refused = await world.reconcile()
    assert.equal(refused.result, 'Refused')
    assert.match(refused.plan?.refused?.message ?? '', /40 %/)
    world.simulator.state.setDomains(world.appId, [...world.listed(), 'panel.example.org'])
    world.context.mode.approval = refused.plan?.hash
    const approved = await world.reconcile()
    assert.equal(approved.removed.length, 8, approved.failure?.message)
    assert.equal(world.listed().length, 14)
    for (const name of names(8)) await world.map(name)
    await world.reconcile()
    for (const name of names(8)) await world.unmap(name)
    await world.reconcile()
    world.clock.advance(31_000)
    assert.equal((await world.reconcile()).result, 'Refused')
  })

  test('a wrong empty answer costs no foreign host', async (t) => {
    const world = await createWorld(t, { domains: names(30, 'foreign').map((name) => `${name}.example.org`) })
    await world.map('h001')
    await world.reconcile()
    await world.map('h002')
    world.simulator.faults.add({ kind: 'empty', path: 'getApp', times: 2 })
    await world.settle()
    assert.equal(world.listed().length, 32)
  })

  test('neither do wrong answers in the sweep and before the write, one after the other', async (t) => {
    const world = await createWorld(t, { domains: names(30, 'foreign').map((name) => `${name}.example.org`) })
    await world.map('h001')
    await world.settle()
    world.simulator.faults.add({ kind: 'empty', variant: 'halved', path: 'getApp', times: 1 })
    await world.reconcile()
    await world.map('h002')
    world.simulator.faults.add({ kind: 'empty', variant: 'halved', path: 'getApp', times: 2 })
    await world.settle()
    assert.equal(world.listed().length, 32)
  })

  test('a list that really lost most of its names is believed after looking again', async (t) => {
    const world = await createWorld(t, { domains: names(30, 'foreign').map((name) => `${name}.example.org`) })
    await world.map('h001')
    await world.reconcile()
    world.simulator.state.setDomains(world.appId, ['foreign001.example.org'])
    await world.settle()
    assert.deepEqual(world.listed(), ['foreign001.example.org', 'h001.example.com'])
  })
})

describe('two-installations-one-app', () => {
  test('(1) both Sync: the list becomes both, then no write from either', async (t) => {
    const a = await createWorld(t)
    const b = await a.another()
    await a.map('a')
    await b.map('b')
    await a.settle()
    await b.settle()
    await a.settle()
    await b.settle()
    assert.deepEqual(a.listed(), ['a.example.com', 'b.example.com', 'by-hand.example.org'])
    assert.equal(a.posts(), 2)
  })

  test('(2) both Exclusive: no endless fight', async (t) => {
    const spec = { policy: 'Exclusive', safety: { settle: '0s', settleInferred: '0s' } }
    const a = await createWorld(t, { spec })
    const b = await a.another(spec)
    await a.map('a')
    await b.map('b')
    const turn = async (one: typeof b) => {
      const outcome = await one.reconcile()
      if (outcome.plan?.refused !== undefined) one.context.mode.approval = outcome.plan.hash
      a.clock.advance(5_000)
      b.clock.advance(5_000)
      return await one.reconcile()
    }
    let last: readonly Outcome[] = []
    for (let round = 0; round < 12; round++) {
      last = [await turn(a), await turn(b)]
    }
    assert.ok(last.some(({ plan }) => [...(plan?.held.values() ?? [])].some(({ reason }) => reason === 'Contended')))
    assert.ok(a.posts() <= 20, `${a.posts()} writes`)
  })

  test('(3) both Sync and both want c: A gives it up, B puts it back once, then rest', async (t) => {
    const a = await createWorld(t)
    const b = await a.another()
    await a.map('a')
    await a.map('c')
    await b.map('b')
    await b.map('c')
    for (const one of [a, b, a, b]) await one.settle()
    const before = a.posts()
    await a.unmap('c')
    for (const one of [a, b, a, b, a, b]) await one.settle()
    assert.equal(a.posts() - before, 2)
    assert.ok(a.listed().includes('c.example.com'))
  })

  test('(3) also when B puts it back within seconds, whatever restarts in between', async (t) => {
    const a = await createWorld(t)
    const b = await a.another()
    for (const one of [a, b]) await one.map('c')
    await a.map('a')
    for (const one of [a, b, a, b]) await one.settle()
    const before = a.posts()
    await a.unmap('c')
    for (let turn = 0; turn < 8 && a.posts() === before; turn++) {
      await a.reconcile()
      a.clock.advance(10_000)
    }
    assert.ok(!a.listed().includes('c.example.com'))
    await b.reconcile()
    for (let turn = 0; turn < 10; turn++) {
      a.clock.advance(5_000)
      await a.reconcile()
      await b.reconcile()
      if (turn === 2) await a.restart()
    }
    assert.equal(a.posts() - before, 2, 'A removes it once, B puts it back once')
    assert.ok(a.listed().includes('c.example.com'))
    assert.equal(a.record().hosts['c.example.com' as never], undefined, 'it is not ours any more')
  })

  /** `c` is taken off, and somebody or something brings it back; `unsure`: when a write began whose end nobody knows. */
  async function broughtBack(t: TestContext, unsure: 'before' | 'after'): Promise<World> {
    const world = await createWorld(t)
    const writeOfUnknownEnd = () => world.rewrite((record) => ({ ...record, unsureSince: world.clock.now() }))
    for (const name of ['a', 'c']) await world.map(name)
    await world.settle()
    if (unsure === 'before') await writeOfUnknownEnd()
    await world.unmap('c')
    for (let turn = 0; turn < 8 && world.listed().includes('c.example.com'); turn++) {
      await world.reconcile()
      world.clock.advance(10_000)
    }
    assert.ok(!world.listed().includes('c.example.com'))
    assert.ok(world.record().hosts['c.example.com' as never])
    if (unsure === 'after') await writeOfUnknownEnd()
    world.simulator.state.setDomains(world.appId, [...world.listed(), 'c.example.com'])
    world.clock.advance(200_000)
    await world.settle()
    return world
  }

  test('what our own late write brought back stays ours, and goes', async (t) => {
    assert.ok(!(await broughtBack(t, 'before')).listed().includes('c.example.com'))
  })

  test('a write of unknown end that began later cannot have brought it back: it is somebody else’s, and stays', async (t) => {
    const world = await broughtBack(t, 'after')
    assert.ok(world.listed().includes('c.example.com'))
    assert.equal(world.record().hosts['c.example.com' as never], undefined)
  })
})

test('a listing that was asked for before our own write is not taken for what is there after it', async (t) => {
  const world = await createWorld(t)
  for (const name of names(12)) await world.map(name)
  await world.settle()
  for (const name of names(5)) await world.unmap(name)
  const refused = await world.settle()
  assert.equal(refused.plan?.waiting.length, 5)

  const signal = new AbortController().signal
  const { accountOf } = world.context.ports
  const app = world.context.ports.objects.app('wordpress/network')
  assert.ok(app)
  const account = await accountOf(app)
  const asked = Promise.withResolvers<void>()
  const answered = Promise.withResolvers<void>()
  const slow = {
    ...account,
    async listApps() {
      const listing = await account.listApps(signal)
      asked.resolve()
      await answered.promise
      return listing
    },
  }
  world.context.ports.accountOf = async () => slow
  const swept = sweepOnce(world.context)
  await asked.promise
  world.context.ports.accountOf = accountOf
  world.context.mode.approval = refused.plan?.hash
  assert.equal((await world.reconcile()).removed.length, 5)
  answered.resolve()
  await swept
  const outcome = await world.reconcile()
  assert.deepEqual(outcome.plan?.waiting, [])
  assert.equal(outcome.plan?.refused, undefined)
})
