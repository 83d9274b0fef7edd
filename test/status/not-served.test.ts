import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { App, Mapping } from '../../src/api/objects.ts'
import type { InvalidObject } from '../../src/source/source.ts'
import { appStatus } from '../../src/status/app-status.ts'
import { happenings, mappingHappenings } from '../../src/status/happenings.ts'
import { hostChecks } from '../../src/status/host-checks.ts'
import { mappingStatuses } from '../../src/status/mapping-status.ts'
import { type Failure, type Outcome, outcomeOf } from '../../src/status/outcome.ts'
import type { Reason } from '../../src/status/reasons.ts'
import type { AppStatus, Condition, MappingStatus } from '../../src/status/status.ts'
import { atNewest, invalidAppStatus, invalidMappingStatus, orphanStatus } from '../../src/status/unserved.ts'
import { createWorld } from '../controller/world.ts'
import { app, mapping } from '../plan/fixture.ts'

const NOW = 1_000_000
const FAULT = 'spec.policy must be one of Sync, UpsertOnly, Exclusive, Observe, not the text "Snyc"; did you mean Sync?'

const of = (status: { conditions: readonly Condition[] } | undefined, type: string): string => {
  const found = status?.conditions.find((each) => each.type === type)
  return found === undefined ? 'none' : `${found.status} ${found.reason}`
}
const messageOf = (status: { conditions: readonly Condition[] } | undefined, type: string): string =>
  status?.conditions.find((each) => each.type === type)?.message ?? ''

const invalid = (kind: InvalidObject['kind'], name: string, more: Partial<InvalidObject> = {}): InvalidObject => ({
  kind,
  key: `wordpress/${name}`,
  namespace: 'wordpress',
  name,
  generation: 7,
  place: `${kind} wordpress/${name}`,
  message: FAULT,
  labels: {},
  ...more,
})

const failure = (reason: Reason, message = `why: ${reason}`): Failure => ({ reason, message, retryable: false })

/** Statuses after an outcome, given those before. */
function read(
  outcome: Outcome,
  before: { app?: AppStatus; mappings?: ReadonlyMap<string, MappingStatus> } = {},
): { app: AppStatus; mappings: ReadonlyMap<string, MappingStatus> } {
  assert.ok(outcome.app)
  const checks = hostChecks(outcome.app, outcome)
  const status = appStatus(outcome.app, outcome, checks, before.app)
  const list = mappingStatuses({ app: outcome.app, outcome, checks, status }, before.mappings ?? new Map())
  return { app: status, mappings: new Map(list.map((each) => [each.key, each])) }
}

/** What a reconcile comes to that fails before it gets to the mappings. */
const failed = (of: App, mappings: readonly Mapping[], why: Failure | undefined): Outcome => ({
  ...outcomeOf({ key: of.key, app: of, startedAt: NOW }),
  result: 'Failed',
  mappings,
  ...(why === undefined ? {} : { failure: why }),
})

const stalled = (status: { conditions: readonly Condition[] } | undefined): string[] =>
  ['Ready', 'Reconciling', 'Stalled'].map((type) => of(status, type))
const STALLED_INVALID = ['False InvalidSpec', 'False InvalidSpec', 'True InvalidSpec']

