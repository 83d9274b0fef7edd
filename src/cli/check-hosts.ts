import type { App } from '../api/objects.ts'
import { type CertificateFacts, certificateFacts, certificateLife, covers, overdueWords } from '../check/certificate.ts'
import { type CoverageInput, judgeCoverage } from '../check/coverage.ts'
import { customFault, isCustom } from '../check/custom.ts'
import type { Dns } from '../check/dns/ask.ts'
import { type CaaVerdict, createCaaLookup, judgeCaa } from '../check/dns/caa.ts'
import type { DnsVerdict } from '../check/dns/judge.ts'
import { checkHost } from '../check/dns/lookup.ts'
import { outageVerdict, probeResolver, rememberOutage } from '../check/dns/outage.ts'
import { judgeServed } from '../check/served-verdict.ts'
import { rightAddresses } from '../controller/checks/whereabouts.ts'
import { compareKey, displayHost, type Host } from '../domain/host.ts'
import { lastChange } from '../ownership/record.ts'
import { cureOf } from '../report/words.ts'
import type { ServerPilotApp } from '../serverpilot/serverpilot.ts'
import type { Io } from '../setup/io.ts'
import { createResolver, createShake, lookUpAll } from '../setup/resolver.ts'
import type { Setup } from '../setup/setup.ts'
import { systemClock } from '../time/clock.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

