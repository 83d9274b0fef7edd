import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { createManifestSource } from '../../../src/source/manifests/manifests.ts'
import { stopAnywhere } from '../../stop-anywhere.ts'
import { fakeClock } from '../../time/fake-clock.ts'
import { folder, mapping, until, write } from './folder.ts'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('a source of manifests that is stopped', { timeout: 120_000 }, () => {
  test('stop-during-the-first-read: at any point, nothing stays and nothing goes on', async (t) => {
    const path = await folder(t)
    for (const n of [1, 2, 3]) await write(path, { [`${n}.yaml`]: mapping(`h${n}`) })
    const points = await stopAnywhere((act) => {
      const clock = fakeClock()
      const source = createManifestSource({ paths: [path], clock, log: (_, message) => act(message) })
      return { clock, start: () => source.start(() => act('changed')), stop: source.stop }
    })
    assert.ok(points > 20, String(points))
  })

  test('during the second look, which puts up the watches, too', async (t) => {
    const path = await folder(t)
    await mkdir(join(path, 'team'))
    await write(path, { 'a.yaml': mapping('a') })
    await stopAnywhere(
      (act) => {
        const clock = fakeClock()
        const source = createManifestSource({ paths: [path], clock })
        return {
          clock,
          async start() {
            await source.start(() => act('changed'))
            await write(path, { 'team/b.yaml': mapping(`b${Math.random()}`) })
            clock.advance(100)
            for (let n = 0; n < 60; n++) await turn()
          },
          stop: source.stop,
        }
      },
      { stride: 3 },
    )
  })

  test('a stop of 3,000 files is prompt, and they are not read to the end', async (t) => {
    const path = await folder(t)
    for (let n = 0; n < 3_000; n++) await write(path, { [`${n}.yaml`]: mapping(`h${n}`) })
    const source = createManifestSource({ paths: [path] })
    const starting = source.start(() => assert.fail('nothing is notified'))
    for (let n = 0; n < 20; n++) await turn()
    const from = performance.now()
    await source.stop()
    await starting
    assert.ok(performance.now() - from < 200, `${performance.now() - from} ms`)
    assert.deepEqual(source.apps(), [])
    assert.equal(source.synced(), false)
  })

  test('what was stopped reads and follows again once it is started again', async (t) => {
    const path = await folder(t)
    const clock = fakeClock()
    const source = createManifestSource({ paths: [path], clock })
    await source.start(() => undefined)
    await source.stop()
    assert.equal(clock.pending(), 0)
    await write(path, { 'a.yaml': mapping('a') })
    const changes: string[] = []
    await source.start((apps) => changes.push(...apps))
    assert.equal(source.mappings().length, 1)
    await write(path, { 'b.yaml': mapping('b') })
    clock.advance(100)
    await until(() => assert.deepEqual(changes, ['default/network']))
    await source.stop()
    assert.equal(clock.pending(), 0)
  })
})
