import { ANNOTATION, type App, type Key } from '../../api/objects.ts'
import { certificateFacts } from '../../check/certificate.ts'
import type { Host } from '../../domain/host.ts'
import { releaseBroughtBack } from '../../ownership/claims.ts'
import { type OwnershipRecord, writerMatches } from '../../ownership/record.ts'
import type { Held } from '../../plan/held.ts'
import { makePlan, type Plan, writes } from '../../plan/plan.ts'
import { onClock, watchRemovals } from '../../plan/settle.ts'
import type { ServerPilot, ServerPilotApp } from '../../serverpilot/serverpilot.ts'
import { blankOutcome, type Outcome } from '../../status/outcome.ts'
import { heldByDns } from '../checks/require-dns.ts'
import { type Context, memoryOf } from '../context.ts'
import { applyPlan } from './apply.ts'
import { forecastOf, heldByLimit, noteCertificate } from './certificate-budget.ts'
import { backOff, calm, MAX_WRITES, noteReversals, notTaken, reversalsOf } from './contention.ts'
import { desire, movingHosts, type Wish } from './desire.ts'
import { failureOf, ReconcileError } from './errors.ts'
import { bringFinalizer, concludeFarewell, type Farewell, farewellOf } from './finalize.ts'
import { readForWrite } from './observe.ts'
import { loadAccountRecords, loadRecord, resolveAccounts, saveRecord } from './records.ts'
import { bringSsl, judgeSsl } from './ssl.ts'
import { uncoveredHosts } from './ssl-state.ts'

/**
 * Brings one app in line with its mappings, in the order of docs/how-it-decides.md:
 * desire, observe, plan, safety, claim, write, AutoSSL, report. Level-triggered: whatever was missed before is made good here.
 * Never throws, but for the abort reason of `signal`: a failure is part of the outcome.
 */
export async function reconcile(context: Context, key: Key, signal: AbortSignal): Promise<Outcome> {
  const app = context.objects.app(key)
  const outcome = blankOutcome(key, app, context.clock.now())
  if (app === undefined) return forget(context, outcome)
  const farewell = farewellOf(context, app)
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      signal.throwIfAborted()
      Object.assign(outcome, { result: 'Failed', failure: failureOf(error) })
    }
  }
  await attempt(async () => {
    await bringFinalizer(context, app, farewell)
    if (farewell !== 'gone') await bringInLine(context, app, farewell, outcome, signal)
  })
  if (farewell === 'leaving') await attempt(() => concludeFarewell(context, app, outcome))
  if (farewell === 'gone' && outcome.failure === undefined) return forget(context, { ...outcome, app: undefined })
  return finish(context, outcome)
}

/** Steps 1 to 7 on the app; what they find out stands in `outcome`. */
async function bringInLine(
  context: Context,
  app: App,
  farewell: Farewell,
  outcome: Outcome,
  signal: AbortSignal,
): Promise<void> {
  if (app.spec.suspend) {
    outcome.mappings = context.mappingSources.flatMap((source) => source.mappingsOf(app).mappings)
    outcome.result = 'Suspended'
    return
  }
  const account = await context.accountOf(app)
  memoryOf(context, app.key).account = account.account
  await resolveAccounts(context)
  await loadAccountRecords(context, account.account)
  const { record, fresh } = await loadRecord(context, app, account.account)
  const wish = desire(context, app, account.account)
  Object.assign(outcome, { ...wish, record })
  outcome.observed = takeListed(context, app.key) ?? (await account.getApp(app.spec.appId, signal))
  outcome.record = withoutBroughtBack(record, outcome.observed, wish)
  outcome.plan = await planFor(context, app, wish, outcome.observed, outcome.record, fresh)
  outcome.forecast = forecastOf(context, app, outcome.observed, outcome.plan)
  outcome.result = 'Planned'
  if (readsOnly(context, app)) {
    if (context.oneShot) outcome.ssl = judgeSsl(app, outcome, context.clock.now())
    return
  }
  await write(context, account, app, outcome, fresh, signal)
  // Waiting for the server may have taken minutes.
  const current = context.objects.app(app.key)
  if (farewell === 'stays' && current !== undefined && mayGoOn(context, app, current)) {
    Object.assign(outcome, await bringSsl(context, account, current, outcome, signal))
    outcome.next = earliest(outcome.next, outcome.ssl?.next)
    outcome.record = noteCertificate(outcome.record as OwnershipRecord, outcome.observed, context.clock.now())
    await saveRecord(context, app, outcome.record)
  }
  outcome.result = resultOf(outcome)
}

