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

  for (const quotedNames of ['first', 'none'] as const) {
    test(`write-not-taken-is-not-said-of-refused-names: 40 of 60, ${quotedNames} quoted`, async (t) => {
      const world = await createWorld(t, { simulator: { behaviours: { quotedNames } } })
      for (const name of names(40, 'bad')) await world.map(name)
      for (const name of names(20, 'good')) await world.map(name)
      world.simulator.state.setBehaviours({ rejectedNames: ['/^bad/'], quotedNames })
      let passes = 0
      for (let failing = true; failing; passes++) {
        assert.ok(passes < 60, 'it comes to an end')
        const before = world.posts()
        const { failure } = await world.reconcile()
        failing = failure !== undefined
        if (failing) assert.deepEqual([failure?.reason, failure?.retryable], ['Progressing', true], failure?.message)
        if (failing) assert.match(failure?.message ?? '', /^ServerPilot refuses names among .* \d+ host\(s\) wait/)
        assert.ok(world.posts() - before <= 16, `${world.posts() - before} writes in one go`)
        world.clock.advance(1_000)
      }
      t.diagnostic(`${passes} passes, ${world.posts()} writes`)
      assert.equal(world.listed().length, 21)
      assert.equal(Object.keys(world.record().rejected).length, 40)
    })
  }

  test('a write that is lost while names are refused is still said to be', async (t) => {
    const world = await createWorld(t)
    for (const name of names(20)) await world.map(name)
    world.simulator.state.setBehaviours({ rejectedNames: ['h001.example.com'], quotedNames: 'first' })
    world.simulator.faults.add({ kind: 'droppedWrite', path: 'postDomains', times: 100 })
    assert.equal((await world.reconcile()).failure?.reason, 'WriteNotTaken')
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
