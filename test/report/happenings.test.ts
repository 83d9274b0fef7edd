import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { appStatus } from '../../src/report/app-status.ts'
import { happenings } from '../../src/report/happenings.ts'
import type { Outcome } from '../../src/report/outcome.ts'
import type { AppStatus } from '../../src/report/status.ts'
import { createWorld, names } from '../controller/world.ts'

/** Follows an app from outcome to outcome, as the board does. */
function follow() {
  let before: AppStatus | undefined
  return (outcome: Outcome): string[] => {
    assert.ok(outcome.app)
    const after = appStatus(outcome.app, outcome, before)
    const told = happenings(outcome, before, after)
    before = after
    return told.map((each) => each.reason)
  }
}

describe('what is worth an Event', () => {
  test('additions and removals, each once', async (t) => {
    const world = await createWorld(t)
    const told = follow()
    await world.map('one')
    await world.map('two')
    assert.deepEqual(told(await world.reconcile()), ['DomainsAdded'])
    assert.deepEqual(told(await world.reconcile()), [])
    await world.unmap('two')
    assert.deepEqual(told(await world.reconcile()), [])
    world.clock.advance(31_000)
    assert.deepEqual(told(await world.reconcile()), ['DomainsRemoved'])
  })

  test('a refusal once per plan', async (t) => {
    const world = await createWorld(t)
    const told = follow()
    for (const name of names(12)) await world.map(name)
    told(await world.reconcile())
    for (const name of names(6)) await world.unmap(name)
    told(await world.reconcile())
    world.clock.advance(31_000)
    assert.deepEqual(told(await world.reconcile()), ['RemovalRefused'])
    world.clock.advance(1_000)
    assert.deepEqual(told(await world.reconcile()), [])
  })

  test('a failure when it begins and when it ends', async (t) => {
    const world = await createWorld(t)
    const told = follow()
    await world.map('one')
    told(await world.reconcile())
    world.simulator.faults.add({ kind: 'html502', times: 'always' })
    world.clock.advance(1_000)
    assert.deepEqual(told(await world.reconcile()), ['SyncFailed'])
    world.clock.advance(1_000)
    assert.deepEqual(told(await world.reconcile()), [])
    world.simulator.faults.clear()
    world.clock.advance(1_000)
    assert.deepEqual(told(await world.reconcile()), ['SyncRecovered'])
  })

  test('a rejected name and AutoSSL', async (t) => {
    const spec = { ssl: { auto: true } }
    const world = await createWorld(t, {
      spec,
      simulator: { issuance: { delay: 0 }, behaviours: { rejectedNames: ['bad.example.com'] } },
    })
    const told = follow()
    await world.map('good')
    await world.map('bad')
    assert.deepEqual(told(await world.reconcile()).sort(), ['AutoSSLEnabled', 'DomainRejected', 'DomainsAdded'])
  })
})
