import type { Key } from '../api/objects.ts'
import { displayHost, type Host } from '../domain/host.ts'
import type { CompiledApp, Desired, DesiredHost, MappingNote, RejectedMapping } from './desired.ts'

interface Claimant {
  app: Key
  want: DesiredHost
}

/**
 * Decides who gets each host among all apps of one account, and gives what remains for each app.
 *
 * The recorded holder keeps a host while it wants it; else a domain that was named beats a derived `www.`; else the older by the
 * source's own date (no date is the oldest); then source, namespace, name. Deterministic, so nobody flaps.
 * @param holderOf the mapping that ownership records name as the holder of a host
 */
export function resolveConflicts(
  apps: readonly CompiledApp[],
  holderOf: (host: Host) => Key | undefined,
): Map<Key, Desired> {
  const contested = new Map<Host, Claimant[]>()
  const sole = new Map<Host, Claimant>()
  for (const { app, compiled } of apps) {
    for (const want of compiled.flatMap(({ hosts }) => hosts)) {
      const claimant = { app, want }
      const [first, others] = [sole.get(want.host), contested.get(want.host)]
      if (first === undefined) sole.set(want.host, claimant)
      else if (others === undefined) contested.set(want.host, [first, claimant])
      else others.push(claimant)
    }
  }
  const winners = new Map<Host, Claimant>()
  for (const [host, claimants] of contested) winners.set(host, elect(claimants, holderOf(host)))
  return new Map(apps.map((each) => [each.app, desiredOf(each, winners)]))
}

function elect(claimants: readonly Claimant[], holder: Key | undefined): Claimant {
  const winner = claimants.reduce((best, each) => (precedes(each, best, holder) ? each : best))
  if (!winner.want.derived) return winner
  // Inside one app a derived www never stands in the way of the same name mapped by itself: both are served.
  const named = claimants.filter((each) => each.app === winner.app && !each.want.derived)
  return named.length === 0 ? winner : named.reduce((best, each) => (precedes(each, best, holder) ? each : best))
}

/** What tells two mappings of one age apart. */
const NAMES = ['source', 'namespace', 'name'] as const

function precedes(a: Claimant, b: Claimant, holder: Key | undefined): boolean {
  const left = a.want.mapping
  const right = b.want.mapping
  const holds = Number(right.key === holder) - Number(left.key === holder)
  if (holds !== 0) return holds < 0
  if (a.want.derived !== b.want.derived) return b.want.derived
  const age = (left.created ?? Number.NEGATIVE_INFINITY) - (right.created ?? Number.NEGATIVE_INFINITY)
  if (age !== 0 && !Number.isNaN(age)) return age < 0
  // Runs of digits by value, so that row 9 precedes row 10.
  const orders = NAMES.map((part) => left[part].localeCompare(right[part], 'en', { numeric: true }))
  return (orders.find((order) => order !== 0) ?? 0) < 0
}

function desiredOf({ app, compiled }: CompiledApp, winners: ReadonlyMap<Host, Claimant>): Desired {
  const hosts = new Map<Host, DesiredHost>()
  const rejected: RejectedMapping[] = []
  const notes: MappingNote[] = []
  for (const each of compiled) {
    if (each.rejected !== undefined) rejected.push(each.rejected)
    if (each.note !== undefined) notes.push(each.note)
    const named = each.hosts[0]
    const lost = named === undefined ? undefined : beaten(winners.get(named.host), named)
    if (named !== undefined && lost !== undefined) {
      rejected.push({ mapping: each.mapping, reason: 'Conflict', message: conflictMessage(named.host, app, lost) })
      continue // A mapping that does not get its domain does not get that domain's www either.
    }
    for (const want of each.hosts) {
      const other = beaten(winners.get(want.host), want)
      if (other === undefined) hosts.set(want.host, want)
      else if (other.app !== app) notes.push({ mapping: each.mapping, message: conflictMessage(want.host, app, other) })
    }
  }
  return { hosts, rejected, notes }
}

function beaten(winner: Claimant | undefined, want: DesiredHost): Claimant | undefined {
  return winner === undefined || winner.want === want ? undefined : winner
}

function conflictMessage(host: Host, app: Key, winner: Claimant): string {
  const where = winner.app === app ? '' : ` of app ${winner.app}`
  return `${displayHost(host)} is held by ${winner.want.mapping.key}${where} (${winner.want.mapping.place}). Remove one of the two mappings.`
}
