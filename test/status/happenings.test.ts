import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { appStatus } from '../../src/status/app-status.ts'
import { happenings, mappingHappenings } from '../../src/status/happenings.ts'
import { hostChecks } from '../../src/status/host-checks.ts'
import { mappingStatuses } from '../../src/status/mapping-status.ts'
import type { Outcome } from '../../src/status/outcome.ts'
import type { AppStatus, MappingStatus } from '../../src/status/status.ts'
import { createWorld, names } from '../controller/world.ts'

/** Follows an app from outcome to outcome, as the status store does. */
function follow() {
  let before: AppStatus | undefined
  return (outcome: Outcome): string[] => {
    assert.ok(outcome.app)
    const after = appStatus(outcome.app, outcome, hostChecks(outcome.app, outcome), before)
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

  test('a certificate of 90 days that nears its end: at 21, 14, 7, 3 and 1 days, once each', async (t) => {
    const start = Date.UTC(2026, 0, 15, 12)
    const day = 86_400_000
    const ssl = { names: ['by-hand.example.org'], notAfter: start + 30 * day }
    const apps = [{ name: 'network', domains: ['by-hand.example.org'], ssl }]
    const world = await createWorld(t, {
      spec: { ssl: { auto: true } },
      simulator: { apps, behaviours: { renewal: false } },
    })
    const told = follow()
    const days: number[] = []
    for (let at = 0; at <= 32; at += 0.5) {
      for (const reason of told(await world.reconcile())) {
        assert.equal(reason, 'CertificateExpiring')
        days.push(at)
      }
      world.clock.advance(day / 2)
    }
    assert.deepEqual(
      days,
      [21, 14, 7, 3, 1].map((left) => 30 - left),
    )
  })

  test('a certificate that was issued', async (t) => {
    const world = await createWorld(t, { spec: { ssl: { auto: true } }, simulator: { issuance: { delay: 60_000 } } })
    const told = follow()
    await world.map('one')
    assert.deepEqual(told(await world.reconcile()), ['DomainsAdded'])
    world.simulator.state.advance(60_001)
    world.clock.advance(300_000)
    assert.deepEqual(told(await world.reconcile()).sort(), ['AutoSSLEnabled', 'CertificateIssued'])
    assert.deepEqual(told(await world.reconcile()), [])
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

/** Follows the mappings of an app from outcome to outcome, as the status store does. */
function followMappings() {
  let before: ReadonlyMap<string, MappingStatus> = new Map()
  let app: AppStatus | undefined
  return (outcome: Outcome): string[] => {
    assert.ok(outcome.app)
    const checks = hostChecks(outcome.app, outcome)
    app = appStatus(outcome.app, outcome, checks, app)
    const after = mappingStatuses({ app: outcome.app, outcome, checks, status: app }, before)
    const told = mappingHappenings(outcome, before, after)
    before = new Map(after.map((each) => [each.key, each]))
    return told.map(({ mapping, reason, note }) => `${mapping.name} ${reason} ${note}`)
  }
}

describe('what is worth an Event on a mapping', () => {
  test('added, refused by us, rejected by the API: each once', async (t) => {
    const world = await createWorld(t, { simulator: { behaviours: { rejectedNames: ['bad.example.com'] } } })
    const told = followMappings()
    await world.map('good')
    await world.map('bad')
    await world.map('wrong', '-.example.com')
    const [bad, good, wrong, ...more] = told(await world.reconcile()).sort()
    assert.match(bad ?? '', /^bad DomainRejected Rejected: bad\.example\.com: /)
    assert.equal(good, 'good DomainsAdded On the app: good.example.com')
    assert.match(wrong ?? '', /^wrong DomainRejected InvalidDomain: /)
    assert.deepEqual(more, [])
    assert.deepEqual(told(await world.reconcile()), [])
  })

  test('a crowd is told on the app alone', async (t) => {
    const world = await createWorld(t)
    const told = followMappings()
    for (const name of names(21)) await world.map(name)
    assert.deepEqual(told(await world.reconcile()), [])
  })
})
