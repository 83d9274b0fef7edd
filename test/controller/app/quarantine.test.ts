import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { explainObjects } from '../../../src/cli/cluster-explain.ts'
import type { Mode } from '../../../src/controller/context/ports.ts'
import type { Host } from '../../../src/domain/host.ts'
import type { FaultRule } from '../../../src/simulator/faults.ts'
import type { SimulatorOptions } from '../../../src/simulator/options.ts'
import { appStatus } from '../../../src/status/app-status.ts'
import { happenings } from '../../../src/status/happenings.ts'
import { hostChecks } from '../../../src/status/host-checks.ts'
import type { Outcome } from '../../../src/status/outcome.ts'
import { type Reply, responder } from '../../check/dns/responder.ts'
import { type CheckedWorld, checked, SERVER } from '../checked-world.ts'
import { createWorld, names, objectYaml } from '../world.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const WRONG = 'wrong.example.org'
const FOREIGN = 'by-hand.example.org'
const AFTER = '1h'

const QUARANTINE = { policy: 'Quarantine', quarantineAfter: AFTER }

interface Quarantined extends CheckedWorld {
  /** How DNS answers from now on; undefined: with the server's address. */
  answer(reply: (name: string) => Reply | undefined): void
  /** Rounds each quarter of an hour, until it is over or `enough` says so. */
  hours(count: number, enough?: () => boolean): Promise<Outcome>
  isListed(): boolean
  /** What the app's object says but for DNS and safety. */
  spec(): object
}

/** A world in which one host of ours has no DNS record, and no certificate is ever issued. */
async function quarantined(
  t: TestContext,
  { spec = {}, domains, ...simulator }: SimulatorOptions & { spec?: object; domains?: string[] } = {},
): Promise<Quarantined> {
  let reply = (name: string): Reply | undefined => (name === WRONG ? 'NoName' : undefined)
  const { address } = await responder(t, ({ name, type }) => reply(name) ?? (type === 1 ? [SERVER] : []))
  const world = await checked(t, {
    nameserver: address,
    spec: { ssl: { auto: true }, dns: QUARANTINE, ...spec },
    simulator: { issuance: { delay: 10_000 * DAY }, ...simulator },
    ...(domains === undefined ? {} : { domains }),
  })
  world.checks.lead()
  await world.map('wrong', WRONG)
  for (const name of names(3)) await world.map(name)
  const more = {
    answer: (next: typeof reply) => {
      reply = next
    },
    async hours(count: number, enough = () => false) {
      let outcome = await world.round()
      for (let quarter = 0; quarter < 4 * count && !enough(); quarter++) {
        world.clock.advance(14 * MINUTE)
        await world.round()
        // What settles goes in between.
        world.clock.advance(MINUTE)
        outcome = await world.reconcile()
      }
      return outcome
    },
    spec: () => ({ appId: world.appId, www: 'Never', ssl: { auto: true } }),
    isListed: () => world.listed().includes(WRONG),
  }
  return Object.defineProperties(world, Object.getOwnPropertyDescriptors(more)) as Quarantined
}

