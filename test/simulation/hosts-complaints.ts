import { availableNames } from '../../src/simulator/autossl.ts'
import type { AppState } from '../../src/simulator/state.ts'
import type { DeclaredApp, DeclaredMapping } from './declared.ts'
import { leadsHere, type NameTrouble } from './dns.ts'
import { type Conditions, conditionsOf } from './hosts-said.ts'
import type { World } from './world.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** What is wrong is looked at again within 17 minutes, and a pass follows. */
const SEEN_WRONG = 30 * MINUTE
/** What is right is looked at again within seven hours; a clock that is set back may make it later. */
const SEEN_RIGHT = 10 * HOUR

/** What `DNSReady` says of a name with this trouble. */
const DNS_READY: Readonly<Record<NameTrouble, string>> = {
  Elsewhere: 'False PointsElsewhere',
  AlsoElsewhere: 'False PointsElsewhere',
  IPv6Elsewhere: 'False IPv6PointsElsewhere',
  Missing: 'False NoRecords',
  ServerFailure: 'Unknown ResolverFailed',
  RefusedByCaa: 'True Succeeded',
}

/** Whether a host may be missing as it does not lead to the server, or only just does. */
export function mayBeHeld({ hosts, time }: World, app: DeclaredApp, host: string): boolean {
  if (hosts === undefined || (app.requireSince ?? app.quarantineSince) === undefined) return false
  return !leadsHere(hosts.dns.troubleOf(host)) || time.now() - hosts.dns.since(host) < SEEN_WRONG
}

/** What is said of DNS and certificates at rest and is not so, or not brought in line. */
export function hostComplaints(world: World): string[] {
  if (world.hosts === undefined) return []
  const mappings = conditionsOf(world, 'mappings')
  const apps = conditionsOf(world, 'apps')
  return [...world.declared.mappings.values()]
    .flatMap((mapping) => {
      const app = world.declared.apps.get(mapping.app)
      // What is said of a mapping without an app is no matter of DNS.
      return app === undefined
        ? []
        : complaintsOfMapping(world, mapping, app, mappings.get(mapping.domain) ?? new Map())
    })
    .concat([...world.declared.apps.values()].flatMap((app) => autoSslComplaint(world, app, apps.get(app.name)) ?? []))
}

function complaintsOfMapping(
  world: World,
  { name, domain }: DeclaredMapping,
  { appId }: DeclaredApp,
  said: Conditions,
): string[] {
  const complaints: string[] = []
  const dns = said.get('DNSReady') ?? 'nothing'
  const isNow = dnsReadyNow(world, domain)
  if (!isNow.includes(dns)) complaints.push(`DNSReady of ${name} (${domain}) is ${dns}, not ${isNow.join(' or ')}`)
  const state = world.serverpilot.core.world.model.apps.get(appId)!
  // The server shows the certificate of the first app that has the name.
  const holders = [...world.serverpilot.core.world.model.apps.values()].filter((each) => each.domains.includes(domain))
  if (holders.length !== 1 || holders[0] !== state) return complaints
  const certificate = said.get('CertificateReady') ?? 'nothing'
  const covered = isCovered(world, state, domain)
  if (covered !== undefined && covered !== certificate.startsWith('True'))
    complaints.push(`CertificateReady of ${name} (${domain}) is ${certificate}`)
  const ready = said.get('Ready') ?? 'nothing'
  if (covered && dns.startsWith('True') && !ready.startsWith('True')) complaints.push(`Ready of ${name} is ${ready}`)
  return complaints
}

/** What may be said of DNS. */
function dnsReadyNow({ hosts, time }: World, host: string): string[] {
  const { dns } = hosts!
  const trouble = dns.troubleOf(host)
  const due = trouble === undefined ? 'True Succeeded' : DNS_READY[trouble]
  const since = time.now() - dns.since(host)
  if (since < SEEN_WRONG) return [due, ...Object.values(DNS_READY)]
  return since < SEEN_RIGHT ? [due, 'True Succeeded'] : [due]
}

/** Whether the certificate names a host, by the clock of the machine; undefined where that clock is far off. */
function isCovered({ machine, serverpilot }: World, { ssl }: AppState, host: string): boolean | undefined {
  if (!ssl?.cert) return false
  const now = machine.epoch + machine.offset + machine.time.now()
  const begin = ssl.notAfter - serverpilot.core.world.issuance.lifetime - HOUR
  if (now < begin + HOUR || now > ssl.notAfter - HOUR) return undefined
  return ssl.names.includes(host)
}

/** A certificate that ServerPilot has ready, and that nobody tries to get. */
function autoSslComplaint(world: World, app: DeclaredApp, said: Conditions | undefined): string | undefined {
  const { core } = world.serverpilot
  const state = core.world.model.apps.get(app.appId)!
  const offered = availableNames(core.world, state) ?? []
  const wanted = [...world.declared.mappings.values()].filter((each) => each.app === app.name)
  const lacking = wanted.some(({ domain }) => offered.includes(domain) && !state.ssl?.names.includes(domain))
  const isOff = state.ssl === null && offered.length > 0
  const certificate = said?.get('CertificateReady') ?? 'nothing'
  const isTried = ['False Progressing', 'False AttemptsExhausted'].includes(certificate)
  if (isTried || !(lacking || isOff)) return undefined
  return `AutoSSL of ${app.name} is ready and not switched on: ${certificate}`
}
