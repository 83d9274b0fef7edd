import type { Host } from '../../src/domain/host.ts'
import { setCondition, summarize } from '../../src/status/conditions.ts'
import type { HostStatus } from '../../src/status/host-status.ts'
import type { Reason } from '../../src/status/reasons.ts'
import type { AppStatus, Condition, MappingStatus, Status } from '../../src/status/status.ts'

/** A fixed moment, epoch milliseconds. */
export const NOW = Date.UTC(2026, 2, 1, 12, 0, 0)
const DAY = 86_400_000

type Part = [type: string, status: Condition['status'], reason: Reason, message: string, age: number]

/** Conditions of a kind with the summary, each `age` milliseconds old. */
export function conditions(kind: 'ServerPilotApp' | 'DomainMapping', parts: readonly Part[]): Condition[] {
  let list: Condition[] = []
  for (const [type, status, reason, message, age] of parts) {
    list = setCondition(list, { type, status, reason, message, observedGeneration: 1 }, NOW - age)
  }
  return summarize(kind, list, 1, NOW - 60_000)
}

const GOOD: Part[] = [
  ['Accepted', 'True', 'Succeeded', '', 9 * DAY],
  ['Synced', 'True', 'Succeeded', '', 3_600_000],
  ['CertificateReady', 'True', 'Succeeded', '', 5 * DAY],
]

function hosts(count: number, name: (index: number) => string, more: Partial<HostStatus> = {}): HostStatus[] {
  return Array.from({ length: count }, (_, index) => ({
    name: name(index),
    state: 'present' as const,
    mapping: `wordpress/${name(index).split('.')[0]}`,
    addresses: ['198.51.100.7'],
    certificateNotAfter: NOW + 68 * DAY,
    ...more,
  }))
}

export function app(key: string, more: Partial<AppStatus> = {}): AppStatus {
  const list = more.hosts ?? hosts(6, (index) => `site-${index}.${key.split('/')[1]}.example`)
  return {
    key,
    appId: 'nlcN0TwdZAyNEgdp',
    policy: 'Sync',
    place: `domains/${key.split('/')[1]}.yaml:1`,
    observedGeneration: 1,
    ownedDomains: list.map((host) => host.name as Host),
    domains: { desired: list.length, observed: list.length, owned: list.length, foreign: 0 },
    hosts: list,
    certificate: { notAfter: NOW + 68 * DAY, covered: list.map((host) => host.name), uncovered: [] },
    lastAttempt: NOW - 12_000,
    lastSuccess: NOW - 12_000,
    conditions: conditions('ServerPilotApp', GOOD),
    ...more,
  }
}

