import { spawn } from 'node:child_process'
import { appYaml, createFolder, mappingYaml, names } from './folder.ts'
import { type Bench, ensure, type Figure, median } from './measure.ts'
import { build, PROGRAMS, startSimulatorProcess } from './process.ts'

const OBJECTS = 100
const RUNS = 15
const GOAL_MS = 1_000
/** Writes the peak of resident memory to descriptor 3 (Linux: the counter of `process.resourceUsage` outlives an exec). */
const TELL_MEMORY = `data:text/javascript,${encodeURIComponent(
  `import fs from 'node:fs'; process.on('exit', () => fs.writeSync(3, fs.readFileSync('/proc/self/status', 'utf8')))`,
)}`

/** `plan` over 100 objects, from the start of the process to its end. */
export const startBench: Bench = {
  name: 'start',
  async run() {
    await build()
    const simulator = await startSimulatorProcess({ network: ['by-hand.example.org'] })
    const folder = await createFolder()
    const mappings = names(OBJECTS - 1).map((name) => mappingYaml(name, `${name}.example.com`, 'network'))
    await folder.write('all.yaml', appYaml('network', simulator.apps[0] ?? ''), ...mappings)
    try {
      const plan = ['plan', '--manifests', folder.manifests, '--state-dir', folder.state, ...simulator.flags]
      const subjects = [
        { title: 'source', args: [PROGRAMS.source, ...plan], times: [] as number[] },
        { title: 'bundle', args: [PROGRAMS.bundle, ...plan], times: [] as number[] },
        { title: 'bare', args: ['-e', '0'], times: [] as number[] },
      ]
      for (let round = 0; round < RUNS; round++) {
        for (const { args, times } of subjects) times.push((await run(args, simulator.env)).ms)
      }
      const bare = subjects.at(-1)
      const bareMs = median(bare?.times ?? [])
      const bareMemory = await peak(bare?.args ?? [], {})
      const figures: Figure[] = []
      for (const { title, args, times } of subjects.slice(0, -1)) {
        figures.push({
          name: `plan of ${OBJECTS} objects, ${title}: time`,
          measured: median(times),
          unit: 'ms',
          goal: GOAL_MS,
          yardstick: bareMs,
          note: 'yardstick: node -e 0',
        })
        figures.push({
          name: `plan of ${OBJECTS} objects, ${title}: peak memory`,
          measured: await peak(args, simulator.env),
          unit: 'MiB',
          yardstick: bareMemory,
          note: 'yardstick: node -e 0',
        })
      }
      return figures
    } finally {
      await simulator.stop()
      await folder.remove()
    }
  },
}

async function peak(args: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
  const values: number[] = []
  for (let round = 0; round < 5; round++) {
    const { told } = await run(['--import', TELL_MEMORY, ...args], env)
    values.push(Number(/VmHWM:\s+(\d+) kB/.exec(told)?.[1]) / 1024)
  }
  return median(values)
}

/** Runs `node ARGS` to its end. */
function run(args: readonly string[], env: Readonly<Record<string, string>>): Promise<{ ms: number; told: string }> {
  return new Promise((resolve, reject) => {
    const start = performance.now()
    const child = spawn(process.execPath, args, { env: { ...env }, stdio: ['ignore', 'pipe', 'inherit', 'pipe'] })
    let told = ''
    child.stdout?.resume()
    child.stdio[3]?.on('data', (chunk: Buffer) => {
      told += chunk.toString()
    })
    let ms = 0
    child.once('exit', () => {
      ms = performance.now() - start
    })
    child.once('error', reject)
    child.once('close', (status) => {
      try {
        ensure(status === 0, `node ${args.join(' ')} ended with status ${status}`)
        resolve({ ms, told })
      } catch (error) {
        reject(error)
      }
    })
  })
}
