import { setTimeout as pause } from 'node:timers/promises'
import type { Key } from '../src/api/objects.ts'
import { createDaemon } from '../src/controller/daemon.ts'
import { setUp } from '../src/setup/setup.ts'
import type { CallRecord } from '../src/simulator/calls.ts'
import type { Outcome } from '../src/status/outcome.ts'
import { silentIo } from '../test/cli/silent-io.ts'
import type { Folder } from './folder.ts'
import { type SimulatorProcess, until } from './process.ts'

/** A daemon in this process: real folder, real HTTP, real record; what it reports can be looked at. */
export interface BenchDaemon {
  /** Every outcome so far. */
  outcomes: Outcome[]
  /** When sweeps began, an entry for each app, by `performance.now()`. */
  sweeps: number[]
  enqueue(app: Key): void
  stop(): Promise<void>
}

/** Starts the daemon. It sweeps at its start and by the schedule, which by default is never in a bench's time. */
export async function startDaemon(
  folder: Folder,
  simulator: SimulatorProcess,
  given: { sweepSchedule?: string; serverpilotQps?: string } = {},
): Promise<BenchDaemon> {
  const setup = await setUp(
    { ...silentIo(), environment: simulator.env, version: 'bench' },
    {
      manifests: [folder.manifests],
      stateDir: folder.state,
      serverpilotUrl: simulator.url,
      sweepSchedule: '0 0 1 1 *',
      ...given,
    },
    { oneShot: false, writes: true },
  )
  const outcomes: Outcome[] = []
  const sweeps: number[] = []
  const { listings } = setup.context.memory
  const { ask } = listings
  // Only a sweep asks for listings, directly before its call.
  listings.ask = (key) => {
    sweeps.push(performance.now())
    return ask(key)
  }
  const daemon = createDaemon({
    context: setup.context,
    reporter: {
      reconciled: (outcome) => outcomes.push(outcome),
      objectsChanged: () => undefined,
    },
    log: setup.log,
    workers: setup.settings.workers,
    sweepSchedule: setup.settings.sweepSchedule,
    hooks: {},
  })
  await daemon.start()
  await daemon.lead()
  return {
    outcomes,
    sweeps,
    enqueue: daemon.enqueue,
    async stop() {
      await daemon.stop(5_000)
      await setup.close()
    },
  }
}

/** Waits until no call has come for `ms`; gives all the calls after a sequence number. */
export async function quietCalls(simulator: SimulatorProcess, after = 0, ms = 2_000): Promise<CallRecord[]> {
  let known = -1
  return await until('the daemon falls silent', async () => {
    const calls = await simulator.calls(after)
    if (calls.length === known) return calls
    known = calls.length
    await pause(ms)
    return undefined
  })
}

/** The number of the last call. */
export const lastCall = async (simulator: SimulatorProcess): Promise<number> =>
  (await simulator.calls()).at(-1)?.seq ?? 0

export const writesAmong = (calls: readonly CallRecord[]): number =>
  calls.filter((call) => call.endpoint === 'postDomains').length
