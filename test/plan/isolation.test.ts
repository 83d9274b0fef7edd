import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Host } from '../../src/domain/host.ts'
import { type Isolation, MAX_PROBES, nextProbe, probed, startIsolation, undecided } from '../../src/plan/isolation.ts'
import { hosts } from './fixture.ts'

/** Plays the API: refuses a list with a bad name, with or without naming it. */
function isolate(all: readonly string[], bad: ReadonlySet<string>, naming: boolean): Isolation {
  const words = (group: readonly string[]): string | undefined => {
    const culprit = group.find((host) => bad.has(host))
    return culprit === undefined ? undefined : naming ? `Domain ${culprit} is not allowed.` : 'invalid domain in list'
  }
  let state = startIsolation(all as Host[], words(all) ?? '')
  for (let step = nextProbe(state); step !== undefined; step = nextProbe(state)) {
    state = probed(step.state, step.group, words([...step.state.accepted, ...step.group]))
  }
  return state
}

describe('isolation of rejected names', () => {
  test('one bad name among 41 costs at most 12 probes, and none of the good is left', () => {
    for (let index = 0; index < 41; index++) {
      const all = hosts(41)
      const state = isolate(all, new Set([all[index] as string]), false)
      assert.deepEqual([...state.rejected.keys()], [all[index]])
      assert.equal(state.accepted.length, 40)
      assert.ok(state.probes <= MAX_PROBES, `${state.probes} probes`)
    }
  })

  test('a name that the API quotes is found without bisection', () => {
    const all = hosts(41)
    const state = isolate(all, new Set(['h007.example.com']), true)
    assert.equal(state.probes, 2)
    assert.deepEqual([...state.rejected], [['h007.example.com', 'Domain h007.example.com is not allowed.']])
  })

  test('a name is quoted only as a whole', () => {
    const state = startIsolation(['a.example', 'aa.example', 'a.example.com'] as Host[], 'bad: aa.example.')
    assert.deepEqual(state.open, [
      { hosts: ['a.example', 'a.example.com'] },
      { hosts: ['aa.example'], known: 'guilty' },
    ])
  })

  test('whatever is bad, no good name is rejected, no bad one accepted, and the probes are bounded', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.array(fc.nat(59), { minLength: 1, maxLength: 6 }),
        fc.boolean(),
        (count, picks, naming) => {
          const all = hosts(count)
          const bad = new Set(picks.map((pick) => all[pick % count] as string))
          const state = isolate(all, bad, naming)
          assert.ok(state.probes <= MAX_PROBES)
          for (const host of state.accepted) assert.ok(!bad.has(host))
          for (const host of state.rejected.keys()) assert.ok(bad.has(host))
          const seen = [...state.accepted, ...state.rejected.keys(), ...undecided(state)]
          assert.deepEqual([...seen].sort(), all)
        },
      ),
    )
  })
})
