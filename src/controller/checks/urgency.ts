import { ANNOTATION, type App } from '../../api/objects.ts'
import { hurry } from '../../check/dns/memory.ts'
import type { Outcome } from '../../status/outcome.ts'
import type { AppChecks } from '../context/check-memory.ts'
import type { Context } from '../context/context.ts'
import { type AppHost, isChecked } from './targets.ts'

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
  const { dns } = checks.facts
  const [first, changed] = noteChange(checks, app, seen.certificate?.fingerprint)
  if (changed) {
    for (const [host, known] of dns) dns.set(host, hurry(known, now))
  }
  const waiting = [...(outcome.plan?.held ?? [])].flatMap(([host, { of }]) => (of === 'addition' ? [host] : []))
  const unseen = [...outcome.added, ...waiting].filter((host) => hosts.has(host) && !dns.has(host))
  const urgent = new Set<string>(first ? [] : changed ? hosts.keys() : unseen)
  return { urgent: [...urgent].map((host) => ({ app: app.key, host })), due: dns.size < hosts.size }
}

/** Whether it is the first time, and whether something differs from the last time that calls for another look at all hosts. */
function noteChange(checks: AppChecks, app: App, certificate: string | undefined): [first: boolean, changed: boolean] {
  const first = checks.generation === undefined
  const requested = app.annotations[ANNOTATION.reconcileRequestedAt]
  const same =
    checks.generation === app.generation && checks.requested === requested && checks.certificate === certificate
  // What was served before says nothing of another certificate.
  if (checks.certificate !== certificate) checks.facts.served.clear()
  Object.assign(checks, { generation: app.generation, requested, certificate })
  return [first, !first && !same]
}

/** When the first of those hosts is due that are not right; epoch ms. */
export function nextTurnAt(context: Context): number | undefined {
  const { outage } = context.memory.checks
  if (outage !== undefined) return outage.dueAt
  let next: number | undefined
  for (const app of context.ports.objects.apps()) {
    if (!isChecked(context, app)) continue
    const { facts } = context.memory.checks.of(app.key)
    for (const [host, { shown, dueAt }] of facts.dns) {
      if (shown.state === 'Ready' && !facts.served.has(host)) continue
      if (next === undefined || dueAt < next) next = dueAt
    }
  }
  return next
}
