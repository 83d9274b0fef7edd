import { StateDirBusyError } from '../ownership/lock.ts'
import { writes } from '../plan/plan.ts'
import { type Paint, planToJson, planToText } from '../plan/render.ts'
import { painter } from '../report/terminal.ts'
import type { Cluster } from '../setup/cluster.ts'
import type { Given } from '../setup/flags.ts'
import { handOver } from '../setup/handover.ts'
import { calledAs, EXIT, type Io } from '../setup/io.ts'
import { readSettings } from '../setup/settings.ts'
import { type Setup, setUp } from '../setup/setup.ts'
import { forgetStatusFile } from '../setup/status-file.ts'
import type { Outcome } from '../status/outcome.ts'
import { passOver } from './pass.ts'

/** `plan`: what would change, per app; writes nothing. */
export async function planCommand(io: Io, given: Given): Promise<number> {
  const setup = await setUp(io, given, { oneShot: true, writes: false })
  try {
    await readSource(setup)
    const outcomes = await passOver(io, setup, 'Planning')
    print(io, given, setup, outcomes)
    if (failed(setup, outcomes)) return EXIT.failed
    const differs = outcomes.some(({ plan }) => plan !== undefined && (writes(plan) || plan.waiting.length > 0))
    return given.exitCode === true && differs ? EXIT.differences : EXIT.done
  } finally {
    await setup.close()
  }
}

/** `apply`: one pass over every app: prints the plan, applies it, waits for the result. */
export async function applyCommand(io: Io, given: Given): Promise<number> {
  const approval = typeof given.approve === 'string' ? given.approve : undefined
  let setup: Setup
  try {
    setup = await setUp(io, given, { oneShot: true, writes: true, ...(approval === undefined ? {} : { approval }) })
  } catch (error) {
    if (!(error instanceof StateDirBusyError) || approval === undefined) throw error
    return approveByDaemon(io, given, approval)
  }
  try {
    if (setup.cluster !== undefined && !(await lead(io, setup.cluster))) return await leftToDaemon(io, given, approval)
    await readSource(setup)
    const outcomes = await passOver(io, setup, 'Applying')
    if (setup.cluster === undefined) await forgetStatusFile(setup.settings.stateDir)
    print(io, given, setup, outcomes, true)
    if (failed(setup, outcomes)) return EXIT.failed
    return outcomes.some((each) => each.result === 'Refused') ? EXIT.refused : EXIT.done
  } finally {
    await setup.cluster?.elector?.stop()
    await setup.close()
  }
}

/** A daemon is at work on that state folder: it is the one to apply what is approved. */
function approveByDaemon(io: Io, given: Given, hash: string): number {
  const { stateDir } = readSettings(given, io.environment, io.readFile)
  handOver(stateDir, hash)
  io.err(`A daemon holds ${stateDir}: the approval was handed to it. \`domainpilot status\` shows what became of it.\n`)
  return EXIT.done
}

async function lead(io: Io, cluster: Cluster): Promise<boolean> {
  const { takeLead } = await import('../setup/leadership.ts')
  return await takeLead(io, cluster)
}

/** A daemon leads in the cluster: nobody writes beside it. */
async function leftToDaemon(io: Io, given: Given, approval: string | undefined): Promise<number> {
  if (approval !== undefined) {
    const { approveWaiting } = await import('./approve.ts')
    return await approveWaiting(io, given, approval)
  }
  io.err(
    `Nothing was applied: a daemon leads in this cluster and applies by itself. \`${calledAs(io)} status\` shows where it stands; \`${calledAs(io)} approve APP\` lets removals go that wait.\n`,
  )
  return EXIT.failed
}

/** Reads the objects once, without following them. */
export async function readSource(setup: Setup): Promise<void> {
  await setup.objects.start(() => undefined)
  await setup.objects.stop()
}

const failed = (setup: Setup, outcomes: readonly Outcome[]): boolean =>
  setup.objects.failure() !== undefined || outcomes.some((each) => each.failure !== undefined || each.frozen.size > 0)

function print(io: Io, given: Given, setup: Setup, outcomes: readonly Outcome[], applied = false): void {
  const failure = setup.objects.failure()
  if (given.output === 'json') io.out(`${JSON.stringify(toJson(outcomes, failure?.message, applied), null, 2)}\n`)
  else io.out(toText(io, outcomes, applied))
  for (const { place, message } of setup.objects.faults()) io.err(`${place}: ${message}\n`)
  if (failure !== undefined)
    io.err(`Source ${failure.source}: ${failure.message}\nNothing is removed until it can be read in full.\n`)
  if (outcomes.length === 0 && failure === undefined) {
    io.err('There is no app: declare a ServerPilotApp, or set SERVERPILOT_APP_ID.\n')
  }
  for (const { key, failure: fault, frozen } of outcomes) {
    for (const [source, cause] of frozen) {
      if (source !== failure?.source) io.err(`${key}: SourceUnavailable: ${source}: ${cause}\n`)
    }
    if (fault !== undefined) io.err(`${key}: ${fault.reason}: ${fault.message}\n`)
  }
}

/** The plan to show: what was applied, or else what stands. */
const shown = (outcome: Outcome, applied: boolean) => (applied ? (outcome.applied ?? outcome.plan) : outcome.plan)

function toJson(outcomes: readonly Outcome[], sourceFailure: string | undefined, applied: boolean): unknown {
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
    ],
  }
}

function toText(io: Io, outcomes: readonly Outcome[], applied: boolean): string {
  const paint = paintFor(io)
  const blocks = outcomes.flatMap((outcome) => {
    const plan = shown(outcome, applied)
    if (plan === undefined) return outcome.result === 'Suspended' ? [`${outcome.key} is suspended`] : []
    const text = planToText(plan, outcome.desired?.rejected ?? [], paint, outcome.forecast)
    return [applied ? `${text}\n  ${resultLine(outcome)}` : text]
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

function paintFor(io: Io): Paint {
  const paint = painter(io.colour && io.outIsTerminal)
  const tone = { add: 'ok', remove: 'bad', quiet: 'quiet', bad: 'work', strong: 'strong' } as const
  return (kind, value) => paint(tone[kind], value)
}
