import { createHash } from 'node:crypto'
import type { App } from '../api/objects.ts'
import { certificateFacts, covers } from '../check/certificate.ts'
import { compareKey, type Host } from '../domain/host.ts'
import type { OwnershipRecord, SslAttempts } from '../ownership/record.ts'
import type { SslOutcome } from '../report/outcome.ts'
import type { Reason } from '../report/reasons.ts'
import { ServerPilotError } from '../serverpilot/errors.ts'
import type { ServerPilot, ServerPilotApp, SslChange } from '../serverpilot/serverpilot.ts'
import { type Context, memoryOf } from './context.ts'
import { saveRecord } from './records.ts'

type Decision = { change: SslChange } | { reason: Reason; message: string; ready: boolean; again: boolean }

/**
 * What to do about SSL, from the app's detail alone. Pure.
 * Only ever switches on: what somebody switched on at the panel stays, and custom certificates are left alone.
 */
export function decideSsl(
  app: App,
  observed: ServerPilotApp,
  attempts: number,
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
  const end = ssl?.cert === undefined ? undefined : certificateFacts(ssl.cert)?.notAfter
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
    if (attempts >= maxAttempts) return settled('AttemptsExhausted', exhausted(attempts), false)
    return { change: { auto: true } }
  }
  if (ssl === null) return settled('Succeeded', 'No certificate is asked for.', true)
  if (force && !ssl.force) {
    if (attempts >= maxAttempts) return settled('AttemptsExhausted', exhausted(attempts), false)
    return { change: { force: true } }
  }
  const offered = autossl?.available ? uncovered.filter((host) => autossl.domains?.includes(host)) : []
  if (auto && ssl.auto && offered.length > 0) {
    // A certificate that covers more is there, and whether it installs itself is not documented.
    return attempts >= maxAttempts
      ? settled('AttemptsExhausted', exhausted(attempts), false)
      : { change: { auto: true } }
  }
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

/** From this long before its end a certificate is told of; ServerPilot renews about 30 days before. Milliseconds. */
const EXPIRING_MS = 21 * 86_400_000

const RENEWAL = 'ServerPilot renews it by itself as long as every host on it resolves to the server.'

const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10)

const exhausted = (attempts: number): string =>
  `AutoSSL or ForceSSL could not be switched on in ${attempts} attempts. It is tried again when the app's hosts change.`

const notCovered = (hosts: readonly string[]): string =>
  `The certificate does not cover ${hosts.slice(0, 10).join(', ')}${hosts.length > 10 ? ` and ${hosts.length - 10} more` : ''}.`

/** Hosts that are on the app and that its certificate does not name; none while there is no certificate. */
export function uncoveredHosts(observed: ServerPilotApp, wanted: ReadonlyMap<Host, unknown>): Host[] {
  const facts = observed.ssl?.cert === undefined ? undefined : certificateFacts(observed.ssl.cert)
  if (facts === undefined) return []
  const there = observed.domains.map(compareKey) as Host[]
  return there.filter((host) => wanted.has(host) && !covers(facts, host)).sort()
}

/** Step 7: brings AutoSSL and ForceSSL to the declared state, only when they differ and can. Attempts are bounded. */
export async function bringSsl(
  context: Context,
  account: ServerPilot,
  app: App,
  observed: ServerPilotApp,
  record: OwnershipRecord,
  wanted: ReadonlyMap<Host, unknown>,
  signal: AbortSignal,
): Promise<{ outcome: SslOutcome; record: OwnershipRecord; observed: ServerPilotApp }> {
  let current = { record, observed }
  let switched: SslChange | undefined
  // AutoSSL, a certificate that covers more, ForceSSL: separate calls, so three changes at the most.
  for (let changes = 0; changes <= 3; changes++) {
    const attempts = attemptsOf(current.record, current.observed)
    const now = context.clock.now()
    const decision = decideSsl(app, current.observed, attempts.attempts, uncoveredHosts(current.observed, wanted), now)
    if (!('change' in decision)) {
      const next = decision.again ? now + app.spec.ssl.retryInterval : undefined
      return { ...current, outcome: { ...decision, switched, next } }
    }
    const due = attempts.lastAt + app.spec.ssl.retryInterval
    if (attempts.attempts > 0 && due > now) {
      return { ...current, outcome: { ...RETRYING, switched, next: due } }
    }
    // The attempt counts before it is made, so that a crash cannot make it free.
    const counted = { ...current.record, ssl: { ...attempts, attempts: attempts.attempts + 1, lastAt: now } }
    await saveRecord(context, app, counted)
    context.assertMayWrite()
    const change = (): Promise<unknown> => account.changeSsl(app.spec.appId, decision.change, signal)
    const failure = await account.exclusively(current.observed.serverId, change).then(
      () => undefined,
      (error: unknown) => error,
    )
    memoryOf(context, app.key).writes++
    if (failure !== undefined && !(failure instanceof ServerPilotError)) throw failure
    const before = current.observed
    current = { record: counted, observed: await account.getApp(app.spec.appId, signal) }
    if (!tookEffect(decision.change, before, current.observed)) {
      const next = now + app.spec.ssl.retryInterval
      const words = failure === undefined ? 'ServerPilot accepted it, yet it is not on' : failure.message
      return { ...current, outcome: { ...RETRYING, message: `Switching it on failed: ${words}`, switched, next } }
    }
    switched = decision.change
    const { ssl: _done, ...rest } = counted
    current = { ...current, record: rest }
    await saveRecord(context, app, rest)
  }
  return { ...current, outcome: { ...RETRYING, switched, next: undefined } }
}

const RETRYING = { reason: 'Progressing', message: 'Switching AutoSSL on is tried again.', ready: false } as const

function tookEffect(change: SslChange, before: ServerPilotApp, after: ServerPilotApp): boolean {
  if (!('auto' in change)) return after.ssl?.force === change.force
  return after.ssl?.auto === true && (before.ssl?.auto !== true || after.ssl.cert !== before.ssl.cert)
}

/** Attempts made for this very set of hosts; another set starts over. */
function attemptsOf(record: OwnershipRecord, observed: ServerPilotApp): SslAttempts {
  const text = observed.domains.map(compareKey).sort().join(' ')
  const hosts = createHash('sha256').update(text).digest('hex').slice(0, 16)
  return record.ssl?.hosts === hosts ? record.ssl : { hosts, attempts: 0, lastAt: 0 }
}
