import type { PlanInput } from '../src/plan/input.ts'
import { makePlan, type Plan } from '../src/plan/plan.ts'
import { app, hosts, mappings, planInput, record } from '../test/plan/fixture.ts'
import { type Bench, collectGarbage, ensure, type Figure, median, timed } from './measure.ts'

const MANY = 100_000
const FEW = 10_000
const ROUNDS = 15
const GOAL_US = 0.7
const GOAL_LINEARITY = 1.5

/** The time that a plan takes, in microseconds per host. */
export const planBench: Bench = {
  name: 'plan',
  async run() {
    return [...compare('unchanged', sizesOf(0)), ...compare('1 % changed', sizesOf(1 / 200))]
  },
}

/** As many hosts either way, so that both find the same memory: one app that has them all, or ten apps. */
interface Sizes {
  many: PlanCase[]
  few: PlanCase[]
}

function sizesOf(share: number): Sizes {
  const apps = Array.from({ length: MANY / FEW }, (_, index) => `app${index}.`)
  return { many: [caseOf(MANY, MANY * share)], few: apps.map((name) => caseOf(FEW, FEW * share, name)) }
}

/** Small, large and yardstick take turns, so that a busy moment of the machine meets all three. */
function compare(title: string, { many, few }: Sizes): Figure[] {
  const times = { many: [] as number[], few: [] as number[], yardstick: [] as number[] }
  for (let round = 0; round < ROUNDS; round++) {
    times.many.push(perHost(many))
    times.few.push(perHost(few))
    times.yardstick.push(yardstick(many.flatMap((each) => each.observed)))
  }
  const measured = median(times.many)
  return [
    {
      name: `100,000 hosts, ${title}`,
      measured,
      unit: 'µs/host',
      goal: GOAL_US,
      yardstick: median(times.yardstick),
      note: `yardstick: the same names into a Set and sorted; best ${Math.min(...times.many).toFixed(2)} and ${Math.min(...times.yardstick).toFixed(2)}`,
    },
    {
      name: `100,000 against 10,000 hosts, ${title}`,
      measured: measured / median(times.few),
      unit: 'x per host',
      goal: GOAL_LINEARITY,
    },
  ]
}

interface PlanCase {
  input: PlanInput
  observed: readonly string[]
  check(plan: Plan): boolean
}

/**
 * An app where all is in line, but for `changes` mappings that are new and as many that went. The additions find the app full, as
 * they do whenever there are more than 300 hosts; the removals pass.
 */
function caseOf(count: number, changes: number, prefix = 'app.'): PlanCase {
  const owned = hosts(count, prefix)
  const wanted = [...owned.slice(changes), ...hosts(changes, `${prefix}new`)]
  const of = app()
  const safety = { ...of.spec.safety, maxRemovalPercent: 100 }
  const lenient = { ...of, spec: { ...of.spec, safety } }
  return {
    input: planInput(mappings(wanted), [], record(owned), { app: lenient }),
    observed: owned,
    check: ({ removals, held, kept }) =>
      removals.length === changes && held.size === changes && kept === count - changes,
  }
}

/** Plans each case once; microseconds per host, on names that no earlier run has hashed. */
function perHost(cases: readonly PlanCase[]): number {
  const inputs = cases.map(({ input, observed }) => ({ ...input, observed: fresh(observed) }))
  collectGarbage()
  let plans: Plan[] = []
  const ms = timed(() => {
    plans = inputs.map(makePlan)
  })
  ensure(
    plans.every((plan, index) => cases[index]?.check(plan)),
    'the plan is not what was to be measured',
  )
  return (ms * 1000) / cases.reduce((sum, each) => sum + each.observed.length, 0)
}

/** The names into a Set, and sorted; microseconds per name. */
function yardstick(names: readonly string[]): number {
  const now = fresh(names)
  collectGarbage()
  return (timed(() => void [...new Set(now)].sort()) * 1000) / names.length
}

/** The same names as new strings, as they come out of an answer's JSON. */
const fresh = (names: readonly string[]): string[] => JSON.parse(JSON.stringify(names)) as string[]
