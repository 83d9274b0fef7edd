import { createHash } from 'node:crypto'
import type { App } from '../../api/objects.ts'
import type { DnsState } from '../../check/dns/judge.ts'
import { dnsOf } from '../../check/facts.ts'
import type { Host } from '../../domain/host.ts'
import type { OwnershipRecord, SslAttempts } from '../../ownership/record.ts'
import { ServerPilotError } from '../../serverpilot/errors.ts'
import type { ServerPilot, ServerPilotApp, SslChange } from '../../serverpilot/serverpilot.ts'
import type { Outcome, SslOutcome } from '../../status/outcome.ts'
import { type Context, memoryOf } from '../context.ts'
import { saveRecord } from './records.ts'
import {
  attemptPause,
  attemptsOn,
  decideSsl,
  groundsOf,
  isArmed,
  isSpent,
  lookPause,
  tried,
  uncoveredHosts,
} from './ssl-state.ts'

/** What SSL came to. */
type Brought = { ssl: SslOutcome; record: OwnershipRecord; observed: ServerPilotApp }

/** What is wanted and settled for good is looked at again after this time all the same; ms. */
const LOOK_AGAIN = 3_600_000

/**
 * Step 7: brings AutoSSL and ForceSSL to the declared state, only when they differ and can. Looks closer only when something is wanted
 * that the list says is not there, and when it is time to.
 */
export async function bringSsl(
  context: Context,
  account: ServerPilot,
  app: App,
  outcome: Outcome,
  signal: AbortSignal,
): Promise<Brought> {
  const memory = memoryOf(context, app.key)
  const observed = outcome.observed as ServerPilotApp
  const record = outcome.record as OwnershipRecord
  const hosts = outcome.desired?.hosts ?? new Map<Host, unknown>()
  const dns = dnsStates(context, app)
  const grounds = { ...groundsOf(app, observed, dns), ssl: digestOf(observed) }
  const before = memory.ssl
  const same =
    before !== undefined &&
    before.grounds.hosts === grounds.hosts &&
    before.grounds.ssl === grounds.ssl &&
    !isArmed(before.grounds, grounds, dns) &&
    (record.ssl === undefined || !isArmed(record.ssl, grounds, dns))
  const wanted = app.spec.ssl.auto && (observed.ssl === null || uncoveredHosts(observed, hosts).length > 0)
  const now = context.clock.now()
  if (wanted && same && now >= before.at && now < before.lookAt) {
    // DNS that is found out to be wrong meanwhile counts as well.
    before.grounds.wrong = [...new Set([...before.grounds.wrong, ...grounds.wrong])]
    return { ssl: before.outcome, record, observed }
  }

  const close = wanted && observed.autossl === undefined ? await account.getApp(app.spec.appId, signal) : observed
  const brought = await change(context, account, app, { record, observed: close }, hosts, signal)
  const { reason } = brought.ssl
  const looks = same && before.outcome.reason === reason ? before.looks + 1 : 1
  const next = brought.ssl.next === 'Again' ? now + lookPause(looks, app.spec.ssl.retryInterval) : brought.ssl.next
  const ssl = { ...brought.ssl, next }
  const since = { ...groundsOf(app, brought.observed, dns), ssl: digestOf(brought.observed) }
  memory.ssl = {
    outcome: { ...ssl, switched: undefined },
    looks,
    at: now,
    lookAt: next ?? now + LOOK_AGAIN,
    grounds: since,
  }
  return { ...brought, ssl }
}

/** Where SSL stands, for a pass that writes nothing; undefined when that needs a closer look. */
export function judgeSsl(app: App, outcome: Outcome, now: number): SslOutcome | undefined {
  const observed = outcome.observed as ServerPilotApp
  if (observed.autossl === undefined) return undefined
  const decision = decideSsl(
    app,
    observed,
    { auto: 0, force: 0 },
    uncoveredHosts(observed, outcome.desired?.hosts),
    now,
  )
  if (!('change' in decision)) return { ...decision, switched: undefined, next: undefined }
  const what = 'auto' in decision.change ? NAME.auto : NAME.force
  const message = `${what} can be switched on now, which a pass that only reads does not do.`
  return { reason: 'Progressing', message, ready: false, switched: undefined, next: undefined }
}

const digestOf = ({ ssl }: ServerPilotApp): string => createHash('sha256').update(JSON.stringify(ssl)).digest('base64')

/** `Again`: to be looked at again, after a pause that grows. */
type Changed = Omit<Brought, 'ssl'> & { ssl: Omit<SslOutcome, 'next'> & { next: number | 'Again' | undefined } }

