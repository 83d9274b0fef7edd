import type { App, Key } from '../../api/objects.ts'
import { covers } from '../../check/certificate.ts'
import { type AddressSet, addressSet } from '../../check/dns/addresses.ts'
import { dueHosts } from '../../check/dns/memory.ts'
import { forgetOthers, type Whereabouts } from '../../check/facts.ts'
import type { Target } from '../../check/look.ts'
import type { Host } from '../../domain/host.ts'
import { ServerPilotError } from '../../serverpilot/errors.ts'
import type { Context } from '../context/context.ts'
import type { ServerAddresses } from './server-addresses.ts'

/** A host of an app. */
export interface AppHost {
  app: Key
  host: string
}

/** A host to look at, and whose it is. */
export type AppTarget = Target & AppHost

/** The hosts of an app that are worth a look: those wanted; all that it lists while one of them keeps the others from a certificate. */
function hostsToCheck({ memory }: Context, { key }: App): ReadonlySet<string> {
  const account = memory.accounts.of(key)
  const desired = account === undefined ? undefined : memory.desires.known(key, account)
  const hosts = new Set<string>(desired?.hosts.keys())
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
export const isChecked = ({ memory }: Context, app: App): boolean =>
  !app.spec.suspend && app.deletionTimestamp === undefined && memory.checks.of(app.key).seen !== undefined

/** Where hosts of the app have to lead. Undefined before its first reconcile; throws when the account is not known. */
export async function whereaboutsOf(
  context: Context,
  app: App,
  addresses: ServerAddresses,
  signal: AbortSignal,
): Promise<Whereabouts | undefined> {
  const { seen, facts } = context.memory.checks.of(app.key)
  if (seen === undefined) return undefined
  const account = await context.ports.accountOf(app)
  try {
    const address = await addresses.of(account, seen.serverId, signal)
    facts.where = { expected: rightAddresses(app, address), address }
  } catch (error) {
    if (!(error instanceof ServerPilotError)) throw error
    facts.where = { expected: rightAddresses(app, undefined), address: undefined, unsure: true }
  }
  return facts.where
}

/** The addresses that are right for hosts of the app: its server's, when it is known, and those that its object names. */
export function rightAddresses(app: App, address: string | undefined): AddressSet {
  return addressSet([...(address === undefined ? [] : [address]), ...app.spec.dns.expectedAddresses])
}

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
    uncovered: listed && !covered && seen?.uncovered === true,
    server: served ? { address: where.address as string, certificate: certificate.fingerprint } : undefined,
  }
}
