import { createHash } from 'node:crypto'
import { ANNOTATION, type App } from '../../api/objects.ts'
import { certificateFacts, covers, EXPIRING_MS } from '../../check/certificate.ts'
import type { DnsState } from '../../check/dns/judge.ts'
import { compareKey, type Host } from '../../domain/host.ts'
import type { SslAttempts, SslTries } from '../../ownership/record.ts'
import type { ServerPilotApp, SslChange } from '../../serverpilot/serverpilot.ts'
import type { Reason } from '../../status/reasons.ts'

/**
 * AutoSSL and ForceSSL of one app, as a state machine without I/O. Where it stands is read off the app's detail each time:
 *
 * - **Not available** (`AwaitingAvailability`): ServerPilot has no certificate ready. Looked at again, nothing is posted.
 * - **Available**: AutoSSL is wanted and off, and a certificate is ready: it is switched on.
 * - **On** (`Succeeded`, `Progressing`, `ExpiringSoon`, `Expired`): nothing to do but to watch; ForceSSL follows once SSL is on.
 * - **Reissue awaited** (`NotCovered`): on, and some host is not on the certificate. Switched on again once ServerPilot offers a
 *   certificate that names it, and never before.
 * - **Exhausted** (`AttemptsExhausted`): switching failed `ssl.maxAttempts` times. Nothing is posted until it is armed again: by
 *   another set of hosts, a host whose DNS was wrong and is right now, or `reconcile-requested-at`.
 * - **Custom** (`CustomCertificate`): somebody installed a certificate of his own. It is left alone.
 */

export type Decision = { change: SslChange } | { reason: Reason; message: string; ready: boolean; again: boolean }

/** Attempts that count, of each kind. */
export interface Tries {
  auto: number
  force: number
}

/**
 * What to do about SSL, from the app's detail alone. Pure.
 * Only ever switches on: what somebody switched on at the panel stays, and custom certificates are left alone.
 */
export function decideSsl(
  app: App,
  observed: ServerPilotApp,
  tries: Tries,
  uncovered: readonly string[],
  now: number,
): Decision {
  const { auto, force, maxAttempts } = app.spec.ssl
  const { ssl, autossl } = observed
  const settled = (reason: Reason, message: string, ready: boolean, again = false): Decision => ({
    reason,
    message,
    ready,
    again,
  })
  const end = certificateFacts(ssl?.cert)?.notAfter
  const over = end !== undefined && end <= now
  if (ssl !== null && !ssl.auto && ssl.cert !== undefined) {
    return over
      ? settled('Expired', `The custom certificate ended on ${dayOf(end)}: install another one at the panel.`, false)
      : settled('CustomCertificate', 'A custom certificate is installed: AutoSSL is left alone.', true)
  }
  if (auto && (ssl === null || !ssl.auto)) {
    if (autossl?.available !== true) {
      return settled(
        'AwaitingAvailability',
        'AutoSSL is not available yet: ServerPilot is still issuing a certificate.',
        false,
        true,
      )
    }
    if (tries.auto >= maxAttempts) return settled('AttemptsExhausted', exhausted('AutoSSL', tries.auto), false)
    return { change: { auto: true } }
  }
  if (ssl === null) return settled('Succeeded', 'No certificate is asked for.', true)
  // A certificate that covers more is there, and whether it installs itself is not documented.
  const offered =
    auto && ssl.auto && autossl?.available === true && uncovered.some((host) => autossl.domains?.includes(host))
  const forced = force && !ssl.force
  if (offered && tries.auto < maxAttempts) return { change: { auto: true } }
  if (forced && tries.force < maxAttempts) return { change: { force: true } }
  if (offered) return settled('AttemptsExhausted', exhausted('AutoSSL', tries.auto), false)
  if (forced) return settled('AttemptsExhausted', exhausted('ForceSSL', tries.force), false)
  if (ssl.cert !== undefined && uncovered.length > 0) {
    return settled('NotCovered', notCovered(uncovered), false, auto)
  }
  if (ssl.cert === undefined) {
    return settled('Progressing', 'AutoSSL is on; the certificate is not installed yet.', false, true)
  }
  if (over) return settled('Expired', `The certificate ended on ${dayOf(end)}. ${RENEWAL}`, false, true)
  if (end !== undefined && end - now < EXPIRING_MS) {
    return settled('ExpiringSoon', `The certificate ends on ${dayOf(end)}. ${RENEWAL}`, true, true)
  }
  return settled('Succeeded', 'AutoSSL is on.', true)
}

const RENEWAL = 'ServerPilot renews it by itself as long as every host on it resolves to the server.'

const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10)

const exhausted = (what: string, attempts: number): string =>
  `${what} could not be switched on in ${attempts} attempts. It is tried again when the app's hosts change, when the DNS of one becomes right, or on request.`

const notCovered = (hosts: readonly string[]): string =>
  `The certificate does not cover ${hosts.slice(0, 10).join(', ')}${hosts.length > 10 ? ` and ${hosts.length - 10} more` : ''}.`

