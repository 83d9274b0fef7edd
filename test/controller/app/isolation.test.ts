import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createWorld, names } from '../world.ts'

describe('a rejected name', () => {
  test('one among 41: the other 40 get in within 16 writes, and none of them again', async (t) => {
    const world = await createWorld(t)
    for (const name of names(41)) await world.map(name)
    world.simulator.state.setBehaviours({ rejectedNames: ['h017.example.com'], quotedNames: 'none' })
    const outcome = await world.reconcile()
    assert.equal(world.listed().length, 41, outcome.failure?.message)
    assert.ok(world.posts() <= 16, `${world.posts()} writes`)
    const before = world.posts()
    for (let turn = 0; turn < 3; turn++) await world.reconcile()
    assert.equal(world.posts(), before)
    assert.deepEqual(Object.keys(world.record().rejected), ['h017.example.com'])
  })

  test('is tried again when its mapping changes, and after a long back-off', async (t) => {
    const world = await createWorld(t)
    await world.map('h001')
    world.simulator.state.setBehaviours({ rejectedNames: ['h001.example.com'], quotedNames: 'none' })
    await world.reconcile()
    const before = world.posts()
    world.clock.advance(14 * 60_000)
    await world.reconcile()
    assert.equal(world.posts(), before)
    world.simulator.state.setBehaviours({ rejectedNames: [], quotedNames: 'none' })
    world.clock.advance(60_000)
    await world.reconcile()
    assert.ok(world.listed().includes('h001.example.com'))
  })
})
