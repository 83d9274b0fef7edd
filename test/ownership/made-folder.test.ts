import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeFolder } from '../../src/ownership/durable-file.ts'
import { createDisk } from '../simulation/disk.ts'
import { createFiles, noDiskTrouble } from '../simulation/files.ts'
import { createLife } from '../simulation/life.ts'
import { createRandom } from '../simulation/random.ts'
import { createVirtualTime } from '../simulation/world-time.ts'

test('a folder that a process made before it ended outlasts a power cut once another has opened it', async () => {
  const random = createRandom('folder')
  const time = createVirtualTime(random)
  const disk = createDisk(() => 0)
  disk.makeFolder('/var')
  disk.sync('/')
  // It ended between making the folder and the sync of the one above.
  disk.makeFolder('/var/state')
  const life = createLife('next', { time, epoch: 0, offset: 0 }, random)
  const made = makeFolder('/var/state', createFiles(disk, noDiskTrouble(), life, time))
  await time.runUntil(1000)
  await made
  disk.cutPower()
  assert.ok(disk.find('/var/state') !== undefined)
})
