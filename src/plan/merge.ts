import type { Policy } from '../api/objects.ts'
import { compareKey, type Host } from '../domain/host.ts'
import type { Claim, OwnershipRecord } from '../ownership/record.ts'
import type { DesiredHost } from './desired.ts'
import { decide } from './policy.ts'

/** The merge table applied to every host. Nothing is judged yet. */
export interface Merged {
  add: DesiredHost[]
  adopt: DesiredHost[]
  /** Kept hosts whose claim names another mapping than the one that wants them now: the record follows. */
  transfer: DesiredHost[]
  remove: Host[]
  foreign: Host[]
  /** Ours, no longer wanted, not observed: released after two absences. */
  absent: Host[]
  /** Hosts that stay and are ours. */
  kept: number
  /** The canonical names of those observed names that are not written that way. */
  respelled: ReadonlyMap<string, Host>
  /** Every host is listed once and in its canonical form, as is usual: then names are hosts. */
  plain: boolean
}

/**
 * Compares the three sets on canonical names. Linear: one pass over what is observed; what is wanted or owned is walked only
 * where the counts say that something of it was not met.
 */
export function merge(
  policy: Policy,
  desired: ReadonlyMap<Host, DesiredHost>,
  observed: readonly string[],
  claims: OwnershipRecord['hosts'],
  owned: readonly Host[],
  isProtected: (host: Host) => boolean,
): Merged {
  const respelled = new Map<string, Host>()
  const result: Merged = {
    add: [],
    adopt: [],
    transfer: [],
    remove: [],
    foreign: [],
    absent: [],
    kept: 0,
    respelled,
    plain: true,
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
    const claim = claimOf(claims, host)
    if (claim !== undefined) ownedThere++
    const action = decide(policy, want !== undefined, true, claim !== undefined)
    if (want !== undefined) {
      wantedThere++
      if (claim === undefined) result.adopt.push(want)
      else {
        result.kept++
        if (claim.mapping !== want.mapping.key || claim.source !== want.mapping.source) result.transfer.push(want)
      }
      continue
    }
    if (action === 'keep' || (claim?.implied && desired.has(host.slice('www.'.length) as Host))) result.kept++
    else if (action === 'remove' && !isProtected(host) && !isUnaskedWww(host, desired, claim !== undefined)) {
      result.remove.push(host)
    } else if (claim !== undefined) result.kept++
    else result.foreign.push(host)
  }
  const isThere =
    respelled.size === 0
      ? (host: Host): boolean => names.has(host)
      : (host: Host): boolean => respelledHosts.has(host) || (names.has(host) && !respelled.has(host))
  if (wantedThere < desired.size) {
    for (const [host, want] of desired) if (!isThere(host)) result.add.push(want)
  }
  if (ownedThere < owned.length) {
    for (const host of owned) if (!desired.has(host) && !isThere(host)) result.absent.push(host)
  }
  result.plain = respelled.size === 0 && names.size === observed.length
  return result
}

/**
 * The claim on a host. What we own has a dot: without one the look-up could meet Object.prototype. Asked with the wanted host's own
 * string where there is one: a string that was a property name before is found much faster than one fresh from an answer.
 */
function claimOf(claims: OwnershipRecord['hosts'], host: Host): Claim | undefined {
  return host.includes('.') ? claims[host] : undefined
}

/** `www.X` of a wanted X that nobody asked for is no drift, under any policy: the web server answers for it anyway. */
function isUnaskedWww(host: Host, desired: ReadonlyMap<Host, DesiredHost>, owned: boolean): boolean {
  return !owned && host.startsWith('www.') && desired.has(host.slice('www.'.length) as Host)
}
