import { ANNOTATION } from '../../api/objects.ts'
import type { DnsVerdict } from '../../check/dns/judge.ts'
import type { History } from '../../check/limits.ts'
import type { Host } from '../../domain/host.ts'
import { releaseBroughtBack } from '../../ownership/claims.ts'
import { writerMatches } from '../../ownership/record.ts'
import { goneAlong, notAhead, wasSet } from '../../ownership/set-clock.ts'
import { look, lookAfter } from '../../plan/doubt.ts'
import { type RemovalWatch, watchRemovals } from '../../plan/settle.ts'
import type { Leave, ServerPilotApp } from '../../serverpilot/serverpilot.ts'
import { NO_CONTENTION } from '../context/contention.ts'
import { type Context, certificateOf } from '../context/context.ts'
import { ReconcileError } from '../context/errors.ts'
import { historyIn } from './certificate-budget.ts'
import { openAdditions } from './decide.ts'
import type { Declared, Facts } from './facts.ts'
import type { AccountPass, Pass } from './pass.ts'
import { lookedUp, quarantineOf, withoutQuarantined } from './quarantine.ts'

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
  const loaded = await records.load(app, account)
  return { ...desires.of(app, account), app, account, ...loaded, finalizing: stage === 'finalize' }
}

/**
 * Gathers what there is at ServerPilot: what a sweep has just listed, or else the app's detail. One pass by a person looks up the
 * hosts that are to be added, or that are quarantined, where `dns.policy` asks for that. Throws `ServerPilotError`.
 */
export async function gatherFacts(pass: AccountPass, declared: Declared): Promise<Facts> {
  const { context, app, account, signal } = pass
  const listed = context.memory.listings.take(app.key, app.spec.appId)
  const observed = listed ?? (await account.getApp(app.spec.appId, signal))
  noteLook(pass, declared, observed)
  const facts = factsOf(context, declared, observed)
  const { lookUpNow } = context.ports
  if (lookUpNow === undefined) return facts
  const hosts = app.spec.dns.policy === 'Require' ? openAdditions(facts) : [...facts.quarantined.keys()]
  if (hosts.length === 0) return facts
  return lookedUp(facts, await lookUpNow(app, hosts, observed.serverId, signal))
}

/**
 * The facts as they are now, after a wait: objects, mappings and approvals may have changed, what was looked up stands.
 * Throws `ReconcileError`.
 */
export function gatherAgain({ context, app }: Pass, facts: Facts): Facts {
  const declared = { ...facts, ...context.memory.desires.of(app, facts.account), app }
  const again = factsOf(context, declared, facts.observed)
  return context.ports.lookUpNow === undefined ? again : lookedUp(again, facts.dns)
}

/** The same facts on another reading of the list. */
export function withObserved({ context }: Pass, facts: Facts, observed: ServerPilotApp): Facts {
  return { ...facts, ...seenIn(context, { ...facts, desired: facts.asked }, observed) }
}

/**
 * Reads the app's list for a write to stand on, which follows it directly. Throws a retryable `ReconcileError` while the list is doubted.
 */
export async function readForWrite(
  pass: AccountPass,
  facts: Pick<Facts, 'record'>,
  leave: Leave,
): Promise<ServerPilotApp> {
  const { account, app, signal } = pass
  const observed = await account.getApp(app.spec.appId, signal, leave)
  noteLook(pass, facts, observed)
  refuseWhileDoubted(pass)
  return observed
}

/** Keeps what a look at the list says for or against it. */
function noteLook({ context, app }: Pass, { record }: Pick<Facts, 'record'>, { domains }: ServerPilotApp): void {
  const { doubts } = context.memory
  const doubt = look(doubts.get(app.key), record, domains, context.ports.clock.steady())
  if (doubt === undefined) doubts.delete(app.key)
  else doubts.set(app.key, doubt)
}

/** Throws a `ReconcileError` while the list looked at last is doubted. Nobody waits here: the pass ends, and another one looks again. */
export function refuseWhileDoubted({ context, app }: Pass): void {
  const doubt = context.memory.doubts.get(app.key)
  const retryAfter = doubt && lookAfter(doubt, context.ports.clock.steady())
  if (doubt === undefined || retryAfter === undefined) return
  if (doubt.contradicts) {
    const message = `${doubt.message}, and repeated reads contradict each other. It is read again before anything is written.`
    throw new ReconcileError('ApiUnreachable', message, { retryAfter })
  }
  const message = `${doubt.message}. It is read again, over ten seconds, before anything is written.`
  throw new ReconcileError('Progressing', message, { retryAfter })
}

/** Whether two lists have the same names, in whatever order. */
export function sameNames(a: Iterable<string>, b: Iterable<string>): boolean {
  const [left, right] = [new Set(a), new Set(b)]
  return left.size === right.size && [...left].every((name) => right.has(name))
}

/** What a reading of the list says, and when that was. */
type Seen = Pick<
  Facts,
  'observed' | 'record' | 'wallOffset' | 'distrusted' | 'certificate' | 'history' | 'now' | 'steady'
>

function seenIn(context: Context, declared: Declared, observed: ServerPilotApp): Seen {
  const { ports, mode } = context
  const { app, desired, fresh } = declared
  const now = ports.clock.now()
  const steady = Math.floor(ports.clock.steady())
  const { record: known, wallOffset } = onTheClock(declared, now, steady)
  // What somebody else put back after we had taken it off is not ours any more.
  const record = releaseBroughtBack(known, observed.domains, (host) => desired.hosts.has(host))
  return {
    observed,
    record,
    wallOffset,
    distrusted: !fresh && !writerMatches(record, mode.writer),
    certificate: certificateOf(context, app.key, observed),
    history: historyFor(context, { ...declared, record }, observed),
    now,
    steady,
  }
}

/** The record with the times that it has on the wall clock as that is set now. */
function onTheClock(
  { record, wallOffset }: Declared,
  now: number,
  steady: number,
): Pick<Declared, 'record' | 'wallOffset'> {
  const by = now - steady - wallOffset
  if (!wasSet(by)) return { record: notAhead(record, now), wallOffset }
  return { record: notAhead(goneAlong(record, by), now), wallOffset: now - steady }
}

function factsOf(context: Context, declared: Declared, observed: ServerPilotApp): Facts {
  const { ports, mode, memory } = context
  const { app, account } = declared
  const seen = { ...declared, ...seenIn(context, declared, observed) }
  const { wrong, quarantined } = quarantineOf(context, declared, seen)
  const known = { ...seen, desired: withoutQuarantined(declared.desired, quarantined) }
  return {
    ...known,
    asked: declared.desired,
    wrong,
    quarantined,
    watch: watch(context, known),
    moving: memory.desires.moving(app.key, account),
    approvals: [mode.approval, app.annotations[ANNOTATION.approvePlan]].flatMap((hash) => hash || []),
    handed: ports.handedApprovals?.() ?? [],
    unwanted: mode.unwanted ?? NONE,
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
const NONE: ReadonlySet<Host> = new Set()

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
