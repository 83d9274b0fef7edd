import type { App } from '../api/objects.ts'
import { displayHost, type Host } from '../domain/host.ts'
import { listNames } from '../domain/list-names.ts'
import { cureOf } from '../report/words.ts'
import { EXIT, errLine, type Io, outJson } from '../setup/io.ts'
import type { Given } from '../setup/option.ts'
import { readSettings } from '../setup/settings.ts'
import type { Setup } from '../setup/setup.ts'
import { readStatusFile } from '../setup/state-folder.ts'
import type { Outcome } from '../status/outcome.ts'
import type { Status } from '../status/status.ts'
import { type Explanation, explanationText, FINE, hostNamed, looksOf, means, parsesTo } from './explanation.ts'
import { looking, passWithProgress } from './pass.ts'

/** `explain HOST`: who wants it, who holds it, where it stands, why it is absent, what happens next. */
export async function explainCommand(io: Io, given: Given, name: string): Promise<number> {
  const host = hostNamed(name)
  const settings = readSettings(given, io.environment, io.readFile)
  if (settings.source === 'kubernetes' && given.fresh !== true) {
    const { explainInCluster } = await import('./cluster-explain.ts')
    return await explainInCluster(io, given, settings, host)
  }
  return await looking(io, given, (setup) => explainNow(io, given, setup, host))
}

async function explainNow(io: Io, given: Given, setup: Setup, host: Host): Promise<number> {
  const outcomes = await passWithProgress(io, setup, 'Looking at')
  io.signal.throwIfAborted()
  const known = readStatusFile(io, setup.settings.stateDir)
  const served = outcomes.flatMap((outcome) => explain(setup, outcome, host))
  const found = [...served.map((each) => withLooks(each, host, known)), ...orphans(setup, host)]
  // What could not be asked is not known: the failures below say why.
  const unknown = outcomes.some(({ failure, observed }) => failure !== undefined && observed === undefined)
  if (given.output === 'json') outJson(io, { host, apps: found })
  else if (found.length === 0 && unknown) io.out(`${displayHost(host)}\n  Not known: not every app could be asked.\n`)
  else {
    const none = `No mapping wants it, no record holds it, and none of ${outcomes.length} app(s) lists it.`
    io.out(explanationText(host, found, none))
  }
  const failures = outcomes.flatMap(({ key, failure }) => (failure === undefined ? [] : [{ key, ...failure }]))
  for (const { key, reason, message } of failures) errLine(io, `${key}: ${reason}: ${message}`)
  return failures.length > 0 ? EXIT.failed : EXIT.done
}

function explain(setup: Setup, outcome: Outcome, host: Host): Explanation[] {
  const { app, desired, record, plan, observed, failure } = outcome
  if (app === undefined) return []
  const want = desired?.hosts.get(host)
  const refused = desired?.rejected.find((each) => means(each.mapping.domain, host))
  const claim = record?.hosts[host]
  const listed = observed?.domains.some((domain) => parsesTo(domain, host))
  const row = want === undefined ? uncountedRows(setup, app, host) : undefined
  if (want === undefined && refused === undefined && claim === undefined && listed !== true && row === undefined)
    return []
  const mapping = want?.mapping ?? refused?.mapping
  const held = plan?.held.get(host)
  const change = plan?.changes.find((each) => each.host === host)
  const { reason, message } = refused ?? held ?? {}
  const why = message ?? row
  return [
    {
      app: app.key,
      appId: app.spec.appId,
      wantedBy: mapping?.key,
      place: mapping?.place,
      heldBy: claim?.mapping,
      claim: claim === undefined ? undefined : claim.absentSince === undefined ? claim.state : 'Leaving',
      listed,
      verdict: `${whereOf(listed)}, ${whose({ want, refused, claim, listed })}${why === undefined ? '' : `: ${why}`}`,
      next:
        (change && NEXT[change.action]) ||
        (failure && cureOf(failure.reason)) ||
        (reason && cureOf(reason)) ||
        (row && 'Nothing: the row counts once it is active and its site is there and served.') ||
        (setup.objects.failure()?.message ?? FINE),
    },
  ]
}

/** What a host is to an app. */
function whose({ want, refused, claim, listed }: Record<'want' | 'refused' | 'claim' | 'listed', unknown>): string {
  if (want !== undefined) return 'wanted'
  if (claim !== undefined) return 'no longer wanted'
  return listed === true || refused !== undefined ? 'foreign: not ours, left alone' : 'not wanted'
}

/** Database rows that name the host and do not count, in words; undefined when there are none. */
function uncountedRows({ context }: Setup, app: App, host: Host): string | undefined {
  const rows = context.ports.mappingSources.flatMap((source) => source.mappingsOf(app).uncounted ?? [])
  const found = rows.filter(({ domain }) => means(domain, host))
  if (found.length === 0) return undefined
  return listNames(
    found.map(({ place, why }) => `${place} does not count, as ${why}`),
    3,
    '; ',
  )
}

/** Adds what the daemon found out of DNS and certificate, which a pass does not look at. */
function withLooks(each: Explanation, host: Host, known: Status | undefined): Explanation {
  const mapping = known?.mappings.find(({ key }) => key === each.wantedBy)
  const at = mapping?.hosts.find(({ name }) => name === host)
  if (mapping === undefined || at === undefined) return each
  const looks = looksOf(host, mapping.conditions, at)
  return { ...each, ...looks, next: each.next === FINE ? (looks.next ?? FINE) : each.next }
}

/** Mappings that ask for an app which does not exist. */
function orphans({ objects }: Setup, host: Host): Explanation[] {
  const lost = objects.mappings().filter((each) => objects.app(each.app) === undefined && means(each.domain, host))
  return lost.map((mapping) => ({
    app: mapping.app,
    appId: 'none',
    wantedBy: mapping.key,
    place: mapping.place,
    listed: false,
    verdict: `not served: there is no ServerPilotApp ${mapping.app}`,
    next: cureOf('AppNotFound'),
  }))
}

const NEXT = {
  add: 'It is added by the next apply, or by the daemon at once.',
  remove: 'It is removed by the next apply, or by the daemon once it has settled.',
  adopt: 'It is there already and becomes ours.',
  release: 'The claim on it is dropped.',
} as const

function whereOf(listed: boolean | undefined): string {
  if (listed === undefined) return 'not known: ServerPilot could not be asked'
  return listed ? 'on the app' : 'not on the app'
}
