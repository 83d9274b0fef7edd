import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { appIssues } from '../../src/report/page-issues.ts'
import { type HostRow, partOf, TONES, viewOf } from '../../src/report/page-view.ts'
import type { Tone } from '../../src/report/words.ts'
import type { HostStatus } from '../../src/status/host-status.ts'
import type { Reason } from '../../src/status/reasons.ts'
import type { AppStatus, Condition, MappingStatus } from '../../src/status/status.ts'
import { app, conditions, NOW, sampleStatus } from '../status/sample-status.ts'
import { thirteen } from './situations.ts'

type Said = [type: string, status: Condition['status'], reason: Reason]

const list = (kind: 'ServerPilotApp' | 'DomainMapping', parts: readonly Said[]): Condition[] =>
  conditions(
    kind,
    parts.map(([type, status, reason]) => [type, status, reason, `${reason}!`, 1_000] as const),
  )

/** A mapping of `shop.example` and its www name, with an app that has both. */
function rows(parts: readonly Said[], hosts: Partial<HostStatus>[], more: Partial<AppStatus> = {}): HostRow[] {
  const names = ['shop.example', 'www.shop.example']
  const own = hosts.map((host, at): HostStatus => {
    const good = { state: 'present' as const, certificateNotAfter: NOW + 1e9, mapping: 'a/shop' }
    return { name: names[at] ?? '', ...good, ...host }
  })
  const mapping: MappingStatus = {
    ...{ key: 'a/shop', app: 'a/app', source: 'manifests', place: 'shop.yaml:1', domain: 'shop.example' },
    ...{ observedGeneration: 1, hosts: own, conditions: list('DomainMapping', parts) },
  }
  const part = partOf('a/app', app('a/app', { hosts: own, ...more }), [mapping])
  return TONES.flatMap((tone) => part.rows[tone]).toSorted((a, b) => a.host.name.length - b.host.name.length)
}

const shown = (all: readonly HostRow[]): string[] =>
  all.map(({ tone, issues }) => [tone, ...issues.map(({ reason }) => reason)].join(' '))

const ACCEPTED: Said = ['Accepted', 'True', 'Succeeded']
const SYNCED: Said = ['Synced', 'True', 'Succeeded']
const OVERDUE: Said = ['CertificateReady', 'True', 'ExpiringSoon']
const elsewhere = { state: 'PointsElsewhere', message: 'leads to 203.0.113.9' }
const right = { state: 'Ready', message: '' }

