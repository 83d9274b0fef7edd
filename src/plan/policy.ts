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

/** One policy's column of the merge table, by `caseOf`. */
export type Column = readonly Action[]

const COLUMNS = { Sync: columnOf(3), UpsertOnly: columnOf(4), Exclusive: columnOf(5) }

/** The column of a policy. `Observe` decides as `Sync` does; who applies plans never writes one of it. */
export const columnUnder = (policy: Policy): Column => COLUMNS[policy === 'Observe' ? 'Sync' : policy]

/** Looks one case up in the merge table. */
export function decide(column: Column, desired: boolean, observed: boolean, owned: boolean): Action {
  return column[caseOf(desired, observed, owned)] as Action
}

function columnOf(index: 3 | 4 | 5): Column {
  const column: Action[] = []
  for (const row of TABLE) column[caseOf(row[0], row[1], row[2])] = row[index]
  return column
}

function caseOf(desired: boolean, observed: boolean, owned: boolean): number {
  return (desired ? 4 : 0) + (observed ? 2 : 0) + (owned ? 1 : 0)
}
