import { quietCalls } from './daemon.ts'
import { appYaml, createFolder, mappingYaml, names } from './folder.ts'
import { type Bench, ensure } from './measure.ts'
import { build, memoryOf, PROGRAMS, start, startSimulatorProcess, until } from './process.ts'

const APPS = 100
const HOSTS = 300

/** 30,000 mappings on 100 apps of one server, from files: time and memory until every host is in. */
export const memoryBench: Bench = {
  name: 'memory',
  async run() {
    await build()
    const apps = names(APPS, 'app')
    const hostsOf = (app: string): string[] => names(HOSTS).map((name) => `${name}.${app}.example.com`)
    const seeds = Object.fromEntries(apps.map((app) => [app, hostsOf(app).slice(0, 1)]))
    const simulator = await startSimulatorProcess(seeds, { actionDuration: 1 })
    const folder = await createFolder()
    for (const [index, app] of apps.entries()) {
      const mappings = hostsOf(app).map((host, at) => mappingYaml(`${app}-${at}`, host, app))
      await folder.write(`${app}.yaml`, appYaml(app, simulator.apps[index] ?? ''), ...mappings)
    }
    const paths = ['--manifests', folder.manifests, '--state-dir', folder.state]
    const options = ['--listen', 'off', '--serverpilot-qps', '1000']
    const from = Date.now()
    const daemon = start([PROGRAMS.bundle, 'run', ...paths, ...simulator.flags, ...options], simulator.env)
    try {
      await until('the first call', async () => (await simulator.calls()).length > 0, { ms: 120_000 })
      const read = (Date.now() - from) / 1000
      const written = async (): Promise<boolean> => {
        const { counts } = (await simulator.control('GET', 'counts')) as { counts: Record<string, number> }
        return (counts.postDomains ?? 0) >= APPS
      }
      await until('every app is written', written, { ms: 300_000, every: 100 })
      const calls = await quietCalls(simulator, 0, 3_000)
      const seconds = ((calls.at(-1)?.time ?? Number.NaN) - from) / 1000
      for (const id of simulator.apps) ensure((await simulator.domains(id)).length === HOSTS, `${id} lacks hosts`)
      const name = `${(APPS * HOSTS).toLocaleString('en')} mappings on ${APPS} apps`
      const { pid } = daemon.child
      return [
        {
          name: `${name}: first convergence`,
          measured: seconds,
          unit: 's',
          note: `first call after ${read.toFixed(1)} s`,
        },
        { name: `${name}: calls`, measured: calls.length, unit: 'calls', note: 'action polls included' },
        { name: `${name}: resident after it`, measured: await memoryOf(pid, 'VmRSS'), unit: 'MiB' },
        { name: `${name}: resident at the peak`, measured: await memoryOf(pid, 'VmHWM'), unit: 'MiB' },
      ]
    } finally {
      await daemon.stop()
      await simulator.stop()
      await folder.remove()
    }
  },
}
