import type { Policy } from '../api/objects.ts'

/** What the plan does with one host. */
export type Action = 'keep' | 'adopt' | 'add' | 'remove' | 'release' | 'foreign'

type Row = readonly [
  desired: boolean,
  observed: boolean,
  owned: boolean,
  sync: Action,
  upsertOnly: Action,
  exclusive: Action,
]

const yes = true
const no = false

/**
 * The merge table of docs/how-it-decides.md. One row per case of (desired, observed, owned), then what is done under Sync,
 * UpsertOnly and Exclusive. No host stands in none of the three.
 */
const TABLE: readonly Row[] = [
  [yes, yes, yes, 'keep', 'keep', 'keep'],
  [yes, yes, no, 'adopt', 'adopt', 'adopt'],
  [yes, no, yes, 'add', 'add', 'add'],
  [yes, no, no, 'add', 'add', 'add'],
  [no, yes, yes, 'remove', 'keep', 'remove'],
  [no, yes, no, 'foreign', 'foreign', 'remove'],
  [no, no, yes, 'release', 'release', 'release'],
]

/** `Observe` decides as `Sync` does; who applies plans never writes one of it. */
const COLUMN = { Sync: 3, UpsertOnly: 4, Exclusive: 5, Observe: 3 } as const satisfies Record<Policy, number>

/** Looks one case up in the merge table. */
export type Decide = (desired: boolean, observed: boolean, owned: boolean) => Action

/** The merge table under one policy, laid out so that a look-up costs next to nothing. */
export function decideUnder(policy: Policy): Decide {
  const actions: Action[] = []
  for (const row of TABLE) actions[caseOf(row[0], row[1], row[2])] = row[COLUMN[policy]]
  return (desired, observed, owned) => actions[caseOf(desired, observed, owned)] as Action
}

const caseOf = (desired: boolean, observed: boolean, owned: boolean): number =>
  (desired ? 4 : 0) + (observed ? 2 : 0) + (owned ? 1 : 0)