/** `check HOST…`: for each host, where its DNS leads, what its server shows, and whether the certificate covers it; why not, if not. */
export async function hostFindings(
  setup: Setup,
  hosts: readonly Host[],
  say: (text: string) => void,
  io: Io,
): Promise<Finding[]> {
  const dns = createResolver(io, setup.settings)(io.signal)
  try {
    const findings: Finding[] = []
    for (const host of hosts) {
      say(`Checking ${displayHost(host)}`)
      findings.push(...(await oneHost(setup, host, dns, io)))
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
  certificate: CertificateFacts | undefined
  address: string | undefined
  /** A mapping asks for it. */
  wanted: boolean
}

async function oneHost(setup: Setup, host: Host, dns: Dns, io: Io): Promise<Finding[]> {
  const what = displayHost(host)
  const home = await homeOf(setup, host, io.signal)
  if (home === undefined) {
    const cure = `Declare a DomainMapping with spec.domain: ${host}.`
    return [warn(what, 'no mapping wants it and no app lists it', cure)]
  }
  const listed = home.seen.domains.some((name) => compareKey(name) === host)
  const place = `app ${home.app.key}${home.wanted ? '' : ', and no mapping wants it'}`
  const expected = rightAddresses(home.app, home.address)
  const verdict = await askedTwice(dns, await checkHost(dns, host, expected))
  const { certificate } = home
  const covered = certificate !== undefined && covers(certificate, host)
  const settled = covered || verdict.failure !== undefined
  // The other names of the app: one of them may keep the certificate from all.
  const names = settled ? [] : [...new Set(home.seen.domains.map(compareKey))].filter((name) => name !== host)
  const dnsOfOthers = await lookUpAll(dns, expected, names, systemClock.now())
  const caaOf = createCaaLookup(dns)
  const caas = new Map<string, CaaVerdict>()
  for (const name of settled ? [] : [host, ...names]) caas.set(name, judgeCaa(name, await caaOf(name)))
  const caa = caas.get(host) ?? ALLOWED
  return [
    listed ? ok(what, `on ${place}`) : warn(what, `not on ${place}`),
    dnsFinding(what, verdict),
    ...(caa.state === 'Allowed' ? [] : [warn(what, `CAA: ${caa.message}`)]),
    ...(setup.settings.checkServed ? [await servedFinding(what, host, home, io)] : []),
    coverageFinding(host, home, {
      dns: new Map([...dnsOfOthers, [host, verdict]]),
      caa: caas,
      changedAt: await changedAt(setup, home),
    }),
  ]
}

const ALLOWED: CaaVerdict = { state: 'Allowed', message: '' }

/** A failure of the resolver as a whole is shown as one, not as a fault of the domain. */
async function askedTwice(dns: Dns, verdict: DnsVerdict): Promise<DnsVerdict> {
  if (verdict.failure === undefined) return verdict
  const probe = await probeResolver(dns, [])
  const outage = rememberOutage(undefined, 'down' in probe ? probe.down : undefined, systemClock.now())
  return outage === undefined ? verdict : outageVerdict(outage)
}

/** When the app's hosts changed last, as its record says; epoch ms, 0 when there is none. */
async function changedAt({ context, accounts }: Setup, { app }: Home): Promise<number> {
  const { account } = await accounts.accountOf(app)
  const stored = await context.ports.records.load(account, app.spec.appId).catch(() => undefined)
  return stored === undefined ? 0 : lastChange(stored.record)
}

/** The app that wants the host, else the one that lists it, else the only one. */
async function homeOf(setup: Setup, host: Host, signal: AbortSignal): Promise<Home | undefined> {
  const { objects, accounts, context } = setup
  const apps = objects.apps()
  const wants = (app: App): boolean =>
    context.ports.mappingSources.some((source) =>
      source
        .mappingsOf(app)
        .mappings.some(
          ({ domain, bare }) =>
            [host, host.replace(/^www\./, '')].includes(compareKey(domain)) ||
            (bare === true && compareKey(domain) === `www.${host}`),
        ),
    )
  const homes: Home[] = []
  for (const app of apps) {
    const account = await accounts.accountOf(app)
    const seen = await account.getApp(app.spec.appId, signal)
    const { lastAddress } = await account.getServer(seen.serverId, signal)
    const wanted = wants(app)
    homes.push({ app, seen, certificate: certificateFacts(seen.ssl?.cert), address: lastAddress, wanted })
    if (wanted) return homes.at(-1)
  }
  const lists = homes.find(({ seen }) => seen.domains.some((name) => compareKey(name) === host))
  return lists ?? (homes.length === 1 ? homes[0] : undefined)
}

function dnsFinding(what: string, { state, message, addresses }: DnsVerdict): Finding {
  const shown = addresses.length === 0 ? '' : ` (${addresses.slice(0, 5).join(', ')})`
  if (state === 'Ready') return ok(what, `DNS: ${message}${shown}`)
  return (state === 'Unknown' ? warn : fail)(what, `DNS: ${state}: ${message}`)
}

async function servedFinding(what: string, host: Host, { certificate, address }: Home, io: Io): Promise<Finding> {
  if (address === undefined) return warn(what, 'served: the server has no known address yet')
  const shaken = await createShake(io)({ address, host, signal: io.signal })
  const known = certificate === undefined ? {} : { expected: certificate.fingerprint }
  const judged = judgeServed({ host, handshake: shaken, now: systemClock.now(), ...known })
  const detail = `served: ${judged.message}`
  if (judged.state === 'Served') return ok(what, detail)
  return (judged.state === 'Unseen' ? warn : fail)(what, detail)
}

/** Whether the app's certificate covers the host, and what keeps it from that. */
function coverageFinding(
  host: Host,
  { app, seen, certificate }: Home,
  { dns, caa, changedAt }: Pick<CoverageInput, 'dns' | 'caa' | 'changedAt'>,
): Finding {
  const what = displayHost(host)
  const custom = isCustom(seen.ssl)
  const fault = custom ? customFault(certificate, [host], systemClock.now()) : undefined
  if (fault !== undefined) return fail(what, `certificate: CustomCertificate: ${fault}`)
  const observed = [...new Set([...seen.domains.map(compareKey), host])]
  const [found] = judgeCoverage({
    wanted: new Set([host]),
    observed,
    certificate,
    issuer: custom ? 'Custom' : 'Authority',
    dns,
    caa,
    changedAt,
    now: systemClock.now(),
  })
  if (found === undefined) return warn(what, 'certificate: nothing is known')
  if (!found.covered && seen.ssl === null && !app.spec.ssl.auto)
    return warn(what, 'certificate: none, and spec.ssl.auto is off: none is asked for')
  if (found.covered && certificate !== undefined && certificateLife(certificate, systemClock.now()) !== 'Good')
    return warn(what, `certificate: ${overdueWords(certificate, systemClock.now())}`, cureOf('ExpiringSoon'))
  return (found.covered ? ok : fail)(what, `certificate: ${found.reason}: ${found.message}`)
}
