import { ANNOTATION } from '../../api/objects.ts'
import type { DnsVerdict } from '../../check/dns/judge.ts'
import type { History } from '../../check/limits.ts'
import type { Host } from '../../domain/host.ts'
import { releaseBroughtBack } from '../../ownership/claims.ts'
import { writerMatches } from '../../ownership/record.ts'
import { doubt } from '../../plan/doubt.ts'
import { type RemovalWatch, watchRemovals } from '../../plan/settle.ts'
import type { Leave, ServerPilotApp } from '../../serverpilot/serverpilot.ts'
import { NO_CONTENTION } from '../context/contention.ts'
import { type Context, certificateOf } from '../context/context.ts'
import { ReconcileError } from '../context/errors.ts'
import { historyIn } from './certificate-budget.ts'
import { openAdditions } from './decide.ts'
import type { Declared, Facts } from './facts.ts'
import type { AccountPass, Pass } from './pass.ts'

/** Finds the account that the app's credentials belong to. Throws `ReconcileError`. */
export async function findAccount(pass: Pass): Promise<AccountPass> {
  const { accounts } = pass.context.memory
  const account = await accounts.find(pass.app)
  await accounts.findAll()
  return { ...pass, account }
}

/** Gathers what is declared for the app, and what is ours of it. Throws `ReconcileError` and the errors of the record store. */
export async function gatherDeclared({ context, app, stage, account: { account } }: AccountPass): Promise<Declared> {
  const { accounts, records, desires } = context.memory
  await records.loadAll(accounts.appsOf(account), account)
  const { record, fresh } = await records.load(app, account)
  return { ...desires.of(app, account), app, account, record, fresh, finalizing: stage === 'finalize' }
}

/**
 * Gathers what there is at ServerPilot: what a sweep has just listed, or else the app's detail. One pass by a person looks up the
 * hosts that are to be added, where `dns.policy` asks for that. Throws `ServerPilotError`.
 */
export async function gatherFacts({ context, app, account, signal }: AccountPass, declared: Declared): Promise<Facts> {
  const listed = context.memory.listings.take(app.key, app.spec.appId)
  const observed = listed ?? (await account.getApp(app.spec.appId, signal))
  const facts = factsOf(context, declared, observed)
  const { lookUpNow } = context.ports
  if (lookUpNow === undefined || app.spec.dns.policy !== 'Require') return facts
  const hosts = openAdditions(facts)
  return { ...facts, dns: hosts.length === 0 ? NOTHING : await lookUpNow(app, hosts, observed.serverId, signal) }
}

/**
 * The facts as they are now, after a wait: objects, mappings and approvals may have changed, what was looked up stands.
 * Throws `ReconcileError`.
 */
export function gatherAgain({ context, app }: Pass, facts: Facts): Facts {
  const declared = { ...facts, ...context.memory.desires.of(app, facts.account), app }
  const again = factsOf(context, declared, facts.observed)
  return context.ports.lookUpNow === undefined ? again : { ...again, dns: facts.dns }
}

/** The same facts on another reading of the list. */
export function withObserved({ context }: Pass, facts: Facts, observed: ServerPilotApp): Facts {
  return { ...facts, ...seenIn(context, facts, observed) }
}

/**
 * Reads the app's list for a write to stand on. A list that lost names since it was last seen is read again before it is believed; the
 * last reading counts, so that the write follows it directly.
 * Throws a retryable `ReconcileError` when the answers contradict each other.
 */
export async function readForWrite(
  { context, account, app, signal }: AccountPass,
  { record }: Pick<Facts, 'record'>,
  leave: Leave,
): Promise<ServerPilotApp> {
  const first = await account.getApp(app.spec.appId, signal, leave)
  const doubted = doubt(record.lastSeen, first.domains, app.spec.safety)
  if (doubted === undefined) return first
  let last = first
  for (let read = 0; read < doubted.reads; read++) {
    await context.ports.clock.sleep(doubted.over / doubted.reads, signal)
    last = await account.getApp(app.spec.appId, signal)
    if (sameNames(first.domains, last.domains)) continue
    // The first answer does not stand. What came now is believed only if it raises no doubt itself.
    if (doubt(record.lastSeen, last.domains, app.spec.safety) === undefined) return last
    throw new ReconcileError('ApiUnreachable', `${doubted.message}, and repeated reads contradict each other.`)
  }
  return last
}

