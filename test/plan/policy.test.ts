import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { actionsUnder, POLICIES, type Policy, writesUnder } from '../../src/api/policy.ts'

describe('merge table', () => {
  // desired, observed, owned → Sync, UpsertOnly, Exclusive
  const rows: [boolean, boolean, boolean, string, string, string][] = [
    [true, true, true, 'keep', 'keep', 'keep'],
    [true, true, false, 'adopt', 'adopt', 'adopt'],
    [true, false, true, 'add', 'add', 'add'],
    [true, false, false, 'add', 'add', 'add'],
    [false, true, true, 'remove', 'keep', 'remove'],
    [false, true, false, 'foreign', 'foreign', 'remove'],
    [false, false, true, 'release', 'release', 'release'],
  ]
  const policies: Policy[] = ['Sync', 'UpsertOnly', 'Exclusive']
  for (const [desired, observed, owned, ...actions] of rows) {
    for (const [index, policy] of policies.entries()) {
      test(`${policy}: desired ${desired}, observed ${observed}, owned ${owned}: ${actions[index]}`, () => {
        assert.equal(actionsUnder(policy)(desired, observed, owned), actions[index])
      })
    }
  }
  test('all but Observe write; what is not known here is for the daemon to judge', () => {
    assert.deepEqual(Object.keys(POLICIES).filter(writesUnder), policies)
    assert.deepEqual(['Later', 'constructor'].map(writesUnder), [true, true])
  })
  test('Observe decides as Sync does', () => {
    for (const [desired, observed, owned, sync] of rows)
      assert.equal(actionsUnder('Observe')(desired, observed, owned), sync)
  })
})
