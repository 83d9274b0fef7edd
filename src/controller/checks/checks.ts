import type { App, Key } from '../../api/objects.ts'
import type { Dns } from '../../check/dns/ask.ts'
import { LONGEST_OUTAGE_PAUSE, type Outage, rememberOutage } from '../../check/dns/outage.ts'
import type { Whereabouts } from '../../check/facts.ts'
import { createReach, look } from '../../check/look.ts'
import type { Shake } from '../../check/served.ts'
import { groupBy } from '../../domain/group-by.ts'
import type { Log } from '../../log/log.ts'
import type { Outcome } from '../../status/outcome.ts'
import type { Cancel } from '../../time/clock.ts'
import { schedule } from '../../time/schedule.ts'
import type { Context } from '../context/context.ts'
import { createFindings, type Findings } from './findings.ts'
import { type AppHost, type AppTarget, dueNow, nextTurnAt, targetOf, urgentOf } from './targets.ts'
import { createWhereabouts } from './whereabouts.ts'

/** What looking at hosts needs besides the context. */
interface ChecksOptions {
  context: Context
  /** Cron. */
  schedule: string
  /** Whether to look at what servers show. */
  served: boolean
  /** Opens a resolver for some looks. */
  resolver(signal: AbortSignal): Dns
  shake: Shake
  /** Asks for a reconcile: what is known of the app's hosts has changed. */
  enqueue(app: Key): void
  /** Called after each look with whether the resolver answers. */
  resolverAnswers?(answers: boolean): void
  log: Log
}

/**
 * Looks at DNS and certificates of all hosts, in turns, beside the reconciles: what it finds stands in the memory of each app, and
 * the next reconcile reports and uses it. Nothing is looked at before `lead`.
 */
export interface Checks {
  lead(): void
  /** Takes in what a reconcile came to: hosts that are new are looked at soon. */
  observe(outcome: Outcome): void
  /**
   * Takes in what an earlier leader found out, until this process looks itself: `rightSince` (epoch ms) for hosts that were right,
   * undefined for others. So a restart makes no work over what has not changed.
   */
  recall: Findings['recall']
  /** Looks at all that is due; while that is under way already, once more after it. */
  turn(): Promise<void>
  stop(): Promise<void>
}

/** Hosts looked at in one go: those that have become urgent meanwhile wait for no more than these. */
const AT_ONCE = 100
/** Between two notifications while a turn over many hosts goes on; ms. */
const NOTIFY_EVERY = 60_000
/** Hosts of an app of which nothing can be known now are asked about again after this time; ms. */
const PUT_OFF = 60_000
/** What comes at once is looked at together; ms. */
const GATHER = 300
/** The shortest pause between two turns that nobody asked for; ms. */
const LEAST_PAUSE = 5_000
/** The longest: the clock may have been set meanwhile; ms. */
const LONGEST_PAUSE = 3_600_000

/** Whether it is time to ask the resolver again; also when the clock was set back meanwhile. */
const isOver = (outage: Outage | undefined, now: number): boolean =>
  outage !== undefined && (outage.dueAt <= now || outage.dueAt - now > LONGEST_OUTAGE_PAUSE)

const idOf = ({ app, host }: AppHost): string => `${app} ${host}`

