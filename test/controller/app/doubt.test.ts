import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createWorld, names, type World } from '../world.ts'

const FOREIGN = names(10, 'foreign').map((name) => `${name}.example.org`)
const HOUR = 3_600_000

/** An app of ten foreign hosts and one of ours, seen and written before. */
async function seen(t: Parameters<typeof createWorld>[0]): Promise<World> {
  const world = await createWorld(t, { domains: FOREIGN })
  await world.map('ours')
  await world.settle()
  assert.equal(world.listed().length, 11)
  return world
}

/** Every answer that the app gives is this list, for a while; in truth it stays as it is. */
async function lying(world: World, list: readonly string[], during: () => Promise<unknown>): Promise<void> {
  const truth = world.listed()
  world.simulator.state.setDomains(world.appId, [...list])
  await during()
  world.simulator.state.setDomains(world.appId, truth)
}

describe('a-list-that-is-short-by-one', () => {
  for (const lacking of [1, 5]) {
    test(`${lacking} foreign host(s) missing, three times over: nothing is written, and nothing is lost`, async (t) => {
      const world = await seen(t)
      const posts = world.posts()
      await world.map('new')
      const short = world.listed().filter((name) => !FOREIGN.slice(0, lacking).includes(name))
      await lying(world, short, async () => {
        for (let answer = 0; answer < 3; answer++) {
          const { failure } = await world.pass()
          assert.equal(failure?.reason, 'Progressing')
          assert.match(failure.message, new RegExp(`lacks ${lacking} of the 11 name\\(s\\) that were there before`))
          world.clock.advance(failure.retryAfter ?? 0)
        }
      })
      assert.equal(world.posts(), posts)
      const outcome = await world.pass()
      assert.equal(outcome.failure, undefined)
      assert.deepEqual(world.listed(), [...FOREIGN, 'new.example.com', 'ours.example.com'].sort())
    })
  }

  test('four times over ten seconds, it is believed', async (t) => {
    const world = await seen(t)
    await world.map('new')
    world.simulator.state.setDomains(world.appId, world.listed().slice(1))
    const before = world.clock.steady()
    await world.settle()
    assert.ok(world.clock.steady() - before >= 10_000)
    assert.deepEqual(world.listed(), [...FOREIGN.slice(1), 'new.example.com', 'ours.example.com'].sort())
  })

  test('looks that follow one another at once count as one', async (t) => {
    const world = await seen(t)
    await world.map('new')
    world.simulator.state.setDomains(world.appId, world.listed().slice(1))
    for (let look = 0; look < 8; look++) assert.equal((await world.pass()).failure?.reason, 'Progressing')
  })

  test('two short lists that differ contradict each other, and the count starts over', async (t) => {
    const world = await seen(t)
    await world.map('new')
    const truth = world.listed()
    for (let look = 0; look < 6; look++) {
      world.simulator.state.setDomains(
        world.appId,
        truth.filter((_, index) => index !== look % 2),
      )
      const { failure } = await world.pass()
      assert.equal(failure?.reason, look === 0 ? 'Progressing' : 'ApiUnreachable')
      world.clock.advance(10_000)
    }
  })

  test('what was looked at for long while there was nothing to write needs no more looks', async (t) => {
    const world = await seen(t)
    world.simulator.state.setDomains(world.appId, world.listed().slice(1))
    for (let sweep = 0; sweep < 4; sweep++) {
      assert.equal((await world.pass()).result, 'Unchanged')
      world.clock.advance(60_000)
    }
    await world.map('new')
    assert.deepEqual((await world.pass()).added, ['new.example.com'])
  })
})

describe('a list that has again what was taken off', () => {
  /** `gone` was ours and was taken off hours ago. */
  async function hoursAfterARemoval(t: Parameters<typeof createWorld>[0]): Promise<World> {
    const world = await seen(t)
    await world.map('gone')
    await world.settle()
    await world.unmap('gone')
    await world.settle()
    world.clock.advance(5 * HOUR)
    await world.settle()
    assert.ok(!world.listed().includes('gone.example.com'))
    assert.equal(world.record().hosts['gone.example.com' as never], undefined)
    return world
  }

  for (const [after, times] of [
    [1, 1],
    [0, 1],
    [0, 2],
    [0, 3],
  ] as const) {
    test(`${times} stale answer(s) before a write, after ${after} right one(s), bring nothing back`, async (t) => {
      const world = await hoursAfterARemoval(t)
      await world.map('new')
      world.simulator.faults.add({ kind: 'stale', path: 'getApp', after, times })
      await world.settle()
      assert.deepEqual(world.listed(), [...FOREIGN, 'new.example.com', 'ours.example.com'].sort())
    })
  }

  test('stale answers while nothing is to be written are not remembered as the truth', async (t) => {
    const world = await hoursAfterARemoval(t)
    world.simulator.faults.add({ kind: 'stale', path: 'getApp', times: 3 })
    await world.pass()
    await world.map('new')
    await world.settle()
    assert.deepEqual(world.listed(), [...FOREIGN, 'new.example.com', 'ours.example.com'].sort())
  })

  test('what somebody else put back is believed in the end, and stays', async (t) => {
    const world = await hoursAfterARemoval(t)
    world.simulator.state.setDomains(world.appId, [...world.listed(), 'gone.example.com'])
    await world.map('new')
    const { failure } = await world.pass()
    assert.match(failure?.message ?? '', /has 1 name\(s\) again that were removed/)
    await world.settle()
    assert.deepEqual(world.listed(), [...FOREIGN, 'gone.example.com', 'new.example.com', 'ours.example.com'].sort())
  })

  test('a removal that never reached ServerPilot is made without a wait', async (t) => {
    const world = await seen(t)
    await world.map('gone')
    await world.settle()
    await world.unmap('gone')
    // Claimed, and killed before the write.
    await world.rewrite((record) => ({
      ...record,
      removals: [{ host: 'gone.example.com' as never, at: world.clock.now() }],
      lastSeen: (record.lastSeen ?? []).filter((name) => name !== 'gone.example.com'),
      unsureSince: world.clock.now(),
    }))
    await world.restart()
    await world.map('new')
    assert.deepEqual((await world.pass()).added, ['new.example.com'])
  })
})
