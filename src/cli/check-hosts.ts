import type { App } from '../api/objects.ts'
import { certificateFacts } from '../check/certificate.ts'
import { type HostCoverage, judgeCoverage } from '../check/coverage.ts'
import type { Dns } from '../check/dns/ask.ts'
import { type CaaVerdict, createCaaLookup, judgeCaa } from '../check/dns/caa.ts'
import type { DnsVerdict } from '../check/dns/judge.ts'
import { checkHost } from '../check/dns/round.ts'
import { handshake } from '../check/served.ts'
import { judgeServed, readRoots } from '../check/served-verdict.ts'
import { UsageError } from '../config.ts'
import { rightAddresses } from '../controller/checks/targets.ts'
import { compareKey, displayHost, type Host, parseHost } from '../domain/host.ts'
import { systemClock } from '../serverpilot/clock.ts'
import type { ServerPilotApp } from '../serverpilot/serverpilot.ts'
import type { Finding } from './check.ts'
import { createResolver } from './resolver.ts'
import type { Setup } from './setup.ts'

/** The hosts that arguments name. Throws `UsageError` for one that is none. */
export function hostsOf(names: readonly string[]): Host[] {
  return names.map((name) => {
    const parsed = parseHost(name)
    if (parsed.ok) return parsed.host
    throw new UsageError(`${name}: ${parsed.message}`)
  })
}

/** `check HOST…`: for each host, where its DNS leads, what its server shows, and whether the certificate covers it; why not, if not. */
export async function hostFindings(
  setup: Setup,
  hosts: readonly Host[],
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<Finding[]> {
  const dns = createResolver(setup.settings)(signal)
  try {
    const findings: Finding[] = []
    for (const host of hosts) {
      say(`Checking ${displayHost(host)}`)
      findings.push(...(await oneHost(setup, host, dns, signal)))
    }
    return findings
  } finally {
    dns.close()
  }
}

/** An app that a host belongs to, as it is at ServerPilot. */
interface Home {
  app: App
  seen: ServerPilotApp
  address: string | undefined
}

async function oneHost(setup: Setup, host: Host, dns: Dns, signal: AbortSignal): Promise<Finding[]> {
  const what = displayHost(host)
  const home = await homeOf(setup, host, signal)
  if (home === undefined) {
    const cure = `Declare a DomainMapping with spec.domain: ${host}.`
    return [{ verdict: 'warn', what, detail: 'no mapping wants it and no app lists it', cure }]
  }
  const listed = home.seen.domains.some((name) => compareKey(name) === host)
  const place = {
    verdict: listed ? 'ok' : 'warn',
    what,
    detail: `${listed ? 'on' : 'not on'} app ${home.app.key}`,
  } as const
  const verdict = await checkHost(dns, host, rightAddresses(home.app, home.address))
  const caa = judgeCaa(host, await createCaaLookup(dns)(host))
  return [
    place,
    dnsFinding(what, verdict),
    ...(caa.state === 'Allowed' ? [] : [{ verdict: 'warn', what, detail: `CAA: ${caa.message}` } as const]),
    await servedFinding(what, host, home, signal),
    coverageFinding(what, host, home, verdict, caa),
  ]
}

/** The app that wants the host, else the one that lists it, else the only one. */
async function homeOf(setup: Setup, host: Host, signal: AbortSignal): Promise<Home | undefined> {
  const { objects, accounts, context } = setup
  const apps = objects.apps()
  const wants = (app: App): boolean =>
    context.mappingSources.some((source) =>
      source
        .mappingsOf(app)
        .mappings.some(({ domain }) => [host, host.replace(/^www\./, '')].includes(compareKey(domain))),
    )
  const homes: Home[] = []
  for (const app of apps) {
    const account = await accounts.accountOf(app)
    const seen = await account.getApp(app.spec.appId, signal)
    const { lastAddress } = await account.getServer(seen.serverId, signal)
    homes.push({ app, seen, address: lastAddress })
    if (wants(app)) return homes.at(-1)
  }
  const lists = homes.find(({ seen }) => seen.domains.some((name) => compareKey(name) === host))
  return lists ?? (homes.length === 1 ? homes[0] : undefined)
}

function dnsFinding(what: string, { state, message, addresses }: DnsVerdict): Finding {
  const shown = addresses.length === 0 ? '' : ` (${addresses.slice(0, 5).join(', ')})`
  if (state === 'Ready') return { verdict: 'ok', what, detail: `DNS: ${message}${shown}` }
  return { verdict: state === 'Unknown' ? 'warn' : 'fail', what, detail: `DNS: ${state}: ${message}` }
}

async function servedFinding(what: string, host: Host, { seen, address }: Home, signal: AbortSignal): Promise<Finding> {
  if (address === undefined) return { verdict: 'warn', what, detail: 'served: the server has no known address yet' }
  const shaken = await handshake({ address, host, signal })
  const expected = seen.ssl?.cert === undefined ? undefined : certificateFacts(seen.ssl.cert)?.fingerprint
  const judged = judgeServed({
    host,
    handshake: shaken,
    now: systemClock.now(),
    roots: readRoots(),
    ...(expected === undefined ? {} : { expected }),
  })
  const verdict = judged.state === 'Served' ? 'ok' : judged.state === 'Unseen' ? 'warn' : 'fail'
  return { verdict, what, detail: `served: ${judged.message}` }
}

/** Whether the app's certificate covers the host; of its other names only those count that the API shows to be in the way. */
function coverageFinding(what: string, host: Host, { seen }: Home, dns: DnsVerdict, caa: CaaVerdict): Finding {
  const observed = [...new Set([...seen.domains.map(compareKey), host])]
  const { hosts } = judgeCoverage({
    wanted: new Set([host]),
    observed,
    certificate: seen.ssl?.cert === undefined ? undefined : certificateFacts(seen.ssl.cert),
    dns: new Map([[host, dns]]),
    caa: new Map([[host, caa]]),
    changedAt: 0,
    now: systemClock.now(),
  })
  const found: HostCoverage | undefined = hosts[0]
  if (found === undefined) return { verdict: 'warn', what, detail: 'certificate: nothing is known' }
  return { verdict: found.covered ? 'ok' : 'fail', what, detail: `certificate: ${found.reason}: ${found.message}` }
}
