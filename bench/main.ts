import { backToBackBench } from './back-to-back.ts'
import { burstBench } from './burst.ts'
import { capacityBench } from './capacity.ts'
import { checkBench } from './check.ts'
import { clusterBench } from './cluster.ts'
import { isolationBench } from './isolation.ts'
import { latencyBench } from './latency.ts'
import type { Bench, Figure } from './measure.ts'
import { memoryBench } from './memory.ts'
import { pageBench } from './page.ts'
import { planBench } from './plan.ts'
import { rowLatencyBench } from './row-latency.ts'
import { startBench } from './start.ts'
import { sweepBench } from './sweep.ts'
import { wordpressBench } from './wordpress.ts'

/** Runs the benches, or those named: `npm run bench -- plan start`. A missed goal is said, only a bench that breaks fails. */
const BENCHES: readonly Bench[] = [
  planBench,
  burstBench,
  backToBackBench,
  capacityBench,
  sweepBench,
  latencyBench,
  startBench,
  isolationBench,
  memoryBench,
  clusterBench,
  wordpressBench,
  rowLatencyBench,
  checkBench,
  pageBench,
]

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !BENCHES.some((bench) => bench.name === name))
if (unknown.length > 0) {
  process.stderr.write(
    `No such bench: ${unknown.join(', ')}. There are ${BENCHES.map((each) => each.name).join(', ')}.\n`,
  )
  process.exit(64)
}

const rows = [['name', 'measured', 'goal', 'ratio to yardstick', 'ok', 'notes']]
for (const bench of BENCHES) {
  if (wanted.length > 0 && !wanted.includes(bench.name)) continue
  process.stderr.write(`${bench.name} …\n`)
  try {
    rows.push(...(await bench.run()).map(row))
  } catch (error) {
    process.exitCode = 1
    process.stderr.write(`${bench.name} broke: ${error instanceof Error ? error.stack : String(error)}\n`)
    rows.push([bench.name, 'broke', '', '', 'BROKE', ''])
  }
}
process.stdout.write(table(rows))

function row({ name, measured, unit, goal, yardstick, note }: Figure): string[] {
  return [
    name,
    `${short(measured)} ${unit}`,
    goal === undefined ? '' : `≤ ${goal} ${unit}`,
    yardstick === undefined ? '' : `${short(measured / yardstick)} (of ${short(yardstick)} ${unit})`,
    goal === undefined ? '' : measured <= goal ? 'ok' : 'MISSED',
    note ?? '',
  ]
}

/** At most three digits, but whole numbers whole. */
function short(value: number): string {
  return String(value >= 100 ? Math.round(value) : Number(value.toPrecision(3)))
}

/** A table that is one in Markdown as well. */
function table([head = [], ...body]: string[][]): string {
  const all = [head, head.map(() => ''), ...body]
  const widths = head.map((_, column) => Math.max(...all.map((cells) => [...(cells[column] ?? '')].length)))
  return all
    .map((cells, line) => {
      const filler = line === 1 ? '-' : ' '
      return `| ${cells.map((cell, column) => cell + filler.repeat((widths[column] ?? 0) - [...cell].length)).join(' | ')} |\n`
    })
    .join('')
}
