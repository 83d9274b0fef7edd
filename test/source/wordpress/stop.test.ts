import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { createWordpressSource } from '../../../src/source/wordpress/wordpress.ts'
import { type MakePart, stopAnywhere } from '../../stop-anywhere.ts'
import { fakeClock } from '../../time/fake-clock.ts'
import { app } from './world.ts'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** A source of one app on a clock of its own; its start lets `passes` times a minute pass after the first look. */
const source =
  (url: () => Promise<string>, passes = 0): MakePart =>
  (act) => {
    const clock = fakeClock()
    const databases = createWordpressSource({
      connectionUrl: async () => ({ url: await url(), origin: 'test' }),
      log: (_, message) => act(message),
      clock,
      random: () => 0,
    })
    databases.follow([app()])
    return {
      clock,
      async start() {
        await databases.start(() => act('changed'))
        for (let pass = 0; pass < passes; pass++) {
          clock.advance(60_000)
          for (let n = 0; n < 10; n++) await turn()
        }
      },
      stop: databases.stop,
    }
  }

describe('a source of databases that is stopped at any point', { timeout: 120_000 }, () => {
  test('while its URL cannot be had', async () => {
    const points = await stopAnywhere(
      source(async () => {
        await turn()
        throw new Error('no such Secret')
      }, 3),
    )
    assert.ok(points > 10, String(points))
  })

  test('while the Secret does not answer', async () => {
    await stopAnywhere(
      source(() => new Promise(() => undefined)),
      { points: 20 },
    )
  })

  test('while the server is silent, and while it refuses', async (t) => {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => sockets.delete(socket))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const { port } = server.address() as { port: number }
    const url = async () => `mysql://reader:secret@127.0.0.1:${port}/wordpress`

    await stopAnywhere(source(url), { points: 60 })
    for (const socket of sockets) socket.destroy()
    const refused = async () => 'mysql://reader:secret@127.0.0.1:9/wordpress'
    const points = await stopAnywhere(source(refused, 2))
    assert.ok(points > 10, String(points))
  })

  test('what was stopped looks again once it is started again', async () => {
    const clock = fakeClock()
    let looks = 0
    const connectionUrl = async () => {
      looks++
      throw new Error('no such Secret')
    }
    const databases = createWordpressSource({ connectionUrl, clock })
    databases.follow([app()])
    for (const run of [1, 2]) {
      await databases.start(() => assert.fail())
      assert.equal(looks, run)
      assert.equal(clock.pending(), 1)
      await databases.stop()
      assert.equal(clock.pending(), 0)
    }
  })
})
