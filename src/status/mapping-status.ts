import type { App, Mapping } from '../api/objects.ts'
import type { Host } from '../domain/host.ts'
import { conditionsOf, type Parts, type Said, saidBefore } from './conditions.ts'
import type { HostChecks } from './host-checks.ts'
import type { Outcome } from './outcome.ts'
import type { AppStatus, Condition, HostStatus, MappingStatus } from './status.ts'
import { mappingSynced } from './synced.ts'

/** The status of every mapping of the app. Pure. */
export function mappingStatuses(
  app: App,
  status: AppStatus,
  outcome: Outcome,
  checks: HostChecks,
  before: ReadonlyMap<string, MappingStatus>,
): MappingStatus[] {
  const hosts = new Map<string, HostStatus[]>()
  for (const host of status.hosts) {
    if (host.mapping === undefined) continue
    const others = hosts.get(host.mapping)
    // Not by spreading nothing: V8 leaves room for sixteen more in each of 30,000 arrays.
    hosts.set(host.mapping, others === undefined ? [host] : others.concat(host))
  }
  const rejected = new Map(outcome.desired?.rejected.map((each) => [each.mapping.key, each]))
  const notes = new Map(outcome.desired?.notes.map((each) => [each.mapping.key, each.message]))
  const share = sharing([...before.values()].map((each) => each.conditions))
  return outcome.mappings.map((mapping) => {
    const own = hosts.get(mapping.key) ?? []
    const refusal = rejected.get(mapping.key)
    const accepted: Said =
      refusal === undefined
        ? { status: 'True', reason: 'Succeeded', message: notes.get(mapping.key) ?? '' }
        : { status: 'False', reason: refusal.reason, message: refusal.message }
    const names = own.flatMap(({ name }) => (outcome.desired?.hosts.has(name as Host) ? [name] : []))
    const known = before.get(mapping.key)?.conditions ?? []
    const parts: Parts<'DomainMapping'> = {
      Accepted: accepted,
      Synced: mappingSynced(mapping, outcome, own, refusal !== undefined),
      DNSReady: checks.dnsReady(names),
      CertificateReady: checks.certificateReady(names) ?? keptCertificate(outcome, known),
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
      conditions: share(conditionsOf('DomainMapping', mapping.generation, known, parts, outcome.endedAt)),
    }
  })
}

/** What an attempt that failed could not see stays as it was seen last. */
function keptCertificate({ failure, observed }: Outcome, known: readonly Condition[]): Said | undefined {
  return failure === undefined || observed !== undefined ? undefined : saidBefore(known, 'CertificateReady')
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

/** The status of a mapping whose app does not exist, or is being deleted (`app`). */
export function orphanStatus(
  mapping: Mapping,
  app: App | undefined,
  before: MappingStatus | undefined,
  now: number,
): MappingStatus {
  const message =
    app === undefined
      ? `There is no ServerPilotApp ${mapping.app}. Create it, or correct spec.appRef.`
      : `ServerPilotApp ${mapping.app} is being deleted, so nothing is done for its mappings.`
  const accepted: Said = { status: 'False', reason: 'AppNotFound', message }
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
      { Accepted: accepted },
      now,
    ),
  }
}
