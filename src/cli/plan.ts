import { writes } from '../plan/plan.ts'
import { EXIT, type Io } from '../setup/io.ts'
import type { Given } from '../setup/option.ts'
import { sayNotForeign } from './foreign.ts'
import { failed, print, unaccepted } from './outcomes.ts'
import { looking, passWithProgress } from './pass.ts'

/** `plan`: what would change, per app; writes nothing. */
export async function planCommand(io: Io, given: Given): Promise<number> {
  return await looking(io, given, async (setup) => {
    const outcomes = await passWithProgress(io, setup, 'Planning')
    io.signal.throwIfAborted()
    print(io, given, { objects: setup.objects, outcomes, applied: false })
    const strangers = sayNotForeign(io, given, outcomes)
    if (strangers || failed(setup, outcomes) || unaccepted(setup, outcomes)) return EXIT.failed
    const differs = outcomes.some(({ plan }) => plan !== undefined && (writes(plan) || plan.waiting.length > 0))
    return given.exitCode === true && differs ? EXIT.differences : EXIT.done
  })
}
