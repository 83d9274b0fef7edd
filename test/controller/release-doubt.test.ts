import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createWorld } from './world.ts'

const MINUTE = 60_000

describe('hosts that nobody wants and that a list lacks', () => {
  test('two wrong answers, minutes apart, let nothing go: what is there all the same stays ours', async (t) => {
    const world = await createWorld(t)
    await world.map('shop')
    await world.settle()
    await world.unmap('shop')
    for (let times = 0; times < 2; times++) {
      world.simulator.faults.add({ kind: 'empty', path: 'getApp', times: 1 })
      await world.pass()
      world.clock.advance(3 * MINUTE)
    }
    assert.deepEqual(Object.keys(world.record().hosts), ['shop.example.com'])
  })

  test('what is gone for certain is let go after some looks', async (t) => {
    const world = await createWorld(t)
    await world.map('shop')
    await world.settle()
    await world.unmap('shop')
    world.simulator.state.setDomains(world.appId, ['by-hand.example.org'])
    for (let looks = 0; looks < 6; looks++) {
      await world.pass()
      world.clock.advance(MINUTE)
    }
    assert.deepEqual(Object.keys(world.record().hosts), [])
  })
})
