import { displayHost } from '../domain/host.ts'
import { visible } from '../log/visible.ts'
import type { Plan } from '../plan/plan.ts'
import { type Paint, planToJson, planToText } from '../plan/render.ts'
import { painter } from '../report/terminal.ts'
import { counted } from '../report/words.ts'
import { errLine, type Io, outJson } from '../setup/io.ts'
import type { Given } from '../setup/option.ts'
import type { Setup } from '../setup/setup.ts'
import { orphansOf, refusesMappings } from '../status/not-accepted.ts'
import type { Outcome } from '../status/outcome.ts'
import { foreignLines } from './foreign.ts'

/** Whether something could not be read or done. */
export const failed = ({ objects }: Pick<Setup, 'objects'>, outcomes: readonly Outcome[]): boolean =>
  objects.failure() !== undefined || outcomes.some((each) => each.failure !== undefined || each.frozen.size > 0)

/** Whether ServerPilot refuses hosts that are asked for. */
export const rejected = (outcomes: readonly Outcome[]): boolean =>
  outcomes.some((each) => refusedHosts(each).length > 0)

/** A line for each host that ServerPilot refuses, with its words. */
function refusedHosts({ plan }: Outcome): string[] {
  const refused = [...(plan?.held ?? [])].filter(([, { reason }]) => reason === 'Rejected')
  return refused
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([host, { message }]) => `${displayHost(host)}: ${visible(message)}`)
}

/** Whether something is declared that is not accepted: it names an app that does not exist, is in conflict, or is refused. */
export const unaccepted = ({ objects }: Pick<Setup, 'objects'>, outcomes: readonly Outcome[]): boolean =>
  refusesMappings(outcomes) || orphansOf(objects).length > 0

/** What a pass came to. `applied`: the plans are results. */
interface Passed {
  objects: Setup['objects']
  outcomes: readonly Outcome[]
  applied: boolean
}

/** Prints the plans on standard output, and on standard error what went wrong. */
export function print(io: Io, given: Given, { objects, outcomes, applied }: Passed): void {
  const failure = objects.failure()
  if (given.output === 'json') outJson(io, toJson({ objects, outcomes, applied }))
  else io.out(toText(io, { objects, outcomes, applied }))
  // Why a database cannot be read is said below, of the app that it holds up.
  const frozen = new Set(outcomes.flatMap((each) => [...each.frozen.values()]))
  for (const { place, message } of objects.faults()) if (!frozen.has(message)) errLine(io, `${place}: ${message}`)
  if (failure !== undefined) {
    errLine(io, `Source ${failure.source}: ${failure.message}`)
    errLine(io, 'Nothing is removed until it can be read in full.')
  }
  for (const { key, place, reason, message } of orphansOf(objects))
    errLine(io, `${key} (${place}): ${reason}: ${message}`)
  if (outcomes.length === 0 && failure === undefined) {
    io.err('There is no app: declare a ServerPilotApp, or set SERVERPILOT_APP_ID.\n')
  }
  for (const { key, failure: fault, frozen: causes } of outcomes) {
    for (const [source, cause] of causes) {
      if (source !== failure?.source) errLine(io, `${key}: SourceUnavailable: ${source}: ${cause}`)
    }
    if (fault !== undefined) errLine(io, `${key}: ${fault.reason}: ${fault.message}`)
  }
  if (applied) for (const each of outcomes) io.err(refusalText(each))
}

/** Refused hosts named before the rest is only counted. */
const NAMED = 10

function refusalText(outcome: Outcome): string {
  const lines = refusedHosts(outcome)
  if (lines.length === 0) return ''
  const rest = lines.length > NAMED ? [`  and ${lines.length - NAMED} more`] : []
  const named = lines.slice(0, NAMED).map((line) => `  ${line}`)
  const head = `${outcome.key}: Rejected: ${counted(lines.length, 'host')} not added. Correct the domain in the mapping of each:`
  return `${[head, ...named, ...rest].join('\n')}\n`
}

/** The plan to show: what was applied, with what is held back now, or else what stands. */
function shown(outcome: Outcome, applied: boolean): Plan | undefined {
  const { plan } = outcome
  if (!applied || outcome.applied === undefined) return plan
  return { ...outcome.applied, held: (plan ?? outcome.applied).held }
}

function toJson({ objects, outcomes, applied }: Passed): unknown {
  const sourceFailure = objects.failure()?.message
  return {
    plans: outcomes.flatMap((outcome) => {
      const plan = shown(outcome, applied)
      if (plan === undefined) return []
      const result = outcome.result === 'Suspended' ? 'Unchanged' : outcome.result
      const data = planToJson(plan, outcome.desired?.rejected ?? [], outcome.forecast)
      return [applied ? { ...data, outcome: result, added: outcome.added, removed: outcome.removed } : data]
    }),
    errors: [
      ...(sourceFailure === undefined ? [] : [{ reason: 'SourceUnavailable', message: sourceFailure }]),
      ...outcomes.flatMap(({ key, failure }) =>
        failure === undefined ? [] : [{ app: key, reason: failure.reason, message: failure.message }],
      ),
      ...orphansOf(objects).map(({ key, reason, message }) => ({ mapping: key, reason, message })),
      ...(applied ? outcomes : []).flatMap((outcome) =>
        refusedHosts(outcome).map((message) => ({ app: outcome.key, reason: 'Rejected', message })),
      ),
    ],
  }
}

function toText(io: Io, { objects, outcomes, applied }: Passed): string {
  const tone = { add: 'ok', remove: 'bad', quiet: 'quiet', bad: 'work', strong: 'strong' } as const
  const colour = painter(io.colour && io.outIsTerminal)
  const paint: Paint = (kind, value) => colour(tone[kind], value)
  const blocks = outcomes.flatMap((outcome) => {
    const plan = shown(outcome, applied)
    if (plan === undefined) return outcome.result === 'Suspended' ? [`${visible(outcome.key)} is suspended`] : []
    const text = planToText(plan, outcome.desired?.rejected ?? [], paint, outcome.forecast)
    if (applied) return [`${text}\n  ${resultLine(outcome)}`]
    return [[text, ...foreignLines(io, objects, outcome).map((line) => paint('quiet', line))].join('\n')]
  })
  return blocks.length === 0 ? '' : `${blocks.join('\n\n')}\n`
}

function resultLine({ result, added, removed, ssl }: Outcome): string {
  const switched = ssl?.switched === undefined ? '' : ` ${'auto' in ssl.switched ? 'AutoSSL' : 'ForceSSL'} switched on.`
  switch (result) {
    case 'Applied':
      return added.length + removed.length === 0
        ? `Applied:${switched || ' the record alone.'}`
        : `Applied: ${added.length} added, ${removed.length} removed, read back and compared.${switched}`
    case 'Refused':
      return `Refused in part: ${added.length} added, ${removed.length} removed; the rest awaits approval.`
    case 'Planned':
      return 'Planned only: nothing was written.'
    default:
      return `${result}.`
  }
}
