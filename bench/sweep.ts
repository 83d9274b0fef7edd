import { lastCall, quietCalls, startDaemon } from './daemon.ts'
import { appYaml, createFolder, mappingYaml, names } from './folder.ts'
import { type Bench, ensure, median } from './measure.ts'
import { startSimulatorProcess, until } from './process.ts'

const APPS = 100
const HOSTS = 20
const SWEEPS = 8

/** The periodic comparison of 100 apps that are in sync, on the daemon's own schedule. */
export const sweepBench: Bench = {
  name: 'sweep',
  async run() {
    const apps = names(APPS, 'app')
    const hostsOf = (app: string): string[] => names(HOSTS).map((name) => `${name}.${app}.example.com`)
    const simulator = await startSimulatorProcess(Object.fromEntries(apps.map((app) => [app, hostsOf(app)])), {
      latency: 20,
    })
    const folder = await createFolder()
    await Promise.all(
      apps.map((app, index) =>
        folder.write(
          `${app}.yaml`,
          appYaml(app, simulator.apps[index] ?? ''),
          ...hostsOf(app).map((host, at) => mappingYaml(`${app}-${at}`, host, app)),
        ),
      ),
    )
    const daemon = await startDaemon(folder, simulator, { sweepSchedule: '*/2 * * * * *' })
    try {
      await until('all apps are adopted', () => daemon.outcomes.length >= 2 * APPS)
      const before = await lastCall(simulator)
      const rounds: { ms: number; cpuMs: number }[] = []
      while (rounds.length < SWEEPS) rounds.push(await oneSweep(daemon))
      const calls = await quietCalls(simulator, before, 0)
      const failed = daemon.outcomes.slice(APPS).find((outcome) => outcome.result !== 'Unchanged')
      ensure(failed === undefined, `${failed?.key}: ${failed?.result} ${failed?.failure?.message ?? ''}`)
      return [
        {
          name: `sweep of ${APPS} apps in sync: calls`,
          measured: calls.length / calls.filter((call) => call.endpoint === 'listApps').length,
          unit: 'calls',
          goal: 1,
          note: `${SWEEPS} sweeps, ${APPS * HOSTS} hosts`,
        },
        {
          name: `sweep of ${APPS} apps in sync: time`,
          measured: median(rounds.map((round) => round.ms)),
          unit: 'ms',
          yardstick: 20,
          note: 'yardstick: the latency of the API',
        },
        {
          name: `sweep of ${APPS} apps in sync: CPU`,
          measured: median(rounds.map((round) => round.cpuMs)),
          unit: 'ms',
        },
      ]
    } finally {
      await daemon.stop()
      await simulator.stop()
      await folder.remove()
    }
  },
}

/** Waits for the next sweep and for the outcomes that follow it. */
async function oneSweep(daemon: Awaited<ReturnType<typeof startDaemon>>): Promise<{ ms: number; cpuMs: number }> {
  const sweeps = daemon.sweeps.length
  const start = await until('a sweep begins', () => daemon.sweeps[sweeps], { every: 5 })
  const outcomes = daemon.outcomes.length
  const cpu = process.cpuUsage()
  await until('the sweep is over', () => daemon.outcomes.length >= outcomes + APPS, { every: 2 })
  const used = process.cpuUsage(cpu)
  const ms = performance.now() - start
  return { ms, cpuMs: (used.user + used.system) / 1000 }
}
