/** What the plan does with one host. */
export type Action = 'keep' | 'adopt' | 'add' | 'remove' | 'release' | 'foreign'

// Columns of the merge table of docs/how-it-decides.md:
// desired:  yes     yes      yes    yes    no        no         no
// observed: yes     yes      no     no     yes       yes        no
// owned:    yes     no       yes    no     yes       no         yes
const SYNC = ['keep', 'adopt', 'add', 'add', 'remove', 'foreign', 'release'] as const
const UPSERT_ONLY = ['keep', 'adopt', 'add', 'add', 'keep', 'foreign', 'release'] as const
const EXCLUSIVE = ['keep', 'adopt', 'add', 'add', 'remove', 'remove', 'release'] as const

/** Every policy: what the schema says of it, whether its plans are applied or only shown, and its column. */
export const POLICIES = {
  Sync: { says: 'add and remove what is ours', writes: true, column: SYNC },
  UpsertOnly: { says: 'never remove', writes: true, column: UPSERT_ONLY },
  Exclusive: { says: 'also remove what is not ours', writes: true, column: EXCLUSIVE },
  Observe: { says: 'never write', writes: false, column: SYNC },
} as const satisfies Record<string, { says: string; writes: boolean; column: readonly Action[] }>

export type Policy = keyof typeof POLICIES

/** Whether plans under a policy are applied. Under one that is not known here, that is for the daemon to say. */
export const writesUnder = (policy: string): boolean => POLICIES[policy as Policy]?.writes !== false

/** What is done with a host in each case of the merge table. A host that stands in none of the three sets has none. */
export function actionsUnder(policy: Policy): (desired: boolean, observed: boolean, owned: boolean) => Action {
  const column: readonly Action[] = POLICIES[policy].column
  return (desired, observed, owned) => column[7 - ((desired ? 4 : 0) + (observed ? 2 : 0) + (owned ? 1 : 0))] as Action
}
