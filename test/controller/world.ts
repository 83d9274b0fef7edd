import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { stringify } from 'yaml'
import { reconcile } from '../../src/controller/app/reconcile.ts'
import { type Context, createContext } from '../../src/controller/context/context.ts'
import type { Mode, Ports } from '../../src/controller/context/ports.ts'
import { sweep } from '../../src/controller/sweep.ts'
import { openFileStore } from '../../src/ownership/file-store.ts'
import type { OwnershipRecord } from '../../src/ownership/record.ts'
import { createServerPilot } from '../../src/serverpilot/client.ts'
import { createAccounts } from '../../src/setup/accounts.ts'
import { createSecrets } from '../../src/setup/secrets.ts'
import type { SimulatorOptions } from '../../src/simulator/options.ts'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'
import { createManifestSource } from '../../src/source/manifests/manifests.ts'
import type { Outcome } from '../../src/status/outcome.ts'
import { type Clock, systemClock } from '../../src/time/clock.ts'
import { type FakeClock, fakeClock } from '../time/fake-clock.ts'

const KEY = 'wordpress/network'

/** A clock that a test turns; sleeping turns it as well. */
export type TestClock = FakeClock

export function testClock(start = Date.UTC(2026, 0, 15, 12)): TestClock {
  const clock = fakeClock({ start })
  return {
    ...clock,
    sleep: async (ms, signal) => {
      clock.advance(ms)
      await systemClock.turn()
      signal?.throwIfAborted()
    },
  }
}

/** One installation of domainpilot against a simulator: real HTTP, real files, a real record; time is the test's. */
export interface Installation {
  folder: string
  context: Context
  clock: TestClock
  /** Puts a mapping into the folder. */
  map(name: string, domain?: string, spec?: object): Promise<void>
  unmap(name: string): Promise<void>
  write(file: string, text: string): Promise<void>
  /** Reads the folder and makes one pass over the app. */
  pass(): Promise<Outcome>
  /** The same; while the list is doubted, pass after pass, letting time pass as asked for. */
  reconcile(): Promise<Outcome>
  /** Reconciles until nothing is pending, letting time pass as asked for; the last outcome. */
  settle(): Promise<Outcome>
  record(): OwnershipRecord
  /** Saves another record in its place. */
  rewrite(change: (record: OwnershipRecord) => OwnershipRecord): Promise<void>
  /** As after a crash: memory is gone, files are there. */
  restart(): Promise<void>
}

export interface World extends Installation {
  simulator: Simulator
  appId: string
  /** The list at ServerPilot, sorted. */
  listed(): string[]
  posts(): number
  sslPosts(): number
  /** A second installation on the same app, with its own folder and record. */
  another(spec?: object): Promise<Installation>
}

interface WorldOptions {
  domains?: string[]
  spec?: object
  simulator?: SimulatorOptions
  mode?: Partial<Mode>
  ports?: Partial<Ports>
  timeoutMs?: number
  /** Requests a second; so many that nothing waits unless it is given. */
  qps?: number
}

export async function createWorld(t: TestContext, options: WorldOptions = {}): Promise<World> {
  const { domains = ['by-hand.example.org'] } = options
  const simulator = await startSimulator({
    apps: [{ name: 'network', domains }],
    actionDuration: 1,
    ...options.simulator,
  })
  t.after(() => simulator.stop())
  const appId = simulator.apps[0] as string
  const first = await install(t, simulator, appId, options)
  const more: Omit<World, keyof Installation> = {
    simulator,
    appId,
    listed: () => (simulator.state.app(appId)?.domains ?? []).toSorted(),
    posts: () => simulator.counts().postDomains,
    sslPosts: () => simulator.counts().postSsl,
    another: (spec) => install(t, simulator, appId, { ...options, ...(spec === undefined ? {} : { spec }) }),
  }
  // Not spread: `context` is another one after a restart.
  return Object.defineProperties(first, Object.getOwnPropertyDescriptors(more)) as World
}

