import { actionsUnder } from '../../api/policy.ts'
import { certificateLife } from '../../check/certificate.ts'
import { blockersOf, type CoverageInput, heldUp } from '../../check/coverage.ts'
import { isCustom } from '../../check/custom.ts'
import { isWrong } from '../../check/dns/judge.ts'
import type { HostMemory } from '../../check/dns/memory.ts'
import { changedLast } from '../../check/facts.ts'
import { compareKey, type Host } from '../../domain/host.ts'
import { listHosts } from '../../domain/list-names.ts'
import { LATE_WRITE_MS, lastChange, type WrongDns } from '../../ownership/record.ts'
import { followWrong, LONGEST_GAP, type Sight, type WrongHosts } from '../../ownership/wrong.ts'
import type { Desired } from '../../plan/desired.ts'
import type { Held } from '../../plan/held.ts'
import type { Context } from '../context/context.ts'
import type { Declared, Facts } from './facts.ts'

/**
 * `dns.policy: Quarantine`: the one way by which DNS leads to a removal. A host of ours goes off the list when all of this holds, at each
 * pass until it is gone: fresh looks have found its DNS wrong for `dns.quarantineAfter`, the resolver answers, the certificate is overdue,
 * hosts whose DNS is right wait for it, ServerPilot has none to offer, and nothing else is in the way that taking hosts off would not mend.
 * It is back once a look finds its DNS right. Whatever is not known keeps a host where it is.
 */

/** What is known of wrong DNS, and the hosts that it keeps off the list: why, for people. */
export interface Quarantine {
  wrong: WrongHosts
  quarantined: ReadonlyMap<Host, Held>
}

const NONE: Quarantine = { wrong: {}, quarantined: new Map() }

/** What was read of the app. */
type Seen = Pick<Facts, 'observed' | 'certificate' | 'record' | 'now'>

/** Judges the wanted hosts of an app. */
export function quarantineOf(context: Context, { app, desired, finalizing }: Declared, seen: Seen): Quarantine {
  const { memory, mode } = context
  if (app.spec.dns.policy !== 'Quarantine' || finalizing) return NONE
  // Nobody would ever see them right again.
  if (!memory.checks.on && !mode.oneShot) return NONE
  const found: Case = { context, app, desired, ...seen, listed: new Set(seen.observed.domains.map(compareKey)) }
  const wrong: WrongHosts = {}
  for (const host of desired.hosts.keys()) {
    const known = followWrong(recorded(found, host), sightOf(found, host), seen.now)
    if (known !== undefined) wrong[host] = known
  }
  const hosts = Object.keys(wrong) as Host[]
  const off = hosts.filter((host) => wrong[host]?.quarantined !== undefined && !found.listed.has(host))
  const due = hosts.filter((host) => isDue(found, host, wrong[host] as WrongDns))
  const others = due.length === 0 ? [] : keptWaiting(found)
  const quarantined = new Map<Host, Held>()
  for (const host of off) quarantined.set(host, { reason: 'Quarantined', message: offWords(found, host, wrong[host]) })
  if (others.length > 0) {
    for (const host of due) quarantined.set(host, { reason: 'Quarantined', message: dueWords(found, host, others) })
  }
  return { wrong, quarantined }
}

/** What is wanted without the quarantined hosts. */
export function withoutQuarantined(desired: Desired, quarantined: Quarantine['quarantined']): Desired {
  if (quarantined.size === 0) return desired
  return { ...desired, hosts: new Map([...desired.hosts].filter(([host]) => !quarantined.has(host))) }
}

/** The facts once these hosts were found right by a person's pass: they are wanted again. */
export function lookedUp(facts: Facts, dns: Facts['dns']): Facts {
  const right = (host: Host): boolean => dns.get(host)?.state === 'Ready'
  const quarantined = new Map([...facts.quarantined].filter(([host]) => !right(host)))
  const wrong = Object.fromEntries(Object.entries(facts.wrong).filter(([host]) => !right(host as Host)))
  return { ...facts, dns, quarantined, wrong, desired: withoutQuarantined(facts.asked, quarantined) }
}

/** What a decision on one app looks at. */
interface Case extends Seen, Pick<Declared, 'app' | 'desired'> {
  context: Context
  listed: ReadonlySet<string>
}

/** What the record says of a host, as far as that still holds. */
function recorded({ record, listed, now }: Case, host: Host): WrongDns | undefined {
  const known = record.wrong?.[host]
  if (known?.quarantined === undefined || !listed.has(host)) return known
  const claim = record.hosts[host]
  const { quarantined, ...wrong } = known
  // The write that was to take it off did not.
  if (claim !== undefined && !claim.gone) return wrong
  // Somebody put it back, unless an answer is stale: then it stays for as long as if it were new.
  return now - quarantined < LATE_WRITE_MS ? known : undefined
}