/** Hosts that are on the app and that its certificate does not name; none while there is no certificate. */
export function uncoveredHosts(observed: ServerPilotApp, wanted: ReadonlyMap<Host, unknown> = new Map()): Host[] {
  const facts = certificateFacts(observed.ssl?.cert)
  if (facts === undefined) return []
  const there = observed.domains.map(compareKey) as Host[]
  return there.filter((host) => wanted.has(host) && !covers(facts, host)).sort()
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** From the second failure in a row on, attempts are at least so far apart: the authority allows a host 5 failed validations an hour. */
const FAILING_PAUSE = 20 * MINUTE

/** After a success so long ago attempts begin anew; whoever undoes it all the while costs a post an hour. */
const FORGOTTEN = HOUR

/**
 * The pause after the last attempt, ms: `retryInterval`, then twice as long with each attempt on the same grounds, up to a day. After
 * failures in a row at least 20 minutes, whatever the grounds.
 */
export function attemptPause({ attempts, failed = 0 }: SslTries, retryInterval: number): number {
  const doubled = retryInterval * 2 ** Math.min(Math.max(attempts, 1) - 1, 30)
  return Math.min(Math.max(doubled, failed >= 2 ? FAILING_PAUSE : 0), Math.max(DAY, retryInterval))
}

/** The tries after one more attempt at `now`. */
export function tried({ attempts, failed = 0 }: SslTries, ok: boolean, now: number): SslTries {
  return { attempts: attempts + 1, lastAt: now, ...(ok ? {} : { failed: failed + 1 }) }
}

/** The pause after that many looks that found the same, ms: issuing takes 5 to 15 minutes, and what lasts longer may last. */
export function lookPause(looks: number, retryInterval: number): number {
  return Math.min(retryInterval * 2 ** Math.min(Math.max(looks - 4, 0), 30), Math.max(HOUR, retryInterval))
}

/** What attempts are counted for. */
export interface Grounds {
  /** Digest of the app's hosts. */
  hosts: string
  /** Hosts whose DNS is wrong for certain. */
  wrong: Host[]
  /** The request to reconcile that stands on the object. */
  requested: string | undefined
}

/** The grounds of an app as it is now. `dns`: what is known of a host; undefined where nobody has looked. */
export function groundsOf(app: App, { domains }: ServerPilotApp, dns: (host: Host) => DnsState | undefined): Grounds {
  const names = domains.map(compareKey).sort() as Host[]
  const hosts = createHash('sha256').update(names.join(' ')).digest('hex').slice(0, 16)
  const wrong = names.filter((host) =>
    ['NoRecords', 'PointsElsewhere', 'IPv6PointsElsewhere'].includes(dns(host) ?? ''),
  )
  return { hosts, wrong, requested: app.annotations[ANNOTATION.reconcileRequestedAt] }
}

/**
 * The attempts that count now: those made on the same grounds. Another set of hosts, DNS that was wrong and is right now, or a request
 * starts over, and the pause since the last attempt is kept all the same.
 */
export function attemptsOn(
  before: SslAttempts | undefined,
  grounds: Grounds,
  dns: (host: Host) => DnsState | undefined,
  now: number,
): SslAttempts {
  const { hosts, wrong, requested } = grounds
  const over = before === undefined || before.hosts !== hosts || isArmed(before, grounds, dns)
  const ground = over ? { hosts, wrong, ...(requested === undefined ? {} : { requested }) } : groundOf(before)
  const force = counting(before?.force, over, now)
  return { ...ground, ...counting(before, over, now), ...(force.lastAt === 0 ? {} : { force }) }
}

/** Whether these attempts say nothing any more. */
export const isSpent = ({ attempts, lastAt, force }: SslAttempts): boolean =>
  attempts === 0 && lastAt === 0 && force === undefined

const groundOf = ({ hosts, wrong, requested }: SslAttempts): Pick<SslAttempts, 'hosts' | 'wrong' | 'requested'> => ({
  hosts,
  ...(wrong === undefined ? {} : { wrong }),
  ...(requested === undefined ? {} : { requested }),
})

function counting(tries: SslTries | undefined, over: boolean, now: number): SslTries {
  const NONE = { attempts: 0, lastAt: 0 }
  if (tries === undefined) return NONE
  const { attempts, failed } = tries
  // A time that lies ahead was noted before the clock was set back.
  const lastAt = Math.min(tries.lastAt, now)
  if (failed === undefined && now - lastAt >= FORGOTTEN) return NONE
  return { attempts: over ? 0 : attempts, lastAt, ...(failed === undefined ? {} : { failed }) }
}

/** Whether something that was in the way then is out of it now. */
export function isArmed(
  before: { wrong?: readonly Host[]; requested?: string | undefined },
  { requested }: Pick<Grounds, 'requested'>,
  dns: (host: Host) => DnsState | undefined,
): boolean {
  return before.requested !== requested || (before.wrong ?? []).some((host) => dns(host) === 'Ready')
}
