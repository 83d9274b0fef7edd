import { createHash } from 'node:crypto'
import { ANNOTATION, type App } from '../../api/objects.ts'
import { type CertificateFacts, certificateLife, covers, overdueWords } from '../../check/certificate.ts'
import { customFault, isCustom } from '../../check/custom.ts'
import type { DnsState } from '../../check/dns/judge.ts'
import { compareKey, type Host } from '../../domain/host.ts'
import { listHosts } from '../../domain/list-names.ts'
import type { SslAttempts, SslTries } from '../../ownership/record.ts'
import type { ServerPilotApp, SslChange } from '../../serverpilot/serverpilot.ts'
import type { Reason } from '../../status/reasons.ts'
import { backOff } from '../../time/back-off.ts'
import { dayOf } from '../../time/day.ts'

/**
 * AutoSSL and ForceSSL of one app, as a state machine without I/O. Where it stands is read off the app's detail each time:
 *
 * - **Not available** (`AwaitingAvailability`): ServerPilot has no certificate ready. Looked at again, nothing is posted.
 * - **Available**: AutoSSL is wanted and off, and a certificate is ready: it is switched on.
 * - **On** (`Succeeded`, `Progressing`, `ExpiringSoon`, `Expired`): nothing to do but to watch; ForceSSL follows once SSL is on.
 * - **Reissue awaited** (`NotCovered`): on, and some host is not on the certificate. Switched on again once ServerPilot offers a
 *   certificate that names it, and never before.
 * - **Exhausted** (`AttemptsExhausted`): switching failed `ssl.maxAttempts` times. Nothing is posted until it is eligible again: by
 *   another set of hosts, a host whose DNS was wrong and is right now, or `reconcile-requested-at`.
 * - **Custom** (`CustomCertificate`): somebody installed a certificate of their own. It is left alone, and it is not ready once it ends
 *   soon, has ended, or does not name a wanted host: nobody but a person renews it.
 */

type Decision = { change: SslChange } | { reason: Reason; message: string; ready: boolean; again: boolean }

/** Attempts that count, of each kind. */
interface Tries {
  auto: number
  force: number
}

/** What the rules look at. */
interface SslCase {
  wanted: App['spec']['ssl']
  ssl: ServerPilotApp['ssl']
  /** What ServerPilot says of it and cannot be read. */
  unread: NonNullable<ServerPilotApp['unread']>
  /** ServerPilot has a certificate ready. */
  available: boolean
  /** It is ready, AutoSSL is on, and it names a host that the installed one does not. Whether it installs itself is not documented. */
  offersMore: boolean
  tries: Tries
  uncovered: readonly string[]
  /** Undefined without one, or when it cannot be read. */
  certificate: CertificateFacts | undefined
  now: number
  life: ReturnType<typeof certificateLife> | undefined
  /** What is wrong with a custom certificate. */
  customFault: string | undefined
}

const say = (reason: Reason, message: string, ready: boolean, again = false): Decision => ({
  reason,
  message,
  ready,
  again,
})

const notRead = (problem: string | undefined): Decision =>
  say(
    'ApiUnreachable',
    `What ServerPilot says of SSL cannot be read (${problem}). Nothing is switched until it can be; domains are not concerned.`,
    false,
    true,
  )

const endOf = ({ certificate }: SslCase): string => dayOf(certificate?.notAfter ?? 0)
const isOff = ({ wanted, ssl }: SslCase): boolean => wanted.auto && ssl?.auto !== true
const lacksForce = ({ wanted, ssl }: SslCase): boolean => wanted.force && ssl?.force !== true
const maySwitch = ({ wanted, tries }: SslCase): boolean => tries.auto < wanted.maxAttempts
const mayForce = ({ wanted, tries }: SslCase): boolean => tries.force < wanted.maxAttempts

/** What is so, and what follows from it. */
interface Rule {
  when(each: SslCase): boolean
  decide(each: SslCase): Decision
}

