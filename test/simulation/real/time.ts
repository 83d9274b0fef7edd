import type { WorldTime } from '../world-time.ts'

const LOOK_MS = 100

/** The time of the machine, as a world's time. */
export function createRealTime(): WorldTime {
  const begun = performance.now()
  const now = (): number => performance.now() - begun
  const after: WorldTime['after'] = (ms, fire) => {
    const timer = setTimeout(fire, Math.max(ms, 0))
    return () => clearTimeout(timer)
  }
  const wait = (ms: number): Promise<void> => new Promise((resolve) => after(ms, resolve))
  return {
    now,
    after,
    wait,
    turns: () => 0,
    async runUntil(end, stop = () => false) {
      while (!stop() && now() < end) await wait(Math.min(LOOK_MS, end - now()))
    },
  }
}