describe('dns.policy Quarantine', () => {
  test('a host that keeps others from their certificate goes after its time, says so, and is back once it resolves', async (t) => {
    const world = await quarantined(t)
    await world.hours(0.75)
    assert.ok(world.isListed(), 'it is not time yet')
    const outcome = await world.hours(1, () => !world.isListed())
    assert.ok(!world.isListed())
    assert.deepEqual(world.listed(), [FOREIGN, ...names(3).map((name) => `${name}.example.com`)])
    assert.ok(
      world.record().removals.some(({ host }) => host === WRONG),
      'it counts in the budget',
    )
    const said = world.says(await world.reconcile(), 'wrong', 'Synced')
    assert.match(
      said,
      /^False Quarantined: .*Taken off the app 2026-01-15T\S+, as its DNS has been wrong since 2026-01-15T/,
    )
    assert.match(said, /does not exist in DNS.*Create an A record with 198\.51\.100\.10.* within minutes/)
    assert.match(world.says(outcome, 'wrong', 'Stalled'), /^False/)
    assert.ok(outcome.app)
    const after = appStatus(outcome.app, outcome, hostChecks(outcome.app, outcome), undefined)
    const told = happenings({ ...outcome, removed: [WRONG as Host] }, undefined, after)
    assert.deepEqual(told.find(({ reason }) => reason === 'Quarantined')?.names, [WRONG])
    const status = world.status('wrong')
    assert.equal(status.hosts[0]?.state, 'absent')
    const object = { key: 'wordpress/wrong', generation: 1, domain: WRONG, app: 'wordpress/network', status }
    const [{ verdict, next } = { verdict: '', next: '' }] = explainObjects(WRONG as Host, [], [object], 'domainpilot')
    assert.match(verdict, /^absent: Taken off the app .* does not exist in DNS/)
    assert.match(next, /Correct the DNS record/)
    assert.match(world.says(outcome, 'h001', 'Synced'), /^True/)
    const posts = world.posts()
    await world.hours(3)
    assert.equal(world.posts(), posts, 'nothing goes back and forth')

    world.answer(() => undefined)
    world.clock.advance(18 * MINUTE)
    await world.round()
    assert.ok(world.isListed(), 'back within minutes')
    assert.equal(world.record().wrong, undefined)
    assert.match(world.says(await world.reconcile(), 'wrong', 'Synced'), /^True/)
  })

  test('off by default, and back at once under another policy', async (t) => {
    const world = await quarantined(t, { spec: { dns: {} } })
    await world.hours(3)
    assert.ok(world.isListed())
    const other = await quarantined(t)
    await other.hours(3, () => !other.isListed())
    assert.ok(!other.isListed())
    await other.write('network.yaml', objectYaml('ServerPilotApp', 'network', other.spec()))
    await other.settle()
    assert.ok(other.isListed())
  })

  for (const [what, options, answer] of [
    ['the resolver fails for it', {}, (name: string) => (name === WRONG ? 'ServFail' : undefined)],
    ['the resolver fails for all', {}, () => 'ServFail'],
    ['nobody else is right', {}, () => 'NoName'],
    [
      'a host of others is in the way as well',
      {},
      (name: string) => ([WRONG, FOREIGN].includes(name) ? 'NoName' : undefined),
    ],
    ['AutoSSL is not asked for', { spec: { ssl: { auto: false } } }],
    ['policy UpsertOnly', { spec: { policy: 'UpsertOnly' } }],
    ['policy Observe', { spec: { policy: 'Observe' }, domains: [WRONG, 'h001.example.com'] }],
    ['it is protected', { spec: { protectedDomains: [WRONG] } }],
    [
      'a custom certificate is installed',
      { apps: [{ name: 'network', domains: [], ssl: { auto: false, names: ['x.example'] } }] },
    ],
    [
      'the certificate names all others, and is not overdue',
      {
        apps: [
          {
            name: 'network',
            ssl: { names: names(3).map((name) => `${name}.example.com`), notAfter: Date.UTC(2026, 5) },
          },
        ],
      },
    ],
  ] as [string, Parameters<typeof quarantined>[1], ((name: string) => Reply | undefined)?][]) {
    test(`it stays where ${what}`, async (t) => {
      const world = await quarantined(t, options)
      if (answer !== undefined) world.answer(answer)
      await world.hours(2.5)
      assert.equal(world.isListed(), true)
      assert.deepEqual(world.record()?.removals ?? [], [])
    })
  }

  test('a certificate whose renewal is overdue holds others up too', async (t) => {
    const all = [WRONG, ...names(3).map((name) => `${name}.example.com`)]
    const ssl = { names: all, notAfter: Date.UTC(2026, 0, 25) }
    const apps = [{ name: 'network', domains: all, ssl }]
    const world = await quarantined(t, { apps, behaviours: { renewal: false } })
    await world.hours(3, () => !world.isListed())
    assert.equal(world.isListed(), false)
  })

  test('never the last, and never without an approval where the budget is spent', async (t) => {
    const world = await quarantined(t, { spec: { safety: { minDomains: 1, maxRemovalPercent: 10 } } })
    const outcome = await world.hours(2)
    assert.ok(world.isListed())
    assert.match(world.says(outcome, 'wrong', 'Synced'), /^False RemovalRefused/)
    const hash = outcome.plan?.hash ?? ''
    const spec = { ...world.spec(), dns: QUARANTINE, safety: { minDomains: 1, maxRemovalPercent: 10 } }
    const annotations = { 'domainpilot.dev/approve-plan': hash }
    await world.write('network.yaml', objectYaml('ServerPilotApp', 'network', spec, { annotations }))
    await world.hours(0.5)
    assert.ok(!world.isListed())

    const alone = await quarantined(t, { domains: [] })
    for (const name of names(3)) await alone.unmap(name)
    await alone.hours(2.5)
    assert.deepEqual(alone.listed(), [WRONG])
  })

  test('a failed source holds it', async (t) => {
    const world = await quarantined(t)
    await world.hours(0.5)
    await world.write('broken.yaml', 'kind: [')
    await world.hours(2)
    assert.ok(world.isListed())
    await world.unmap('broken')
    await world.hours(1)
    assert.ok(!world.isListed())
  })

  test('an old look never counts, nor does one at what the app asked for before', async (t) => {
    const world = await quarantined(t)
    await world.hours(0.75)
    await world.checks.stop()
    for (let minute = 31; minute < 300; minute += 31) {
      world.clock.advance(31 * MINUTE)
      await world.reconcile()
    }
    assert.ok(world.isListed(), 'nobody looks any more')
    const other = await quarantined(t, { spec: { dns: QUARANTINE, safety: { settle: '0s' } } })
    other.answer((name) => (name === WRONG ? ['203.0.113.5'] : undefined))
    await other.hours(0.75)
    const dns = { ...QUARANTINE, expectedAddresses: ['203.0.113.5'] }
    other.clock.advance(16 * MINUTE)
    await other.checks.turn()
    await other.write(
      'network.yaml',
      objectYaml('ServerPilotApp', 'network', { ...other.spec(), dns, safety: { settle: '0s' } }),
    )
    await other.hours(2)
    assert.ok(other.isListed())
    assert.deepEqual(other.record().removals, [])
  })

  test('nobody knows for more than six hours: the time starts anew', async (t) => {
    const world = await quarantined(t)
    await world.hours(0.9)
    world.clock.advance(7 * HOUR)
    await world.hours(0.75)
    assert.ok(world.isListed())
    await world.hours(1, () => !world.isListed())
    assert.ok(!world.isListed())
  })

  test('put back by hand, it stays for as long as if it were new', async (t) => {
    const world = await quarantined(t)
    await world.hours(2, () => !world.isListed())
    world.clock.advance(10 * MINUTE)
    world.simulator.state.setDomains(world.appId, [...world.listed(), WRONG])
    await world.hours(0.75)
    assert.ok(world.isListed())
    await world.hours(1, () => !world.isListed())
    assert.ok(!world.isListed())
  })
})

