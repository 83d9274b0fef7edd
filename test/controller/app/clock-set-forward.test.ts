import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Host } from '../../../src/domain/host.ts'
import { createWorld, names, type World } from '../world.ts'

const SHOP = 'shop.example.com' as Host
const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const MONTH = 30 * DAY

/** Somebody sets the clock forward while the daemon runs. */
const setForward = ({ clock }: World, by = MONTH): void => clock.set(clock.now() + by)

/** A world whose app has used its budget up: three of twelve hosts are gone, and two more would be too many. */
async function usedUp(t: Parameters<typeof createWorld>[0]): Promise<World> {
  const world = await createWorld(t, { spec: { safety: { settle: '0s', settleInferred: '0s' } } })
  for (const name of names(12)) await world.map(name)
  await world.settle()
  for (const name of names(3)) await world.unmap(name)
  await world.settle()
  assert.equal(world.listed().length, 10)
  return world
}

async function unmapTwoMore(world: World): Promise<void> {
  for (const name of names(5).slice(3)) await world.unmap(name)
}

describe('the-clock-is-set-forward', () => {
  test('removals stay in the budget for a day that has passed, whatever the clock shows', async (t) => {
    const world = await usedUp(t)
    setForward(world)
    await unmapTwoMore(world)
    assert.equal((await world.settle()).result, 'Refused')
    setForward(world)
    world.clock.advance(DAY - 10 * MINUTE)
    assert.equal((await world.settle()).result, 'Refused', 'ten minutes are left')
    world.clock.advance(10 * MINUTE)
    await world.settle()
    assert.equal(world.listed().length, 8, 'and its window ends')
  })

  test('also when it is set back again', async (t) => {
    const world = await usedUp(t)
    setForward(world)
    await world.reconcile()
    setForward(world, -MONTH)
    await unmapTwoMore(world)
    assert.equal((await world.settle()).result, 'Refused')
    world.clock.advance(DAY)
    await world.settle()
    assert.equal(world.listed().length, 8)
  })

  test('a daemon that saw it and looked at the app hands the budget on to the next one', async (t) => {
    const world = await usedUp(t)
    setForward(world)
    await world.reconcile()
    await world.restart()
    await unmapTwoMore(world)
    assert.equal((await world.settle()).result, 'Refused')
  })

  test('also between what a pass reads and what it saves', async (t) => {
    const world = await createWorld(t, { spec: { safety: { settle: '0s', settleInferred: '0s' } } })
    for (const name of names(20)) await world.map(name)
    await world.settle()
    const { records } = world.context.ports
    const { save } = records
    // The removals of this pass are noted by the clock as it was before.
    records.save = async (...given) => {
      setForward(world)
      records.save = save
      return await save(...given)
    }
    for (const name of names(4)) await world.unmap(name)
    await world.settle()
    assert.equal(world.listed().length, 17)
    for (const name of names(7).slice(4)) await world.unmap(name)
    assert.equal((await world.settle()).result, 'Refused', 'seven of twenty')
  })

  test('a clock that is set while no process runs is not noticed', async (t) => {
    const world = await usedUp(t)
    setForward(world)
    await world.restart()
    await unmapTwoMore(world)
    await world.settle()
    assert.equal(world.listed().length, 8)
  })

  test('a name that was refused waits as long as before', async (t) => {
    const world = await createWorld(t)
    await world.map('shop')
    world.simulator.state.setBehaviours({ rejectedNames: [SHOP], quotedNames: 'none' })
    await world.reconcile()
    const posts = world.posts()
    setForward(world)
    await world.reconcile()
    assert.equal(world.posts(), posts)
    world.clock.advance(15 * MINUTE)
    await world.reconcile()
    assert.ok(world.posts() > posts)
  })

  test('attempts at AutoSSL are as far apart as before', async (t) => {
    const spec = { ssl: { auto: true, retryInterval: '5m' } }
    const world = await createWorld(t, { spec, simulator: { issuance: { delay: 0 } } })
    world.simulator.faults.add({ kind: 'status', status: 500, path: 'postSsl' })
    await world.reconcile()
    assert.equal(world.sslPosts(), 1)
    setForward(world)
    await world.reconcile()
    assert.equal(world.sslPosts(), 1)
    world.clock.advance(5 * MINUTE)
    assert.deepEqual((await world.reconcile()).ssl?.switched, { auto: true })
  })
})
