import type { App } from '../../api/objects.ts'
import { writesUnder } from '../../api/policy.ts'
import { writes } from '../../plan/plan.ts'
import type { Failure, Found } from '../../status/outcome.ts'
import { type Contention, endPause, noteReversals, pausedAfter, refuseWhilePaused } from '../context/contention.ts'
import type { Context } from '../context/context.ts'
import { failureOf } from '../context/errors.ts'
import { type Decision, decide } from './decide.ts'
import type { Declared, Facts } from './facts.ts'
import { stageOf } from './finalize.ts'
import { gatherAgain, readForWrite, refuseWhileDoubted, sameNames, withObserved } from './gather.ts'
import { type AccountPass, collect, type Pass } from './pass.ts'
import { type Changes, type WriteResult, writePlan } from './write.ts'

/** Facts with what was decided on them, and what the outcome has to say of it. */
interface Decided extends Found {
  facts: Facts
  decision: Decision
}

/** What the outcome has to say. */
export const foundOf = ({ facts: _facts, decision: _decision, ...found }: Decided): Found => found

/** What the outcome has to say of what is declared. */
export const declaredIn = ({ app, mappings, desired, frozen, faults, secondWriter, record }: Declared): Found => ({
  app,
  mappings,
  desired,
  frozen,
  faults,
  secondWriter,
  record,
})

/** The one choke point of dry run: past it, things are written. */
export const readsOnly = ({ mode }: Context, app: App): boolean => mode.dryRun || !writesUnder(app.spec.policy)

/** False when the object was changed meanwhile so that this pass has nothing more to say: the next one sees to it. */
export function mayGoOn({ context, app, stage }: Pass, current: App): boolean {
  const same = current.spec.appId === app.spec.appId && stageOf(context, current) === stage
  return same && current.fault === undefined && !current.spec.suspend && !readsOnly(context, current)
}

/** Decides, and keeps what the next decision of the app has to know. */
export function decideNow(pass: Pass, facts: Facts): Decided {
  const decision = decide(facts)
  const { plan, forecast, gathering, contention, contended } = decision
  const { memory } = pass.context
  if (gathering === undefined) memory.gathering.delete(pass.app.key)
  else memory.gathering.set(pass.app.key, gathering)
  keepContention(pass, contention)
  const said = {
    ...declaredIn({ ...facts, desired: facts.asked }),
    observed: facts.observed,
    plan,
    forecast,
    ...(contended ? { contended } : {}),
  }
  return { ...said, facts: { ...facts, contention, gathering }, decision }
}

/**
 * Brings the list in line, while no other write of this process to that server is under way: reads, decides, claims, writes, reads
 * back, and begins again when somebody else wrote in between. Never throws but for the abort reason: a failure is part of what is found.
 */
export async function act(pass: AccountPass, start: Decided): Promise<Decided> {
  const failure = obstacle(pass, start)
  if (failure !== undefined) return { ...start, failure }
  const rounds = (): Promise<Decided> => collect<Decided>(writeRounds(pass, start.facts), pass.signal, start)
  return await pass.account.exclusively(start.facts.observed.serverId, rounds)
}

/**
 * What a write has to wait for, and letting go of hosts: a wrong answer lacks some that are there all the same. It is asked before the
 * line for the server, so that no other app waits for it too.
 */
function obstacle(pass: AccountPass, { facts, decision: { plan } }: Decided): Failure | undefined {
  try {
    if (writes(plan)) refuseWhilePaused(facts.contention, pass.context.ports.clock.steady())
    if (writes(plan) || plan.releases.length > 0) refuseWhileDoubted(pass)
    return undefined
  } catch (error) {
    return failureOf(error)
  }
}

async function* writeRounds(pass: AccountPass, start: Facts): AsyncGenerator<Partial<Decided>> {
  let facts = start
  let total = NO_CHANGES
  for (let written = 1; ; written++) {
    // Waiting for the server may have taken minutes: what counts is what is declared now.
    const app = pass.context.ports.objects.app(pass.app.key)
    if (app === undefined || !mayGoOn(pass, app)) return
    const now = { ...pass, app }
    const { decided, result } = yield* write(now, decideNow(now, gatherAgain(now, facts)))
    total = sum(total, result)
    const { record, observed } = result
    yield { record, observed, ...total, facts: { ...decided.facts, record, observed } }
    const { contention } = decided.facts
    if (!writes(decided.decision.plan)) return keepContention(now, endPause(contention))
    // A record that was written is not fresh any more.
    const next = withObserved(now, { ...decided.facts, record, fresh: false }, observed)
    const after = decideNow(now, next)
    // What the changes cost was said of the plan that was written.
    const { forecast: _, ...rest } = after
    yield rest
    if (result.taken && (result.unfinished !== undefined || !writes(after.decision.plan))) {
      keepContention(now, endPause(after.facts.contention))
      // What ServerPilot refused was not lost: another pass tries the rest.
      if (result.unfinished !== undefined) throw result.unfinished
      return
    }
    const changed = !sameNames(decided.facts.observed.domains, observed.domains)
    const steady = now.context.ports.clock.steady()
    const paused = pausedAfter(after.facts.contention, now.app, { written, changed }, steady)
    if (paused !== undefined) {
      keepContention(now, paused)
      refuseWhilePaused(paused, steady)
    }
    facts = after.facts
  }
}

/**
 * One write, and what it was decided on. Between the reading that it stands on and the write stands nothing but the claim. Where
 * nothing is to be written, the record alone learns from what was read.
 */
async function* write(
  pass: AccountPass,
  first: Decided,
): AsyncGenerator<Partial<Decided>, { decided: Decided; result: WriteResult }> {
  const isDue = writes(first.decision.plan)
  if (isDue) refuseWhilePaused(first.facts.contention, pass.context.ports.clock.steady())
  const leave = isDue ? await pass.account.leaveToWrite(pass.signal) : undefined
  try {
    const read = leave && (await readForWrite(pass, first.facts, leave))
    const decided = read === undefined ? first : decideNow(pass, withObserved(pass, first.facts, read))
    const { facts, decision } = decided
    const { plan } = decision
    yield { ...decided, ...(writes(plan) ? { applied: plan } : {}) }
    const contention = noteReversals(facts.contention, decision.reversals, facts.steady)
    keepContention(pass, contention)
    const result = await writePlan({ ...pass, facts, plan, leave })
    return { decided: { ...decided, facts: { ...facts, contention } }, result }
  } finally {
    leave?.end()
  }
}

const NO_CHANGES: Changes = { added: [], removed: [], adopted: 0, released: 0 }

function sum(before: Changes, { added, removed, adopted, released }: Changes): Changes {
  return {
    added: [...before.added, ...added],
    removed: [...before.removed, ...removed],
    adopted: before.adopted + adopted,
    released: before.released + released,
  }
}

function keepContention({ context, app }: Pass, contention: Contention): void {
  context.memory.contention.set(app.key, contention)
}
