import type { App, Key } from '../../api/objects.ts'
import { type Found, type Outcome, outcomeOf, type Result } from '../../status/outcome.ts'
import { type Context, certificateOf, forgetApp } from '../context/context.ts'
import type { Pass } from './pass.ts'

/** The outcome of a pass over an app whose object is gone, or is let go. */
export function gone(context: Context, found: Found & Pick<Outcome, 'key'>): Outcome {
  const now = context.ports.clock.now()
  forgetApp(context, found.key)
  return outcomeOf({ ...found, startedAt: found.startedAt ?? now, endedAt: now })
}

/** The outcome of a pass that found this. */
export function report({ context, app }: Pass, found: Found): Outcome {
  const { clock } = context.ports
  const { checks } = context.memory
  const certificate = found.observed && certificateOf(context, app.key, found.observed)
  const endedAt = clock.now()
  checks.see(app, { ...found, certificate }, endedAt)
  return outcomeOf({
    ...found,
    mappings: found.mappings ?? mappingsOf(context, app),
    certificate,
    key: app.key,
    app: found.app ?? app,
    result: resultOf(found),
    next: earliest(found.next, found.ssl?.next, found.plan?.next),
    checks: checks.on ? { facts: checks.of(app.key).facts, outage: checks.outage } : undefined,
    startedAt: found.startedAt ?? endedAt,
    endedAt,
  })
}

/** What sources say of the app, also when the pass came to nothing: the status of each of its mappings says why. */
function mappingsOf({ ports }: Context, app: App): Outcome['mappings'] {
  if (app.deletionTimestamp !== undefined) return []
  return ports.mappingSources.flatMap((source) => source.mappingsOf(app).mappings)
}

function resultOf({ result, failure, plan, added = [], removed = [], ssl }: Found): Result {
  if (failure !== undefined) return 'Failed'
  if (result !== undefined) return result
  if (plan?.refused !== undefined) return 'Refused'
  return added.length + removed.length > 0 || ssl?.switched !== undefined ? 'Applied' : 'Unchanged'
}

/** The first of these times; undefined when there is none. */
function earliest(...times: readonly (number | undefined)[]): number | undefined {
  const given = times.filter((time) => time !== undefined)
  return given.length === 0 ? undefined : Math.min(...given)
}

/** The outcome of an app that was not looked at, as its account could not be asked. */
export function notLookedAt(context: Context, key: Key, failure: NonNullable<Outcome['failure']>): Outcome {
  const now = context.ports.clock.now()
  const app = context.ports.objects.app(key)
  const mappings = app === undefined ? [] : mappingsOf(context, app)
  return outcomeOf({ key, app, result: 'Failed', failure, mappings, startedAt: now })
}