/** Whether two lists have the same names, in whatever order. */
export function sameNames(a: Iterable<string>, b: Iterable<string>): boolean {
  const [left, right] = [new Set(a), new Set(b)]
  return left.size === right.size && [...left].every((name) => right.has(name))
}

/** What a reading of the list says, and when that was. */
type Seen = Pick<Facts, 'observed' | 'record' | 'distrusted' | 'certificate' | 'history' | 'now' | 'steady'>

function seenIn(context: Context, declared: Declared, observed: ServerPilotApp): Seen {
  const { ports, mode } = context
  const { app, desired, fresh } = declared
  // What somebody else put back after we had taken it off is not ours any more.
  const record = releaseBroughtBack(declared.record, observed.domains, (host) => desired.hosts.has(host))
  return {
    observed,
    record,
    distrusted: !fresh && !writerMatches(record, mode.writer),
    certificate: certificateOf(context, app.key, observed),
    history: historyFor(context, { ...declared, record }, observed),
    now: ports.clock.now(),
    steady: Math.floor(ports.clock.steady()),
  }
}

function factsOf(context: Context, declared: Declared, observed: ServerPilotApp): Facts {
  const { ports, mode, memory } = context
  const { app, account } = declared
  const known = { ...declared, ...seenIn(context, declared, observed) }
  return {
    ...known,
    watch: watch(context, known),
    moving: memory.desires.moving(app.key, account),
    approvals: [mode.approval, app.annotations[ANNOTATION.approvePlan]].flatMap((hash) => hash || []),
    handed: ports.handedApprovals?.() ?? [],
    dns: knownDns(context, declared),
    dnsChecked: memory.checks.on,
    gathering: memory.gathering.get(app.key),
    contention: memory.contention.get(app.key) ?? NO_CONTENTION,
    oneShot: mode.oneShot,
  }
}

/** What was issued for the account's apps; nothing while the list is as it should be, as it then leads to no certificate. */
function historyFor(
  { memory }: Context,
  { app, account, desired, record }: Declared,
  { domains }: ServerPilotApp,
): History {
  const asDesired = domains.length === desired.hosts.size && domains.every((name) => desired.hosts.has(name as Host))
  const inLine = asDesired && Object.keys(record.hosts).every((host) => desired.hosts.has(host as Host))
  if (inLine || !app.spec.ssl.auto) return NO_HISTORY
  return historyIn(memory.accounts.appsOf(account).flatMap(({ key }) => memory.records.of(key) ?? []))
}

const NO_HISTORY: History = { issuances: [], failures: [] }

/** Follows the desired set: what it lost since the last look. */
function watch({ ports, memory }: Context, known: Declared & Seen): RemovalWatch {
  const { app, desired, record, protectedHosts, frozen, distrusted, steady } = known
  const next = watchRemovals(memory.watches.get(app.key), {
    basis: JSON.stringify([app.spec.policy, app.spec.protectedDomains, protectedHosts]),
    wanted: desired.hosts,
    owned: Object.keys(record.hosts) as Host[],
    frozen: (host) => isFrozen(frozen, record.hosts[host]?.source),
    distrusted,
    rereads: ports.mappingSources.reduce((sum, source) => sum + (source.rereads?.() ?? 0), 0),
    now: steady,
  })
  memory.watches.set(app.key, next)
  return next
}

/** Of a host without a claim nobody knows the source: it counts as that of any that has failed. */
const isFrozen = (frozen: ReadonlyMap<string, string>, source: string | undefined): boolean =>
  frozen.size > 0 && (source === undefined || frozen.has(source))

const NOTHING: ReadonlyMap<Host, DnsVerdict> = new Map()

/** What the checks have found out of the hosts of an app that only takes those which resolve. */
function knownDns({ ports, memory }: Context, { app, desired }: Declared): ReadonlyMap<Host, DnsVerdict> {
  if (app.spec.dns.policy !== 'Require') return NOTHING
  const now = ports.clock.now()
  const known = [...desired.hosts.keys()].flatMap((host) => {
    const verdict = memory.checks.dns(app.key, host, now)
    return verdict === undefined ? [] : [[host, verdict] as const]
  })
  return new Map(known)
}
