import type { Status } from '../../src/status/status.ts'
import { app, conditions, NOW, sampleStatus } from '../status/sample-status.ts'

const MESSAGE =
  'ServerPilot says: "Invalid domain name". The name is left out, and the rest goes in; it is tried again later.'

/** So many apps with so many hosts each, and a mapping for every host. In trouble, everything has a long message. */
export function bigStatus(apps: number, hosts: number, trouble = false): Status {
  const parts = (type: string) =>
    conditions('ServerPilotApp', [
      ['Accepted', 'True', 'Succeeded', '', 1_000],
      [type, trouble ? 'False' : 'True', trouble ? 'Rejected' : 'Succeeded', trouble ? MESSAGE : '', 1_000],
    ])
  const list = Array.from({ length: apps }, (_, index) =>
    app(`ns-${index % 10}/network-${index}`, {
      hosts: Array.from({ length: hosts }, (_, host) => ({
        name: `host-${host}.customer-${index}.example.com`,
        state: trouble ? ('rejected' as const) : ('present' as const),
        mapping: `ns-${index % 10}/mapping-${index}-${host}` as const,
        addresses: ['198.51.100.7', '2001:db8::1'],
        certificateNotAfter: NOW + 5_000_000_000,
        dns: { state: trouble ? 'PointsElsewhere' : 'Ready', message: trouble ? MESSAGE : '' },
        ...(trouble ? { message: MESSAGE } : {}),
      })),
      conditions: parts('Synced'),
    }),
  )
  const mappings = list.flatMap((one) =>
    one.hosts.map((host) => ({
      ...{ key: host.mapping ?? '', app: one.key, source: 'manifests', place: `domains/${one.appId}.yaml:12` },
      ...{ domain: host.name, observedGeneration: 1, hosts: [host], conditions: parts('Present') },
    })),
  )
  return sampleStatus({ apps: list, mappings })
}
