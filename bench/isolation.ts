import { lastCall, quietCalls, startDaemon, writesAmong } from './daemon.ts'
import { appYaml, createFolder, mappingYaml, NAMESPACE, names } from './folder.ts'
import { type Bench, ensure } from './measure.ts'
import { startSimulatorProcess, until } from './process.ts'

const COUNT = 41
const GOAL_WRITES = 16
/** Where the bad name stands among the others: the number of writes depends on it. */
const PLACES = [1, 9, 17, 25, 33, COUNT]
const AFTERWARDS = 5

/** One name among 41 that the API refuses, without saying which. */
export const isolationBench: Bench = {
  name: 'isolation',
  async run() {
    const apps = PLACES.map((place) => `bad${place}`)
    const simulator = await startSimulatorProcess(
      Object.fromEntries(apps.map((app) => [app, [`by-hand.${app}.example.org`]])),
      { actionDuration: 1 },
    )
    await simulator.control('PUT', 'behaviours', { rejectedNames: ['/-bad[.]/'], quotedNames: 'none' })
    const folder = await createFolder()
    await Promise.all(
      apps.map((app, index) => {
        const hosts = names(COUNT).map(
          (name, at) => `${name}${at + 1 === PLACES[index] ? '-bad' : ''}.${app}.example.com`,
        )
        const mappings = hosts.map((host, at) => mappingYaml(`${app}-${at}`, host, app))
        return folder.write(`${app}.yaml`, appYaml(app, simulator.apps[index] ?? ''), ...mappings)
      }),
    )
    const start = performance.now()
    const daemon = await startDaemon(folder, simulator, { serverpilotQps: '200' })
    try {
      for (const id of simulator.apps) {
        await until('the good names are in', async () => (await simulator.domains(id)).length === COUNT)
      }
      const seconds = (performance.now() - start) / 1000
      const calls = await quietCalls(simulator)
      const counts = simulator.apps.map((id) => writesAmong(calls.filter((call) => call.app === id)))
      const before = await lastCall(simulator)
      for (let round = 1; round <= AFTERWARDS; round++) {
        const outcomes = daemon.outcomes.length
        for (const app of apps) daemon.enqueue(`${NAMESPACE}/${app}`)
        await until('they are reconciled again', () => daemon.outcomes.length >= outcomes + apps.length)
      }
      const last = daemon.outcomes.slice(-apps.length)
      ensure(
        last.every(({ plan }) => plan?.held.size === 1 && plan.additions.length === 0),
        'the good names are not all held',
      )
      return [
        {
          name: `one bad name among ${COUNT}: writes, at the worst place`,
          measured: Math.max(...counts),
          unit: 'writes',
          goal: GOAL_WRITES,
          note: `places ${PLACES.join(', ')}: ${counts.join(', ')} writes; ${seconds.toFixed(1)} s for all`,
        },
        {
          name: `one bad name among ${COUNT}: writes in ${AFTERWARDS} reconciles after`,
          measured: writesAmong(await quietCalls(simulator, before)),
          unit: 'writes',
          goal: 0,
        },
      ]
    } finally {
      await daemon.stop()
      await simulator.stop()
      await folder.remove()
    }
  },
}