describe('an app whose newest version has a fault', () => {
  test('that never was valid: the fault, of that generation, and Stalled', () => {
    const status = invalidAppStatus(invalid('ServerPilotApp', 'network'), undefined, NOW)
    assert.deepEqual(stalled(status), STALLED_INVALID)
    assert.equal(of(status, 'Accepted'), 'False InvalidSpec')
    assert.equal(messageOf(status, 'Ready'), FAULT)
    assert.equal(status.observedGeneration, 7)
    assert.ok(status.conditions.every((each) => each.observedGeneration === 7))
    const later = invalidAppStatus(invalid('ServerPilotApp', 'network', { generation: 8 }), status, NOW + 5)
    assert.ok(later.conditions.every((each) => each.observedGeneration === 8 && each.lastTransitionTime === NOW))
  })

  test('whose last good version is known: what was seen stays, the fault is said of the newest generation', async (t) => {
    const world = await createWorld(t)
    await world.map('h001')
    const outcome = await world.settle()
    const good = read(outcome)
    assert.equal(of(good.app, 'Ready'), 'True Succeeded')

    const faulty: Outcome = { ...outcome, added: [], app: { ...(outcome.app as App), fault: FAULT } }
    const bad = read(
      atNewest(faulty, () => [invalid('ServerPilotApp', 'network')]),
      good,
    )
    assert.deepEqual(stalled(bad.app), STALLED_INVALID)
    assert.equal(of(bad.app, 'Accepted'), 'False InvalidSpec')
    assert.equal(of(bad.app, 'Synced'), 'False InvalidSpec')
    assert.equal(messageOf(bad.app, 'Accepted'), FAULT)
    assert.equal(bad.app.observedGeneration, 7)
    assert.deepEqual(bad.app.domains, good.app.domains)
    assert.deepEqual(bad.app.hosts, good.app.hosts)

    const h001 = bad.mappings.get('wordpress/h001')
    assert.deepEqual(stalled(h001), STALLED_INVALID)
    assert.match(messageOf(h001, 'Ready'), /^ServerPilotApp wordpress\/network cannot be served: spec\.policy must be/)
    assert.equal(of(h001, 'Accepted'), 'True Succeeded')

    assert.deepEqual(
      happenings(faulty, good.app, bad.app).map(({ reason, note }) => `${reason} ${note}`),
      [`SyncFailed InvalidSpec: ${FAULT}`],
    )
    assert.deepEqual(happenings(faulty, bad.app, bad.app), [])
    assert.equal(of(read(outcome, bad).app, 'Ready'), 'True Succeeded')
  })

  test('nothing is asked where nothing has a fault', () => {
    const outcome = failed(app(), [mapping('a', 'a.example')], undefined)
    assert.equal(
      atNewest(outcome, () => assert.fail()),
      outcome,
    )
  })
})

describe('a mapping whose newest version has a fault', () => {
  test('that never was valid', () => {
    const status = invalidMappingStatus(invalid('DomainMapping', 'lost'), 'kubernetes', undefined, NOW)
    assert.deepEqual(stalled(status), STALLED_INVALID)
    assert.equal(messageOf(status, 'Accepted'), FAULT)
    assert.equal(status.observedGeneration, 7)
  })

  test('whose last good version is known: its hosts stay to be seen', async (t) => {
    const world = await createWorld(t)
    await world.map('h001')
    await world.map('h002')
    const outcome = await world.settle()
    const good = read(outcome)
    const mappings = outcome.mappings.map((each) => (each.name === 'h001' ? { ...each, fault: FAULT } : each))
    const newest = atNewest({ ...outcome, added: [], mappings }, () => [invalid('DomainMapping', 'h001')])
    const bad = read(newest, good)
    const h001 = bad.mappings.get('wordpress/h001')
    assert.deepEqual(stalled(h001), STALLED_INVALID)
    assert.equal(of(h001, 'Accepted'), 'False InvalidSpec')
    assert.equal(messageOf(h001, 'Ready'), FAULT)
    assert.equal(h001?.observedGeneration, 7)
    assert.equal(h001?.hosts[0]?.state, 'present')
    assert.equal(of(bad.mappings.get('wordpress/h002'), 'Ready'), 'True Succeeded')
    assert.equal(of(bad.app, 'Ready'), 'True Succeeded')
    assert.deepEqual(
      mappingHappenings(newest, good.mappings, [...bad.mappings.values()]).map(({ note }) => note),
      [`InvalidSpec: ${FAULT}`],
    )
  })
})

