import type { Key } from '../api/objects.ts'
import { covers } from '../check/certificate.ts'
import { compareKey, type Host } from '../domain/host.ts'
import type { HostChecks } from './host-checks.ts'
import type { Outcome } from './outcome.ts'
import type { HostWire } from './wire/wire.ts'

/** A host of an app. Of what a cluster does not keep (see wire.ts), the page shows more. `absent`: wanted, not (yet) at ServerPilot. */
export interface HostStatus extends HostWire {
  mapping?: Key
  /** Where it stands in DNS; absent while nobody has looked. */
  dns?: { state: string; message: string }
}

/** Every host that ServerPilot lists or a mapping asks for, sorted. */
export function hostsOf(outcome: Outcome, checks: HostChecks): HostStatus[] {
  const { observed, certificate, plan, desired, record } = outcome
  const there = new Set(observed?.domains.map(compareKey))
  const names = new Set<string>([...there, ...(desired?.hosts.keys() ?? [])])
  return [...names].sort().map((name): HostStatus => {
    const host = name as Host
    const want = desired?.hosts.get(host)
    const mapping = want?.mapping.key ?? record?.hosts[host]?.mapping
    const message = plan?.held.get(host)?.message
    const dns = checks.dns(name)
    return {
      // The text that is kept anyway, not another one of the same letters.
      name: want?.host ?? name,
      state: stateOf(host, outcome, there),
      ...(mapping === undefined ? {} : { mapping }),
      ...(message === undefined ? {} : { message }),
      ...(dns === undefined ? {} : { addresses: dns.addresses, dns }),
      ...(there.has(name) && certificate && covers(certificate, name)
        ? { certificateNotAfter: certificate.notAfter }
        : {}),
    }
  })
}

function stateOf(host: Host, { desired, record, plan }: Outcome, there: ReadonlySet<string>): HostStatus['state'] {
  if (desired?.hosts.has(host)) {
    const held = plan?.held.get(host)
    if (there.has(host)) return held?.of === 'removal' ? 'leaving' : 'present'
    return held === undefined ? 'pending' : held.reason === 'Rejected' ? 'rejected' : 'absent'
  }
  const claim = record?.hosts[host]
  if (claim === undefined) return 'foreign'
  return claim.implied ? 'present' : 'leaving'
}
