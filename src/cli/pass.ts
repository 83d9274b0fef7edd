import type { Io } from '../setup/io.ts'
import { passOver } from '../setup/pass.ts'
import type { Setup } from '../setup/setup.ts'
import type { Outcome } from '../status/outcome.ts'
import { startProgress } from './progress.ts'

/** A pass over every app, with its progress shown. */
export async function passWithProgress(io: Io, setup: Setup, what: string): Promise<Outcome[]> {
  const progress = startProgress(io, `${what} ${setup.objects.apps().length} app(s)`)
  try {
    return await passOver(setup, io.signal, (key, done, all) => progress.say(`${what} ${key} (${done} of ${all} done)`))
  } finally {
    progress.stop()
  }
}
