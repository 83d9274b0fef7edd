import type { Key } from '../api/objects.ts'
import { writesUnder } from '../api/policy.ts'
import { KubernetesError } from '../kubernetes/http.ts'
import { visible } from '../log/visible.ts'
import { counted } from '../report/words.ts'
import { namespacesOf } from '../setup/cluster-scope.ts'
import { calledAs, EXIT, endWith, type Io } from '../setup/io.ts'
import { type Given, UsageError } from '../setup/option.ts'
import { readSettings, type Settings } from '../setup/settings.ts'
import type { PlanWire } from '../status/wire/wire.ts'
import { systemClock } from '../time/clock.ts'
import { type AppObject, type ClusterReader, readAll, withReader } from './cluster-reader.ts'
import { noSuchPlan, waitingPlans } from './no-such-plan.ts'
import { startProgress } from './progress.ts'

/** How long `approve` waits for the daemon, and how often it looks; ms. */
const PATIENCE = 60_000
const LOOK_EVERY = 500
/** Another plan has to stay for this long to count: a look that began before the removals may report after them. */
const STAYS = 10_000
/** The daemon writes statuses all the time: another version alone means nothing. */
const TRIES = 5

/** `approve [NS/]APP [HASH]`: lets the removals of the waiting plan of one app go, once, by an annotation on the object. */
export async function approveCommand(io: Io, given: Given, [name = '', hash]: readonly string[]): Promise<number> {
  return await session(io, given, async (reader, { selection }) => {
    const [namespace, appName] = splitName(name, selection.namespaces.at(-1) ?? reader.namespace)
    return await approve({ io, given, reader }, await reader.app(namespace, appName), hash)
  })
}

/** `apply --approve HASH` beside a daemon that leads: the app whose waiting plan has that hash gets the annotation. */
export async function approveWaiting(io: Io, given: Given, hash: string): Promise<number> {
  return await session(io, given, async (reader, settings) => {
    const { apps } = await readAll(reader, namespacesOf(io, given, settings, reader))
    const app = apps.find(({ status }) => status.plan?.hash === hash)
    if (app !== undefined) return await approve({ io, given, reader }, app, hash)
    return noSuchPlan(io, hash, waitingPlans(apps.map(({ key, status }) => ({ key, plan: status.plan }))))
  })
}

async function session(
  io: Io,
  given: Given,
  work: (reader: ClusterReader, settings: Settings) => Promise<number>,
): Promise<number> {
  const settings = readSettings(given, io.environment, io.readFile)
  if (settings.source !== 'kubernetes') {
    throw new UsageError(
      'approve annotates an app in a cluster: name one with --context or --kubeconfig. With files, use `domainpilot apply --approve HASH`.',
    )
  }
  return await withReader(io, settings, (reader) => work(reader, settings))
}

function splitName(name: string, standard: string): [namespace: string, name: string] {
  const parts = name.split('/')
  const [first = '', second] = parts
  if (parts.length > 2 || parts.includes(''))
    throw new UsageError(`"${name}" is not an app: write NAME or NAMESPACE/NAME.`)
  return second === undefined ? [standard, first] : [first, second]
}

/** Who approves, and where. */
interface Session {
  io: Io
  given: Given
  reader: ClusterReader
}

async function approve({ io, given, reader }: Session, app: AppObject, hash?: string): Promise<number> {
  const { plan } = app.status
  if (plan === undefined) return endWith(io, EXIT.failed, `No plan of ${app.key} waits: there is nothing to approve.`)
  if (hash !== undefined && hash !== plan.hash) return otherPlan(io, app.key, hash, plan.hash)
  if (app.suspend || !writesUnder(app.policy)) {
    const why = app.suspend ? 'it is suspended' : `its policy is ${visible(app.policy)}`
    return endWith(io, EXIT.failed, `Nothing is written to ${app.key}, as ${why}: there is nothing to approve.`)
  }
  if (hash === undefined && io.ask === undefined)
    throw new UsageError(`Say which plan you approve: ${calledAs(io)} approve ${app.key} ${visible(plan.hash)}`)
  io.err(`${app.key}: ${visible(plan.reason)}: ${visible(plan.message)}\n`)
  for (const host of plan.removals) io.out(`  - ${visible(host)}\n`)
  if (hash === undefined) {
    const answer = (await io.ask?.(`Let ${counted(plan.removals.length, 'host')} go, once? [y/N] `)) ?? ''
    if (!/^y(es)?$/i.test(answer.trim())) return endWith(io, EXIT.failed, 'Nothing was approved.')
  }
  const differs = await annotate(reader, app, plan.hash)
  if (differs !== undefined) return otherPlan(io, app.key, plan.hash, differs.hash)
  io.err(`Approved ${plan.hash} on ${app.key}.\n`)
  return given.wait === 'false' ? EXIT.done : await handled(io, reader, app, plan)
}