describe('the time that DNS has been wrong', () => {
  test('outlasts a restart', async (t) => {
    const world = await quarantined(t)
    await world.hours(0.75)
    const since = world.record().wrong?.[WRONG as never]
    assert.ok(since)
    await world.restart()
    world.context.memory.checks.on = true
    assert.deepEqual((await world.reconcile()).record?.wrong?.[WRONG as never], since)
  })

  test('a host that is off stays off after a restart until it is looked at, also for a pass by a person', async (t) => {
    const world = await quarantined(t)
    await world.hours(2, () => !world.isListed())
    const stored = world.record()
    for (const right of [false, true]) {
      const lookUpNow = async () =>
        new Map([[WRONG, { state: right ? 'Ready' : 'NoRecords', addresses: [], message: '' }]])
      const mode: Partial<Mode> = { oneShot: true }
      const spec = { ssl: { auto: true }, dns: QUARANTINE }
      const again = await createWorld(t, {
        spec,
        mode,
        ports: { lookUpNow } as never,
        simulator: { issuance: { delay: DAY } },
      })
      await again.map('h001')
      await again.map('wrong', WRONG)
      await again.context.memory.accounts.findAll()
      await again.reconcile()
      await again.rewrite((record) => ({ ...record, hosts: record.hosts, wrong: stored.wrong ?? {} }))
      again.simulator.state.setDomains(again.appId, [FOREIGN, 'h001.example.com'])
      const outcome = await again.settle()
      assert.equal(again.listed().includes(WRONG), right)
      if (!right) assert.equal(outcome.plan?.held.get(WRONG as never)?.reason, 'Quarantined')
    }
  })
})

describe('every fault while a host is quarantined', { concurrency: 4 }, () => {
  const rules: FaultRule[] = (['getApp', 'postDomains', 'getAction'] as const).flatMap((path) => [
    { kind: 'status', status: 500, path, times: 3 },
    { kind: 'statusAfter', status: 500, path, times: 3 },
    { kind: 'resetAfter', path, times: 3 },
    { kind: 'html502', path, times: 3 },
    ...(path === 'getApp'
      ? ([
          { kind: 'empty', variant: 'domains', path, times: 3 },
          { kind: 'stale', path, times: 1 },
        ] as FaultRule[])
      : []),
    ...(path === 'postDomains' ? ([{ kind: 'droppedWrite', path, times: 1 }] as FaultRule[]) : []),
  ])
  for (const rule of rules) {
    test(`${rule.kind} at ${rule.path}`, async (t) => {
      const world = await quarantined(t)
      const others = [FOREIGN, ...names(3).map((name) => `${name}.example.com`)]
      await world.hours(0.9)
      world.simulator.faults.add(rule)
      for (let quarter = 0; quarter < 4; quarter++) {
        await world.hours(0.25)
        for (const host of others) assert.ok(world.listed().includes(host), host)
      }
      world.simulator.faults.clear()
      await world.hours(2, () => !world.isListed())
      assert.deepEqual(world.listed(), others)
      world.answer(() => undefined)
      await world.hours(1, world.isListed)
      assert.ok(world.isListed())
    })
  }
})
