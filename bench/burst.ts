import { lastCall, quietCalls, startDaemon, writesAmong } from './daemon.ts'
import { appYaml, createFolder, mappingYaml, names } from './folder.ts'
import { type Bench, ensure, type Figure } from './measure.ts'
import { startSimulatorProcess, until } from './process.ts'

const COUNT = 100
const GOAL_CALLS = 6

/** 100 mappings saved at once, a file each, on one app of an idle daemon. */
export const burstBench: Bench = {
  name: 'burst',
  run: burst,
}

async function burst(): Promise<Figure[]> {
  const simulator = await startSimulatorProcess(
    { network: ['by-hand.example.org'] },
    { latency: 20, actionDuration: 50 },
  )
  const [appId = ''] = simulator.apps
  const folder = await createFolder()
  await folder.write('app.yaml', appYaml('network', appId, { ssl: { auto: true } }))
  const daemon = await startDaemon(folder, simulator)
  try {
    await quietCalls(simulator)
    const before = await lastCall(simulator)
    const start = performance.now()
    await Promise.all(
      names(COUNT).map((name) => folder.write(`${name}.yaml`, mappingYaml(name, `${name}.example.com`, 'network'))),
    )
    await until('all hosts are in', async () => (await simulator.domains(appId)).length === COUNT + 1)
    const ms = performance.now() - start
    const calls = await quietCalls(simulator, before)
    ensure(
      calls.every((call) => call.status === 200),
      'a call failed',
    )
    return [
      {
        name: `${COUNT} new mappings: calls besides action polls`,
        measured: calls.filter((call) => call.endpoint !== 'getAction').length,
        unit: 'calls',
        goal: GOAL_CALLS,
        note: `hosts at ServerPilot after ${(ms / 1000).toFixed(1)} s`,
      },
      { name: `${COUNT} new mappings: writes`, measured: writesAmong(calls), unit: 'writes', goal: 1 },
    ]
  } finally {
    await daemon.stop()
    await simulator.stop()
    await folder.remove()
  }
}
