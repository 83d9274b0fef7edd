import { ANNOTATION, type App, type Key } from '../../api/objects.ts'
import { covers } from '../../check/certificate.ts'
import { dueAt, dueHosts, hurry } from '../../check/dns/memory.ts'
import { forgetOthers, type Whereabouts } from '../../check/facts.ts'
import type { Target } from '../../check/look.ts'
import type { Host } from '../../domain/host.ts'
import type { Outcome } from '../../status/outcome.ts'
import type { Context } from '../context/context.ts'

/** A host of an app. */
export interface AppHost {
  app: Key
  host: string
}

/** A host to look at, and whose it is. */
export type AppTarget = Target & AppHost

/** The hosts of an app that are worth a look: those wanted; all that it lists while one of them keeps the others from a certificate. */
function hostsToCheck({ memory }: Context, { key }: App): ReadonlySet<string> {
  const hosts = new Set<string>(memory.desires.known(key)?.hosts.keys())
  const lists = memory.checks.of(key).seen?.uncovered ? (memory.records.of(key)?.lastSeen ?? []) : []
  for (const name of lists) hosts.add(name)
  return hosts
}

/** All hosts that are due at `now` (epoch ms), the most urgent of each app first. Forgets those that nobody asks about any more. */
export function dueNow(context: Context, now: number): AppHost[] {
  return context.ports.objects.apps().flatMap((app) => {
    if (!isChecked(context, app)) return []
    const { facts } = context.memory.checks.of(app.key)
    const hosts = hostsToCheck(context, app)
    forgetOthers(facts, hosts)
    return dueHosts(hosts, facts.dns, now).map((host) => ({ app: app.key, host }))
  })
}

/** Nothing is read for an app that is suspended or on its way out; before its first reconcile nobody knows which hosts it has. */
const isChecked = ({ memory }: Context, app: App): boolean =>
  !app.spec.suspend && app.deletionTimestamp === undefined && memory.checks.of(app.key).seen !== undefined

/** What to look at for one host, as the app stands now. */
export function targetOf({ memory }: Context, app: App, host: string, where: Whereabouts): AppTarget {
  const { seen } = memory.checks.of(app.key)
  const certificate = seen?.certificate
  const listed = memory.records.of(app.key)?.lastSeen?.includes(host as Host) ?? false
  const covered = certificate !== undefined && covers(certificate, host)
  const served = listed && covered && where.address !== undefined
  return {
    app: app.key,
    host,
    expected: where.expected,
    uncovered: listed && seen?.uncovered === true && (!covered || seen.overdue),
    server: served ? { address: where.address as string, certificate: certificate.fingerprint } : undefined,
  }
}

/**
 * What a reconcile of an app makes urgent: hosts that were just added or wait for their DNS; all hosts, when the object was changed,
 * somebody asked for it, or the certificate is another one. `due`: there are others that nobody has looked at.
 */
export function urgentOf(
  context: Context,
  app: App,
  outcome: Outcome,
  now: number,
): { urgent: AppHost[]; due: boolean } {
  const checks = context.memory.checks.of(app.key)
  const { seen } = checks
  const hosts = outcome.desired?.hosts
  if (hosts === undefined || seen === undefined) return { urgent: [], due: false }
  const { dns, served } = checks.facts
  const certificate = seen.certificate?.fingerprint
  // What was served before says nothing of another certificate.
  if (checks.certificate !== certificate) served.clear()
  const basis = JSON.stringify([app.generation, app.annotations[ANNOTATION.reconcileRequestedAt], certificate])
  const before = checks.basis
  Object.assign(checks, { basis, certificate, generation: app.generation })
  const changed = before !== undefined && before !== basis
  if (changed) for (const [host, known] of dns) dns.set(host, hurry(known, now))
  const waiting = [...(outcome.plan?.held ?? [])].flatMap(([host, { of }]) => (of === 'addition' ? [host] : []))
  const unseen = [...outcome.added, ...waiting].filter((host) => hosts.has(host) && !dns.has(host))
  const urgent = new Set<string>(before === undefined ? [] : changed ? hosts.keys() : unseen)
  return { urgent: [...urgent].map((host) => ({ app: app.key, host })), due: dns.size < hosts.size }
}

/** When the first of those hosts is due that are not right; epoch ms. */
export function nextTurnAt(context: Context, now: number): number | undefined {
  const { outage } = context.memory.checks
  if (outage !== undefined) return outage.dueAt
  let next: number | undefined
  for (const app of context.ports.objects.apps()) {
    if (!isChecked(context, app)) continue
    const { facts } = context.memory.checks.of(app.key)
    for (const [host, known] of facts.dns) {
      if (known.shown.state === 'Ready' && !facts.served.has(host)) continue
      const at = dueAt(known, now)
      if (next === undefined || at < next) next = at
    }
  }
  return next
}
