import { until } from '../until.ts'
import type { FakeClock } from './fake-clock.ts'

/** How far the clock is turned between two looks; ms. */
const STEP = 250

/**
 * Turns a clock until `holds` says yes. Between two turns the answers of real servers and the notices of real files may arrive, for 15
 * seconds of real time at the most.
 */
export async function turnUntil(
  clock: Pick<FakeClock, 'advance'>,
  what: string,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const turn = async (): Promise<boolean> => {
    if (await holds()) return true
    clock.advance(STEP)
    return false
  }
  await until(what, turn, 15_000)
}
