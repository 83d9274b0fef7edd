import type { HostStatus } from '../../src/status/host-status.ts'
import type { Reason } from '../../src/status/reasons.ts'
import type { AppStatus, Condition, MappingStatus, Status } from '../../src/status/status.ts'
import { app, conditions, NOW, sampleStatus } from '../status/sample-status.ts'

type Said = [type: string, status: Condition['status'], reason: Reason, message: string, age: number]

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const SERVER = '198.51.100.7'
const NINETY_DAYS = { notBefore: NOW - 22 * DAY, notAfter: NOW + 68 * DAY }
const accepted: Said = ['Accepted', 'True', 'Succeeded', '', 9 * DAY]
const synced: Said = ['Synced', 'True', 'Succeeded', '', 3 * HOUR]
const dnsRight: Said = ['DNSReady', 'True', 'Succeeded', '', 9 * DAY]
const covered: Said = ['CertificateReady', 'True', 'Succeeded', '', 9 * DAY]

/** A host that is well, with its DNS. */
function host(name: string, mapping: string, more: Partial<HostStatus> = {}): HostStatus {
  const dns = { state: 'Ready', message: '' }
  return {
    name,
    state: 'present',
    mapping,
    addresses: [SERVER],
    dns,
    certificateNotAfter: NINETY_DAYS.notAfter,
    ...more,
  }
}

function mapping(of: HostStatus, key: string, parts: readonly Said[]): MappingStatus {
  return {
    ...{ key: of.mapping ?? '', app: key, appId: 'nlcN0TwdZAyNEgdp', source: 'manifests', domain: of.name },
    place: `domains/${key.split('/')[1]}.yaml:${10 + (of.name.length % 60)}`,
    ...{ observedGeneration: 1, hosts: [of], conditions: conditions('DomainMapping', parts) },
  }
}

/** An app with these names as hosts, each mapped and well. */
function served(
  key: string,
  names: readonly string[],
  more: Partial<AppStatus> = {},
): Pick<Status, 'apps' | 'mappings'> {
  const [namespace] = key.split('/')
  const hosts = names.map((name) => host(name, `${namespace}/${name.replaceAll('.', '-')}`))
  const certificate = { ...NINETY_DAYS, covered: [...names], uncovered: [] }
  const one = app(key, { hosts, certificate, ...more })
  return { apps: [one], mappings: hosts.map((each) => mapping(each, key, [accepted, synced, dnsRight, covered])) }
}

function together(parts: readonly Pick<Status, 'apps' | 'mappings'>[], more: Partial<Status> = {}): Status {
  const apps = parts.flatMap((part) => part.apps)
  return sampleStatus({ apps, mappings: parts.flatMap((part) => part.mappings), ...more })
}

/** Three apps that are well. */
export const healthy = (): Status =>
  together([
    served('agency/landing', ['spring.agency.example', 'summer.agency.example', 'www.agency.example']),
    served('shop/storefront', ['shop.example.com', 'www.shop.example.com']),
    served('wordpress/network', [
      'xn--bcher-kva.example.com',
      'kaffee.example.org',
      'xn--hxajbheg2az3al.example',
      'zeta.network.example',
    ]),
  ])

/** An app on which one thing is wrong: with the app itself, or with its first host. */
function troubled(key: string, trouble: Said, of: 'app' | 'host' | 'both', change: Partial<HostStatus> = {}) {
  const name = key.split('/')[1]
  const { apps, mappings } = served(key, [`shop.${name}.example`, `www.${name}.example`, `blog.${name}.example`])
  const [one] = apps
  const first = mappings[0]
  if (one === undefined || first === undefined) throw new Error('unreachable')
  const wrong = { ...host(`shop.${name}.example`, first.key), ...change }
  const parts = (list: readonly Said[]): Said[] => list.map((part) => (part[0] === trouble[0] ? trouble : part))
  const onApp = of !== 'host' && trouble[0] !== 'DNSReady'
  return {
    apps: [
      {
        ...one,
        hosts: of === 'app' ? one.hosts : [wrong, ...one.hosts.slice(1)],
        ...(onApp && {
          conditions: conditions('ServerPilotApp', parts([accepted, synced, covered])),
          lastSuccess: NOW - trouble[4],
        }),
      },
    ],
    mappings:
      of === 'app'
        ? mappings
        : [mapping(wrong, key, parts([accepted, synced, dnsRight, covered])), ...mappings.slice(1)],
  }
}

