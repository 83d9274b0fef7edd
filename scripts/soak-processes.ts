import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Pace, planOfProcesses } from '../test/simulation/plan.ts'
import { createRealGround } from '../test/simulation/real/ground.ts'
import { run } from '../test/simulation/simulation.ts'

/**
 * Lets worlds live in real time, side by side, whose daemons are processes of the built program: kill -9, SIGSTOP, a wall clock that is
 * set by libfaketime. `node scripts/soak-processes.ts --worlds 6 --hours 2 --faketime /usr/lib/…/libfaketimeMT.so.1`.
 */
const { values } = parseArgs({
  options: {
    worlds: { type: 'string', default: '4' },
    hours: { type: 'string', default: '2' },
    from: { type: 'string', default: '1' },
    faketime: { type: 'string', default: '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1' },
  },
})

const MINUTE = 60_000
const PACE: Pace = {
  first: 20_000,
  last: 25 * MINUTE,
  storm: [2, 10],
  quiet: [MINUTE, 3 * MINUTE],
  means: [2_000, 10_000, 40_000],
}

async function live(seed: string): Promise<{ hours: number; events: number; rests: number; broken: boolean }> {
  const folder = mkdtempSync(join(tmpdir(), 'domainpilot-soak-'))
  const plan = planOfProcesses(seed, Number(values.hours), PACE)
  const hear = (line: string): void => void process.stdout.write(`Seed ${seed}: ${line}\n`)
  const result = await run(plan, createRealGround(plan.setting, folder, values.faketime), hear)
  const broken = result.violations.length > 0
  if (broken) process.stdout.write(`\nSeed ${seed}: the last lines of the log:\n${result.log.join('\n')}\n`)
  rmSync(folder, { recursive: true, force: true })
  const rests = result.story.filter((line) => line.endsWith('from here on nothing happens')).length
  process.stdout.write(`Seed ${seed}: ${result.hours.toFixed(2)} h, ${result.events} events, ${rests} rests\n`)
  return { hours: result.hours, events: result.events, rests, broken }
}

const seeds = Array.from({ length: Number(values.worlds) }, (_, n) => String(Number(values.from) + n))
const lived = await Promise.all(seeds.map(live))
const sum = (of: (each: (typeof lived)[0]) => number): number => lived.reduce((total, each) => total + of(each), 0)
const failed = lived.filter(({ broken }) => broken).length
process.stdout.write(
  `\n${lived.length} worlds, ${sum(({ hours }) => hours).toFixed(1)} hours, ${sum(({ events }) => events)} events, ${sum(({ rests }) => rests)} rests; ${failed} broke a promise.\n`,
)
process.exit(failed === 0 ? 0 : 1)
