import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { recordFile } from '../../../src/ownership/file-store.ts'
import { createWorld, type World } from '../world.ts'

const C = 'c.example.com'

const fileOf = (world: World): string =>
  join(dirname(world.folder), 'state', recordFile(world.simulator.clientId, world.appId))

/** `c` was ours, left, and was added by hand; the record from before is kept. */
async function cByHand(t: TestContext, oneShot: boolean): Promise<{ world: World; backup: Buffer }> {
  const world = await createWorld(t, { mode: { oneShot } })
  for (const name of ['a', 'c']) await world.map(name)
  await world.settle()
  const backup = await readFile(fileOf(world))
  await world.unmap('c')
  await world.settle()
  assert.ok(!world.listed().includes(C))
  world.simulator.state.setDomains(world.appId, [...world.listed(), C])
  return { world, backup }
}

describe('a-restored-record', () => {
  for (const oneShot of [true, false]) {
    test(`${oneShot ? 'apply' : 'the daemon'}: a record put back after it was damaged removes nothing without approval`, async (t) => {
      const { world, backup } = await cByHand(t, oneShot)
      await writeFile(fileOf(world), 'damaged')
      await world.restart()
      assert.equal((await world.reconcile()).failure?.reason, 'RecordCorrupt')
      await writeFile(fileOf(world), backup)
      await world.restart()
      for (let turn = 0; turn < 3; turn++) {
        const outcome = await world.settle()
        assert.equal(outcome.result, 'Refused')
        assert.match(outcome.plan?.held.get(C as never)?.message ?? '', /an older one that was put back/)
        world.clock.advance(3_600_000)
        await world.restart()
      }
      assert.ok(world.listed().includes(C))
      // Other work goes on, and does not make the record trusted.
      await world.map('d')
      assert.deepEqual((await world.settle()).plan?.waiting, [C])
      await world.restart()
      await world.settle()
      assert.ok(world.listed().includes(C))
      assert.ok(world.listed().includes('d.example.com'))
    })
  }

  test('one that is put back under a running daemon is noticed as well', async (t) => {
    const { world, backup } = await cByHand(t, false)
    await writeFile(fileOf(world), backup)
    await writeFile(`${fileOf(world)}.newest`, '0')
    await world.map('d')
    for (let turn = 0; turn < 4; turn++) {
      await world.settle()
      world.clock.advance(3_600_000)
    }
    assert.ok(world.listed().includes('d.example.com'))
    assert.ok(world.listed().includes(C))
  })

  test('the newest record is trusted after a restart, and so is one that has no mark yet', async (t) => {
    const world = await createWorld(t)
    for (const name of ['a', 'c']) await world.map(name)
    await world.settle()
    await writeFile(`${fileOf(world)}.newest`, '')
    await world.unmap('c')
    await world.restart()
    await world.settle()
    assert.ok(!world.listed().includes(C))
  })
})
