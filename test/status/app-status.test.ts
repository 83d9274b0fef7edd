import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { appStatus } from '../../src/status/app-status.ts'
import { hostChecks } from '../../src/status/host-checks.ts'
import { mappingStatuses } from '../../src/status/mapping-status.ts'
import type { Outcome } from '../../src/status/outcome.ts'
import type { AppStatus, Condition, MappingStatus } from '../../src/status/status.ts'
import { orphanStatus } from '../../src/status/unserved.ts'
import { createWorld, names } from '../controller/world.ts'
import { mapping } from '../plan/fixture.ts'

const of = (status: { conditions: readonly Condition[] }, type: string): string => {
  const found = status.conditions.find((each) => each.type === type)
  return found === undefined ? 'none' : `${found.status} ${found.reason}`
}

function read(outcome: Outcome, before?: AppStatus): { app: AppStatus; mappings: Map<string, MappingStatus> } {
  assert.ok(outcome.app)
  const checks = hostChecks(outcome.app, outcome)
  const app = appStatus(outcome.app, outcome, checks, before)
  const list = mappingStatuses({ app: outcome.app, outcome, checks, status: app }, new Map())
  return { app, mappings: new Map(list.map((each) => [each.key.split('/')[1] as string, each])) }
}

describe('conditions of an app and its mappings', () => {
  test('in place: everything is True', async (t) => {
    const world = await createWorld(t)
    await world.map('h001')
    const { app, mappings } = read(await world.settle())
    assert.equal(of(app, 'Ready'), 'True Succeeded')
    assert.deepEqual(app.domains, { desired: 1, observed: 2, owned: 1, foreign: 1 })
    const shop = mappings.get('h001')
    assert.ok(shop)
    assert.equal(of(shop, 'Ready'), 'True Succeeded')
    assert.deepEqual(shop.hosts, [{ name: 'h001.example.com', state: 'present', mapping: 'wordpress/h001' }])
    assert.equal(shop.observedGeneration, 1)
  })

  test('a bad name and a conflict are told on their own mapping, with the place, and hide no other', async (t) => {
    const world = await createWorld(t)
    await world.map('good')
    await world.map('bad', 'smart_panel.example.com')
    await world.map('zz-again', 'good.example.com')
    const { app, mappings } = read(await world.settle())
    assert.equal(of(app, 'Ready'), 'True Succeeded')
    assert.equal(of(mappings.get('bad') as MappingStatus, 'Accepted'), 'False InvalidDomain')
    assert.equal(of(mappings.get('bad') as MappingStatus, 'Stalled'), 'True InvalidDomain')
    assert.equal(of(mappings.get('zz-again') as MappingStatus, 'Accepted'), 'False Conflict')
    assert.equal(of(mappings.get('good') as MappingStatus, 'Ready'), 'True Succeeded')
  })

  test('a rejected name shows the words of the API', async (t) => {
    const world = await createWorld(t)
    world.simulator.state.setBehaviours({ rejectedNames: ['h001.example.com'] })
    await world.map('h001')
    await world.map('h002')
    const { mappings } = read(await world.reconcile())
    const rejected = mappings.get('h001') as MappingStatus
    assert.equal(of(rejected, 'Synced'), 'False Rejected')
    assert.match(
      rejected.conditions.find((each) => each.type === 'Synced')?.message ?? '',
      /h001\.example\.com.*invalid/,
    )
    assert.equal(rejected.hosts[0]?.state, 'rejected')
    assert.equal(of(mappings.get('h002') as MappingStatus, 'Synced'), 'True Succeeded')
  })

  test('removals that wait show hash, reason and the hosts that leave', async (t) => {
    const world = await createWorld(t)
    for (const name of names(12)) await world.map(name)
    await world.reconcile()
    for (const name of names(6)) await world.unmap(name)
    const settling = read(await world.reconcile())
    assert.equal(of(settling.app, 'Synced'), 'False RemovalSettling')
    assert.equal(settling.app.plan?.removals.length, 6)
    assert.equal(settling.app.hosts.filter((host) => host.state === 'leaving').length, 6)
    world.clock.advance(31_000)
    const refused = read(await world.reconcile(), settling.app)
    assert.equal(of(refused.app, 'Synced'), 'False RemovalRefused')
    assert.equal(refused.app.plan?.reason, 'RemovalRefused')
    assert.match(refused.app.plan?.message ?? '', /50 %.*6 of 12/)
  })

  test('a failed source, an unreachable API, suspension and dry run each have their reason', async (t) => {
    const world = await createWorld(t)
    await world.map('h001')
    await world.reconcile()
    await world.write('broken.yaml', 'kind: [')
    const broken = read(await world.reconcile())
    assert.equal(of(broken.app, 'Synced'), 'False SourceUnavailable')
    assert.match(broken.app.conditions.find((each) => each.type === 'Synced')?.message ?? '', /broken\.yaml:1/)
    await world.unmap('broken')
    world.simulator.faults.add({ kind: 'html502', times: 'always' })
    const away = read(await world.reconcile(), broken.app)
    assert.equal(of(away.app, 'Ready'), 'False ApiUnreachable')
    assert.equal(away.app.hosts.length, 2, 'what was seen last stays to be seen')
    world.simulator.faults.clear()
    world.simulator.state.rotateKey('another')
    assert.equal(of(read(await world.reconcile()).app, 'Accepted'), 'False CredentialsInvalid')

    const dry = await createWorld(t, { spec: { policy: 'Observe' } })
    await dry.map('h001')
    assert.equal(of(read(await dry.reconcile()).app, 'Synced'), 'False DryRun')
    const suspended = await createWorld(t, { spec: { suspend: true } })
    assert.equal(of(read(await suspended.reconcile()).app, 'Ready'), 'Unknown Suspended')
  })

  test('lastTransitionTime moves only with the status', async (t) => {
    const world = await createWorld(t)
    await world.map('h001')
    const first = read(await world.reconcile()).app
    world.clock.advance(60_000)
    const second = read(await world.reconcile(), first).app
    const time = (status: AppStatus) => status.conditions.map((each) => each.lastTransitionTime)
    assert.deepEqual(time(second), time(first))
    assert.ok((second.lastAttempt ?? 0) > (first.lastAttempt ?? 0))
  })

  test('a mapping without an app says what to do', () => {
    const status = orphanStatus(mapping('lost', 'a.example.com', { app: 'wordpress/none' }), undefined, undefined, 1)
    assert.equal(of(status, 'Accepted'), 'False AppNotFound')
    assert.match(status.conditions.find((each) => each.type === 'Accepted')?.message ?? '', /wordpress\/none/)
  })
})
