import { writes } from '../plan/plan.ts'
import { EXIT, type Io } from '../setup/io.ts'
import type { Given } from '../setup/option.ts'
import { readSource } from '../setup/pass.ts'
import { setUp } from '../setup/setup.ts'
import { failed, print } from './outcomes.ts'
import { passWithProgress } from './pass.ts'

/** `plan`: what would change, per app; writes nothing. */
export async function planCommand(io: Io, given: Given): Promise<number> {
  const setup = await setUp(io, given, { oneShot: true, writes: false })
  try {
    await readSource(setup, io.signal)
    const outcomes = await passWithProgress(io, setup, 'Planning')
    io.signal.throwIfAborted()
    print(io, given, { objects: setup.objects, outcomes, applied: false })
    if (failed(setup, outcomes)) return EXIT.failed
    const differs = outcomes.some(({ plan }) => plan !== undefined && (writes(plan) || plan.waiting.length > 0))
    return given.exitCode === true && differs ? EXIT.differences : EXIT.done
  } finally {
    await setup.close()
  }
}
