import type { App, Mapping } from '../api/objects.ts'
import { certificateFacts, covers } from '../check/certificate.ts'
import { compareKey, type Host } from '../domain/host.ts'
import type { OwnershipRecord } from '../ownership/record.ts'
import type { Held } from '../plan/held.ts'
import { planToText } from '../plan/render.ts'
import { type ConditionInput, setCondition, summarize } from './conditions.ts'
import type { Outcome } from './outcome.ts'
import type { Reason } from './reasons.ts'
import type { AppStatus, Condition, HostStatus, MappingStatus } from './status.ts'

type Said = Omit<ConditionInput, 'observedGeneration' | 'type'>

/** The status of an app after a reconcile. Pure. `before` gives the transition times, and what a failed look could not see. */
export function appStatus(app: App, outcome: Outcome, before: AppStatus | undefined): AppStatus {
  const now = outcome.endedAt
  const synced = syncedOf(outcome)
  const conditions = conditionsOf(
    'ServerPilotApp',
    app.generation,
    before?.conditions ?? [],
    {
      Accepted: acceptedOf(outcome),
      Synced: synced,
      CertificateReady: certificateOf(outcome) ?? keptCertificate(outcome, before),
    },
    now,
  )
  const seen = outcome.plan !== undefined && outcome.observed !== undefined
  const good = outcome.failure === undefined && outcome.frozen.size === 0 && outcome.result !== 'Suspended'
  const handled = app.annotations['domainpilot.dev/reconcile-requested-at'] ?? before?.lastHandledReconcileAt
  const lastSuccess = good ? now : before?.lastSuccess
  const plan = waitingPlan(outcome)
  const certificate = seen ? appCertificate(outcome) : before?.certificate
  return {
    key: app.key,
    appId: app.spec.appId,
    policy: app.spec.policy,
    place: app.place,
    observedGeneration: app.generation,
    ownedDomains: outcome.record === undefined ? (before?.ownedDomains ?? []) : heldHosts(outcome.record),
    domains: seen ? countsOf(outcome) : (before?.domains ?? { desired: 0, observed: 0, owned: 0, foreign: 0 }),
    hosts: seen ? hostsOf(outcome) : (before?.hosts ?? []),
    ...(plan === undefined ? {} : { plan }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(handled === undefined ? {} : { lastHandledReconcileAt: handled }),
    lastAttempt: outcome.startedAt,
    ...(lastSuccess === undefined ? {} : { lastSuccess }),
    conditions,
  }
}

/** The status of every mapping of the app. Pure. */
export function mappingStatuses(
  app: App,
  status: AppStatus,
  outcome: Outcome,
  before: ReadonlyMap<string, MappingStatus>,
): MappingStatus[] {
  const hosts = new Map<string, HostStatus[]>()
  for (const host of status.hosts) {
    if (host.mapping !== undefined) hosts.set(host.mapping, [...(hosts.get(host.mapping) ?? []), host])
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
    const parts = {
      Accepted: accepted,
      Synced: mappingSynced(mapping, outcome, own, refusal !== undefined),
      ...mappingCertificate(outcome, own),
    }
    const known = before.get(mapping.key)?.conditions ?? []
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

function conditionsOf(
  kind: 'ServerPilotApp' | 'DomainMapping',
  generation: number,
  before: readonly Condition[],
  parts: Record<string, Said | undefined>,
  now: number,
): Condition[] {
  let list = before.filter((condition) => parts[condition.type] !== undefined || !isPart(condition.type))
  for (const [type, said] of Object.entries(parts)) {
    if (said !== undefined) list = setCondition(list, { type, ...said, observedGeneration: generation }, now)
  }
  return summarize(kind, list, generation, now)
}

const isPart = (type: string): boolean => ['Accepted', 'Synced', 'DNSReady', 'CertificateReady'].includes(type)

/** Reasons that speak of the object itself, not of one attempt to bring it in line. */
const NOT_ACCEPTED: ReadonlySet<string> = new Set<Reason>([
  'Conflict',
  'NotAllowed',
  'InvalidSpec',
  'CredentialsInvalid',
  'AppNotFound',
])

function acceptedOf({ failure, faults, secondWriter }: Outcome): Said {
  if (failure !== undefined && NOT_ACCEPTED.has(failure.reason)) {
    return { status: 'False', reason: failure.reason, message: failure.message }
  }
  const rows = faults.length === 0 ? [] : [rowFaults(faults)]
  if (secondWriter === undefined) return { status: 'True', reason: 'Succeeded', message: rows.join('') }
  return { status: 'True', reason: 'SecondWriter', message: [secondWriter, ...rows].join(' ') }
}

/** Rows that count for nothing: the others do. */
function rowFaults(faults: Outcome['faults']): string {
  const shown = faults.slice(0, 10).map(({ place, message }) => `${place}: ${message}`)
  const more = faults.length > shown.length ? ` and ${faults.length - shown.length} more` : ''
  return `${faults.length} row(s) name no domain that can be served: ${shown.join('; ')}${more}.`
}

function syncedOf(outcome: Outcome): Said {
  const { failure, plan, frozen } = outcome
  if (outcome.result === 'Suspended') {
    return { status: 'Unknown', reason: 'Suspended', message: 'spec.suspend is true: nothing is read or written.' }
  }
  if (failure !== undefined) return { status: 'False', reason: failure.reason, message: failure.message }
  const [broken] = frozen
  if (broken !== undefined) {
    const message = `Source ${broken[0]}: ${broken[1]} Nothing is removed until it can be read again.`
    return { status: 'False', reason: 'SourceUnavailable', message }
  }
  if (plan === undefined) return { status: 'Unknown', reason: 'Progressing', message: 'Not looked at yet.' }
  if (plan.refused !== undefined) {
    const { reason, message } = plan.refused
    return { status: 'False', reason, message: `${message} Held back: ${listed(plan.waiting, 100)}.` }
  }
  if (outcome.result === 'Planned' && plan.changes.length > 0) {
    return {
      status: 'False',
      reason: 'DryRun',
      message: `${plan.changes.length} change(s) worked out and not written.`,
    }
  }
  return (
    heldBack([...plan.held.entries()]) ?? {
      status: 'True',
      reason: 'Succeeded',
      message: `${plan.kept} host(s) in place.`,
    }
  )
}

/** Changes that wait, a clause per reason; the reason of the first is the condition's. Undefined when nothing waits. */
function heldBack(held: readonly (readonly [Host, Held])[]): Said | undefined {
  const groups = new Map<string, { reason: Held['reason']; hosts: Host[] }>()
  for (const [host, { reason, message }] of held) {
    const group = groups.get(message) ?? { reason, hosts: [] }
    group.hosts.push(host)
    groups.set(message, group)
  }
  const [first] = groups.values()
  if (first === undefined) return undefined
  const clauses = [...groups].map(([message, { hosts }]) => {
    return `${listed(hosts, 10)}: ${message}`
  })
  return { status: 'False', reason: first.reason, message: clauses.join('; ') }
}

const listed = (hosts: readonly Host[], most: number): string =>
  hosts.slice(0, most).join(', ') + (hosts.length > most ? ` and ${hosts.length - most} more` : '')

function mappingSynced(
  mapping: Mapping,
  outcome: Outcome,
  own: readonly HostStatus[],
  refused: boolean,
): Said | undefined {
  if (refused) return { status: 'False', reason: 'Progressing', message: 'Not accepted, so not served.' }
  if (outcome.result === 'Suspended') return syncedOf(outcome)
  if (own.length === 0) {
    const { failure } = outcome
    return failure === undefined ? undefined : { status: 'False', reason: failure.reason, message: failure.message }
  }
  const held = own.flatMap((host) => {
    const why = outcome.plan?.held.get(host.name as Host)
    return why === undefined ? [] : [[host.name as Host, why] as const]
  })
  const waits = heldBack(held)
  if (waits !== undefined) return waits
  const absent = own.find((host) => host.state !== 'present')
  if (absent === undefined) return { status: 'True', reason: 'Succeeded', message: '' }
  const { failure } = outcome
  if (failure !== undefined) return { status: 'False', reason: failure.reason, message: failure.message }
  const reason = outcome.result === 'Planned' ? 'DryRun' : 'Progressing'
  return { status: 'False', reason, message: `${absent.name} of ${mapping.domain} is not on the app yet.` }
}

function certificateOf({ ssl }: Outcome): Said | undefined {
  return ssl === undefined
    ? undefined
    : { status: ssl.ready ? 'True' : 'False', reason: ssl.reason, message: ssl.message }
}

/** What an attempt that failed could not see stays as it was seen last. */
function keptCertificate({ failure }: Outcome, before: AppStatus | undefined): Said | undefined {
  const last = before?.conditions.find((each) => each.type === 'CertificateReady')
  if (failure === undefined || last === undefined) return undefined
  return { status: last.status, reason: last.reason as Reason, message: last.message }
}

function mappingCertificate(outcome: Outcome, own: readonly HostStatus[]): { CertificateReady?: Said } {
  const pem = outcome.observed?.ssl?.cert
  const facts = pem === undefined ? undefined : certificateFacts(pem)
  if (facts === undefined || own.length === 0) return {}
  const bare = own.filter((host) => host.state === 'present' && !covers(facts, host.name)).map((host) => host.name)
  if (bare.length === 0) return { CertificateReady: { status: 'True', reason: 'Succeeded', message: '' } }
  const message = `The certificate does not cover ${bare.join(', ')}.`
  return { CertificateReady: { status: 'False', reason: 'NotCovered', message } }
}

function countsOf({ desired, observed, record, plan }: Outcome): AppStatus['domains'] {
  return {
    desired: desired?.hosts.size ?? 0,
    observed: observed?.domains.length ?? 0,
    owned: record === undefined ? 0 : heldHosts(record).length,
    foreign: plan?.foreign.length ?? 0,
  }
}

/** Claims on hosts that are gone already are not counted: they only wait to be released. */
function heldHosts(record: OwnershipRecord): Host[] {
  const hosts = Object.keys(record.hosts) as Host[]
  return hosts.filter((host) => record.hosts[host]?.absentSince === undefined).sort()
}

function appCertificate({ observed, desired }: Outcome): AppStatus['certificate'] {
  const facts = observed?.ssl?.cert === undefined ? undefined : certificateFacts(observed.ssl.cert)
  if (observed === undefined || facts === undefined) return undefined
  const hosts = observed.domains.map(compareKey).filter((host) => desired?.hosts.has(host as Host))
  const covered = hosts.filter((host) => covers(facts, host)).sort()
  const uncovered = hosts.filter((host) => !covers(facts, host)).sort()
  return { notAfter: facts.notAfter, covered, uncovered }
}

function hostsOf(outcome: Outcome): HostStatus[] {
  const { observed, plan, desired, record } = outcome
  const there = new Set(observed?.domains.map(compareKey))
  const facts = observed?.ssl?.cert === undefined ? undefined : certificateFacts(observed.ssl.cert)
  const names = new Set<string>([...there, ...(desired?.hosts.keys() ?? [])])
  return [...names].sort().map((name): HostStatus => {
    const host = name as Host
    const mapping = desired?.hosts.get(host)?.mapping.key ?? record?.hosts[host]?.mapping
    const message = plan?.held.get(host)?.message
    return {
      name,
      state: stateOf(host, outcome, there),
      ...(mapping === undefined ? {} : { mapping }),
      ...(message === undefined ? {} : { message }),
      ...(facts !== undefined && there.has(name) && covers(facts, name) ? { certificateNotAfter: facts.notAfter } : {}),
    }
  })
}

function stateOf(host: Host, { desired, record, plan }: Outcome, there: ReadonlySet<string>): HostStatus['state'] {
  if (desired?.hosts.has(host)) {
    if (there.has(host)) return 'present'
    const held = plan?.held.get(host)
    return held === undefined ? 'pending' : held.reason === 'Rejected' ? 'rejected' : 'absent'
  }
  const claim = record?.hosts[host]
  if (claim === undefined) return 'foreign'
  return claim.implied ? 'present' : 'leaving'
}

function waitingPlan({ plan, desired }: Outcome): AppStatus['plan'] {
  if (plan === undefined || plan.waiting.length === 0) return undefined
  const reason = plan.refused?.reason ?? 'RemovalSettling'
  const message = plan.refused?.message ?? 'Removals wait for the mappings to settle.'
  const diff = planToText(plan, desired?.rejected ?? [])
  return { hash: plan.hash, removals: [...plan.waiting], reason, message, diff }
}
