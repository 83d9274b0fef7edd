import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import * as z from 'zod'
import type { SimulatorOptions } from '../../src/simulator/options.ts'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'
import { objectYaml } from '../controller/world.ts'
import { credentialsOf, type Ended, execute, type LaunchOptions, temporaryFolder } from './process.ts'

const change = z.strictObject({
  action: z.enum(['add', 'remove', 'adopt', 'release']),
  host: z.string(),
  mapping: z.string().exactOptional(),
})
const refusal = z.strictObject({ reason: z.string(), message: z.string() })
const plan = {
  app: z.string(),
  appId: z.string(),
  policy: z.enum(['Sync', 'UpsertOnly', 'Exclusive', 'Observe']),
  hash: z.string().regex(/^[0-9a-f]{16}$/),
  changes: z.array(change),
  kept: z.int(),
  foreign: z.array(z.string()),
  held: z.array(refusal.extend({ host: z.string(), until: z.iso.datetime().exactOptional() })),
  refused: refusal.exactOptional(),
  rejectedMappings: z.array(refusal.extend({ mapping: z.string() })),
  certificates: z
    .strictObject({
      verdict: z.enum(['Go', 'Batch', 'Wait']),
      message: z.string(),
      at: z.iso.datetime().exactOptional(),
    })
    .exactOptional(),
}
const errors = z.array(refusal.extend({ app: z.string().exactOptional(), mapping: z.string().exactOptional() }))
/** `plan -o json`, as docs and scripts rely on it. */
export const planJson = z.strictObject({ plans: z.array(z.strictObject(plan)), errors })
const outcome = z.enum(['Applied', 'Unchanged', 'Refused', 'Failed'])
const applied = z.strictObject({ ...plan, outcome, added: z.array(z.string()), removed: z.array(z.string()) })
/** `apply -o json`. */
export const applyJson = z.strictObject({ plans: z.array(applied), errors })

/** A folder of objects, a simulator, and the command line upon them. */
export interface Bench {
  simulator: Simulator
  appId: string
  root: string
  folder: string
  listed(): string[]
  map(name: string, spec?: object): Promise<void>
  unmap(name: string): Promise<void>
  /** Runs a command that talks to the simulator. */
  command(args: readonly string[], options?: LaunchOptions): Promise<Ended>
}

/** Makes one, with these domains on the app at ServerPilot. */
export async function createBench(
  t: TestContext,
  domains = ['by-hand.example.org'],
  options: SimulatorOptions = {},
): Promise<Bench> {
  const simulator = await startSimulator({ apps: [{ name: 'network', domains }], actionDuration: 1, ...options })
  t.after(() => simulator.stop())
  const root = await temporaryFolder(t)
  const folder = join(root, 'domains')
  await mkdir(folder)
  const appId = simulator.apps[0] as string
  const app = objectYaml('ServerPilotApp', 'network', { appId, www: 'Never', ssl: { auto: false } })
  await writeFile(join(folder, 'network.yaml'), app)
  const path = (name: string): string => join(folder, `${name}.yaml`)
  return {
    ...{ simulator, appId, root, folder },
    listed: () => simulator.state.app(appId).domains.toSorted(),
    map: (name, spec) => {
      const whole = { domain: `${name}.example.com`, appRef: { name: 'network' }, ...spec }
      return writeFile(path(name), objectYaml('DomainMapping', name, whole))
    },
    unmap: (name) => rm(path(name)),
    command: (args, options) =>
      execute(
        t,
        [
          ...args,
          ...['--manifests', folder, '--state-dir', join(root, 'state'), '--serverpilot-url', simulator.url],
          ...['--serverpilot-qps', '500'],
        ],
        { env: credentialsOf(simulator), ...options },
      ),
  }
}
