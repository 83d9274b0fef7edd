import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemFiles } from '../../src/files/file-system.ts'
import { handedApprovals, handOver, watchApprovals } from '../../src/setup/state-folder.ts'
import { temporaryFolder } from '../e2e/process.ts'
import { fakeClock } from '../time/fake-clock.ts'

const HASHES = ['0123456789abcdef', 'fedcba9876543210']

test('an approval that is handed over is noticed within a second, and stays to be read', async (t) => {
  const folder = await temporaryFolder(t)
  const clock = fakeClock()
  let changes = 0
  const end = watchApprovals({ dir: folder, files: systemFiles, clock }, () => changes++)
  clock.advance(5_000)
  assert.deepEqual([changes, handedApprovals(folder)], [0, []])
  for (const hash of [...HASHES, HASHES[0] as string]) handOver(folder, hash)
  clock.advance(1_000)
  assert.equal(changes, 1)
  assert.deepEqual(handedApprovals(folder), HASHES.toReversed())
  end()
  assert.equal(clock.pending(), 0)
})