/** Thirteen apps, each with a trouble of its own, and one mapping that names no app. */
export function thirteen(): Status {
  const dead = { certificateNotAfter: NOW - DAY }
  const list = [
    troubled(
      'alpha/credentials',
      [
        'Synced',
        'False',
        'CredentialsInvalid',
        'ServerPilot refuses the client id and API key of Secret alpha/serverpilot: 401 "Invalid credentials".',
        2 * DAY,
      ],
      'app',
    ),
    troubled(
      'alpha/payment',
      [
        'Synced',
        'False',
        'PaymentRequired',
        'ServerPilot wants a valid payment method: 402 "Payment required".',
        5 * HOUR,
      ],
      'app',
    ),
    troubled(
      'alpha/unreachable',
      [
        'Synced',
        'False',
        'ApiUnreachable',
        'GET /apps/nlcN0TwdZAyNEgdp: connect ECONNREFUSED 203.0.113.80:443; next try in 40 s.',
        12 * MINUTE,
      ],
      'app',
    ),
    troubled(
      'beta/spec',
      [
        'Accepted',
        'False',
        'InvalidSpec',
        'spec.dns.expectedAddresses[0]: "cdn.example.net" is not an address.',
        20 * MINUTE,
      ],
      'app',
    ),
    troubled(
      'beta/source',
      [
        'Synced',
        'False',
        'SourceUnavailable',
        'Source wordpress: connect ETIMEDOUT 192.0.2.40:3306. Nothing is removed until it can be read again.',
        40 * MINUTE,
      ],
      'app',
    ),
    troubled(
      'beta/rejected',
      ['Synced', 'False', 'Rejected', 'shop.rejected.example: ServerPilot says: "Invalid domain name".', 3 * HOUR],
      'both',
      {
        state: 'rejected',
        certificateNotAfter: undefined,
        message: 'ServerPilot says: "Invalid domain name".',
      } as Partial<HostStatus>,
    ),
    troubled(
      'gamma/dns',
      [
        'DNSReady',
        'False',
        'PointsElsewhere',
        'shop.dns.example resolves to 203.0.113.9, expected 198.51.100.7.',
        6 * DAY,
      ],
      'host',
      {
        addresses: ['203.0.113.9'],
        dns: { state: 'PointsElsewhere', message: 'shop.dns.example resolves to 203.0.113.9, expected 198.51.100.7.' },
      },
    ),
    troubled(
      'gamma/no-records',
      ['DNSReady', 'False', 'NoRecords', 'shop.no-records.example does not resolve.', 2 * HOUR],
      'host',
      { addresses: [], dns: { state: 'NoRecords', message: 'shop.no-records.example does not resolve.' } },
    ),
    troubled(
      'gamma/uncovered',
      [
        'CertificateReady',
        'False',
        'NotCovered',
        'The certificate does not name shop.uncovered.example: it is being issued, which takes 5 to 15 minutes.',
        8 * MINUTE,
      ],
      'both',
      { certificateNotAfter: undefined } as Partial<HostStatus>,
    ),
    troubled(
      'gamma/expired',
      [
        'CertificateReady',
        'False',
        'Expired',
        'The certificate ended on 2026-02-28. shop.expired.example resolves to 203.0.113.9: point it at 198.51.100.7.',
        DAY,
      ],
      'both',
      dead,
    ),
    troubled(
      'delta/contended',
      [
        'Synced',
        'False',
        'Contended',
        'shop.contended.example was added 6 times and taken off each time within a minute; next try in 8 min.',
        30 * MINUTE,
      ],
      'both',
      {
        state: 'absent',
        certificateNotAfter: undefined,
        message: 'Waits: somebody else keeps undoing it; next try in 8 min.',
      } as Partial<HostStatus>,
    ),
    troubled(
      'delta/full',
      [
        'Synced',
        'False',
        'AppFull',
        'shop.full.example does not fit: the app has 300 hosts, which is what ServerPilot takes.',
        DAY,
      ],
      'both',
      { state: 'absent', certificateNotAfter: undefined } as Partial<HostStatus>,
    ),
    troubled(
      'delta/suspended',
      ['Synced', 'Unknown', 'Suspended', 'spec.suspend is true: nothing is read or written.', 9 * DAY],
      'both',
    ),
  ]
  const uncovered = list[8]?.apps[0]
  if (uncovered)
    uncovered.certificate = {
      ...NINETY_DAYS,
      covered: ['www.uncovered.example', 'blog.uncovered.example'],
      uncovered: ['shop.uncovered.example'],
    }
  const lost = host('lost.example.net', 'delta/lost')
  const orphan = {
    ...mapping(lost, 'delta/shpo', [
      [
        'Accepted',
        'False',
        'AppNotFound',
        'There is no ServerPilotApp delta/shpo. Create it, or correct spec.appRef.',
        HOUR,
      ],
    ]),
    hosts: [],
  }
  return together([...list, { apps: [], mappings: [orphan] }])
}

/** 300 apps of 100 hosts; with `outage` ServerPilot does not answer for any of them. */
export function fleet(outage: boolean, apps = 300, hosts = 100): Status {
  return together(
    Array.from({ length: apps }, (_, index) => {
      const key = `team-${String(index % 12).padStart(2, '0')}/network-${String(index).padStart(3, '0')}`
      const names = Array.from({ length: hosts }, (_, at) => `shop-${at}.customer-${index}.example`)
      const message = `GET /apps/a${index}cN0TwdZAyNEg: connect ETIMEDOUT 203.0.113.80:443; next try in ${20 + (index % 40)} s.`
      const failed: Said = ['Synced', 'False', 'ApiUnreachable', message, 17 * MINUTE + index]
      const state = outage
        ? { conditions: conditions('ServerPilotApp', [accepted, failed, covered]), lastSuccess: NOW - 18 * MINUTE }
        : {}
      return served(key, names, state)
    }),
  )
}

/** A plan that waits for somebody, in a cluster, beside apps that are well. */
export function refused(): Status {
  const all = sampleStatus()
  const keys = ['wordpress/network', 'wordpress/blog', 'agency/microsites']
  return sampleStatus({
    source: { name: 'kubernetes', synced: true, faults: [] },
    apps: all.apps.filter(({ key }) => keys.includes(key)),
    mappings: all.mappings.filter(({ key }) => key === 'wordpress/kunde-20'),
  })
}
