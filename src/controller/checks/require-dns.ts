import type { App } from '../../api/objects.ts'
import { admits, type DnsVerdict } from '../../check/dns/judge.ts'
import { dnsOf } from '../../check/facts.ts'
import type { Host } from '../../domain/host.ts'
import type { Held } from '../../plan/held.ts'
import { type Context, memoryOf } from '../context.ts'

/**
 * Additions that `dns.policy: Require` holds back: those that do not resolve to the server, as far as is known. It never speaks of
 * removals. In one pass the hosts are looked up at once; the daemon goes by what its checks found.
 */
export async function heldByDns(
  context: Context,
  app: App,
  hosts: readonly Host[],
  serverId: string,
): Promise<ReadonlyMap<Host, Held>> {
  const held = new Map<Host, Held>()
  if (app.spec.dns.policy !== 'Require' || hosts.length === 0) return held
  const now = await context.lookUpNow?.(app, hosts, serverId)
  for (const host of hosts) {
    const verdict = now === undefined ? known(context, app, host) : now.get(host)
    if (!admits(verdict)) held.set(host, heldFor(context, verdict))
  }
  return held
}

function known(context: Context, app: App, host: Host): DnsVerdict | undefined {
  const { facts } = memoryOf(context, app.key).checks
  return dnsOf(facts, context.checks.outage, host, context.clock.now())
}

function heldFor({ checks }: Context, verdict: DnsVerdict | undefined): Held {
  if (verdict !== undefined) {
    return { reason: verdict.failure === undefined ? 'AwaitingDNS' : 'ResolverFailed', message: verdict.message }
  }
  return checks.on
    ? { reason: 'AwaitingDNS', message: 'Its DNS is looked at shortly.' }
    : { reason: 'NotChecked', message: OFF }
}

const OFF =
  'spec.dns.policy is Require, and DNS is not looked at: --check-schedule is off. Give it a schedule, or set the policy to Report.'