suite('what is wrong with a host', () => {
  test('nothing, where all is well', () => {
    assert.deepEqual(shown(rows([ACCEPTED, SYNCED], [{}, { dns: right }])), ['ok', 'ok'])
  })

  test('a mapping of two hosts speaks of the one that it means', () => {
    const dns: Said[] = [ACCEPTED, SYNCED, ['DNSReady', 'False', 'PointsElsewhere']]
    assert.deepEqual(shown(rows(dns, [{ dns: right }, { dns: elsewhere }])), ['ok', 'work PointsElsewhere'])
    const rejected: Said[] = [ACCEPTED, ['Synced', 'False', 'Rejected']]
    assert.deepEqual(shown(rows(rejected, [{}, { state: 'rejected' }])), ['ok', 'bad Rejected'])
    const uncovered: Said[] = [ACCEPTED, SYNCED, ['CertificateReady', 'False', 'AwaitingAvailability']]
    const without = { certificateNotAfter: undefined } as Partial<HostStatus>
    assert.deepEqual(shown(rows(uncovered, [without, {}])), ['work AwaitingAvailability', 'ok'])
    assert.deepEqual(
      shown(rows(uncovered, [{}, {}])),
      ['work AwaitingAvailability', 'work AwaitingAvailability'],
      'of both, where nobody knows',
    )
  })

  test('what only waits for something else is not said beside it', () => {
    const parts: Said[] = [
      ['Accepted', 'False', 'Conflict'],
      ['Synced', 'False', 'Progressing'],
    ]
    assert.deepEqual(shown(rows(parts, [{ state: 'absent' }])), ['bad Conflict'])
    assert.deepEqual(shown(rows([ACCEPTED, ['Synced', 'False', 'Progressing']], [{ state: 'pending' }])), [
      'work Progressing',
    ])
  })

  test('a host that the certificate does not name, whatever its mapping says', () => {
    const certificate = { notAfter: NOW + 1e9, covered: ['shop.example'], uncovered: ['www.shop.example'] }
    const found = rows([ACCEPTED, SYNCED], [{}, {}], { certificate })
    assert.deepEqual(shown(found), ['ok', 'work NotCovered'])
    assert.deepEqual(
      found.map(({ uncovered }) => uncovered),
      [false, true],
    )
  })

  test('a renewal that is overdue waits, though the certificate still holds', () => {
    assert.deepEqual(shown(rows([ACCEPTED, SYNCED, OVERDUE], [{}, {}])), ['work ExpiringSoon', 'work ExpiringSoon'])
  })

  test('a removal needs a person where it was refused, and waits where it settles', () => {
    for (const [reason, tone] of [
      ['RemovalRefused', 'bad'],
      ['RemovalSettling', 'work'],
    ] as const) {
      const plan = { hash: 'h', removals: ['shop.example'], reason, message: 'm', diff: '- shop.example' }
      const found = rows([ACCEPTED, SYNCED], [{ state: 'leaving' }, {}], { plan })
      assert.deepEqual(shown(found), [`${tone} ${reason}`, 'ok'])
    }
  })

  test('what is suspended, only planned, or not ours, is left alone', () => {
    const suspended: Said[] = [ACCEPTED, ['Synced', 'Unknown', 'Suspended']]
    assert.deepEqual(shown(rows(suspended, [{}])), ['quiet Suspended'])
    const planned: Said[] = [ACCEPTED, ['Synced', 'False', 'DryRun']]
    assert.deepEqual(shown(rows(planned, [{ state: 'pending' }])), ['quiet DryRun'])
    assert.deepEqual(shown(rows([ACCEPTED, SYNCED], [{ state: 'foreign', dns: elsewhere }])), ['quiet'])
  })

  test('DNS that nobody could ask about takes nothing from a host that is well', () => {
    const dns = { state: 'Unknown', message: 'the resolver gives no answer' }
    assert.deepEqual(shown(rows([ACCEPTED, SYNCED], [{ dns }])), ['ok'])
    const parts: Said[] = [ACCEPTED, SYNCED, ['DNSReady', 'Unknown', 'ResolverFailed']]
    assert.deepEqual(shown(rows(parts, [{ dns }])), ['ok ResolverFailed'])
  })

  test('property: the tone of a row is that of its worst issue, and a reason stands once', () => {
    const states = ['present', 'pending', 'absent', 'leaving', 'rejected'] as const
    const said = fc.constantFrom<[Condition['status'], Reason]>(
      ...(
        [
          ['True', 'Succeeded'],
          ['False', 'Rejected'],
          ['False', 'Progressing'],
          ['False', 'AwaitingDNS'],
        ] as const
      ).map((each) => [...each] as [Condition['status'], Reason]),
      ['Unknown', 'Progressing'],
    )
    fc.assert(
      fc.property(fc.constantFrom(...states), said, said, fc.boolean(), (state, synced, dnsReady, wrong) => {
        const parts: Said[] = [ACCEPTED, ['Synced', ...synced], ['DNSReady', ...dnsReady]]
        for (const { tone, issues } of rows(parts, [{ state, ...(wrong && { dns: elsewhere }) }])) {
          const worst = TONES.find((each) => issues.some((issue) => issue.tone === each)) ?? 'ok'
          assert.equal(tone, worst === 'quiet' ? tone : worst)
          assert.equal(new Set(issues.map(({ reason }) => reason)).size, issues.length)
          if (state !== 'present') assert.notEqual(issues.length, 0, 'what is not in place says why')
        }
      }),
    )
  })
})