/** Puts the checks together; nothing starts. */
export function createChecks(options: ChecksOptions): Checks {
  const { context, log } = options
  const { clock } = context.ports
  const { checks } = context.memory
  const end = new AbortController()
  const whereaboutsOf = createWhereabouts(context)
  const reach = createReach()
  const findings = createFindings(context)
  const urgent = new Map<string, AppHost>()
  let notifiedAt = clock.steady()
  let leads = false
  let running: Promise<void> | undefined
  let again = false
  /** The timer is one that gathers what comes at once: it is not put off by more. */
  let gathering = false
  let cancel: Cancel | undefined
  let stopSchedule: Cancel | undefined
  checks.on = true

  /** A turn over all that is due, unless one is under way: that one goes on with what came meanwhile. */
  function turn(): Promise<void> {
    cancel?.()
    cancel = undefined
    gathering = false
    if (running !== undefined) again = true
    running ??= turns()
      .catch((error: unknown) => {
        if (!end.signal.aborted) log.error('Checking hosts broke off', { error })
      })
      .finally(() => {
        running = undefined
        arm()
      })
    return running
  }

  async function turns(): Promise<void> {
    do {
      again = false
      const begun = clock.now()
      const due = dueNow(context, begun)
      // Whether the resolver is well again is asked though nothing is due.
      if (due.length === 0 && urgent.size === 0 && isOver(checks.outage, begun)) await lookAt([])
      // By what was done, not by the time of it: the clock may have been set back since.
      const looked = new Set<string>()
      while (due.length > 0 || urgent.size > 0) {
        const { outage } = checks
        if (outage !== undefined && !isOver(outage, clock.now())) return notify()
        const first = takeUrgent()
        for (const each of first) looked.add(idOf(each))
        await lookAt(first.length > 0 ? first : due.splice(0, AT_ONCE).filter((each) => !looked.has(idOf(each))))
        if (first.length > 0 || clock.steady() - notifiedAt >= NOTIFY_EVERY) notify()
      }
      notify()
    } while (again)
  }

  function takeUrgent(): AppHost[] {
    const taken = [...urgent].slice(0, AT_ONCE)
    for (const [key] of taken) urgent.delete(key)
    return taken.map(([, each]) => each)
  }

  async function lookAt(chunk: readonly AppHost[]): Promise<void> {
    const targets = await targetsOf(chunk)
    const { outage } = checks
    if (targets.length === 0 && outage === undefined) return
    const dns = options.resolver(end.signal)
    try {
      const down = await look(
        targets,
        {
          dns,
          controls: findings.controls(),
          suspicious: outage !== undefined,
          reach,
          now: clock.now,
          signal: end.signal,
          shake: options.shake,
        },
        findings.observer,
      )
      noteOutage(down)
    } finally {
      dns.close()
    }
  }

  function noteOutage(why: Parameters<typeof rememberOutage>[1]): void {
    const before = checks.outage
    const outage = rememberOutage(before, why, clock.now())
    checks.outage = outage
    options.resolverAnswers?.(outage === undefined)
    if ((before === undefined) === (outage === undefined)) return
    if (outage !== undefined) log.warn('The DNS resolver gives no answers', { cause: outage.why })
    else log.info('The DNS resolver answers again')
    for (const app of context.ports.objects.apps()) findings.changed.add(app.key)
  }

  async function targetsOf(chunk: readonly AppHost[]): Promise<AppTarget[]> {
    const targets: AppTarget[] = []
    for (const [key, hosts] of groupBy(chunk, (each) => each.app)) {
      const app = context.ports.objects.app(key)
      const where = app && (await placeOf(app))
      for (const { host } of hosts) {
        if (app === undefined || where === undefined) putOff(key, host)
        else targets.push(targetOf(context, app, host, options.served ? where : { ...where, address: undefined }))
      }
    }
    return targets
  }

  function putOff(app: Key, host: string): void {
    const { dns } = checks.of(app).facts
    const known = dns.get(host)
    const now = clock.now()
    if (known !== undefined)
      dns.set(host, { ...known, checkedAt: Math.min(known.checkedAt, now), dueAt: now + PUT_OFF })
  }

  /** Undefined when nobody can say where its hosts have to lead: they are looked at later. */
  function placeOf(app: App): Promise<Whereabouts | undefined> {
    return whereaboutsOf(app, end.signal).catch((error: unknown) => {
      end.signal.throwIfAborted()
      log.debug('The address of a server is not known', { app: app.key, error })
      return undefined
    })
  }

  function notify(): void {
    notifiedAt = clock.steady()
    for (const app of findings.changed) options.enqueue(app)
    findings.changed.clear()
  }

  /** Hosts that are right wait for the schedule; the others are looked at when they are due. */
  function arm(): void {
    if (end.signal.aborted || cancel !== undefined) return
    const next = nextTurnAt(context, clock.now())
    if (next !== undefined) {
      const wait = Math.min(Math.max(next - clock.now(), LEAST_PAUSE), LONGEST_PAUSE)
      cancel = clock.after(wait, () => void turn(), { idle: true })
    }
  }

  return {
    lead() {
      if (end.signal.aborted) return
      leads = true
      stopSchedule = schedule(options.schedule, turn, {
        clock,
        onError: (error) => log.warn('Checking hosts broke off', { error }),
      })
      void turn()
    },
    observe(outcome) {
      if (!leads || outcome.app === undefined) return
      const found = urgentOf(context, outcome.app, outcome, clock.now())
      for (const each of found.urgent) urgent.set(idOf(each), each)
      if (gathering || (found.urgent.length === 0 && (running !== undefined || !found.due))) return
      cancel?.()
      gathering = true
      cancel = clock.after(GATHER, () => void turn(), { idle: true })
    },
    recall(app, hosts, rightSince) {
      if (!leads) findings.recall(app, hosts, rightSince)
    },
    turn,
    async stop() {
      leads = false
      stopSchedule?.()
      cancel?.()
      end.abort(new Error('stopping'))
      await running
    },
  }
}
