/** Lives through worlds until a promise is broken: `node --import ./plant.ts find-planted.ts FIRST SEEDS HOURS`. Prints one line of JSON. */
import { planOf, STORMY } from './plan.ts'
import { run } from './simulation.ts'

const [first = 1, seeds = 300, hours = 4] = process.argv.slice(2).map(Number)
let found: { seeds: number; hours: number; promise: string; message: string } | undefined
let lived = 0
for (let n = 0; n < seeds && found === undefined; n++) {
  const { violations, hours: each } = await run(planOf(String(first + n), hours, STORMY))
  lived += each
  const [broken] = violations
  if (broken !== undefined) found = { seeds: n + 1, hours: lived, promise: broken.promise, message: broken.message }
}
process.stdout.write(`${JSON.stringify(found ?? { seeds, hours: lived })}\n`)
process.exit(0)
