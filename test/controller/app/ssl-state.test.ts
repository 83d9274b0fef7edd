import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { describe, test } from 'node:test'
import { certificateFacts, factsOf, renewalOf } from '../../../src/check/certificate.ts'
import { decideSsl } from '../../../src/controller/app/ssl-state.ts'
import type { ServerPilotApp } from '../../../src/serverpilot/serverpilot.ts'
import { app } from '../../plan/fixture.ts'
import { selfSigned } from '../../serverpilot/certificate.ts'

const cert = selfSigned('a.example.com', '127.0.0.1').cert
const FACTS = factsOf(new X509Certificate(cert))
const END = FACTS.notAfter
const { overdueAt: OVERDUE } = renewalOf(FACTS)

type Ssl = ServerPilotApp['ssl']
type Case = {
  auto?: boolean
  force?: boolean
  ssl: Ssl
  autossl?: ServerPilotApp['autossl']
  unread?: ServerPilotApp['unread']
  tries?: { auto: number; force: number }
  uncovered?: string[]
  now?: number
}

const sight = (observed: ServerPilotApp, uncovered: readonly string[]) => ({
  observed,
  certificate: certificateFacts(observed.ssl?.cert),
  uncovered,
})

/** What is decided, in short: the change, or the reason with `ready` and `again` where they hold. */
function decided(of: Case): string {
  const {
    auto = true,
    force = false,
    ssl,
    autossl,
    unread,
    tries = { auto: 0, force: 0 },
    uncovered = [],
    now = OVERDUE,
  } = of
  const wanted = app({ ssl: { auto, force, maxAttempts: 5, retryInterval: 1_000 } })
  const observed = {
    id: 'a',
    name: 'a',
    serverId: 's',
    domains: [],
    ssl,
    ...(autossl === undefined ? {} : { autossl }),
    ...(unread === undefined ? {} : { unread }),
  }
  const decision = decideSsl(wanted, sight(observed, uncovered), tries, now)
  if ('change' in decision) return JSON.stringify(decision.change)
  return [decision.reason, decision.ready ? 'ready' : '', decision.again ? 'again' : ''].filter(Boolean).join(' ')
}

const on = { auto: true, force: false, cert } as Ssl
const custom = { auto: false, force: false, cert } as Ssl
const unreadable = { auto: false, force: false, cert: 'odd' } as Ssl
const bare = { auto: true, force: false } as Ssl
const offered = { available: true, domains: ['b.example.com'] }
const AUTO = '{"auto":true}'
const FORCE = '{"force":true}'

