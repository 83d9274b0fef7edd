import { setTimeout as pause } from 'node:timers/promises'
import { QUEUE_TIMES } from '../src/controller/queue/queue-state.ts'
import { quietCalls } from './daemon.ts'
import { appYaml, createFolder, type Folder, mappingYaml } from './folder.ts'
import { type Bench, type Figure, percentile } from './measure.ts'
import { build, PROGRAMS, type Running, type SimulatorProcess, start, startSimulatorProcess, until } from './process.ts'

const SAVES = 40
const GOAL_MS = 1_000
/** What is waited for on purpose: quiet in the folder, then quiet of the app. */
const CONFIGURED_MS = 50 + QUEUE_TIMES.quiet

/** From a saved file to the arrival of the POST, on an idle daemon in its own process. */
export const latencyBench: Bench = {
  name: 'latency',
  async run() {
    await build()
    const daemons: Subject[] = []
    try {
      for (const [title, program] of Object.entries(PROGRAMS)) daemons.push(await startSubject(title, program))
      // They take turns, so that each is idle again while the other works.
      for (let save = 0; save < SAVES; save++) {
        for (const daemon of daemons) daemon.times.push(await saveToPost(daemon, save))
      }
      return daemons.flatMap(figures)
    } finally {
      for (const { running, simulator, folder } of daemons) {
        await running.stop()
        await simulator.stop()
        await folder.remove()
      }
    }
  },
}

interface Subject {
  title: string
  running: Running
  simulator: SimulatorProcess
  folder: Folder
  times: number[]
  /** The last call that was looked at. */
  seen: number
}

async function startSubject(title: string, program: string): Promise<Subject> {
  const simulator = await startSimulatorProcess({ network: ['by-hand.example.org'] }, { latency: 20 })
  const folder = await createFolder()
  await folder.write('app.yaml', appYaml('network', simulator.apps[0] ?? ''))
  const paths = ['--manifests', folder.manifests, '--state-dir', folder.state]
  const running = start([program, 'run', ...paths, ...simulator.flags, '--listen', 'off'], simulator.env)
  await until('the first sweep', async () => (await simulator.calls()).length > 0)
  const calls = await quietCalls(simulator)
  return { title, running, simulator, folder, times: [], seen: calls.at(-1)?.seq ?? 0 }
}

async function saveToPost(subject: Subject, save: number): Promise<number> {
  const { simulator, folder } = subject
  const name = `h${save}`
  const saved = Date.now()
  await folder.write(`${name}.yaml`, mappingYaml(name, `${name}.example.com`, 'network'))
  const post = await until('the POST arrives', async () =>
    (await simulator.calls(subject.seen)).find((call) => call.endpoint === 'postDomains'),
  )
  // Uneven pauses, or each save would meet the same moment of every timer.
  await pause(400 + Math.random() * 400)
  subject.seen = post.seq
  return post.time - saved
}

function figures({ title, times }: Subject): Figure[] {
  const common = { unit: 'ms', yardstick: CONFIGURED_MS, note: 'yardstick: the configured debounce and coalescing' }
  return [
    { ...common, name: `saved file to POST, ${title}: p50`, measured: percentile(times, 0.5), note: `${SAVES} saves` },
    { ...common, name: `saved file to POST, ${title}: p95`, measured: percentile(times, 0.95), goal: GOAL_MS },
  ]
}
