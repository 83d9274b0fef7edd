import assert from 'node:assert/strict'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { createWorld } from '../world.ts'

test('a-state-folder-that-was-lost: nothing is written any more, and the message says what to do', async (t) => {
  const world = await createWorld(t)
  await world.map('h001')
  await world.settle()
  const state = join(world.folder, '..', 'state')
  for (const name of await readdir(state)) if (name.startsWith('lock.')) await rm(join(state, name))
  await world.map('h002')
  const posts = world.posts()
  const { failure } = await world.reconcile()
  assert.equal(failure?.reason, 'StateFolderLost')
  assert.equal(failure?.retryable, false)
  assert.match(failure?.message ?? '', /^The lock .*\/state\/lock\.1 is no longer ours: .*start this one again\.$/)
  assert.equal(world.posts(), posts)
  await world.restart()
  assert.equal((await world.settle()).failure, undefined)
  assert.ok(world.listed().includes('h002.example.com'))
})