describe('what is decided about SSL', () => {
  const rows: [string, Case, string][] = [
    ['nothing asked, nothing there', { auto: false, ssl: null }, 'Succeeded ready'],
    ['SSL cannot be read', { ssl: null, autossl: offered, unread: { ssl: 'odd' } }, 'ApiUnreachable again'],
    [
      'SSL cannot be read, and nothing is asked',
      { auto: false, ssl: null, unread: { ssl: 'odd' } },
      'ApiUnreachable again',
    ],
    ['AutoSSL cannot be read, and is off', { ssl: null, unread: { autossl: 'odd' } }, 'ApiUnreachable again'],
    [
      'AutoSSL cannot be read, and a host lacks',
      { ssl: on, uncovered: ['b'], unread: { autossl: 'odd' } },
      'ApiUnreachable again',
    ],
    ['AutoSSL cannot be read, and nobody needs it', { ssl: on, unread: { autossl: 'odd' } }, 'Succeeded ready'],
    [
      'AutoSSL cannot be read beside a custom certificate',
      { ssl: custom, unread: { autossl: 'odd' } },
      'CustomCertificate ready',
    ],
    ['nothing asked, AutoSSL on', { auto: false, ssl: on }, 'Succeeded ready'],
    ['wanted, nothing said of availability', { ssl: null }, 'AwaitingAvailability again'],
    ['wanted, not available', { ssl: null, autossl: { available: false } }, 'AwaitingAvailability again'],
    [
      'not available, whatever was tried',
      { ssl: null, autossl: { available: false }, tries: { auto: 5, force: 0 } },
      'AwaitingAvailability again',
    ],
    ['wanted and available', { ssl: null, autossl: { available: true } }, AUTO],
    ['one attempt left', { ssl: null, autossl: { available: true }, tries: { auto: 4, force: 0 } }, AUTO],
    ['exhausted', { ssl: null, autossl: { available: true }, tries: { auto: 5, force: 0 } }, 'AttemptsExhausted'],
    ['a custom certificate', { ssl: custom, autossl: offered, force: true }, 'CustomCertificate ready'],
    ['a custom certificate, AutoSSL not wanted', { ssl: custom, auto: false }, 'CustomCertificate ready'],
    ['a custom certificate that ended', { ssl: custom, now: END }, 'CustomCertificate'],
    ['a custom certificate that ends soon', { ssl: custom, now: OVERDUE + 1 }, 'CustomCertificate'],
    ['a custom certificate that lacks a host', { ssl: custom, uncovered: ['b.example.com'] }, 'CustomCertificate'],
    ['a custom certificate that cannot be read', { ssl: unreadable }, 'CustomCertificate ready'],
    ['on', { ssl: on }, 'Succeeded ready'],
    ['on, not installed yet', { ssl: bare }, 'Progressing again'],
    ['ForceSSL wanted', { ssl: on, force: true }, FORCE],
    ['ForceSSL wanted, one attempt left', { ssl: on, force: true, tries: { auto: 0, force: 4 } }, FORCE],
    ['ForceSSL exhausted', { ssl: on, force: true, tries: { auto: 0, force: 5 } }, 'AttemptsExhausted'],
    ['ForceSSL on', { ssl: { auto: true, force: true, cert } as Ssl, force: true }, 'Succeeded ready'],
    ['ForceSSL before SSL', { ssl: null, force: true }, 'AwaitingAvailability again'],
    ['not covered', { ssl: on, uncovered: ['b.example.com'] }, 'NotCovered again'],
    ['not covered, AutoSSL not wanted', { ssl: on, auto: false, uncovered: ['b.example.com'] }, 'NotCovered'],
    ['a certificate that covers it', { ssl: on, uncovered: ['b.example.com'], autossl: offered }, AUTO],
    ['one that covers something else', { ssl: on, uncovered: ['c.example.com'], autossl: offered }, 'NotCovered again'],
    [
      'one that covers it, AutoSSL not wanted',
      { ssl: on, auto: false, uncovered: ['b.example.com'], autossl: offered },
      'NotCovered',
    ],
    [
      'one that covers it, one attempt left',
      { ssl: on, uncovered: ['b.example.com'], autossl: offered, tries: { auto: 4, force: 0 } },
      AUTO,
    ],
    [
      'one that covers it, exhausted',
      { ssl: on, uncovered: ['b.example.com'], autossl: offered, tries: { auto: 5, force: 0 } },
      'AttemptsExhausted',
    ],
    [
      'one that covers it, exhausted, ForceSSL wanted',
      { ssl: on, force: true, uncovered: ['b.example.com'], autossl: offered, tries: { auto: 5, force: 0 } },
      FORCE,
    ],
    ['is not overdue', { ssl: on, now: OVERDUE }, 'Succeeded ready'],
    ['ends soon', { ssl: on, now: OVERDUE + 1 }, 'ExpiringSoon ready again'],
    ['ended', { ssl: on, now: END }, 'Expired again'],
    ['ends now', { ssl: on, now: END - 1 }, 'ExpiringSoon ready again'],
    ['ended, and does not cover', { ssl: on, now: END, uncovered: ['b.example.com'] }, 'NotCovered again'],
  ]
  for (const [name, of, expected] of rows) test(`${name}: ${expected}`, () => assert.equal(decided(of), expected))

  test('a message about attempts says of which', () => {
    const wanted = app({ ssl: { auto: true, force: true, maxAttempts: 5, retryInterval: 1_000 } })
    const observed = { id: 'a', name: 'a', serverId: 's', domains: [], ssl: on, autossl: offered }
    const message = (uncovered: string[]): string => {
      const decision = decideSsl(wanted, sight(observed, uncovered), { auto: 5, force: 5 }, OVERDUE)
      return 'change' in decision ? '' : decision.message
    }
    assert.match(message(['b.example.com']), /^AutoSSL could not be switched on in 5 attempts/)
    assert.match(message([]), /^ForceSSL could not be switched on in 5 attempts/)
  })
})
