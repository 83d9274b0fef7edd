import { type Action, actionsUnder } from '../api/policy.ts'
import { compareKey, type Host, matchesPattern } from '../domain/host.ts'
import type { Claim, OwnershipRecord } from '../ownership/record.ts'
import type { DesiredHost } from './desired.ts'
import type { PlanInput } from './input.ts'

/** What is to be done with every host by the merge table and its exceptions. Nothing is judged yet. */
export interface Merged {
  add: DesiredHost[]
  adopt: DesiredHost[]
  /** Kept hosts whose claim names another mapping than the one that wants them now: the record follows. */
  transfer: DesiredHost[]
  remove: Host[]
  foreign: Host[]
  /** Ours, no longer wanted, not observed: released after two absences. */
  release: Host[]
  /** Hosts that stay and are ours. */
  kept: number
  /** The canonical names of those observed names that are not written that way. */
  respelled: ReadonlyMap<string, Host>
  /** Every host is listed once and in its canonical form, as is usual: then names are hosts. */
  plain: boolean
}

/** What is done with one host in the end. `transfer`: it is kept, and the record follows its mapping. */
type Verdict = Action | 'transfer'

/** One host in the merge, as the three sets know it. */
interface MergeCase {
  host: Host
  want: DesiredHost | undefined
  claim: Claim | undefined
}

/** What an exception may ask about hosts. */
interface Surroundings {
  desired: ReadonlyMap<Host, DesiredHost>
  /** Foreign hosts that a person asked to remove. */
  unwanted: ReadonlySet<Host> | undefined
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
const protectedName: Exception = ({ host, claim }, { isProtected }) => {
  if (!isProtected(host)) return undefined
  return claim === undefined ? 'foreign' : 'keep'
}

/** `www.X` of a wanted X that nobody asked for is not drift, under any policy: the web server answers for it anyway. */
const unaskedWww: Exception = ({ host, claim }, { desired }) =>
  claim === undefined && host.startsWith('www.') && desired.has(withoutWww(host)) ? 'foreign' : undefined

/** A person asked for its removal: it is planned, and waits for approval. */
const askedToGo: Exception = ({ host }, { unwanted, isProtected }) =>
  unwanted?.has(host) && !isProtected(host) ? 'remove' : undefined

/** The exceptions to each action of the table, in the order in which they are asked; the first that applies decides. */
const EXCEPTIONS: Partial<Record<Action, readonly Exception[]>> = {
  keep: [wantedByAnother],
  remove: [cameWithItsDomain, protectedName, unaskedWww],
  foreign: [askedToGo],
}

/** The table's action on one host, unless an exception has another. */
function verdictOn(action: Action, each: MergeCase, around: Surroundings): Verdict {
  const exceptions = EXCEPTIONS[action] ?? []
  // No iterator and no rest of arguments: every host comes by here.
  for (let index = 0; index < exceptions.length; index++) {
    const verdict = exceptions[index]?.(each, around)
    if (verdict !== undefined) return verdict
  }
  return action
}

const withoutWww = (host: Host): Host => host.slice('www.'.length) as Host

/**
 * Compares the three sets on canonical names. Linear: one pass over what is observed; what is wanted or owned is walked only
 * where the counts say that something of it was not met.
 */
export function merge(input: PlanInput): Merged {
  const { app, observed, record, owned } = input
  const desired = input.desired.hosts
  const around = { desired, isProtected: protector(input), unwanted: input.unwanted }
  // Whatever the policy does with the hosts of others, or with ours while the app stays: now ours go.
  const actionFor = actionsUnder(input.finalizing ? 'Sync' : app.spec.policy)
  const respelled = new Map<string, Host>()
  const result = nothing(respelled)
  // One object for all hosts: an object each would cost a tenth of the plan.
  const each: MergeCase = { host: '' as Host, want: undefined, claim: undefined }
  const place = (host: Host, want: DesiredHost | undefined, isObserved: boolean): Claim | undefined => {
    const claim = claimOn(record.hosts, host)
    each.host = host
    each.want = want
    each.claim = claim
    const action = actionFor(want !== undefined, isObserved, claim !== undefined)
    put(result, verdictOn(action, each, around), host, want)
    return claim
  }
  const names = new Set(observed)
  const respelledHosts = new Set<Host>()
  let wantedThere = 0
  let ownedThere = 0
  for (const name of names) {
    // What is wanted just as it is written is canonical: that need not be found out.
    let want = desired.get(name as Host)
    const host = want?.host ?? (compareKey(name) as Host)
    if (host !== name) {
      respelled.set(name, host)
      if (respelledHosts.has(host) || (names.has(host) && compareKey(host) === host)) continue
      respelledHosts.add(host)
      want = desired.get(host)
    }
    if (want !== undefined) wantedThere++
    if (place(host, want, true) !== undefined) ownedThere++
  }
  const isThere =
    respelled.size === 0
      ? (host: Host): boolean => names.has(host)
      : (host: Host): boolean => respelledHosts.has(host) || (names.has(host) && !respelled.has(host))
  if (wantedThere < desired.size) {
    for (const [host, want] of desired) if (!isThere(host)) place(host, want, false)
  }
  if (ownedThere < owned.length) {
    for (const host of owned) if (!desired.has(host) && !isThere(host)) place(host, undefined, false)
  }
  result.plain = respelled.size === 0 && names.size === observed.length
  return result
}

/** Of foreign hosts those that could go: neither protected nor the `www.` of a host that is wanted. */
export function leftoversOf(
  foreign: readonly Host[],
  input: Pick<PlanInput, 'app' | 'protectedHosts' | 'desired'>,
): Host[] {
  const isProtected = protector(input)
  const isWww = (host: Host): boolean => host.startsWith('www.') && input.desired.hosts.has(withoutWww(host))
  return foreign.filter((host) => !isProtected(host) && !isWww(host))
}

/** Protected: the names that the app and its sources name, patterns allowed, and their `www.`. */
function protector({ app, protectedHosts }: Pick<PlanInput, 'app' | 'protectedHosts'>): (host: Host) => boolean {
  const patterns = [...app.spec.protectedDomains, ...protectedHosts].map(compareKey)
  if (patterns.length === 0) return () => false
  const exact = new Set<string>(patterns.flatMap((name) => [name, `www.${name}`]))
  const wild = patterns.filter((name) => name.startsWith('*.'))
  return (host) => exact.has(host) || wild.some((pattern) => matchesPattern(host, pattern))
}

function nothing(respelled: Merged['respelled']): Merged {
  return { add: [], adopt: [], transfer: [], remove: [], foreign: [], release: [], kept: 0, respelled, plain: true }
}

/** Puts one host where its verdict says. What is added, adopted or transferred is wanted: so the table has it. */
function put(result: Merged, verdict: Verdict, host: Host, want: DesiredHost | undefined): void {
  if (verdict === 'keep' || verdict === 'transfer') result.kept++
  if (verdict === 'keep') return
  if (verdict === 'add' || verdict === 'adopt' || verdict === 'transfer') result[verdict].push(want as DesiredHost)
  else result[verdict].push(host)
}

/**
 * The claim on a host. What we own has a dot: without one the look-up could meet Object.prototype. Asked with the wanted host's own
 * string where there is one: a string that was a property name before is found much faster than one fresh from an answer.
 */
function claimOn(claims: OwnershipRecord['hosts'], host: Host): Claim | undefined {
  return host.includes('.') ? claims[host] : undefined
}