/** The rules in their order: the first that applies decides. */
const RULES: Readonly<Record<string, Rule>> = {
  sslUnread: {
    when: ({ unread }) => unread.ssl !== undefined,
    decide: ({ unread }) => notRead(unread.ssl),
  },
  customAtFault: {
    when: (each) => each.customFault !== undefined,
    decide: (each) => say('CustomCertificate', each.customFault ?? '', false),
  },
  customLeftAlone: {
    when: ({ ssl }) => isCustom(ssl),
    decide: () => say('CustomCertificate', 'A custom certificate is installed: AutoSSL is left alone.', true),
  },
  autosslUnread: {
    when: (each) => each.unread.autossl !== undefined && (isOff(each) || each.uncovered.length > 0),
    decide: ({ unread }) => notRead(unread.autossl),
  },
  notAvailable: {
    when: (each) => isOff(each) && !each.available,
    decide: () => say('AwaitingAvailability', NOT_AVAILABLE, false, true),
  },
  switchExhausted: {
    when: (each) => isOff(each) && !maySwitch(each),
    decide: ({ tries }) => exhausted('AutoSSL', tries.auto),
  },
  switchOn: { when: isOff, decide: () => ({ change: { auto: true } }) },
  nothingAsked: {
    when: ({ ssl }) => ssl === null,
    decide: () => say('Succeeded', 'No certificate is asked for.', true),
  },
  reissue: {
    when: (each) => each.offersMore && maySwitch(each),
    decide: () => ({ change: { auto: true } }),
  },
  force: {
    when: (each) => lacksForce(each) && mayForce(each),
    decide: () => ({ change: { force: true } }),
  },
  reissueExhausted: {
    when: ({ offersMore }) => offersMore,
    decide: ({ tries }) => exhausted('AutoSSL', tries.auto),
  },
  forceExhausted: { when: lacksForce, decide: ({ tries }) => exhausted('ForceSSL', tries.force) },
  notCovered: {
    when: ({ ssl, uncovered }) => ssl?.cert !== undefined && uncovered.length > 0,
    decide: ({ uncovered, wanted }) =>
      say('NotCovered', `The certificate does not cover ${listHosts(uncovered, 10)}.`, false, wanted.auto),
  },
  notInstalled: {
    when: ({ ssl }) => ssl?.cert === undefined,
    decide: () => say('Progressing', 'AutoSSL is on; the certificate is not installed yet.', false, true),
  },
  ended: {
    when: ({ life }) => life === 'Expired',
    decide: (each) => say('Expired', `The certificate ended on ${endOf(each)}. ${RENEWAL}`, false, true),
  },
  endsSoon: {
    when: ({ life }) => life === 'Overdue' || life === 'Urgent',
    decide: ({ certificate, now }) =>
      say('ExpiringSoon', `${certificate && overdueWords(certificate, now)}. ${RENEWAL}`, true, true),
  },
}

/**
 * What to do about SSL, from the app's detail alone. Pure.
 * Only ever switches on: what somebody switched on at the panel stays, and custom certificates are left alone.
 */
export function decideSsl(
  app: App,
  { observed: { ssl, autossl, unread = {} }, certificate, uncovered }: SslSight,
  tries: Tries,
  now: number,
): Decision {
  const wanted = app.spec.ssl
  const available = autossl?.available === true
  const offersMore =
    wanted.auto && ssl?.auto === true && available && uncovered.some((host) => autossl.domains?.includes(host))
  const life = certificate && certificateLife(certificate, now)
  // One that cannot be read is not at fault for that.
  const fault = isCustom(ssl) && certificate !== undefined ? customFault(certificate, uncovered, now) : undefined
  const facts = { wanted, ssl, unread, available, offersMore, tries, uncovered, certificate, now, life }
  const each: SslCase = { ...facts, customFault: fault }
  const rule = Object.values(RULES).find(({ when }) => when(each))
  if (rule === undefined) return say('Succeeded', 'AutoSSL is on.', true)
  return rule.decide(each)
}

const NOT_AVAILABLE = 'AutoSSL is not available yet: ServerPilot is still issuing a certificate.'
const RENEWAL = 'ServerPilot renews it by itself as long as every host on it resolves to the server.'

