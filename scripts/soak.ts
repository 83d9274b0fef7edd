import { parseArgs } from 'node:util'
import { planOf, STORMY } from '../test/simulation/plan.ts'
import { shrink } from '../test/simulation/shrink.ts'
import { run } from '../test/simulation/simulation.ts'

/**
 * Lets worlds live: `npm run soak -- --seeds 100 --hours 48`, or one again: `--from SEED`.
 * `--stormy`: with hardly a quiet hour. A seed decides everything; one that breaks a
 * promise is told as a short story, and the exit status is 1.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20' },
    hours: { type: 'string', default: '48' },
    from: { type: 'string' },
    whole: { type: 'boolean', default: false },
    stormy: { type: 'boolean', default: false },
  },
})
const from = Number(values.from ?? Date.now() % 1_000_000_000)
const hours = Number(values.hours)
const count = values.from !== undefined && values.seeds === '20' ? 1 : Number(values.seeds)
const begun = performance.now()
let lived = 0
let events = 0
let failed = 0
for (let seed = from; seed < from + count; seed++) {
  const plan = values.stormy ? planOf(String(seed), hours, STORMY) : planOf(String(seed), hours)
  const result = await run(plan)
  lived += result.hours
  events += result.events
  const [broken] = result.violations
  if (broken === undefined) continue
  failed++
  process.stdout.write(`\nSeed ${seed}, after ${result.hours.toFixed(1)} h: ${broken.promise}: ${broken.message}\n`)
  const { result: told, runs } = values.whole ? { result, runs: 0 } : await shrink(plan, result)
  process.stdout.write(
    `${told.story.join('\n')}\n(${runs} shorter stories were tried; npm run soak -- --hours ${hours} --from ${seed})\n`,
  )
}
const seconds = (performance.now() - begun) / 1000
process.stdout.write(
  `\n${count} seeds from ${from}, ${lived.toFixed(0)} hours, ${events} events in ${seconds.toFixed(0)} s; ${failed} broke a promise.\n`,
)
process.exit(failed === 0 ? 0 : 1)