function otherPlan(io: Io, key: Key, approved: string, waiting: string | undefined): number {
  const now = waiting === undefined ? 'no plan waits any more' : `the plan that waits now is ${visible(waiting)}`
  const words = `${key}: you approve ${visible(approved)}, and ${now}. Nothing was approved: look at it first.`
  return endWith(io, EXIT.refused, words)
}

/** Annotates the object as long as the plan is that one. Gives what waits instead, when it is not. */
export async function annotate(
  reader: Pick<ClusterReader, 'app' | 'approve'>,
  seen: AppObject,
  hash: string,
): Promise<{ hash: string | undefined } | undefined> {
  let app = seen
  for (let tries = 1; ; tries++) {
    try {
      await reader.approve(app, hash)
      return undefined
    } catch (error) {
      if (!(error instanceof KubernetesError) || error.code !== 409 || tries >= TRIES) throw error
    }
    app = await reader.app(app.namespace, app.name)
    const waiting = app.status.plan?.hash
    if (waiting !== hash) return { hash: waiting }
  }
}

/** Waits until the daemon has taken the approval up, and says what became of it. */
async function handled(io: Io, reader: ClusterReader, app: AppObject, plan: PlanWire): Promise<number> {
  const progress = startProgress(io, `Waiting for the daemon to act on ${app.key}`)
  const acted = await actedOn(reader, app, plan.hash, io.signal).finally(() => progress.stop())
  if (acted !== undefined) return outcome(io, acted, plan)
  return endWith(
    io,
    EXIT.failed,
    `The daemon did not act on ${app.key} within ${PATIENCE / 1000} s. The approval stays and serves once: see that a daemon runs and serves this app.`,
  )
}

/** The app once that plan waits no more; undefined when it goes on waiting. */
async function actedOn(
  reader: ClusterReader,
  { namespace, name }: AppObject,
  hash: string,
  signal: AbortSignal,
): Promise<AppObject | undefined> {
  const deadline = systemClock.steady() + PATIENCE
  let otherSince: number | undefined
  while (systemClock.steady() < deadline) {
    const app = await reader.app(namespace, name)
    const waiting = app.status.plan?.hash
    if (waiting === undefined) return app
    otherSince = waiting === hash ? undefined : (otherSince ?? systemClock.steady())
    if (otherSince !== undefined && systemClock.steady() - otherSince >= STAYS) return app
    await systemClock.sleep(LOOK_EVERY, signal)
  }
  return undefined
}

function outcome(io: Io, app: AppObject, { hash, removals }: PlanWire): number {
  const { plan, conditions, ownedDomains } = app.status
  if (plan !== undefined) {
    const words = `${app.key}: the plan has changed to ${visible(plan.hash)}: ${hash} fits no longer.`
    return endWith(io, EXIT.refused, words)
  }
  const synced = conditions.find(({ type }) => type === 'Synced')
  if (synced?.status === 'False')
    return endWith(io, EXIT.failed, `${app.key}: not done yet: ${visible(synced.reason)}: ${visible(synced.message)}`)
  const kept = removals.filter((host) => ownedDomains.includes(host)).length
  const rest = kept === 0 ? '' : `; ${counted(kept, 'host')} stayed, as they are wanted again`
  io.out(`${app.key}: ${counted(removals.length - kept, 'host')} removed${rest}.\n`)
  return EXIT.done
}
