import type { Key } from '../api/objects.ts'
import { firstOf } from '../domain/first-of.ts'
import type { Host } from '../domain/host.ts'
import type { Claim } from '../ownership/record.ts'
import type { Held } from './held.ts'
import type { PlanInput } from './input.ts'
import { settlesAt } from './settle.ts'

/** One removal that the merge asks for. */
interface Removal {
  host: Host
  claim: Claim | undefined
  /** Mappings that are not accepted and keep what they held, and why. */
  keepers: ReadonlyMap<Key, string>
}

type Hold = (removal: Removal, input: PlanInput) => Held | undefined

/** What cannot be read may still want the host. Of a host without a claim nobody knows the source: any failure holds it. */
const sourceFailed: Hold = ({ claim }, { frozen }) => {
  if (frozen.size === 0) return undefined
  const failure = claim === undefined ? frozen.values().next().value : frozen.get(claim.source)
  return failure === undefined
    ? undefined
    : { reason: 'SourceUnavailable', message: `its source cannot be read in full: ${failure}` }
}

/** A domain that is mistyped takes nothing off the app, nor does what cannot be known now. */
const mappingKeeps: Hold = ({ claim, keepers }) => {
  const why = claim === undefined ? undefined : keepers.get(claim.mapping)
  return why === undefined ? why : { reason: 'SourceUnavailable', message: `its mapping ${claim?.mapping} ${why}` }
}

/** Another writer keeps putting it back. */
const contended: Hold = ({ host }, input) => input.contended.get(host)

/** It goes to another app of the account: there first. */
const moving: Hold = ({ host }, input) => {
  const to = input.moving.get(host)
  return to === undefined ? undefined : { reason: 'Progressing', message: `leaves once app ${to} serves it` }
}

/** What holds a removal back that neither time nor approval lifts; the first that applies is named. */
const HOLDS: readonly Hold[] = [sourceFailed, mappingKeeps, contended, moving]

/** Asks for each removal whether one of these holds it back. */
export function holdsOf(input: PlanInput): (host: Host) => Held | undefined {
  const keepers = new Map(input.desired.rejected.flatMap(({ mapping, keeps }) => (keeps ? [[mapping.key, keeps]] : [])))
  return (host) => firstOf(HOLDS, { host, claim: input.record.hosts[host], keepers }, input)
}

/** Why one removal has still to wait: for a person, or until a time; undefined once it has settled. */
export function waitOf(host: Host, { watch, distrusted, app, quarantined, now }: PlanInput): Held | undefined {
  // A one-shot run has a person in front of it: nothing waits for time.
  const { at, inferred } = watch === undefined ? { at: now, inferred: true } : settlesAt(watch, host, app.spec.safety)
  const dns = quarantined?.has(host) ? 'its DNS keeps others from their certificate' : undefined
  // What only seems to be gone, because another version or other filters looked, may never have been wanted by those.
  if (inferred && (watch?.distrusted ?? distrusted)) {
    const message = `${dns ?? 'its mapping went while no daemon watched'}, and the record was written by another version or with other filters, or is an older one that was put back: this needs approval`
    return { reason: 'RemovalRefused', message }
  }
  if (at <= now) return undefined
  const why = inferred ? 'its mapping was already absent when everything was read' : 'its mapping went just now'
  return { reason: 'RemovalSettling', message: `${dns ?? why}; waiting for the mappings to settle`, until: at }
}