/** A host that is wrong is looked at every quarter of an hour: what is older than twice that is no fresh look. ms */
const FRESH = 30 * 60_000

/** What a fresh look found; undefined when nobody knows: no look, an old one, one for what the app was before, one that failed, an outage. */
function sightOf(found: Case, host: Host): Sight | undefined {
  const look = lookAt(found, host)
  if (look === undefined || found.now - look.checkedAt > FRESH) return undefined
  if (isWrong(look.shown)) return { is: 'Wrong', at: look.checkedAt }
  return look.shown.state === 'Ready' ? { is: 'Right', at: look.checkedAt } : undefined
}

function lookAt({ context, app, now }: Case, host: Host): HostMemory | undefined {
  const { checks } = context.memory
  const { facts, generation = app.generation } = checks.of(app.key)
  const look = facts.dns.get(host)
  if (look === undefined || look.missed || look.streak === 0 || look.checkedAt > now) return undefined
  return checks.outage !== undefined || generation !== app.generation ? undefined : look
}

/** Whether a host that is on the list would go, if others wait for it. */
function isDue(found: Case, host: Host, wrong: WrongDns): boolean {
  const { app, desired, record, listed, now } = found
  const claim = record.hosts[host]
  const isOurs = claim?.state === 'Held' && claim.absentSince === undefined && claim.gone === undefined
  return (
    isOurs &&
    listed.has(host) &&
    wrong.quarantined === undefined &&
    now - wrong.since >= app.spec.dns.quarantineAfter &&
    sightOf(found, host)?.is === 'Wrong' &&
    desired.hosts.get(host)?.mapping.fault === undefined &&
    actionsUnder(app.spec.policy)(false, true, true) === 'remove'
  )
}

/** ServerPilot has no certificate to offer that would be better. */
const NOTHING_TO_OFFER = ['AwaitingAvailability', 'NotCovered', 'ExpiringSoon', 'Expired']

/** Hosts that are right and wait for a certificate which wrong DNS of hosts of ours alone holds up; none when that is not shown. */
function keptWaiting(found: Case): readonly Host[] {
  const { context, app, observed, desired, certificate, record, now } = found
  if (!app.spec.ssl.auto || isCustom(observed.ssl)) return []
  const { checks, ssl } = context.memory
  const { facts } = checks.of(app.key)
  const names = observed.domains.map(compareKey)
  const input: CoverageInput = {
    wanted: new Set<string>(desired.hosts.keys()),
    observed: names,
    certificate,
    dns: { get: (name) => checks.dns(app.key, name as Host, now) },
    caa: facts.caa,
    changedAt: changedLast(facts, names, lastChange(record)),
    now,
  }
  const look = ssl.get(app.key)
  const isShown = look !== undefined && look.at >= input.changedAt && NOTHING_TO_OFFER.includes(look.outcome.reason)
  const overdue = certificate !== undefined && certificateLife(certificate, now) !== 'Good'
  if (!isShown || !wrongDnsAlone(input, record)) return []
  const isRight = (host: Host): boolean => {
    const right = lookAt(found, host)
    return right?.shown.state === 'Ready' && now - right.checkedAt <= LONGEST_GAP + 3_600_000
  }
  return (heldUp(input, overdue) as Host[]).filter(isRight)
}

/** Whether all that is known to be in the way can be taken off, or mended by who set the DNS: then it helps to do so. */
function wrongDnsAlone(input: CoverageInput, { hosts }: Facts['record']): boolean {
  const known = [...blockersOf(input)].filter(([, { reason }]) => reason !== 'Unread')
  return known.every(([name, { reason }]) => reason === 'WrongDns' && input.wanted.has(name) && hosts[name as Host])
}

const BACK = 'It is added again within minutes once it resolves to the server.'

function offWords(found: Case, host: Host, { since = 0, quarantined = 0 }: Partial<WrongDns> = {}): string {
  const look = lookAt(found, host)
  const dns = look !== undefined && isWrong(look.shown) ? look.shown.message : 'Its DNS is looked at shortly.'
  return `Taken off the app ${isoOf(quarantined)}, as its DNS has been wrong since ${isoOf(since)} and kept other hosts from their certificate. ${dns} ${BACK}`
}

function dueWords(found: Case, host: Host, others: readonly Host[]): string {
  const message = lookAt(found, host)?.shown.message ?? ''
  return `Its DNS is wrong for longer than dns.quarantineAfter, and keeps ${listHosts(others, 3)} from their certificate: it goes until that is mended. ${message}`
}

const isoOf = (at: number): string => new Date(at).toISOString()
