import { firstOf } from '../domain/first-of.ts'
import type { Host } from '../domain/host.ts'
import type { Held } from './held.ts'
import type { PlanInput } from './input.ts'
import { settlesAt } from './settle.ts'

/** One removal that may have to wait. */
interface Settling {
  /** Nobody saw the mapping go: it was absent at the first look. */
  inferred: boolean
  /** The record was written by another version, or with other filters. */
  distrusted: boolean
  /** When it has settled; epoch ms. */
  at: number
  now: number
}

type Rule = (removal: Settling) => Held | undefined

/** What only seems to be gone, because another version or other filters looked, may never have been wanted by those. */
const inferredUnderDistrust: Rule = ({ inferred, distrusted }) =>
  inferred && distrusted
    ? {
        reason: 'RemovalRefused',
        message:
          'its mapping went while no daemon watched, and the record was written by another version or with other filters: this needs approval',
      }
    : undefined

const notSettled: Rule = ({ at, now, inferred }) => {
  if (at <= now) return undefined
  const why = inferred ? 'its mapping was already absent at the first look' : 'its mapping went just now'
  return { reason: 'RemovalSettling', message: `${why}; waiting for the mappings to settle`, until: at }
}

/** The rules in the order in which they are asked; the first that objects decides. */
const RULES: readonly Rule[] = [inferredUnderDistrust, notSettled]

/** Why one removal has still to wait: for a person, or until a time; undefined once it has settled. */
export function waitOf(host: Host, { watch, distrusted, app, now }: PlanInput): Held | undefined {
  const settling =
    watch === undefined
      ? // A one-shot run has a person in front of it: nothing waits for time.
        { at: now, inferred: true, distrusted, now }
      : { ...settlesAt(watch, host, app.spec.safety), distrusted: watch.distrusted, now }
  return firstOf(RULES, settling)
}
