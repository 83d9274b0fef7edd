import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from './api-server.ts'
import { createWorld } from './world.ts'

for (const elect of ['true', 'false']) {
  test(`SIGTERM while the API server is away and statuses wait: it ends all the same (--leader-elect ${elect})`, async (t) => {
    const world = await createWorld(t)
    if (world === undefined) return
    const { own } = world.server
    if (own === undefined) return t.skip('needs an API server of its own: set KUBEBUILDER_ASSETS')
    await world.map('shop')
    const daemon = world.daemon({ flags: ['--leader-elect', elect] })
    await until('the mapping is served', () => world.listed().length === 2)
    await own.kill()
    // Something to report, which cannot be written.
    world.simulator.state.rotateKey('another-key')
    await until('a status waits', () => daemon.log().includes('Statuses cannot be written'))
    daemon.child.kill('SIGTERM')
    let status: number | null | undefined
    void daemon.ended.then((ended) => {
      status = ended
    })
    await until('it has ended', () => status !== undefined, 20_000)
    assert.equal(status, 0, daemon.log())
  })
}