/** Several apps: one in sync, one whose removals wait, one with bad credentials, one suspended, one at work. */
export function sampleStatus(more: Partial<Status> = {}): Status {
  const removals = Array.from({ length: 14 }, (_, index) => `kunde-${index + 1}.example.org`)
  const refusal =
    '14 of 41 hosts would go within 24 h: 34 % is over the budget of 30 %. The mappings vanished together at 11:58, when wp_domain_mapping shrank from 41 to 27 rows.'
  const rejectedMessage = 'ServerPilot says: "Invalid domain name: bad_name.example.org"'
  return {
    version: '0.1.0',
    generatedAt: NOW,
    leader: true,
    dryRun: false,
    source: { name: 'manifests', synced: true, faults: [] },
    apps: [
      app('wordpress/blog', {
        hosts: [
          ...hosts(4, (index) => `${['news', 'team', 'press', 'jobs'][index]}.blog.example`),
          { name: 'legacy.blog.example', state: 'foreign', addresses: ['198.51.100.7'] },
        ],
        domains: { desired: 4, observed: 5, owned: 4, foreign: 1 },
      }),
      app('wordpress/network', {
        hosts: [
          ...hosts(26, (index) => `kunde-${index + 20}.example.org`),
          ...hosts(14, (index) => removals[index] ?? '', { state: 'leaving' }),
          { name: 'bad_name.example.org', state: 'rejected', mapping: 'wordpress/bad', message: rejectedMessage },
          {
            name: 'neu.example.org',
            state: 'pending',
            mapping: 'wordpress/neu',
            addresses: ['198.51.100.7', '2001:db8::7'],
          },
        ],
        domains: { desired: 28, observed: 40, owned: 40, foreign: 0 },
        certificate: { notAfter: NOW + 11 * DAY, covered: [], uncovered: ['neu.example.org', 'kunde-20.example.org'] },
        plan: {
          hash: '3f9a1c07be42',
          removals,
          reason: 'RemovalRefused',
          message: refusal,
          diff: ['+ neu.example.org  (wordpress/neu)', ...removals.map((host) => `- ${host}`), '  26 kept'].join('\n'),
        },
        lastSuccess: NOW - 3 * 3_600_000,
        conditions: conditions('ServerPilotApp', [
          ['Accepted', 'True', 'Succeeded', '', 9 * DAY],
          ['Synced', 'False', 'RemovalRefused', refusal, 2 * 60_000],
          [
            'CertificateReady',
            'False',
            'NotCovered',
            '2 hosts are not covered: kunde-20.example.org, neu.example.org',
            40 * 60_000,
          ],
        ]),
      }),
      app('shop/storefront', {
        lastSuccess: NOW - 2 * DAY,
        conditions: conditions('ServerPilotApp', [
          ['Accepted', 'True', 'Succeeded', '', 9 * DAY],
          [
            'Synced',
            'False',
            'CredentialsInvalid',
            'GET /apps/:id: 401 "Invalid credentials"; next try in 4 min',
            2 * DAY,
          ],
        ]),
      }),
      app('agency/landing-pages', {
        policy: 'UpsertOnly',
        conditions: conditions('ServerPilotApp', [
          ['Accepted', 'True', 'Succeeded', '', 9 * DAY],
          ['Synced', 'Unknown', 'Suspended', 'spec.suspend is true', 9 * DAY],
        ]),
      }),
      app('agency/microsites'),
    ],
    mappings: [
      mapping('wordpress/bad', 'bad_name.example.org', [
        ['Accepted', 'True', 'Succeeded', '', DAY],
        ['Synced', 'False', 'Rejected', rejectedMessage, DAY],
      ]),
      mapping('wordpress/neu', 'neu.example.org', [
        ['Accepted', 'True', 'Succeeded', '', 60_000],
        ['Synced', 'True', 'Succeeded', '', 60_000],
        [
          'DNSReady',
          'False',
          'PointsElsewhere',
          'neu.example.org resolves to 203.0.113.9, expected 198.51.100.7',
          60_000,
        ],
        ['CertificateReady', 'False', 'AwaitingAvailability', 'no certificate is available yet', 60_000],
      ]),
      mapping('wordpress/lost', 'lost.example.net', [
        [
          'Accepted',
          'False',
          'AppNotFound',
          'there is no ServerPilotApp wordpress/netwrok; is wordpress/network meant?',
          3_600_000,
        ],
      ]),
      mapping('wordpress/kunde-20', 'kunde-20.example.org', GOOD),
    ],
    ...more,
  }
}

function mapping(key: string, domain: string, parts: readonly Part[]): MappingStatus {
  return {
    key,
    app: 'wordpress/network',
    appId: 'nlcN0TwdZAyNEgdp',
    source: 'manifests',
    place: 'domains/network.yaml:14',
    domain,
    observedGeneration: 1,
    hosts: [{ name: domain, state: 'present', addresses: ['198.51.100.7'], certificateNotAfter: NOW + 68 * DAY }],
    conditions: conditions('DomainMapping', parts),
  }
}

/** 100 apps of 300 hosts. */
export function largeStatus(): Status {
  const apps = Array.from({ length: 100 }, (_, index) =>
    app(`fleet/app-${index}`, { hosts: hosts(300, (host) => `h${host}.app-${index}.example`) }),
  )
  return sampleStatus({ apps, mappings: [] })
}
