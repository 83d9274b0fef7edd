import type { Clock } from './clock.ts'

/** Whether work of one kind gets on. */
export interface Pulse {
  /** What the work comes to. Until then it is under way; that it began and ended are beats. */
  during<T>(work: () => Promise<T>): Promise<T>
  /** Work that is under way has got on. */
  beat(): void
  /** How long no work that is under way has got on; ms. 0 while none is. */
  silence(): number
}

/** Makes the pulse of work that may be under way several times at once. A silence is measured on the steady clock. */
export function createPulse(clock: Pick<Clock, 'steady'>): Pulse {
  let underWay = 0
  let last = 0
  const beat = (): void => {
    last = clock.steady()
  }
  return {
    beat,
    async during(work) {
      underWay++
      beat()
      try {
        return await work()
      } finally {
        underWay--
        beat()
      }
    },
    silence: () => (underWay === 0 ? 0 : clock.steady() - last),
  }
}