const exhausted = (what: string, attempts: number): Decision =>
  say(
    'AttemptsExhausted',
    `${what} could not be switched on in ${attempts} attempts. It is tried again when the app's hosts change, when the DNS of one becomes right, or on request.`,
    false,
  )

/** What SSL is judged by: the app's detail, what its certificate says, and the wanted hosts that are on the app and not on it. */
export interface SslSight {
  observed: ServerPilotApp
  certificate: CertificateFacts | undefined
  uncovered: readonly string[]
}

/** The sight of an app; nothing is uncovered without a certificate. */
export function sightOf(
  observed: ServerPilotApp,
  certificate: CertificateFacts | undefined,
  wanted: ReadonlyMap<Host, unknown>,
): SslSight {
  const there = certificate === undefined ? [] : (observed.domains.map(compareKey) as Host[])
  const uncovered = there.filter((host) => wanted.has(host) && certificate && !covers(certificate, host)).sort()
  return { observed, certificate, uncovered }
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** From the second failure in a row on, attempts are at least so far apart: the authority allows a host 5 failed validations an hour. */
const FAILING_PAUSE = 20 * MINUTE

/** After a success so long ago attempts start over; somebody who undoes it all the while costs a post an hour. */
const FORGOTTEN = HOUR

/**
 * The pause after the last attempt, ms: `retryInterval`, then twice as long with each attempt on the same grounds, up to a day. After
 * failures in a row at least 20 minutes, whatever the grounds.
 */
export function attemptPause({ attempts, failed = 0 }: SslTries, retryInterval: number): number {
  const pause = backOff({ first: retryInterval, longest: Math.max(DAY, retryInterval) }, attempts)
  return failed >= 2 ? Math.max(pause, FAILING_PAUSE) : pause
}

/** The tries after one more attempt at `now`. */
export function tried({ attempts, failed = 0 }: SslTries, ok: boolean, now: number): SslTries {
  return { attempts: attempts + 1, lastAt: now, ...(ok ? {} : { failed: failed + 1 }) }
}

/** The pause after that many looks that found the same, ms: issuing takes 5 to 15 minutes, and what lasts longer may last. */
export function lookPause(looks: number, retryInterval: number): number {
  return backOff({ first: retryInterval, longest: Math.max(HOUR, retryInterval) }, looks - 3)
}

/** What attempts are counted for. */
interface Grounds {
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
  const over = before === undefined || before.hosts !== grounds.hosts || isEligible(before, grounds, dns)
  const { hosts, wrong, requested }: Pick<SslAttempts, 'hosts' | 'wrong' | 'requested'> = over ? grounds : before
  const force = counting(before?.force, over, now)
  return {
    hosts,
    ...(wrong === undefined ? {} : { wrong }),
    ...(requested === undefined ? {} : { requested }),
    ...counting(before, over, now),
    ...(force.lastAt === 0 ? {} : { force }),
  }
}

/** Whether these attempts say nothing any more. */
export const isSpent = ({ attempts, lastAt, force }: SslAttempts): boolean =>
  attempts === 0 && lastAt === 0 && force === undefined

function counting(tries: SslTries | undefined, over: boolean, now: number): SslTries {
  const NONE = { attempts: 0, lastAt: 0 }
  if (tries === undefined) return NONE
  const { attempts, failed } = tries
  // A time that lies ahead was noted before the clock was set back: its pause is over.
  const lastAt = tries.lastAt > now ? 0 : tries.lastAt
  if (failed === undefined && now - lastAt >= FORGOTTEN) return NONE
  return { attempts: over ? 0 : attempts, lastAt, ...(failed === undefined ? {} : { failed }) }
}

/** Whether something that was in the way then is out of it now. */
export function isEligible(
  before: { wrong?: readonly Host[]; requested?: string | undefined },
  { requested }: Pick<Grounds, 'requested'>,
  dns: (host: Host) => DnsState | undefined,
): boolean {
  return before.requested !== requested || (before.wrong ?? []).some((host) => dns(host) === 'Ready')
}
