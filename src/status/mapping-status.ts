import type { App, Mapping } from '../api/objects.ts'
import type { Host } from '../domain/host.ts'
import { conditionsOf, denied, FINE, keptOf, type Parts, type Said, unseen } from './conditions.ts'
import type { HostChecks } from './host-checks.ts'
import type { HostStatus } from './host-status.ts'
import { type Outcome, refusalOf } from './outcome.ts'
import type { AppStatus, Condition, MappingStatus } from './status.ts'
import { mappingSynced } from './synced.ts'
import { orphanStatus } from './unserved.ts'

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
  { app, outcome, checks, status }: AppReconciled,
  before: ReadonlyMap<string, MappingStatus>,
): MappingStatus[] {
  const { desired, observed, endedAt } = outcome
  if (app.deletionTimestamp !== undefined)
    return outcome.mappings.map((mapping) => orphanStatus(mapping, app, before.get(mapping.key), endedAt))
  const hosts = hostsByMapping(status.hosts)
  const acceptedOf = acceptance(outcome)
  const share = sharing([...before.values()].map((each) => each.conditions))
  return outcome.mappings.map((mapping) => {
    const known = before.get(mapping.key)
    if (known !== undefined && wasNotReached(mapping, known, outcome)) return known
    const own = hosts.get(mapping.key) ?? []
    const names = own.flatMap(({ name }) => (desired?.hosts.has(name as Host) ? [name] : []))
    const accepted = acceptedOf(mapping, known)
    const parts: Parts<'DomainMapping'> = {
      Accepted: accepted,
      Synced: mappingSynced({ mapping, outcome, own, refused: accepted?.status === 'False' }),
      DNSReady: checks.dnsReady(names) ?? unseen(outcome, isCompiled(outcome), known, 'DNSReady'),
      CertificateReady:
        checks.certificateReady(names) ?? unseen(outcome, observed !== undefined, known, 'CertificateReady'),
    }
    return {
      key: mapping.key,
      app: app.key,
      appId: app.spec.appId,
      source: mapping.source,
      place: mapping.place,
      domain: mapping.domain,
      observedGeneration: mapping.generation,
      hosts: own,
      conditions: share(conditionsOf('DomainMapping', mapping.generation, known, parts, endedAt)),
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
export const isCompiled = ({ desired, result }: Outcome): boolean => desired !== undefined || result === 'Suspended'

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
    if (mapping.fault !== undefined) return denied('InvalidSpec', mapping.fault)
    const refusal = rejected.get(mapping.key)
    if (refusal !== undefined) return denied(refusal.reason, refusal.message)
    if (isCompiled(outcome)) return { ...FINE, message: notes.get(mapping.key) ?? '' }
    return known?.observedGeneration === mapping.generation ? keptOf(known, 'Accepted') : undefined
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
