import type { App, Mapping } from '../api/objects.ts'
import type { Host } from '../domain/host.ts'
import type { InvalidObject } from '../source/source.ts'
import { conditionsOf, keptOf, type Parts, type Said } from './conditions.ts'
import { refusalOf, unseen } from './failure.ts'
import type { HostChecks } from './host-checks.ts'
import type { HostStatus } from './host-status.ts'
import type { Outcome } from './outcome.ts'
import type { AppStatus, Condition, MappingStatus } from './status.ts'
import { mappingSynced } from './synced.ts'

/** One reconcile of an app, with what was made of it. */
export interface AppReconciled {
  app: App
  outcome: Outcome
  checks: HostChecks
  /** The app's. */
  status: AppStatus
}

/** The status of every mapping of the app, also of those that the attempt did not get to. `before`: by key. Pure. */
export function mappingStatuses(
  reconciled: AppReconciled,
  before: ReadonlyMap<string, MappingStatus>,
): MappingStatus[] {
  const { app, outcome, status } = reconciled
  if (app.deletionTimestamp !== undefined)
    return outcome.mappings.map((mapping) => orphanStatus(mapping, app, before.get(mapping.key), outcome.endedAt))
  const hosts = hostsByMapping(status.hosts)
  const accepted = acceptance(outcome)
  const share = sharing([...before.values()].map((each) => each.conditions))
  return outcome.mappings.map((mapping) => {
    const known = before.get(mapping.key)
    if (known !== undefined && wasNotReached(mapping, known, outcome)) return known
    const own = hosts.get(mapping.key) ?? []
    const said = { mapping, own, known, accepted: accepted(mapping, known) }
    const parts = mappingParts(reconciled, said)
    const conditions = conditionsOf(
      'DomainMapping',
      mapping.generation,
      known?.conditions ?? [],
      parts,
      outcome.endedAt,
    )
    return {
      key: mapping.key,
      app: app.key,
      appId: app.spec.appId,
      source: mapping.source,
      place: mapping.place,
      domain: mapping.domain,
      observedGeneration: mapping.generation,
      hosts: own,
      conditions: share(conditions),
    }
  })
}

function hostsByMapping(all: readonly HostStatus[]): ReadonlyMap<string, HostStatus[]> {
  const hosts = new Map<string, HostStatus[]>()
  for (const host of all) {
    if (host.mapping === undefined) continue
    const others = hosts.get(host.mapping)
    // Not by spreading nothing: V8 leaves room for sixteen more in each of 30,000 arrays.
    hosts.set(host.mapping, others === undefined ? [host] : others.concat(host))
  }
  return hosts
}

/** The attempt got as far as the mappings, or was not to look at them. */
const isCompiled = ({ desired, result }: Outcome): boolean => desired !== undefined || result === 'Suspended'

/** What was said of this very mapping before still is all that is known. */
function wasNotReached(mapping: Mapping, known: MappingStatus, outcome: Outcome): boolean {
  if (isCompiled(outcome) || refusalOf(outcome) !== undefined || mapping.fault !== undefined) return false
  return known.observedGeneration === mapping.generation
}

/** What `Accepted` of each mapping says; undefined where nobody knows. */
function acceptance(outcome: Outcome): (mapping: Mapping, known: MappingStatus | undefined) => Said | undefined {
  const rejected = new Map(outcome.desired?.rejected.map((each) => [each.mapping.key, each]))
  const notes = new Map(outcome.desired?.notes.map((each) => [each.mapping.key, each.message]))
  return (mapping, known) => {
    if (mapping.fault !== undefined) return { status: 'False', reason: 'InvalidSpec', message: mapping.fault }
    const refusal = rejected.get(mapping.key)
    if (refusal !== undefined) return { status: 'False', reason: refusal.reason, message: refusal.message }
    if (isCompiled(outcome)) return { status: 'True', reason: 'Succeeded', message: notes.get(mapping.key) ?? '' }
    return known?.observedGeneration === mapping.generation ? keptOf(known, 'Accepted') : undefined
  }
}

/** What is known of one mapping before its conditions are worked out. */
interface Known {
  mapping: Mapping
  /** Its hosts. */
  own: readonly HostStatus[]
  accepted: Said | undefined
  /** Its status before. */
  known: MappingStatus | undefined
}

function mappingParts(
  { outcome, checks }: AppReconciled,
  { mapping, own, accepted, known }: Known,
): Parts<'DomainMapping'> {
  const names = own.flatMap(({ name }) => (outcome.desired?.hosts.has(name as Host) ? [name] : []))
  return {
    Accepted: accepted,
    Synced: mappingSynced({ mapping, outcome, own, refused: accepted?.status === 'False' }),
    DNSReady: checks.dnsReady(names) ?? unseen(outcome, isCompiled(outcome), known, 'DNSReady'),
    CertificateReady:
      checks.certificateReady(names) ?? unseen(outcome, outcome.observed !== undefined, known, 'CertificateReady'),
  }
}

/** Gives one list for all that say the same: most mappings of an app do, and each would keep half a kilobyte of its own. */
function sharing(before: readonly Condition[][]): (list: Condition[]) => Condition[] {
  const lists = new Map([...new Set(before)].map((list) => [JSON.stringify(list), list]))
  return (list) => {
    const text = JSON.stringify(list)
    const known = lists.get(text)
    if (known === undefined) lists.set(text, list)
    return known ?? list
  }
}

/** The status of a mapping that no app serves: its app does not exist, is invalid and never was valid, or is being deleted. */
export function orphanStatus(
  mapping: Mapping,
  app: App | InvalidObject | undefined,
  before: MappingStatus | undefined,
  now: number,
): MappingStatus {
  return {
    key: mapping.key,
    app: mapping.app,
    source: mapping.source,
    place: mapping.place,
    domain: mapping.domain,
    observedGeneration: mapping.generation,
    hosts: [],
    conditions: conditionsOf(
      'DomainMapping',
      mapping.generation,
      before?.conditions ?? [],
      { Accepted: { status: 'False', ...unservedBecause(mapping, app) } },
      now,
    ),
  }
}

function unservedBecause(mapping: Mapping, app: App | InvalidObject | undefined): Pick<Said, 'reason' | 'message'> {
  if (mapping.fault !== undefined) return { reason: 'InvalidSpec', message: mapping.fault }
  const name = `ServerPilotApp ${mapping.app}`
  if (app === undefined)
    return { reason: 'AppNotFound', message: `There is no ${name}. Create it, or correct spec.appRef.` }
  if (app.deletionTimestamp !== undefined)
    return { reason: 'AppNotFound', message: `${name} is being deleted, so nothing is done for its mappings.` }
  const fault = 'message' in app ? app.message : app.fault
  return { reason: 'InvalidSpec', message: `${name} is invalid: ${fault}` }
}
