import type { Policy } from '../api/objects.ts'

/** What the plan does with one host. */
export type Action = 'keep' | 'adopt' | 'add' | 'remove' | 'release' | 'foreign'

/**
 * The merge table of docs/how-it-decides.md, one row per case of (desired, observed, owned):
 *
 *     desired observed owned   Sync     UpsertOnly  Exclusive
 *     yes     yes      yes     keep     keep        keep
 *     yes     yes      no      adopt    adopt       adopt
 *     yes     no       any     add      add         add
 *     no      yes      yes     remove   keep        remove
 *     no      yes      no      foreign  foreign     remove
 *     no      no       yes     release  release     release
 *
 * `Observe` decides as `Sync` does; whoever applies plans never writes one of it.
 */
const NOT_DESIRED: Record<Policy, { owned: Action; unowned: Action }> = {
  Sync: { owned: 'remove', unowned: 'foreign' },
  UpsertOnly: { owned: 'keep', unowned: 'foreign' },
  Exclusive: { owned: 'remove', unowned: 'remove' },
  Observe: { owned: 'remove', unowned: 'foreign' },
}

/** Looks one case up in the merge table. The case no, no, no does not exist: no host stands in none of the three. */
export function decide(policy: Policy, desired: boolean, observed: boolean, owned: boolean): Action {
  if (desired) return !observed ? 'add' : owned ? 'keep' : 'adopt'
  if (!observed) return 'release'
  return owned ? NOT_DESIRED[policy].owned : NOT_DESIRED[policy].unowned
}
