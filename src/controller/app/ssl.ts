import { createHash } from 'node:crypto'
import type { DnsState } from '../../check/dns/judge.ts'
import type { Host } from '../../domain/host.ts'
import type { SslAttempts } from '../../ownership/record.ts'
import type { ServerPilotApp, SslChange } from '../../serverpilot/serverpilot.ts'
import type { Found, SslOutcome } from '../../status/outcome.ts'
import { certificateOf } from '../context/context.ts'
import { noteCertificate } from './certificate-budget.ts'
import type { Facts } from './facts.ts'
import type { AccountPass } from './pass.ts'
import {
  attemptPause,
  attemptsOn,
  decideSsl,
  groundsOf,
  isEligible,
  isSpent,
  lookPause,
  type SslSight,
  sightOf,
  tried,
} from './ssl-state.ts'
import { errorOf } from './write.ts'

/** AutoSSL and ForceSSL of an app as they are now. */
type SslState = Pick<Facts, 'observed' | 'record'>

/** What is known for a pass over SSL. */
interface SslPass extends AccountPass {
  /** Desired hosts. */
  hosts: Facts['desired']['hosts']
  wallOffset: Facts['wallOffset']
  dns(host: Host): DnsState | undefined
}

/** What is wanted and for which nothing can be done is looked at again after this time all the same; ms. */
const LOOK_AGAIN = 3_600_000

/**
 * Brings AutoSSL and ForceSSL to the declared state, only when they differ and can, and counts the certificates that were issued. Looks
 * closer only when something is wanted that the list says is not there, and when it is time to. Throws as the client and the record
 * store do.
 */
export async function bringSsl(pass: AccountPass, { desired, observed, record, wallOffset }: Facts): Promise<Found> {
  const { clock } = pass.context.ports
  const { checks } = pass.context.memory
  const sslPass: SslPass = {
    ...pass,
    hosts: desired.hosts,
    wallOffset,
    dns: (host) => checks.dns(pass.app.key, host, clock.now())?.state,
  }
  const { ssl, ...after } = await lookAtSsl(sslPass, { observed, record })
  const counted = noteCertificate(after.record, seen(sslPass, after.observed), clock.now())
  await pass.context.memory.records.save(pass.app.key, counted, wallOffset)
  return { ssl, observed: after.observed, record: counted }
}

async function lookAtSsl(pass: SslPass, state: SslState): Promise<SslState & { ssl: SslOutcome }> {
  const { context, app, account, signal, dns } = pass
  const { observed, record } = state
  const grounds = { ...groundsOf(app, observed, dns), ssl: digestOf(observed) }
  const before = context.memory.ssl.get(app.key)
  const same =
    before !== undefined &&
    before.grounds.hosts === grounds.hosts &&
    before.grounds.ssl === grounds.ssl &&
    !isEligible(before.grounds, grounds, dns) &&
    (record.ssl === undefined || !isEligible(record.ssl, grounds, dns))
  const wanted = app.spec.ssl.auto && (observed.ssl === null || seen(pass, observed).uncovered.length > 0)
  const now = context.ports.clock.now()
  if (wanted && same && now >= before.at && now < before.lookAt) {
    // DNS that is found out to be wrong meanwhile counts as well.
    const wrong = [...new Set([...before.grounds.wrong, ...grounds.wrong])]
    context.memory.ssl.set(app.key, { ...before, grounds: { ...before.grounds, wrong } })
    return { ssl: before.outcome, record, observed }
  }
  const close = wanted && observed.autossl === undefined ? await account.getApp(app.spec.appId, signal) : observed
  const changed = await changeSsl(pass, { record, observed: close })
  const looks = same && before.outcome.reason === changed.ssl.reason ? before.looks + 1 : 1
  const next = changed.ssl.next === 'Again' ? now + lookPause(looks, app.spec.ssl.retryInterval) : changed.ssl.next
  const ssl = { ...changed.ssl, next }
  context.memory.ssl.set(app.key, {
    outcome: { ...ssl, switched: undefined },
    looks,
    at: now,
    lookAt: next ?? now + LOOK_AGAIN,
    grounds: { ...groundsOf(app, changed.observed, dns), ssl: digestOf(changed.observed) },
  })
  return { ...changed, ssl }
}

/** Where SSL stands, for a pass that writes nothing; nothing is said when that needs a closer look. Pure. */
export function judgeSsl({ app, observed, certificate, desired, now }: Facts): Found {
  if (observed.autossl === undefined && observed.unread === undefined) return {}
  const decision = decideSsl(app, sightOf(observed, certificate, desired.hosts), { auto: 0, force: 0 }, now)
  if (!('change' in decision)) return { ssl: { ...decision, switched: undefined, next: undefined } }
  const what = 'auto' in decision.change ? NAME.auto : NAME.force
  const message = `${what} can be switched on now, which a pass that only reads does not do.`
  return { ssl: { reason: 'Progressing', message, ready: false, switched: undefined, next: undefined } }
}

