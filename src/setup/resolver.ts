import type { App } from '../api/objects.ts'
import type { AddressSet } from '../check/dns/addresses.ts'
import { type Dns, openDns, questionRate } from '../check/dns/ask.ts'
import type { DnsVerdict } from '../check/dns/judge.ts'
import { outageVerdict, rememberOutage } from '../check/dns/outage.ts'
import { checkRound } from '../check/dns/round.ts'
import { handshake, type Shake } from '../check/served.ts'
import { rightAddresses } from '../controller/checks/whereabouts.ts'
import type { Host } from '../domain/host.ts'
import { createPace } from '../time/pace.ts'
import { type Io, outsideOf } from './io.ts'
import type { Settings } from './settings.ts'

/** Opens resolvers as the settings say; all that come of one call share its pace. */
export function createResolver(io: Io, { dnsServers, dnsQps }: Settings): (signal: AbortSignal) => Dns {
  const { clock, resolver } = outsideOf(io)
  const pace = createPace(questionRate(dnsQps), clock)
  return resolver ?? ((signal) => openDns({ servers: dnsServers, pace, signal }))
}

/** How servers are shaken hands with. */
export function createShake(io: Io): Shake {
  const { clock, shake } = outsideOf(io)
  return shake ?? ((options) => handshake(options, clock))
}

/** Looks hosts of an app up at once; `address`: of its server. Rejects with the signal's reason once that aborts. */
export async function lookUp(
  io: Io,
  settings: Settings,
  { app, address }: { app: App; address: string | undefined },
  hosts: readonly Host[],
  signal: AbortSignal,
): Promise<ReadonlyMap<Host, DnsVerdict>> {
  const expected = rightAddresses(app, address)
  const dns = createResolver(io, settings)(signal)
  return await lookUpAll(dns, expected, hosts, outsideOf(io).clock.now()).finally(() => dns.close())
}

/** Looks hosts up. While the resolver is down, every host without an answer has that verdict. */
export async function lookUpAll<T extends string>(
  dns: Dns,
  expected: AddressSet,
  hosts: readonly T[],
  now: number,
): Promise<ReadonlyMap<T, DnsVerdict>> {
  const found = new Map<T, DnsVerdict>()
  const targets = hosts.map((host) => ({ host, expected }))
  const down = await checkRound(targets, {
    dns,
    concurrency: 8,
    controls: [],
    suspicious: false,
    onVerdict: ({ host }, verdict) => found.set(host, verdict),
  })
  const outage = rememberOutage(undefined, down, now)
  for (const host of hosts) if (outage !== undefined && !found.has(host)) found.set(host, outageVerdict(outage))
  return found
}