/** Makes the changes that are due, each counted, until nothing is left to change or one fails. */
async function change(
  context: Context,
  account: ServerPilot,
  app: App,
  start: Omit<Brought, 'ssl'>,
  wanted: ReadonlyMap<Host, unknown>,
  signal: AbortSignal,
): Promise<Changed> {
  const { retryInterval } = app.spec.ssl
  const dns = dnsStates(context, app)
  let current = start
  let switched: SslChange | undefined
  // AutoSSL, a certificate that covers more, ForceSSL: separate calls, so three changes at the most.
  for (let changes = 0; changes <= 3; changes++) {
    const now = context.clock.now()
    const grounds = groundsOf(app, current.observed, dns)
    const attempts = attemptsOn(current.record.ssl, grounds, dns, now)
    const tries = { auto: attempts.attempts, force: attempts.force?.attempts ?? 0 }
    const decision = decideSsl(app, current.observed, tries, uncoveredHosts(current.observed, wanted), now)
    if (!('change' in decision)) {
      const { again, ...said } = decision
      // Attempts that begin anew are told to the record, lest they seem to do so at every look.
      if (current.record.ssl !== undefined) current = await withAttempts(context, app, current, attempts)
      return { ...current, ssl: { ...said, switched, next: again ? 'Again' : undefined } }
    }
    const kind = 'auto' in decision.change ? 'auto' : 'force'
    const before = kind === 'auto' ? attempts : (attempts.force ?? NEVER)
    const due = before.lastAt + attemptPause(before, retryInterval)
    if (before.lastAt > 0 && due > now) return { ...current, ssl: { ...RETRYING[kind], switched, next: due } }
    const counted = (ok: boolean): SslAttempts => {
      const after = tried(before, ok, now)
      return { ...attempts, ...grounds, ...(kind === 'auto' ? after : { force: after }) }
    }
    // The attempt counts before it is made, and as failed, so that a crash cannot make it free.
    current = await withAttempts(context, app, current, counted(false))
    const made = await attempt(context, account, app, current.observed, decision.change, signal)
    current = { ...current, observed: made.observed }
    if (made.failed !== undefined) {
      const next = now + attemptPause(tried(before, false, now), retryInterval)
      const message = `Switching ${NAME[kind]} on failed: ${made.failed}`
      return { ...current, ssl: { ...RETRYING[kind], message, switched, next } }
    }
    switched = decision.change
    current = await withAttempts(context, app, current, counted(true))
  }
  return { ...current, ssl: { ...RETRYING.auto, switched, next: undefined } }
}

/** One change, judged by reading back: what the answer says is not to be relied upon. */
async function attempt(
  context: Context,
  account: ServerPilot,
  app: App,
  before: ServerPilotApp,
  wanted: SslChange,
  signal: AbortSignal,
): Promise<{ observed: ServerPilotApp; failed: string | undefined }> {
  context.assertMayWrite()
  const post = (): Promise<unknown> => account.changeSsl(app.spec.appId, wanted, signal)
  const failure = await account.exclusively(before.serverId, post).then(
    () => undefined,
    (error: unknown) => error,
  )
  memoryOf(context, app.key).writes++
  if (failure !== undefined && !(failure instanceof ServerPilotError)) throw failure
  const observed = await account.getApp(app.spec.appId, signal)
  if (tookEffect(wanted, before, observed)) return { observed, failed: undefined }
  return { observed, failed: failure?.message ?? 'ServerPilot accepted it, yet it is not on' }
}

/** What is known of the DNS of the app's hosts. */
function dnsStates(context: Context, app: App): (host: Host) => DnsState | undefined {
  const { facts } = memoryOf(context, app.key).checks
  return (host) => dnsOf(facts, context.checks.outage, host, context.clock.now())?.state
}

const NEVER = { attempts: 0, lastAt: 0 }
const NAME = { auto: 'AutoSSL', force: 'ForceSSL' } as const
const RETRYING = {
  auto: { reason: 'Progressing', message: 'Switching AutoSSL on is tried again.', ready: false },
  force: { reason: 'Progressing', message: 'Switching ForceSSL on is tried again.', ready: false },
} as const

/** Saves the record with these attempts; without them, when they say nothing any more. */
async function withAttempts<T extends Omit<Brought, 'ssl'>>(
  context: Context,
  app: App,
  current: T,
  attempts: SslAttempts,
): Promise<T> {
  const { ssl: _before, ...rest } = current.record
  const record = isSpent(attempts) ? rest : { ...rest, ssl: attempts }
  await saveRecord(context, app, record)
  return { ...current, record }
}

function tookEffect(change: SslChange, before: ServerPilotApp, after: ServerPilotApp): boolean {
  if (!('auto' in change)) return after.ssl?.force === change.force
  return after.ssl?.auto === true && (before.ssl?.auto !== true || after.ssl.cert !== before.ssl.cert)
}