const seen = ({ context, app, hosts }: SslPass, observed: ServerPilotApp): SslSight =>
  sightOf(observed, certificateOf(context, app.key, observed), hosts)

const digestOf = ({ ssl }: ServerPilotApp): string => createHash('sha256').update(JSON.stringify(ssl)).digest('base64')

/** `Again`: to be looked at again, after a pause that grows. */
type Changed = SslState & { ssl: Omit<SslOutcome, 'next'> & { next: number | 'Again' | undefined } }

/** Makes the changes that are due, each counted, until nothing is left to change or one fails. */
async function changeSsl(pass: SslPass, start: SslState): Promise<Changed> {
  const { context, app, dns } = pass
  const { retryInterval } = app.spec.ssl
  let current = start
  let switched: SslChange | undefined
  // AutoSSL, a certificate that covers more, ForceSSL: separate calls, so three changes at the most.
  for (let changes = 0; changes <= 3; changes++) {
    const now = context.ports.clock.now()
    const grounds = groundsOf(app, current.observed, dns)
    const attempts = attemptsOn(current.record.ssl, grounds, dns, now)
    const tries = { auto: attempts.attempts, force: attempts.force?.attempts ?? 0 }
    const decision = decideSsl(app, seen(pass, current.observed), tries, now)
    if (!('change' in decision)) {
      const { again, ...said } = decision
      // Attempts that start over are saved, or they would seem to do so at every look.
      if (current.record.ssl !== undefined) current = await withAttempts(pass, current, attempts)
      return { ...current, ssl: { ...said, switched, next: again ? 'Again' : undefined } }
    }
    const kind = 'auto' in decision.change ? 'auto' : 'force'
    const before = kind === 'auto' ? attempts : (attempts.force ?? NEVER)
    const due = before.lastAt + attemptPause(before, retryInterval)
    if (before.lastAt > 0 && due > now) return { ...current, ssl: { ...retrying(kind), switched, next: due } }
    const counted = (ok: boolean): SslAttempts => {
      const after = tried(before, ok, now)
      return { ...attempts, ...grounds, ...(kind === 'auto' ? after : { force: after }) }
    }
    // The attempt counts before it is made, and as failed, so that a crash cannot make it free.
    current = await withAttempts(pass, current, counted(false))
    const made = await attempt(pass, current.observed, decision.change)
    current = { ...current, observed: made.observed }
    if (made.failed !== undefined) {
      const next = now + attemptPause(tried(before, false, now), retryInterval)
      const message = `Switching ${NAME[kind]} on failed: ${made.failed}`
      return { ...current, ssl: { ...retrying(kind, message), switched, next } }
    }
    switched = decision.change
    current = await withAttempts(pass, current, counted(true))
  }
  return { ...current, ssl: { ...retrying('auto'), switched, next: undefined } }
}

/** One change, judged by reading back: what the answer says is not to be relied upon. */
async function attempt(
  pass: SslPass,
  before: ServerPilotApp,
  wanted: SslChange,
): Promise<{ observed: ServerPilotApp; failed: string | undefined }> {
  const { account, app, signal } = pass
  const post = (): Promise<unknown> => account.changeSsl(app.spec.appId, wanted, signal)
  const failure = await errorOf(pass, () => account.exclusively(before.serverId, post))
  const observed = await account.getApp(app.spec.appId, signal)
  if (tookEffect(wanted, before, observed)) return { observed, failed: undefined }
  return { observed, failed: failure?.message ?? 'ServerPilot accepted it, yet it is not on' }
}

const NEVER = { attempts: 0, lastAt: 0 }

const NAME = { auto: 'AutoSSL', force: 'ForceSSL' } as const

const retrying = (kind: keyof typeof NAME, message = `Switching ${NAME[kind]} on is tried again.`) =>
  ({ reason: 'Progressing', message, ready: false }) as const

/** Saves the record with these attempts; without them, when they say nothing any more. */
async function withAttempts(
  { context, app, wallOffset }: SslPass,
  current: SslState,
  attempts: SslAttempts,
): Promise<SslState> {
  const { ssl: _before, ...rest } = current.record
  const record = isSpent(attempts) ? rest : { ...rest, ssl: attempts }
  await context.memory.records.save(app.key, record, wallOffset)
  return { ...current, record }
}

function tookEffect(change: SslChange, before: ServerPilotApp, after: ServerPilotApp): boolean {
  if (!('auto' in change)) return after.ssl?.force === change.force
  return after.ssl?.auto === true && (before.ssl?.auto !== true || after.ssl.cert !== before.ssl.cert)
}
