import { quietCalls, startDaemon, writesAmong } from './daemon.ts'
import { appYaml, createFolder, mappingYaml, names } from './folder.ts'
import { type Bench, ensure } from './measure.ts'
import { startSimulatorProcess, until } from './process.ts'

const COUNT = 250
const PLACES = 300

/** 250 mappings with www on an app that holds 300 hosts. */
export const capacityBench: Bench = {
  name: 'capacity',
  async run() {
    const wanted = names(COUNT).map((name) => `${name}.example`)
    const simulator = await startSimulatorProcess({ network: wanted.slice(0, 1) }, { latency: 20, actionDuration: 50 })
    const [appId = ''] = simulator.apps
    const folder = await createFolder()
    await folder.write(
      'all.yaml',
      appYaml('network', appId, { www: 'Always' }),
      ...wanted.map((domain, index) => mappingYaml(`m${index}`, domain, 'network')),
    )
    const start = performance.now()
    const daemon = await startDaemon(folder, simulator)
    try {
      await until('the app is full', async () => (await simulator.domains(appId)).length === PLACES)
      const seconds = (performance.now() - start) / 1000
      const calls = await quietCalls(simulator)
      const listed = new Set(await simulator.domains(appId))
      ensure(
        wanted.every((host) => listed.has(host)),
        'a www. name took the place of a domain',
      )
      const held = [...(daemon.outcomes.at(-1)?.plan?.held.values() ?? [])]
      const full = held.filter((each) => each.reason === 'AppFull').length
      ensure(full === 2 * COUNT - PLACES, `${full} hosts say AppFull`)
      return [
        {
          name: `${COUNT} mappings with www: writes for ${PLACES} hosts`,
          measured: writesAmong(calls),
          unit: 'writes',
          goal: 1,
          note: `${full} say AppFull`,
        },
        { name: `${COUNT} mappings with www: from start to a full app`, measured: seconds, unit: 's' },
      ]
    } finally {
      await daemon.stop()
      await simulator.stop()
      await folder.remove()
    }
  },
}
