import type { CallRecord } from '../src/simulator/calls.ts'
import { quietCalls, startDaemon, writesAmong } from './daemon.ts'
import { appYaml, createFolder, mappingYaml, names } from './folder.ts'
import { type Bench, ensure } from './measure.ts'
import { startSimulatorProcess } from './process.ts'

/** Hosts of each app: many small ones use up the burst of the rate limit. */
const SIZES = [...Array.from({ length: 11 }, () => 1), 300]
const GOAL_MS = 100

/** What may be lost of others: the time between the reading that a write stands on and the write, at every flag's default. */
export const backToBackBench: Bench = {
  name: 'back-to-back',
  async run() {
    const apps = SIZES.map((_, index) => `app${index}`)
    const simulator = await startSimulatorProcess(Object.fromEntries(apps.map((app) => [app, ['by-hand.example.org']])))
    const folder = await createFolder()
    await Promise.all(
      apps.map((app, index) => {
        const mappings = names((SIZES[index] ?? 0) - (SIZES[index] === 300 ? 1 : 0)).map((name) =>
          mappingYaml(`${app}-${name}`, `${name}.${app}.example.com`, app),
        )
        return folder.write(`${app}.yaml`, appYaml(app, simulator.apps[index] ?? ''), ...mappings)
      }),
    )
    const daemon = await startDaemon(folder, simulator)
    try {
      const calls = await quietCalls(simulator)
      ensure(writesAmong(calls) === apps.length, 'not one write for each app')
      const gaps = simulator.apps.map((id) => gapOf(calls.filter((call) => call.app === id)))
      return [1, 300].map((size) => ({
        name: `from the read to the POST, ${size} host(s), at most`,
        measured: Math.max(...gaps.filter((_, index) => SIZES[index] === size)),
        unit: 'ms',
        goal: GOAL_MS,
      }))
    } finally {
      await daemon.stop()
      await simulator.stop()
      await folder.remove()
    }
  },
}

function gapOf(calls: readonly CallRecord[]): number {
  const write = calls.findIndex(({ endpoint }) => endpoint === 'postDomains')
  const read = calls.slice(0, write).findLast(({ endpoint }) => endpoint === 'getApp')
  return (calls[write]?.time ?? Number.POSITIVE_INFINITY) - (read?.time ?? 0)
}