/** What somebody else put back after we had taken it off is not ours any more. */
const withoutBroughtBack = (record: OwnershipRecord, { domains }: ServerPilotApp, { desired }: Wish): OwnershipRecord =>
  releaseBroughtBack(record, domains, (host) => desired.hosts.has(host))

/** The one choke point of dry run: past it, things are written. */
const readsOnly = (context: Context, app: App): boolean => context.dryRun || app.spec.policy === 'Observe'

function forget(context: Context, outcome: Outcome): Outcome {
  context.memory.delete(outcome.key)
  return outcome
}

function takeListed(context: Context, key: Key): ServerPilotApp | undefined {
  const memory = memoryOf(context, key)
  const { listed } = memory
  memory.listed = undefined
  const current = listed?.app.id === context.objects.app(key)?.spec.appId && listed?.writes === memory.writes
  return current ? listed?.app : undefined
}

/** Steps 3 and 4 on one reading of the app. */
async function planFor(
  context: Context,
  app: App,
  wish: Wish,
  observed: ServerPilotApp,
  record: OwnershipRecord,
  fresh: boolean,
): Promise<Plan> {
  const memory = memoryOf(context, app.key)
  const now = context.clock.now()
  // What settles is timed by a clock that nobody sets; a plan reads the wall clock.
  const steady = Math.floor(context.clock.steady())
  const owned = Object.keys(record.hosts) as Host[]
  const leaving = farewellOf(context, app) === 'leaving'
  const distrusted = !fresh && !writerMatches(record, context.writer)
  memory.watch = watchRemovals(memory.watch, {
    basis: JSON.stringify([app.spec.policy, app.spec.protectedDomains, wish.protectedHosts]),
    wanted: wish.desired.hosts,
    owned,
    frozen: (host) => isFrozen(wish, record.hosts[host]?.source),
    distrusted,
    now: steady,
  })
  return makePlan({
    app,
    desired: wish.desired,
    observed: observed.domains,
    record,
    owned,
    frozen: wish.frozen,
    watch: context.oneShot ? undefined : onClock(memory.watch, now - steady),
    distrusted,
    leaving,
    protectedHosts: wish.protectedHosts,
    blocked: await blockedAdditions(context, app, wish, observed, record),
    moving: movingHosts(context, app, record.account),
    approvals: approvalsOf(context, app),
    handed: context.handedApprovals?.() ?? [],
    now,
  })
}

/** Of a host without a claim nobody knows the source: it counts as that of any that has failed. */
const isFrozen = ({ frozen }: Wish, source: string | undefined): boolean =>
  frozen.size > 0 && (source === undefined || frozen.has(source))

function approvalsOf(context: Context, app: App): string[] {
  const given = [context.approval, app.annotations[ANNOTATION.approvePlan]]
  return given.filter((hash) => hash !== undefined && hash !== '') as string[]
}

/** Additions that are not to be tried now: what the API refused a while ago, and what a check holds back. */
async function blockedAdditions(
  context: Context,
  app: App,
  wish: Wish,
  observed: ServerPilotApp,
  record: OwnershipRecord,
): Promise<ReadonlyMap<Host, Held>> {
  const now = context.clock.now()
  const blocked = new Map<Host, Held>()
  for (const [host, { mapping }] of wish.desired.hosts) {
    const rejection = record.rejected[host]
    if (rejection === undefined || rejection.retryAt <= now || rejection.generation !== mapping.generation) continue
    const message = `ServerPilot refuses it: ${rejection.words}`
    blocked.set(host, { reason: 'Rejected', message, until: rejection.retryAt })
  }
  const there = new Set<string>(observed.domains)
  const open = [...wish.desired.hosts.keys()].filter((host) => !blocked.has(host) && !there.has(host))
  for (const [host, held] of await heldByDns(context, app, open, observed.serverId)) blocked.set(host, held)
  const resolved = open.filter((host) => !blocked.has(host))
  for (const [host, held] of heldByLimit(context, app, observed, resolved)) blocked.set(host, held)
  return blocked
}

