import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Host } from '../../../src/domain/host.ts'
import { createWorld, names, type World } from '../world.ts'

/** Milliseconds between the reading that each write stands on and the write, at ServerPilot. */
function gaps({ simulator }: World): number[] {
  return simulator.calls.flatMap((call, index, calls) => {
    if (call.endpoint !== 'postDomains') return []
    const read = calls.slice(0, index).findLast(({ endpoint }) => endpoint === 'getApp')
    return [call.time - (read?.time ?? Number.NEGATIVE_INFINITY)]
  })
}

/** From here on each request has to wait for its turn. */
async function useUpBurst({ context, appId }: World, requests: number): Promise<void> {
  const { objects, accountOf } = context.ports
  await objects.start(() => undefined)
  await objects.stop()
  const [app] = objects.apps()
  assert.ok(app)
  const account = await accountOf(app)
  for (let request = 0; request < requests; request++) await account.getApp(appId)
}

const BY_HAND = 'by-hand-meanwhile.example.org'

describe('read-and-post-back-to-back', () => {
  for (const count of [1, 295]) {
    test(`nothing but the claim stands between the read and the POST: ${count} host(s), dns.policy Require`, async (t) => {
      const world: World = await createWorld(t, {
        // A token comes once a second: whoever waits for one in between shows it.
        qps: 1,
        timeoutMs: 10_000,
        spec: { dns: { policy: 'Require' } },
        mode: { oneShot: true },
        ports: {
          // Looking hosts up takes its time: somebody else adds a host meanwhile.
          async lookUpNow(_, hosts: readonly Host[]) {
            world.simulator.state.setDomains(world.appId, [...world.listed(), BY_HAND])
            return new Map(
              hosts.map((host) => [host, { state: 'Ready', addresses: ['127.0.0.1'], message: '' } as const]),
            )
          },
        },
      })
      for (const name of names(count)) await world.map(name)
      await useUpBurst(world, 2)
      const outcome = await world.reconcile()
      assert.equal(outcome.failure, undefined)
      assert.equal(outcome.added.length, count)
      assert.ok(world.listed().includes(BY_HAND), 'the host that was added meanwhile is gone')
      const [gap] = gaps(world)
      assert.ok(gap !== undefined && gap < 500, `${gap} ms`)
    })
  }

  test('so it is for each probe while a rejected name is looked for', async (t) => {
    const world = await createWorld(t, {
      qps: 2,
      timeoutMs: 10_000,
      simulator: { behaviours: { rejectedNames: ['h003.example.com'], quotedNames: 'none' } },
    })
    for (const name of names(4)) await world.map(name)
    await useUpBurst(world, 4)
    const outcome = await world.reconcile()
    assert.equal(outcome.added.length, 3)
    const measured = gaps(world)
    assert.ok(measured.length > 2 && measured.every((gap) => gap < 250), measured.join())
  })
})