describe('mappings of an app that cannot be served', () => {
  for (const [reason, stalls] of [
    ['CredentialsInvalid', true],
    ['NotAllowed', true],
    ['Conflict', true],
    ['InvalidSpec', true],
    ['AppNotFound', false],
  ] as const)
    test(`${reason}: Ready follows the app's and names it, before and after the first good look`, async (t) => {
      const world = await createWorld(t)
      await world.map('h001')
      const outcome = await world.settle()
      const good = read(outcome)
      const why = failure(reason)
      for (const before of [undefined, good]) {
        const { app: is, mappings } = read(failed(outcome.app as App, outcome.mappings, why), before)
        const h001 = mappings.get('wordpress/h001')
        assert.equal(of(is, 'Ready'), `False ${reason}`)
        assert.equal(of(h001, 'Ready'), `False ${reason}`)
        assert.equal(of(h001, 'Stalled'), `${stalls ? 'True' : 'False'} ${reason}`)
        assert.equal(messageOf(h001, 'Ready'), `ServerPilotApp wordpress/network cannot be served: why: ${reason}`)
        assert.equal(of(h001, 'Accepted'), before === undefined ? 'none' : 'True Succeeded')
        assert.equal(h001?.hosts.length, before === undefined ? 0 : 1)
      }
      assert.equal(of(read(outcome, good).mappings.get('wordpress/h001'), 'Ready'), 'True Succeeded')
    })

  test('a key that ServerPilot refuses denies Ready of mappings that are in place', async (t) => {
    const world = await createWorld(t)
    await world.map('h001')
    const good = read(await world.settle())
    world.simulator.state.rotateKey('another')
    const { mappings } = read(await world.reconcile(), good)
    assert.equal(of(mappings.get('wordpress/h001'), 'Ready'), 'False CredentialsInvalid')
    assert.equal(mappings.get('wordpress/h001')?.hosts[0]?.state, 'present')
  })

  test('one that is being deleted says so on each of them', () => {
    const leaving = { ...app(), deletionTimestamp: NOW }
    const { mappings } = read(failed(leaving, [mapping('a', 'a.example.com')], undefined))
    assert.equal(of(mappings.get('wordpress/a'), 'Ready'), 'False AppNotFound')
    assert.match(messageOf(mappings.get('wordpress/a'), 'Ready'), /wordpress\/network is being deleted/)
  })

  test('what may pass leaves a mapping as it was known, and is said of one that nobody knew', async (t) => {
    const world = await createWorld(t)
    await world.map('h001')
    const outcome = await world.settle()
    const good = read(outcome)
    const more = [...outcome.mappings, mapping('new', 'new.example.com')]
    const { mappings } = read(failed(outcome.app as App, more, failure('ApiUnreachable')), good)
    assert.equal(mappings.get('wordpress/h001'), good.mappings.get('wordpress/h001'))
    assert.equal(of(mappings.get('wordpress/new'), 'Ready'), 'False ApiUnreachable')
  })
})

describe('a mapping that no app answers for', () => {
  const lost = mapping('lost', 'a.example.com')
  const cases: [string, App | InvalidObject | undefined, string, RegExp][] = [
    ['there is no app', undefined, 'False AppNotFound', /There is no ServerPilotApp wordpress\/network/],
    [
      'it never was valid',
      invalid('ServerPilotApp', 'network'),
      'False InvalidSpec',
      /network is invalid: spec\.policy/,
    ],
    ['it is being deleted', { ...app(), deletionTimestamp: NOW }, 'False AppNotFound', /is being deleted/],
  ]
  for (const [name, found, accepted, message] of cases)
    test(name, () => {
      const status = orphanStatus(lost, found, undefined, NOW)
      assert.equal(of(status, 'Accepted'), accepted)
      assert.equal(of(status, 'Ready'), accepted)
      assert.match(messageOf(status, 'Ready'), message)
    })

  test('its own fault goes first', () => {
    const status = orphanStatus({ ...lost, fault: FAULT }, undefined, undefined, NOW)
    assert.equal(messageOf(status, 'Accepted'), FAULT)
  })
})
