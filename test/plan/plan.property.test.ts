import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Policy } from '../../src/api/policy.ts'
import { compareKey, type Host } from '../../src/domain/host.ts'
import { claimHosts, clearAbsent, markHeld, recordRemovals, release } from '../../src/ownership/claims.ts'
import type { OwnershipRecord } from '../../src/ownership/record.ts'
import type { PlanInput } from '../../src/plan/input.ts'
import { makePlan, type Plan, writes } from '../../src/plan/plan.ts'
import { app, mappings, plan, planInput, record } from './fixture.ts'

const name = fc.integer({ min: 0, max: 40 }).map((number) => `h${number}.example.com`)
const names = fc.uniqueArray(name, { maxLength: 30 })
/** As a panel may show it: other case, other order. */
const spelt = names.map((list) => list.map((host, index) => (index % 3 === 0 ? host.toUpperCase() : host)))
const policy = fc.constantFrom<Policy>('Sync', 'UpsertOnly', 'Exclusive', 'Observe')
const world = fc.record({
  wanted: names,
  observed: spelt,
  owned: names,
  policy,
  protectedDomains: names.map((list) => list.slice(0, 2)),
})

type World = { wanted: string[]; observed: string[]; owned: string[]; policy: Policy; protectedDomains: string[] }

const inputOf = (each: World, more: Partial<PlanInput> = {}): PlanInput =>
  planInput(mappings(each.wanted), each.observed, record(each.owned), {
    app: app({ policy: each.policy, protectedDomains: each.protectedDomains }),
    ...more,
  })

/** What the record is after the plan was applied and read back. */
function applied(input: PlanInput, made: Plan): OwnershipRecord {
  const claim = (each: Plan['additions'][number]) => ({
    host: each.host,
    mapping: each.mapping.key,
    source: each.mapping.source,
  })
  let next = claimHosts(
    input.record,
    [...made.additions, ...made.adoptions, ...made.transfers].map(claim),
    'Held',
    input.now,
  )
  next = recordRemovals(next, made.removals, input.now, made.approved)
  next = release(next, [...made.removals, ...(made.waiting.length > 0 ? [] : made.absent)])
  const seen = made.list.map(compareKey) as Host[]
  return clearAbsent(markHeld(next, seen, input.now), seen)
}

describe('every plan', () => {
  test('planning its own result gives an empty plan', () => {
    fc.assert(
      fc.property(world, (each) => {
        const input = inputOf(each)
        const made = makePlan(input)
        const after = applied(input, made)
        const owned = Object.keys(after.hosts) as Host[]
        const again = makePlan({ ...input, observed: made.list, record: after, owned })
        assert.deepEqual(again.changes, [])
        assert.equal(writes(again), false)
      }),
    )
  })

  test('loses no foreign host and no protected one, whatever is wanted', () => {
    fc.assert(
      fc.property(world, (each) => {
        const made = makePlan(inputOf(each))
        const kept = new Set(made.list)
        for (const seen of each.observed) {
          const host = compareKey(seen)
          const foreign = !each.owned.includes(host) && each.policy !== 'Exclusive'
          if (foreign || each.wanted.includes(host) || each.protectedDomains.includes(host))
            assert.ok(kept.has(seen), seen)
        }
      }),
    )
  })

  test('does not depend on the order of anything', () => {
    fc.assert(
      fc.property(world, (each) => {
        const made = makePlan(inputOf(each))
        const turned = makePlan(inputOf({ ...each, wanted: each.wanted.toReversed(), owned: each.owned.toReversed() }))
        assert.equal(turned.hash, made.hash)
        assert.deepEqual(turned.changes, made.changes)
        assert.deepEqual(turned.list, made.list)
      }),
    )
  })

  test('leaves its input alone and never writes an empty list', () => {
    fc.assert(
      fc.property(world, (each) => {
        const input = inputOf(each)
        const before = JSON.stringify([input.observed, input.record])
        const made = makePlan(input)
        assert.equal(JSON.stringify([input.observed, input.record]), before)
        if (input.observed.length > 0) assert.ok(made.list.length > 0)
      }),
    )
  })

  test('removes nothing while every source has failed', () => {
    fc.assert(
      fc.property(world, (each) => {
        const made = makePlan(inputOf(each, { frozen: new Map([['manifests', 'broken']]) }))
        assert.deepEqual(made.removals, [])
        for (const seen of each.observed) assert.ok(made.list.includes(seen))
      }),
    )
  })

  test('quarantine takes off what is ours alone, adds nothing that it keeps off, and leaves all others to themselves', () => {
    fc.assert(
      fc.property(world, names, (each, off) => {
        const held = { reason: 'Quarantined', message: 'its DNS is wrong' } as const
        const quarantined = new Map(
          off.filter((host) => each.wanted.includes(host)).map((host) => [host as Host, held]),
        )
        const wanted = each.wanted.filter((host) => !quarantined.has(host as Host))
        const made = makePlan({ ...inputOf({ ...each, wanted }), quarantined })
        const plain = makePlan(inputOf({ ...each, wanted }))
        assert.deepEqual([made.list, made.changes], [plain.list, plain.changes])
        const there = new Set(each.observed.map(compareKey))
        for (const host of quarantined.keys()) {
          assert.ok(!made.additions.some((added) => added.host === host))
          if (!there.has(host)) assert.equal(made.held.get(host)?.reason, 'Quarantined')
          const foreign = !each.owned.includes(host) && each.policy !== 'Exclusive'
          if (foreign) assert.ok(!made.removals.includes(host))
        }
      }),
    )
  })

  test('an approval lets exactly the waiting removals go', () => {
    fc.assert(
      fc.property(world, (each) => {
        const made = makePlan(inputOf(each))
        fc.pre(made.waiting.length > 0)
        const approved = makePlan(inputOf(each, { approvals: [made.hash] }))
        assert.deepEqual([...approved.removals].sort(), [...made.waiting, ...made.removals].sort())
      }),
    )
  })
})

test('a plan with nothing wanted and nothing there changes nothing', () => {
  assert.deepEqual(plan([], [], record([])).changes, [])
})