suite('what is wrong with an app', () => {
  test('one that nobody looked at waits; a warning of one that works is told', () => {
    assert.deepEqual(
      appIssues(app('a/b', { conditions: [] })).map(({ reason, tone }) => [reason, tone]),
      [['Progressing', 'work']],
    )
    const warned = list('ServerPilotApp', [['Accepted', 'True', 'SecondWriter'], SYNCED])
    assert.deepEqual(
      appIssues(app('a/b', { conditions: warned })).map(({ reason, tone }) => [reason, tone]),
      [['SecondWriter', 'work']],
    )
  })

  const verdicts: [title: string, parts: Said[], headline: Tone, counted: Tone, cards: string[]][] = [
    ['in sync', [ACCEPTED, SYNCED], 'ok', 'ok', []],
    ['a renewal overdue', [ACCEPTED, SYNCED, OVERDUE], 'work', 'work', ['work ExpiringSoon']],
    ['another writer', [['Accepted', 'True', 'SecondWriter'], SYNCED], 'work', 'work', ['work SecondWriter']],
    ['a certificate of its own', [ACCEPTED, SYNCED, ['CertificateReady', 'True', 'CustomCertificate']], 'ok', 'ok', []],
    ['only planned', [ACCEPTED, ['Synced', 'False', 'DryRun']], 'quiet', 'quiet', []],
    [
      'only planned, with a fault beside it',
      [ACCEPTED, ['Synced', 'False', 'DryRun'], ['CertificateReady', 'False', 'CustomCertificate']],
      'bad',
      'bad',
      ['bad CustomCertificate'],
    ],
    ['suspended', [ACCEPTED, ['Synced', 'Unknown', 'Suspended']], 'quiet', 'quiet', []],
    ['at work', [ACCEPTED, ['Synced', 'False', 'Progressing']], 'work', 'work', ['work Progressing']],
    ['refused', [ACCEPTED, ['Synced', 'False', 'CredentialsInvalid']], 'bad', 'bad', ['bad CredentialsInvalid']],
  ]
  for (const [title, parts, headline, counted, cards] of verdicts) {
    test(`${title}: headline, count and cards agree`, () => {
      const one = app('a/b', { conditions: list('ServerPilotApp', parts) })
      const view = viewOf(sampleStatus({ apps: [one], mappings: [] }))
      assert.deepEqual(
        [view.headline.tone, TONES.find((tone) => view.counts[tone].apps === 1)],
        [headline, counted],
        view.headline.text,
      )
      assert.deepEqual(
        view.causes.map(({ tone, reason }) => `${tone} ${reason}`),
        cards,
      )
    })
  }

  test('an app that is left alone takes nothing from the others; one that nobody looked at does', () => {
    const suspended = app('a/b', { conditions: list('ServerPilotApp', [ACCEPTED, ['Synced', 'Unknown', 'Suspended']]) })
    const headline = (apps: AppStatus[]): Tone => viewOf(sampleStatus({ apps, mappings: [] })).headline.tone
    assert.equal(headline([app('a/a'), suspended]), 'ok')
    assert.equal(headline([app('a/a'), app('a/c', { conditions: [] })]), 'work')
  })

  test('declared-but-not-served: a mapping that names no app is a row, by its domain', () => {
    const lost = thirteen().mappings.filter(({ app: key }) => key === 'delta/shpo')
    const part = partOf('delta/shpo', undefined, lost)
    assert.deepEqual(
      TONES.flatMap((tone) => part.rows[tone].map(({ host }) => host.name)),
      ['lost.example.net'],
    )
    assert.deepEqual([...part.touched.keys()], ['AppNotFound'])
  })
})