/** Steps 5 and 6, repeated while somebody else writes in between: at most three writes. */
async function write(
  context: Context,
  account: ServerPilot,
  app: App,
  outcome: Outcome,
  fresh: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { contention } = memoryOf(context, app.key)
  const first = outcome.observed as ServerPilotApp
  await account.exclusively(first.serverId, async () => {
    let before = first
    for (let done = 0; ; done++) {
      // Waiting for the server may have taken minutes: what counts is what is wanted now.
      const current = context.objects.app(app.key)
      if (current === undefined || !mayGoOn(context, app, current)) return
      const wish = desire(context, current, account.account)
      let record = outcome.record as OwnershipRecord
      let plan = await planFor(context, current, wish, before, record, fresh && done === 0)
      if (writes(plan)) {
        before = await readForWrite(context, account, current, record.lastSeen, signal)
        record = withoutBroughtBack(record, before, wish)
        plan = await planFor(context, current, wish, before, record, fresh && done === 0)
      }
      Object.assign(outcome, { ...wish, app: current, observed: before, plan })
      if (writes(plan)) {
        assertCalm(context, current, plan, record)
        outcome.applied = plan
      }
      record = withWriter(context, record, plan)
      const applied = await applyPlan(context, account, current, plan, before, record, signal)
      outcome.added = [...outcome.added, ...applied.added]
      outcome.removed = [...outcome.removed, ...applied.removed]
      outcome.adopted += applied.adopted
      outcome.released += applied.released
      Object.assign(outcome, { record: applied.record, observed: applied.observed })
      if (!writes(plan)) return
      outcome.plan = await planFor(context, current, wish, applied.observed, applied.record, false)
      if (applied.taken && !writes(outcome.plan)) return calm(contention)
      if (done + 1 >= MAX_WRITES) {
        const wait = backOff(contention, context.clock.now())
        const error = notTaken(app, done + 1, !sameNames(before.domains, applied.observed.domains))
        throw new ReconcileError(error.reason, error.message, { retryable: true, retryAfter: wait })
      }
    }
  })
}

/** False when the object was changed meanwhile so that this reconcile has nothing more to say: the next one sees to it. */
function mayGoOn(context: Context, started: App, current: App): boolean {
  const same =
    current.spec.appId === started.spec.appId && farewellOf(context, current) === farewellOf(context, started)
  return same && !current.spec.suspend && !readsOnly(context, current)
}

/** Refuses to write while backing off, or when this write would be one reversal too many. */
function assertCalm(context: Context, app: App, plan: Plan, record: OwnershipRecord): void {
  const { contention } = memoryOf(context, app.key)
  const now = context.clock.now()
  const fight = now >= contention.until && noteReversals(contention, reversalsOf(plan, record, now), now)
  if (fight) backOff(contention, now)
  if (now >= contention.until) return
  throw new ReconcileError(
    'Contended',
    `Somebody else keeps undoing what domainpilot writes to app ${app.spec.appId}. Find the other writer (the plugin, a second installation, the panel); writing pauses.`,
    { retryable: true, retryAfter: contention.until - now },
  )
}

/** The record names the present writer only once no removal is held back that an earlier writer's absence may explain. */
function withWriter(context: Context, record: OwnershipRecord, plan: Plan): OwnershipRecord {
  // Permission for Exclusive ends with Exclusive: what came meanwhile nobody has agreed to.
  const { exclusiveApproved, ...rest } = record
  const kept = plan.policy === 'Exclusive' && exclusiveApproved ? { ...rest, exclusiveApproved } : rest
  const next = kept.policy === plan.policy ? kept : { ...kept, policy: plan.policy }
  const pending = plan.refused !== undefined || [...plan.held.values()].some((held) => held.of !== 'addition')
  return pending ? next : { ...next, writer: { ...next.writer, ...context.writer } }
}

const sameNames = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && new Set([...a, ...b]).size === new Set(a).size

function resultOf(outcome: Outcome): Outcome['result'] {
  if (outcome.plan?.refused !== undefined) return 'Refused'
  const changed = outcome.added.length + outcome.removed.length > 0 || outcome.ssl?.switched !== undefined
  return changed ? 'Applied' : 'Unchanged'
}

function finish(context: Context, outcome: Outcome): Outcome {
  const { checks } = memoryOf(context, outcome.key)
  noteSeen(context, outcome)
  return {
    ...outcome,
    next: earliest(outcome.next, outcome.plan?.next),
    checks: context.checks.on ? { facts: checks.facts, outage: context.checks.outage } : undefined,
    endedAt: context.clock.now(),
  }
}

/** Keeps what looks at the app's hosts start from. */
function noteSeen(context: Context, { app, key, observed, desired }: Outcome): void {
  if (app === undefined || observed === undefined) return
  const memory = memoryOf(context, key)
  const pem = observed.ssl?.cert
  const certificate = memory.seen?.pem === pem ? memory.seen?.certificate : certificateFacts(pem)
  const bare = app.spec.ssl.auto && (certificate === undefined || uncoveredHosts(observed, desired?.hosts).length > 0)
  memory.seen = { serverId: observed.serverId, pem, certificate, bare }
}

const earliest = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined ? b : b === undefined ? a : Math.min(a, b)
