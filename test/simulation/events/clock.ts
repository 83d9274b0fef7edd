import { type EventKind, HOUR } from './kind.ts'

/** What becomes of the machine's clock. */
export const clock: readonly EventKind[] = [
  {
    name: 'clock-forward',
    happen(world, random) {
      const ms = random.pick([90_000, HOUR, 30 * 24 * HOUR])
      world.machine.offset += ms
      return `the clock is set forward by ${ms / 1000} s`
    },
  },
  {
    name: 'clock-back',
    happen(world, random) {
      const ms = random.pick([90_000, HOUR, 24 * HOUR])
      world.machine.offset -= ms
      return `the clock is set back by ${ms / 1000} s`
    },
  },
]
