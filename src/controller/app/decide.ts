import { admits } from '../../check/dns/judge.ts'
import type { Forecast } from '../../check/limits.ts'
import { compareKey, type Host } from '../../domain/host.ts'
import type { Held } from '../../plan/held.ts'
import { makePlan, type Plan } from '../../plan/plan.ts'
import { onClock } from '../../plan/settle.ts'
import { type Contention, contendedHost, judgeReversals } from '../context/contention.ts'
import { forecastOf, heldByLimit } from './certificate-budget.ts'
import type { Facts } from './facts.ts'

/** What is to be done, and what has to be remembered for the next decision. */
export interface Decision {
  plan: Plan
  /** What the certificate that the plan leads to costs of the authority's limits; undefined when it leads to none. */
  forecast: Forecast | undefined
  /** Since when additions are gathered; epoch ms. */
  gathering: number | undefined
  contention: Contention
  /** Hosts that the plan writes once more, after somebody else undid them. */
  reversals: readonly Host[]
  /** Some of them begin to wait now. */
  contended: boolean
}

/** Decides what to do about one app: the merge, the guards, and what holds single hosts back. Pure: the same facts, the same decision. */
export function decide(facts: Facts): Decision {
  const { app, record, watch, now, steady } = facts
  const open = openAdditions(facts)
  const reversals = reversalsIn(facts, open)
  const judged = judgeReversals(facts.contention, reversals, steady)
  const contended = new Map(
    [...judged.waiting].map(([host, until]) => [host, contendedHost(app, Math.ceil(until - steady + now))]),
  )
  const { blocked, gathering } = blockedAdditions(facts, open, contended)
  const plan = makePlan({
    ...facts,
    observed: facts.observed.domains,
    owned: Object.keys(record.hosts) as Host[],
    watch: facts.oneShot ? undefined : onClock(watch, Math.floor(now - steady)),
    contended,
    blocked,
  })
  const written = new Set([...plan.additions.map(({ host }) => host), ...plan.removals])
  return {
    plan,
    forecast: forecastOf(facts, plan),
    gathering,
    contention: judged.contention,
    reversals: reversals.filter((host) => written.has(host)),
    contended: judged.began,
  }
}

/** Desired hosts that are not there and that ServerPilot has not just refused. */
export function openAdditions({ desired, observed, record, now }: Facts): Host[] {
  const there = new Set<string>(observed.domains)
  const open: Host[] = []
  for (const [host, { mapping }] of desired.hosts) {
    if (there.has(host)) continue
    const rejection = record.rejected[host]
    const refused = rejection !== undefined && rejection.retryAt > now && rejection.generation === mapping.generation
    if (!refused) open.push(host)
  }
  return open
}

/** Additions that are not to be tried now: what the API refused a while ago, what is contended, and what a check holds back. */
function blockedAdditions(
  facts: Facts,
  open: readonly Host[],
  contended: ReadonlyMap<Host, Held>,
): { blocked: ReadonlyMap<Host, Held>; gathering: number | undefined } {
  const blocked = new Map<Host, Held>([...rejectedBefore(facts), ...contended])
  for (const host of open) {
    const held = heldByDns(facts, host) ?? contended.get(host) ?? faulty(facts, host)
    if (held !== undefined) blocked.set(host, held)
  }
  const { held, gathering } = heldByLimit(
    facts,
    open.filter((host) => !blocked.has(host)),
  )
  for (const [host, each] of held) blocked.set(host, each)
  return { blocked, gathering }
}

function rejectedBefore({ desired, record, now }: Facts): [Host, Held][] {
  return (Object.keys(record.rejected) as Host[]).flatMap((host) => {
    const { words, retryAt, generation } = record.rejected[host] as (typeof record.rejected)[Host]
    if (retryAt <= now || generation !== desired.hosts.get(host)?.mapping.generation) return []
    return [[host, { reason: 'Rejected', message: `ServerPilot refuses it: ${words}`, until: retryAt }]]
  })
}

/** Nobody knows what a mapping asks for whose newest version has a fault: what it held stays, and nothing is added for it. */
function faulty({ desired }: Facts, host: Host): Held | undefined {
  const { key = '', fault } = desired.hosts.get(host)?.mapping ?? {}
  return fault === undefined
    ? undefined
    : { reason: 'InvalidSpec', message: `its mapping ${key} has a fault: ${fault}` }
}

/** What `dns.policy: Require` holds an addition back for: it does not resolve to the server, as far as is known. */
function heldByDns({ app, dns, dnsChecked, oneShot }: Facts, host: Host): Held | undefined {
  const verdict = dns.get(host)
  if (app.spec.dns.policy !== 'Require' || admits(verdict)) return undefined
  if (verdict !== undefined) {
    return { reason: verdict.failure === undefined ? 'AwaitingDNS' : 'ResolverFailed', message: verdict.message }
  }
  return dnsChecked || oneShot
    ? { reason: 'AwaitingDNS', message: 'Its DNS is looked at shortly.' }
    : { reason: 'NotChecked', message: NOT_CHECKED }
}

const NOT_CHECKED =
  'spec.dns.policy is Require, and DNS is not looked at: --check-schedule is off. Give it a schedule, or set the policy to Report.'

/** A removal of ours within this time, of a host that is not ours any more and is there again, is undone by somebody; ms. */
const RECENT = 10 * 60_000

/**
 * Hosts whose change would undo what somebody else did: an addition that we had proven in place, a removal that we had made of a host
 * that is not ours. A first write never is one.
 */
function reversalsIn({ desired, observed, record, now }: Facts, open: readonly Host[]): Host[] {
  const recent = record.removals.filter(({ host, at }) => now - at < RECENT && record.hosts[host] === undefined)
  if (open.length + recent.length === 0) return []
  const there = new Set(observed.domains.map(compareKey))
  const proven = open.filter((host) => {
    const claim = record.hosts[host]
    return !there.has(host) && claim?.state === 'Held' && claim.absentSince === undefined
  })
  const removed = recent.filter(({ host }) => there.has(host) && !desired.hosts.has(host))
  return [...proven, ...new Set(removed.map(({ host }) => host))]
}
