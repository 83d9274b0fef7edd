import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Host } from '../../../src/domain/host.ts'
import { createWorld, names, type World } from '../world.ts'

const SHOP = 'shop.example.com' as Host
const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

/** Somebody sets the clock back, and the program may be started again after it. */
async function setBack({ clock, restart }: World, restarts: boolean): Promise<void> {
  clock.set(clock.now() - DAY)
  if (restarts) await restart()
}

const refuse = ({ simulator }: World, ...rejectedNames: string[]): void =>
  simulator.state.setBehaviours({ rejectedNames, quotedNames: 'none' })

describe('the-clock-is-set-back', () => {
  test('a host that is contended is tried at the end of its pause', async (t) => {
    const world = await createWorld(t)
    await world.map('shop')
    await world.settle()
    let held: string | undefined
    while (held === undefined) {
      world.simulator.state.setDomains(world.appId, ['by-hand.example.org'])
      world.clock.advance(5_000)
      held = (await world.reconcile()).plan?.held.get(SHOP)?.reason
    }
    assert.equal(held, 'Contended')
    await setBack(world, false)
    const { plan, next } = await world.reconcile()
    assert.equal(plan?.held.get(SHOP)?.reason, 'Contended')
    assert.ok((next ?? 0) - world.clock.now() <= MINUTE, 'it is looked at again at the end of the pause')
    world.clock.advance(MINUTE)
    assert.deepEqual((await world.reconcile()).added, [SHOP])
  })

  for (const restarts of [false, true]) {
    const when = restarts ? 'at once, after a restart' : 'at the end of its pause'

    test(`a name that was refused while it was a day ahead is tried again ${when}`, async (t) => {
      const world = await createWorld(t)
      await world.map('shop')
      refuse(world, SHOP)
      await world.reconcile()
      await setBack(world, restarts)
      if (!restarts) world.clock.advance(15 * MINUTE)
      await world.reconcile()
      const { at = 0, retryAt = 0 } = world.record().rejected[SHOP] ?? {}
      assert.ok(at <= world.clock.now(), 'it was tried again')
      assert.equal(retryAt - at, 30 * MINUTE)
      const posts = world.posts()
      await world.reconcile()
      assert.equal(world.posts(), posts)
      refuse(world)
      world.clock.advance(30 * MINUTE)
      assert.deepEqual((await world.reconcile()).added, [SHOP])
    })

    test(`AutoSSL that failed while it was a day ahead is tried again ${when}`, async (t) => {
      const spec = { ssl: { auto: true, retryInterval: '5m' } }
      const world = await createWorld(t, { spec, simulator: { issuance: { delay: 0 } } })
      world.simulator.faults.add({ kind: 'status', status: 500, path: 'postSsl' })
      const failed = await world.reconcile()
      assert.equal(world.sslPosts(), 1)
      assert.equal(failed.ssl?.reason, 'Progressing')
      await setBack(world, restarts)
      if (!restarts) world.clock.advance(5 * MINUTE)
      assert.deepEqual((await world.reconcile()).ssl?.switched, { auto: true })
    })

    test(`removals made while it was a day ahead count for one window${restarts ? ', after a restart' : ''}`, async (t) => {
      const world = await createWorld(t, { spec: { safety: { settle: '0s', settleInferred: '0s' } } })
      const hosts = names(12)
      for (const name of hosts) await world.map(name)
      await world.settle()
      for (const name of hosts.slice(0, 3)) await world.unmap(name)
      await world.settle()
      assert.equal(world.listed().length, 10)
      await setBack(world, restarts)
      for (const name of hosts.slice(3, 5)) await world.unmap(name)
      assert.equal((await world.settle()).result, 'Refused', 'the budget is kept')
      await (restarts ? world.restart() : undefined)
      world.clock.advance(DAY)
      await world.settle()
      assert.equal(world.listed().length, 8, 'and its window ends')
    })
  }
})
