import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inParallel } from '../../src/time/pool.ts'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

test('each item once, in order, with so many at a time', async () => {
  const begun: number[] = []
  let running = 0
  let most = 0
  await inParallel([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
    begun.push(item)
    most = Math.max(most, ++running)
    await turn()
    running--
  })
  assert.deepEqual(begun, [1, 2, 3, 4, 5, 6, 7])
  assert.equal(most, 3)
  await inParallel([], 3, async () => assert.fail())
})

test('the first error ends it: what is under way goes on, nothing more begins', async () => {
  const begun: number[] = []
  const work = async (item: number) => {
    begun.push(item)
    await turn()
    if (item === 1) throw new Error('one')
    await turn()
  }
  await assert.rejects(inParallel([1, 2, 3, 4, 5], 2, work), /one/)
  await turn()
  await turn()
  assert.deepEqual(begun, [1, 2])
})

test('an iterable that ends early ends it early', async () => {
  let enough = false
  function* items() {
    for (let item = 0; item < 100 && !enough; item++) yield item
  }
  const begun: number[] = []
  await inParallel(items(), 2, async (item) => {
    begun.push(item)
    await turn()
    enough = item >= 3
  })
  assert.ok(begun.length <= 6, String(begun))
})
