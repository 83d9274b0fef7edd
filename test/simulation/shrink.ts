import type { Plan, Planned } from './plan.ts'
import { type Result, run } from './simulation.ts'

/** A story that fails, and how often it was lived through to find it. */
export interface Shrunk {
  plan: Plan
  result: Result
  runs: number
}

/**
 * Leaves out events for as long as the same promise is broken, in larger parts first. `most`: how often the story may be lived
 * through.
 */
export async function shrink(plan: Plan, result: Result, most = 80): Promise<Shrunk> {
  const broken = result.violations[0]
  if (broken === undefined) throw new Error('nothing is broken in this story')
  let best: Shrunk = { plan: upTo(plan, broken.at), result, runs: 0 }
  const attempt = async (events: readonly Planned[]): Promise<boolean> => {
    if (best.runs >= most) return false
    best.runs++
    const shorter = { ...best.plan, events }
    const again = await run(shorter)
    if (again.violations[0]?.promise !== broken.promise) return false
    best = { plan: upTo(shorter, again.violations[0].at), result: again, runs: best.runs }
    return true
  }
  for (let size = Math.ceil(best.plan.events.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < best.plan.events.length && best.runs < most; ) {
      const { events } = best.plan
      if (!(await attempt([...events.slice(0, from), ...events.slice(from + size)]))) from += size
    }
  }
  return best
}

/** What comes after the promise was broken has no part in it. */
function upTo(plan: Plan, at: number): Plan {
  return { ...plan, events: plan.events.filter((event) => event.at <= at) }
}
