import type { Io } from '../setup/io.ts'
import type { Given } from '../setup/option.ts'
import { passOver, readSource } from '../setup/pass.ts'
import { type Setup, setUp } from '../setup/setup.ts'
import type { Outcome } from '../status/outcome.ts'
import { startProgress } from './progress.ts'

/** Does the work of a command that only looks, and gives back at its end what that stood on. */
export async function looking<T>(io: Io, given: Given, work: (setup: Setup) => Promise<T>): Promise<T> {
  const setup = await setUp(io, given, { oneShot: true, writes: false })
  try {
    return await work(setup)
  } finally {
    await setup.close()
  }
}

/** Reads the objects and passes over every app, with its progress shown. Once `io.signal` aborts, gives what was finished by then. */
export async function passWithProgress(io: Io, setup: Setup, what: string): Promise<Outcome[]> {
  await readSource(setup, io.signal)
  const progress = startProgress(io, `${what} ${setup.objects.apps().length} app(s)`)
  try {
    return await passOver(setup, io.signal, (key, done, all) => progress.say(`${what} ${key} (${done} of ${all} done)`))
  } finally {
    progress.stop()
  }
}