async function install(
  t: TestContext,
  simulator: Simulator,
  appId: string,
  options: WorldOptions,
): Promise<Installation> {
  const root = await mkdtemp(join(tmpdir(), 'domainpilot-test-'))
  const folder = join(root, 'domains')
  await mkdir(folder)
  // A daemon that is being ended may still write there.
  t.after(() => rm(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }))
  await writeFile(
    join(folder, 'network.yaml'),
    objectYaml('ServerPilotApp', 'network', { appId, www: 'Never', ssl: { auto: false }, ...options.spec }),
  )
  const clock = testClock()
  const boot = () => bootController(root, folder, simulator, clock, options)
  let running = await boot()
  t.after(() => running.close())
  const pass = async (): Promise<Outcome> => {
    await running.context.ports.objects.start(() => undefined)
    await running.context.ports.objects.stop()
    return await reconcile(running.context, KEY, new AbortController().signal)
  }
  const one = async (): Promise<Outcome> => {
    for (;;) {
      const outcome = await pass()
      const { reason, retryAfter } = outcome.failure ?? {}
      if (reason !== 'Progressing' || retryAfter === undefined) return outcome
      clock.advance(retryAfter)
    }
  }
  const api: Installation = {
    folder,
    get context() {
      return running.context
    },
    clock,
    map: (name, domain = `${name}.example.com`, spec = {}) =>
      writeFile(
        join(folder, `${name}.yaml`),
        objectYaml('DomainMapping', name, { domain, appRef: { name: 'network' }, ...spec }),
      ),
    unmap: (name) => rm(join(folder, `${name}.yaml`)),
    write: (file, text) => writeFile(join(folder, file), text),
    pass,
    reconcile: one,
    async settle() {
      let outcome = await one()
      for (let turn = 0; turn < 12; turn++) {
        const wait =
          outcome.failure?.retryAfter ??
          (outcome.failure?.retryable ? 1_000 : (outcome.next ?? clock.now()) - clock.now())
        if (wait <= 0 && outcome.failure === undefined) return outcome
        clock.advance(Math.max(wait, 1))
        outcome = await one()
      }
      return outcome
    },
    record: () => running.context.memory.records.of(KEY) as OwnershipRecord,
    rewrite: (change) => running.context.memory.records.save(KEY, change(api.record())),
    async restart() {
      await running.close()
      running = await boot()
    },
  }
  return api
}

async function bootController(root: string, folder: string, simulator: Simulator, clock: Clock, options: WorldOptions) {
  const objects = createManifestSource({ paths: [folder] })
  const credentials = { clientId: simulator.clientId, apiKey: simulator.apiKey }
  const accounts = createAccounts(
    objects,
    { credentials, mayUse: () => true },
    createSecrets(),
    ({ credentials: of, origin }) =>
      createServerPilot({
        baseUrl: simulator.url,
        credentials: of,
        credentialsOrigin: origin,
        qps: options.qps ?? 2_000,
        clock: systemClock,
        timeoutMs: options.timeoutMs ?? 400,
        actionPollMs: 20,
        version: 'test',
      }),
  )
  const store = await openFileStore(join(root, 'state'), { version: 'test' })
  const context = createContext(
    {
      objects,
      mappingSources: [objects],
      accountOf: accounts.accountOf,
      records: store,
      clock,
      namespaceLabels: () => undefined,
      assertMayWrite: () => undefined,
      ...options.ports,
    },
    { dryRun: false, oneShot: false, approval: undefined, writer: { version: 'test', filters: '' }, ...options.mode },
  )
  return { context, close: () => store.close() }
}

export function objectYaml(kind: string, name: string, spec: object, metadata: object = {}): string {
  return stringify({
    apiVersion: 'domainpilot.dev/v1alpha1',
    kind,
    metadata: { name, namespace: 'wordpress', ...metadata },
    spec,
  })
}

/** One sweep, to its end. */
export async function sweepOnce(context: Context): Promise<void> {
  for await (const _ of sweep(context, new AbortController().signal));
}

/** `h001` … */
export const names = (count: number, prefix = 'h'): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${String(index + 1).padStart(3, '0')}`)
