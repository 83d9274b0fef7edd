import type { Action } from '../api/policy.ts'
import type { Host } from '../domain/host.ts'
import type { Claim } from '../ownership/record.ts'
import type { DesiredHost } from './desired.ts'

/** What is done with one host in the end. `transfer`: it is kept, and the record follows its mapping. */
export type Verdict = Action | 'transfer'

/** One host in the merge, as the three sets know it. */
export interface MergeCase {
  host: Host
  want: DesiredHost | undefined
  claim: Claim | undefined
}

/** What an exception may ask about hosts. */
export interface Surroundings {
  desired: ReadonlyMap<Host, DesiredHost>
  isProtected: (host: Host) => boolean
}

/** Undefined: the table's action stands. */
type Exception = (each: MergeCase, around: Surroundings) => Verdict | undefined

/** The claim names another mapping than the one that wants the host now. */
const wantedByAnother: Exception = ({ want, claim }) =>
  want !== undefined &&
  claim !== undefined &&
  (claim.mapping !== want.mapping.key || claim.source !== want.mapping.source)
    ? 'transfer'
    : undefined

/** A `www.X` that came with our own write of X stays as long as X is wanted. */
const cameWithItsDomain: Exception = ({ host, claim }, { desired }) =>
  claim?.implied && desired.has(withoutWww(host)) ? 'keep' : undefined

/** Protected names stay, ours or not. */
const protectedName: Exception = ({ host, claim }, { isProtected }) => (isProtected(host) ? stays(claim) : undefined)

/** `www.X` of a wanted X that nobody asked for is not drift, under any policy: the web server answers for it anyway. */
const unaskedWww: Exception = ({ host, claim }, { desired }) =>
  claim === undefined && host.startsWith('www.') && desired.has(withoutWww(host)) ? 'foreign' : undefined

/** The exceptions to each action of the table, in the order in which they are asked; the first that applies decides. */
const EXCEPTIONS: Record<Action, readonly Exception[]> = {
  keep: [wantedByAnother],
  remove: [cameWithItsDomain, protectedName, unaskedWww],
  adopt: [],
  add: [],
  release: [],
  foreign: [],
}

/** The table's action on one host, unless an exception has another. */
export function verdictOn(action: Action, each: MergeCase, around: Surroundings): Verdict {
  const exceptions = EXCEPTIONS[action]
  for (let index = 0; index < exceptions.length; index++) {
    const verdict = exceptions[index]?.(each, around)
    if (verdict !== undefined) return verdict
  }
  return action
}

const withoutWww = (host: Host): Host => host.slice('www.'.length) as Host

const stays = (claim: Claim | undefined): Verdict => (claim === undefined ? 'foreign' : 'keep')
